"""Neural networks: encoders that learn from labels, and a classifier that fuses them inside one network.

Built with Keras. An encoder is used in two ways: as layers of a larger network (`NetworkEncoder.prepare` and
`NetworkEncoder.network`), or alone, as a scikit-learn transformer (``fit(X, y)`` and ``transform``).
"""

import pickle
import random
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, fields
from numbers import Integral
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch, check_array, compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from mmtutor import audio, image, text
from mmtutor.encoder import Encoder
from mmtutor.keras_quietly import import_keras
from mmtutor.progress import Progress
from mmtutor.table import cells, check_data

START, UNKNOWN = 1, 2  # numbers of two special tokens; padding is 0
SAVED = b"mmtutor KerasFusionClassifier 1\n"  # the first line of a saved file
AT_ONCE = 256  # rows that go through a trained network together


@dataclass(eq=False, repr=False, kw_only=True)
class Trained:
    """Base of what is trained: how a network learns from rows, and the parameters of that.

    Parameters
    ----------
    epochs : int, default=30
        Passes over the training rows.
    batch_size : int, default=32
        Rows a step.
    learning_rate : float, default=0.001
        Step size of Adam (Kingma and Ba 2015).
    progress : bool, default=False
        Whether a line says how far training is.
    random_state : int or None, default=0
        First weights, order of the rows, dropout. The same number gives the same results to two or three
        digits. Global random numbers stay as they are.

    Notes
    -----
    Taught in chapters 3 and 9.
    """

    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 1e-3
    progress: bool = False
    random_state: int | None = 0

    def _check_numbers(self) -> None:
        """Check each parameter that is declared as an int."""
        for name in (f.name for f in fields(self) if f.type is int):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(f"{type(self).__name__}({name}={value!r}): not a whole number of 1 or more")

    def _train(self, model, rows: tuple, rng, hidden=0, patience=None, held_out=None) -> pd.DataFrame:
        """Train a network on rows, (inputs, codes, weights); give its history."""
        keras = import_keras()
        shell = keras.Model(model.input, model.output)  # so that the model keeps no optimizer
        adam, loss = keras.optimizers.Adam(self.learning_rate), "sparse_categorical_crossentropy"
        shell.compile(adam, loss, weighted_metrics=["accuracy"], jit_compile=False)  # too small to compile
        steps = -(-len(rows[1]) // self.batch_size)
        batches = _batches(*rows, self.batch_size, hidden, rng)
        with Progress(self.epochs) if self.progress else nullcontext() as line:
            tell = lambda _, logs: line and line.step(f"epochs, loss {logs['loss']:.3f}")  # noqa: E731
            callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=tell)]
            if held_out:
                callbacks.append(keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True))
            settings = {"validation_data": held_out, "validation_batch_size": AT_ONCE, "callbacks": callbacks}
            history = shell.fit(
                batches, steps_per_epoch=steps, epochs=self.epochs, shuffle=False, verbose=0, **settings
            )
        return pd.DataFrame(history.history, index=pd.RangeIndex(1, len(history.epoch) + 1, name="epoch"))


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkEncoder(Trained, Encoder):
    """Base of the encoders that are neural networks. A subclass has ``prepare`` and ``layers``.

    Parameters
    ----------
    n_features : int, default=32
        Width of the last layer, the features.
    epochs, batch_size, learning_rate, progress, random_state
        How ``fit`` trains, see `Trained`.

    Attributes
    ----------
    network_ : keras.Model, prepared array -> features; after ``fit``
    history_ : pd.DataFrame, loss and accuracy of each epoch; after ``fit``

    Notes
    -----
    As layers: ``arrays = encoder.adapt(column).prepare(column)`` go into ``encoder.network(arrays)``.
    Alone: ``fit`` puts a softmax on the features, trains both on the labels, keeps what is below the softmax.
    Taught in chapters 2, 3 and 4.
    """

    n_features: int = 32

    learns = True

    def adapt(self, X, y=None) -> "NetworkEncoder":
        """Learn what ``prepare`` needs from n_samples raw objects: training rows only. Here, nothing."""
        self._check_numbers()
        return self

    def network(self, arrays: np.ndarray, name: str | None = None):
        """Build the untrained network.

        Parameters
        ----------
        arrays : array, shape (n_samples, …), what ``prepare`` gives; only shape and dtype count
        name : str, optional

        Returns
        -------
        keras.Model, arrays (n, …) -> float32 (n, n_features), 0 or more
        """
        keras = import_keras()
        inputs = keras.Input(arrays.shape[1:], dtype=arrays.dtype.name)
        features = keras.layers.Dense(self.n_features, activation="relu")(self.layers(keras, inputs))
        return keras.Model(inputs, features, name=name)

    def fit(self, X, y=None) -> "NetworkEncoder":
        """Train the network, with a softmax on top.

        Parameters
        ----------
        X : n_samples raw objects
        y : array of labels, shape (n_samples,)

        Raises
        ------
        ValueError
            Without labels, with a single class, or for an object that is missing or cannot be used (row and
            column are named).
        """
        if y is None:
            reason = "a network that was never trained gives other features each time it is built"
            raise ValueError(f"{type(self).__name__} learns from labels: call fit(X, y); {reason}")
        arrays = self.adapt(X).prepare(X)
        classes, codes = _classes(y, len(arrays))
        rng = np.random.default_rng(self.random_state)
        with _seeded(rng):
            self.network_, model = self._build(arrays, codes, len(classes))
        self.history_ = self._train(model, (arrays, codes, np.ones(len(codes))), rng)
        self._n_features_out = self.network_.output_shape[-1]
        return self

    def _build(self, arrays, codes, n_classes: int):
        """The network to the features, and the same with a softmax on top."""
        network, keras = self.network(arrays), import_keras()
        softmax = keras.layers.Dense(n_classes, activation="softmax", name="softmax")
        return network, keras.Model(network.input, softmax(network.output))

    def transform(self, X) -> np.ndarray:
        """Give the features below the softmax: n_samples raw objects -> float32 (n_samples, n_features)."""
        check_is_fitted(self, "network_")
        return forward(self.network_, self.prepare(X))


@dataclass(eq=False, repr=False, kw_only=True)
class ImageCNN(NetworkEncoder):
    """Encode pictures: convolutions, each followed by a pooling that halves the picture, then a dense layer.

    Parameters
    ----------
    size : int, default=32
        Pictures are resized to size x size pixels first.
    filters : tuple of int, default=(16, 32)
        Filters of each 3 x 3 convolution.
    n_features, epochs, batch_size, learning_rate, progress, random_state
        See `NetworkEncoder`.

    Notes
    -----
    Values 0-255 are divided by 255 inside the network. LeCun et al. (1998). Taught in chapters 2 and 9.
    """

    size: int = 32
    filters: tuple = (16, 32)

    def prepare(self, X) -> np.ndarray:
        """Resize: n_samples images, uint8 RGB -> uint8 array (n_samples, size, size, 3), values 0-255."""
        size, area = (self.size, self.size), cv2.INTER_AREA
        pictures = cells(X, image.problem, image.CURE)
        return np.array([cv2.resize(picture, size, interpolation=area) for picture in pictures])

    def layers(self, keras, x):
        """From the input tensor to the one below the features."""
        x = keras.layers.Rescaling(1 / 255)(x)
        for n in self.filters:
            x = keras.layers.Conv2D(n, 3, padding="same", activation="relu")(x)
            x = keras.layers.MaxPooling2D(padding="same")(x)
        return keras.layers.Flatten()(x)


@dataclass(eq=False, repr=False, kw_only=True)
class TextEncoder(NetworkEncoder):
    """Base of the text encoders: from a str to the numbers of its tokens, and to their vectors.

    Parameters
    ----------
    n_words : int, default=10000
        Size of the vocabulary at most: the most frequent tokens of the training rows.
    length : int, default=32
        Tokens a text; what is longer is cut, what is shorter is padded, and the padding is masked.
    tokenizer : function of a str that gives a list of str, default=mmtutor.text.words
        ``list`` cuts into characters.
    embedding : int, default=32
        Width of a token's vector.

    Attributes
    ----------
    vocabulary_ : dict of token -> number, 3 or more; 0 is padding, 1 the start, 2 an unknown token

    Notes
    -----
    Texts are lower-cased. Each begins with the start token, so that an empty text has something to read.
    Taught in chapters 2, 4 and 9.
    """

    n_words: int = 10_000
    length: int = 32
    tokenizer: Callable = text.words
    embedding: int = 32

    def adapt(self, X, y=None):
        """Learn the vocabulary from n_samples texts: training rows only."""
        counts = Counter(token for tokens in self._tokens(X) for token in tokens)
        most = sorted(counts, key=lambda token: (-counts[token], token))[: self.n_words]
        self.vocabulary_ = {token: number for number, token in enumerate(most, start=UNKNOWN + 1)}
        return super().adapt(X)

    def prepare(self, X) -> np.ndarray:
        """Number the tokens: n_samples texts -> int32 array (n_samples, length), padded with 0 at the end."""
        check_is_fitted(self, "vocabulary_")
        number = self.vocabulary_.get
        rows = [[START, *(number(token, UNKNOWN) for token in tokens)] for tokens in self._tokens(X)]
        return import_keras().utils.pad_sequences(rows, self.length, padding="post", truncating="post")

    def _tokens(self, X):
        return (self.tokenizer(cell.lower()) for cell in cells(X, text.problem, text.CURE))

    def _embed(self, keras, x):
        return keras.layers.Embedding(len(self.vocabulary_) + 3, self.embedding, mask_zero=True)(x)


@dataclass(eq=False, repr=False, kw_only=True)
class TextLSTM(TextEncoder):
    """Encode texts: embedding, an LSTM that reads token by token, a dense layer on its last state.

    Parameters
    ----------
    n_units : int, default=32
        Width of the LSTM's state.
    n_words, length, tokenizer, embedding
        See `TextEncoder`.
    n_features, epochs, batch_size, learning_rate, progress, random_state
        See `NetworkEncoder`.

    Notes
    -----
    Hochreiter and Schmidhuber (1997). Taught in chapters 4 and 9.
    """

    n_units: int = 32

    def layers(self, keras, x):
        """From the input tensor to the one below the features."""
        return keras.layers.LSTM(self.n_units)(self._embed(keras, x))


@dataclass(eq=False, repr=False, kw_only=True)
class TextTransformer(TextEncoder):
    """Encode texts: embedding with positions, self-attention, a feed-forward layer, the mean over tokens.

    Parameters
    ----------
    n_heads : int, default=2
        Attention heads; they share the embedding's width.
    n_words, length, tokenizer, embedding
        See `TextEncoder`.
    n_features, epochs, batch_size, learning_rate, progress, random_state
        See `NetworkEncoder`.

    Notes
    -----
    One encoder layer of Vaswani et al. (2017), with learned positions. Taught in chapters 2, 10 and 11.
    """

    n_heads: int = 2

    def layers(self, keras, x):
        """From the input tensor to the one below the features."""
        layers, width = keras.layers, self.embedding
        positions = keras.ops.cumsum(keras.ops.sign(x), axis=1) * keras.ops.sign(x)  # 1, 2, …; 0 is padding
        places = layers.Embedding(self.length + 1, width, mask_zero=True)(positions)
        x = layers.Add()([self._embed(keras, x), places])  # a sum is masked only if both parts are
        attended = layers.MultiHeadAttention(self.n_heads, max(1, width // self.n_heads))(x, x)
        x = layers.LayerNormalization()(layers.Add()([x, attended]))
        forward = layers.Dense(width)(layers.Dense(2 * width, activation="relu")(x))
        x = layers.LayerNormalization()(layers.Add()([x, forward]))
        return layers.GlobalAveragePooling1D()(x)  # over tokens that are no padding


@dataclass(eq=False, repr=False, kw_only=True)
class SoundEncoder(NetworkEncoder):
    """Base of the sound encoders: from samples to the frames of a log-mel spectrogram.

    Parameters
    ----------
    seconds : float, default=1.0
        What is longer is cut at both ends, what is shorter gets silence at both ends.
    n_bands : int, default=40
        Mel bands of a frame.

    Attributes
    ----------
    mean_, std_ : float32 arrays, shape (n_bands,)
        Of each band in decibels, over some 200 training rows; the standard deviation is 1 or more.

    Notes
    -----
    See `mmtutor.audio.fit_length` and `mmtutor.audio.log_mel`. Taught in chapters 2 and 8.
    """

    seconds: float = 1.0
    n_bands: int = audio.N_BANDS

    def adapt(self, X, y=None):
        """Learn mean and standard deviation of each band from n_samples sounds: training rows only."""
        frames = self._frames(X[:: max(1, len(X) // 200)])
        self.mean_, self.std_ = frames.mean(axis=(0, 1)), np.maximum(frames.std(axis=(0, 1)), 1)
        return super().adapt(X)

    def prepare(self, X) -> np.ndarray:
        """Standardize each band: n_samples sounds -> float32 array (n_samples, n_frames, n_bands)."""
        check_is_fitted(self, "mean_")
        return (self._frames(X) - self.mean_) / self.std_

    def _frames(self, X) -> np.ndarray:
        sounds = (audio.fit_length(s, self.seconds) for s in cells(X, audio.problem, audio.CURE))
        return np.array([audio.log_mel(sound, self.n_bands) for sound in sounds])


@dataclass(eq=False, repr=False, kw_only=True)
class SoundCNN(SoundEncoder):
    """Encode sounds: convolutions over time, each followed by a pooling that halves it, then a dense layer.

    Parameters
    ----------
    filters : tuple of int, default=(32, 32)
        Filters of each convolution over five frames.
    seconds, n_bands
        See `SoundEncoder`.
    n_features, epochs, batch_size, learning_rate, progress, random_state
        See `NetworkEncoder`.

    Notes
    -----
    Taught in chapters 2 and 8.
    """

    filters: tuple = (32, 32)

    def layers(self, keras, x):
        """From the input tensor to the one below the features."""
        for n in self.filters:
            x = keras.layers.Conv1D(n, 5, padding="same", activation="relu")(x)
            x = keras.layers.MaxPooling1D(padding="same")(x)
        return keras.layers.Flatten()(x)


@dataclass(eq=False, repr=False, kw_only=True)
class SoundLSTM(SoundEncoder):
    """Encode sounds: an LSTM that reads four frames a step, and a dense layer on the mean of its states.

    Parameters
    ----------
    n_units : int, default=32
        Width of the LSTM's state.
    seconds, n_bands
        See `SoundEncoder`.
    n_features, epochs, batch_size, learning_rate, progress, random_state
        See `NetworkEncoder`.

    Notes
    -----
    A convolution of width and step 4 joins the frames. Taught in chapters 2 and 8.
    """

    n_units: int = 32

    def layers(self, keras, x):
        """From the input tensor to the one below the features."""
        x = keras.layers.Conv1D(self.n_units, 4, strides=4, padding="same", activation="relu")(x)
        x = keras.layers.LSTM(self.n_units, return_sequences=True)(x)
        return keras.layers.GlobalAveragePooling1D()(x)


@dataclass(eq=False, repr=False, kw_only=True)
class KerasFusionClassifier(Trained, ClassifierMixin, BaseEstimator):
    """Fuse the columns of a table inside one Keras network: an input a modality, all trained together.

    Parameters
    ----------
    encoders : dict of column -> encoder
        A `NetworkEncoder` becomes layers that are trained with the rest. Any other transformer is fitted and
        applied first; its features, one row a sample, are the input: scale them (`StandardScaler`).
    n_hidden : int, default=64
        Width of the layer above the fusion.
    dropout : float in [0, 1), default=0.3
        Share of that layer's units left out in each training step.
    modality_dropout : float in [0, 1), optional
        Share of the training objects hidden in each step, never all that a row has. By default no object may
        be missing, unless a transformer handles it. With a number, 0 too, one may: its branch is multiplied
        by 0.
    class_weight : "balanced" or dict of class -> float, optional
        How much a row of each class counts in the loss; 1 where the dict says nothing.
    patience : int, optional
        Stop after so many epochs without a lower loss on rows held out, and take the best epoch's weights.
        Held-out rows are drawn by class, not by group.
    validation_fraction : float in (0, 1), default=0.15
        Share of the rows held out, at least as many as classes; only with `patience`.
    epochs, batch_size, learning_rate, progress, random_state
        See `Trained`.

    Attributes
    ----------
    classes_ : array, shape (n_classes,)
    encoders_ : dict of column -> fitted encoder, sorted by column
    model_ : keras.Model
        From a dict of prepared arrays, named as the columns, to probabilities. With `modality_dropout` also
        from ``present``, float32 (n_samples, n_modalities), 1 where there is an object.
    history_ : pd.DataFrame, one row an epoch
        loss and accuracy, with `patience` val_loss and val_accuracy; rows count by their class weight.

    Notes
    -----
    y = h(g(z_1, …, z_n)), z_i = f_i(x_i): g puts features side by side, h is a hidden layer and a softmax,
    and all θ are learned together from the cross-entropy. A subclass with another ``fuse`` has another g.
    Modality dropout: Neverova et al. (2016). A row without any modality gets what the biases say.
    Taught in chapters 3, 5, 9 and 11.
    """

    encoders: dict = field(kw_only=False)
    n_hidden: int = 64
    dropout: float = 0.3
    modality_dropout: float | None = None
    class_weight: dict | str | None = None
    patience: int | None = None
    validation_fraction: float = 0.15

    def fit(self, X, y) -> "KerasFusionClassifier":
        """Fit the encoders on the training rows, then train the network.

        Parameters
        ----------
        X : pd.DataFrame, shape (n_samples, n_modalities), a column a modality
        y : array of labels, shape (n_samples,)

        Raises
        ------
        ValueError
            For a parameter out of its range, a column that X has not, an object that is missing or cannot be
            used (row and column are named), one class alone, or with `patience` a class of a single sample.
        """
        self._check_numbers()
        self._check_table(X)
        self.classes_, codes = _classes(y, len(X))
        labels = self.classes_[codes]
        unknown = set(self.class_weight) - set(labels) if isinstance(self.class_weight, dict) else ()
        if unknown:
            raise ValueError(
                f"class_weight names {sorted(unknown)}; the classes are {[*map(str, self.classes_)]}"
            )
        weights = compute_sample_weight(self.class_weight, labels)
        rng = np.random.default_rng(self.random_state)
        parts = [np.arange(len(X))]
        if self.patience is not None:
            size = max(len(self.classes_), round(self.validation_fraction * len(X)))
            seed = int(rng.integers(2**31))
            parts = train_test_split(*parts, test_size=size, stratify=labels, random_state=seed)
        learning, labels = X.iloc[parts[0]], labels[parts[0]]
        self.encoders_ = {c: self._learn(c, learning[c], labels) for c in sorted(self.encoders)}
        inputs = self._prepare(X)
        with _seeded(rng):
            self.model_ = self._build(inputs)
        train, *held_out = [(_rows(inputs, rows), codes[rows], weights[rows]) for rows in parts]
        hidden = self.modality_dropout or 0
        self.history_ = self._train(self.model_, train, rng, hidden, self.patience, *held_out)
        return self

    def predict_proba(self, X) -> np.ndarray:
        """Give probabilities: float32 array (n_samples, n_classes), in the order of ``classes_``."""
        check_is_fitted(self, "model_")
        self._check_table(X)
        return forward(self.model_, self._prepare(X))

    def predict(self, X) -> np.ndarray:
        """Give the most probable class of each row: array (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def fuse(self, features: list):
        """The fusion g: Keras tensors (n, d_i), in the order of columns, to one (n, d). Side by side here."""
        return import_keras().layers.Concatenate()(features)

    def set_params(self, **params) -> "KerasFusionClassifier":
        """Set parameters; those of an encoder are called ``encoders__column__name``."""
        for name in [name for name in params if name.startswith("encoders__")]:
            _, column, parameter = name.split("__", 2)
            self.encoders[column].set_params(**{parameter: params.pop(name)})
        return super().set_params(**params)

    def save(self, path: str | Path) -> None:
        """Write the fitted classifier to one file. Taught in chapters 9 and 15."""
        check_is_fitted(self, "model_")
        Path(path).write_bytes(SAVED + pickle.dumps(self))

    @staticmethod
    def load(path: str | Path) -> "KerasFusionClassifier":
        """Read a classifier that ``save`` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is another kind of file.

        Notes
        -----
        The file holds a pickle, which can run any code when it is read: load only what you trust, your own
        files. Use the versions of the packages that wrote it. Taught in chapters 9 and 15.
        """
        path = Path(path)
        data = path.read_bytes()
        if not data.startswith(SAVED):
            raise ValueError(f"{path.name}: not written by KerasFusionClassifier.save; name another file")
        import_keras()
        return pickle.loads(data.removeprefix(SAVED))

    def _check_table(self, X) -> None:
        if not isinstance(X, pd.DataFrame):
            raise ValueError(f"X is a {type(X).__name__}; a multimodal data set is a table: use make_table")
        if not self.encoders or not set(self.encoders) <= set(X):
            raise ValueError(f"encoders are given for columns {list(self.encoders)}, the table has {list(X)}")

    def _learn(self, column: str, objects: pd.Series, y):
        """Fit one encoder; on the objects that are there, if some may be missing."""
        there = self._usable(objects)
        if not there.any():
            raise ValueError(f"column {column!r} is missing in each of {len(there)} rows; leave it out")
        encoder = clone(self.encoders[column])
        learn = encoder.adapt if isinstance(encoder, NetworkEncoder) else encoder.fit
        return learn(objects[there], y[there])

    def _usable(self, objects: pd.Series) -> np.ndarray:
        return objects.notna().to_numpy() | (self.modality_dropout is None)

    def _prepare(self, X) -> dict[str, np.ndarray]:
        """The network's inputs: an array a column, 0 where an object is missing, and which are there."""
        inputs = {}
        for column, encoder in self.encoders_.items():
            there = self._usable(X[column])
            found = _encode(encoder, X[column][there]) if there.any() else self.nothing_[column]
            inputs[column] = np.zeros((len(X), *found.shape[1:]), found.dtype)
            inputs[column][there] = found
        self.nothing_ = {column: array[:0] for column, array in inputs.items()}
        if self.modality_dropout is not None:
            inputs["present"] = X[list(self.encoders_)].notna().to_numpy(np.float32)
        return inputs

    def _build(self, inputs: dict[str, np.ndarray]):
        keras = import_keras()
        nodes = {n: keras.Input(a.shape[1:], dtype=a.dtype.name, name=n) for n, a in inputs.items()}
        features = []
        for place, (column, encoder) in enumerate(self.encoders_.items()):
            z = nodes[column]
            if isinstance(encoder, NetworkEncoder):
                z = encoder.network(inputs[column], f"{column}_encoder")(z)
            features.append(z * nodes["present"][:, place : place + 1] if "present" in nodes else z)
        x = keras.layers.Dense(self.n_hidden, activation="relu", name="hidden")(self.fuse(features))
        x = keras.layers.Dropout(self.dropout)(x)
        x = keras.layers.Dense(len(self.classes_), activation="softmax", name="softmax")(x)
        return keras.Model(nodes, x, name="fusion")


def _encode(encoder, objects: pd.Series) -> np.ndarray:
    if isinstance(encoder, NetworkEncoder):
        return encoder.prepare(objects)
    found = encoder.transform(objects)
    found = found.toarray() if hasattr(found, "toarray") else found
    return check_array(found, dtype=np.float32, input_name=f"of the encoder of {objects.name!r}")


def _classes(y, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Check the labels; give the classes, sorted, and the place of each label among them."""
    _, y, _ = check_data(Bunch(X=pd.DataFrame(index=range(n_samples)), y=y))
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y has one class, {str(classes[0])!r}; a classifier needs two or more")
    return classes, codes


@contextmanager
def _seeded(rng):
    """Lend Python's random numbers a seed: Keras draws those of new layers from them. Then give them back."""
    state = random.getstate()
    random.seed(int(rng.integers(2**63)))
    try:
        yield
    finally:
        random.setstate(state)


def _rows(inputs, rows):
    return import_keras().tree.map_structure(lambda array: array[rows], inputs)


def _batches(inputs, codes, weights, size: int, hidden: float, rng):
    """Deal out the rows again and again, each time in another order, some of their modalities hidden."""
    while True:
        order = rng.permutation(len(codes))
        for rows in (order[start : start + size] for start in range(0, len(order), size)):
            batch = _rows(inputs, rows)
            if hidden:
                batch["present"] = _hide(batch["present"], hidden, rng)
            yield batch, codes[rows], weights[rows]


def _hide(present: np.ndarray, share: float, rng) -> np.ndarray:
    """Hide a share of the modalities that are there, but leave each row at least one of them."""
    luck = rng.random(present.shape) * present
    return (present * ((luck >= share) | (luck == luck.max(axis=1, keepdims=True)))).astype(np.float32)


def forward(network, inputs) -> np.ndarray:
    """Send rows through a trained network; called as a function it needs no compiling, as predict would."""
    n_rows = len(import_keras().tree.flatten(inputs)[0])
    parts = [np.empty((0, network.output_shape[-1]), np.float32)]
    for start in range(0, n_rows, AT_ONCE):
        parts.append(np.asarray(network(_rows(inputs, slice(start, start + AT_ONCE)), training=False)))
    return np.vstack(parts)
