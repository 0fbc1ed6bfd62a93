"""Fine-tuning: train the upper part of EfficientNet-Lite0 on our pictures, keep the lower part as it is.

What the lower, frozen part gives is computed once; only the upper part runs in every epoch.
"""

from dataclasses import dataclass
from functools import cache
from numbers import Real

import numpy as np
from sklearn.linear_model import LogisticRegression

from mmtutor.keras_quietly import import_keras
from mmtutor.networks import NetworkEncoder, forward
from mmtutor.pretrained import one_graph, picture_batches, shared_efficientnet

BLOCKS = tuple(f"block{i:02}" for i in range(16))
BELOW = dict(
    zip(("stem", *BLOCKS, "head"), ("image", "stem_relu6", *BLOCKS), strict=True)
)  # part -> its input
AT_ONCE = 64  # pictures that go through the frozen part together
C = 0.01  # of the logistic regression at the start; smaller holds its weights back more
LEAST = 0.1  # standard deviation of a feature that is taken at least; most have 0.1 to 2


@dataclass(eq=False, repr=False, kw_only=True)
class FineTunedEfficientNet(NetworkEncoder):
    """Encode pictures by an EfficientNet-Lite0 whose upper part is trained on, from ImageNet's weights.

    Parameters
    ----------
    size : int, default=96
        Pictures are resized to size x size pixels first, 32 or more. Larger is slower and better, up to 224.
    first_tuned : {"stem", "block00", …, "block15", "head"}, default="block15"
        The first part that is trained. It and all above are tuned, all below is frozen. ``"stem"`` tunes
        everything.
    weights : {"imagenet", None}, default="imagenet"
        None starts from scratch, at random weights; then everything must be tuned.
    n_features : int, default=32
        Width of the dense layer that a branch ends in (see Notes). Alone, there are always 1,280 features.
    epochs : int, default=8
    learning_rate : float, default=0.0003
        Small, so that what ImageNet taught is changed and not lost.
    batch_size, progress, random_state
        See `Trained`.

    Attributes
    ----------
    network_ : keras.Model
        The tuned part: from what ``prepare`` gives to float32 (n_samples, 1280); after ``fit``. Its layers
        are named as in `efficientnet_lite0`. The frozen part is no part of the estimator: it is built once a
        process.
    history_ : pd.DataFrame, loss and accuracy of each epoch; after ``fit``
    n_trained_ : int
        How many numbers of ``network_`` were trained, 1,009,792 from block15 on; after ``fit``. In all of
        ``network_``, with its batch normalization, `mmtutor.evaluate.count_parameters` counts 1,025,408.

    Raises
    ------
    ValueError
        For a parameter out of its range, by ``fit`` and ``adapt``.

    Notes
    -----
    Batch normalization stays as ImageNet left it, scales, shifts and statistics: thirty pictures a step are
    too few to learn them anew. From scratch it is trained, and its statistics follow faster (momentum 0.9,
    not 0.99), since there are fewer steps.

    Alone, ``fit`` begins where the frozen network stands: its softmax is a logistic regression on the
    standardized frozen features (C = 0.01; standard deviations below 0.1 count as 0.1), with the
    standardization worked into its weights. So what is gained is gained over a strong baseline. From scratch
    the softmax begins at random.

    As a branch of `KerasFusionClassifier` it has a dense layer with ReLU on top, as other branches do, so
    that 1,280 features do not drown those of a text; this layer begins at random. Epochs, learning rate and
    seed are then the classifier's.

    ``prepare`` keeps what goes into the tuned part in memory: at 96 pixels 7 kB a picture for block15, 16 kB
    for block11, 0.3 MB for block00. The lower layers of a pretrained network see edges and colors, which any
    pictures have: Yosinski et al. (2014). Taught in chapter 4.
    """

    size: int = 96
    first_tuned: str = "block15"
    weights: str | None = "imagenet"
    epochs: int = 8
    learning_rate: float = 3e-4

    def adapt(self, X, y=None) -> "FineTunedEfficientNet":
        """Check the parameters; there is nothing to learn. X: n_samples images."""
        name = type(self).__name__
        if self.first_tuned not in BELOW:
            raise ValueError(
                f"{name}(first_tuned={self.first_tuned!r}): no part of the network; choose 'stem', "
                "'block00' … 'block15' or 'head'"
            )
        if self.weights not in ("imagenet", None):
            raise ValueError(f"{name}(weights={self.weights!r}): unknown; choose 'imagenet' or None")
        if self.weights is None and self.first_tuned != "stem":
            raise ValueError(
                f"{name}(weights=None, first_tuned={self.first_tuned!r}): random weights would stay frozen; "
                "from scratch, choose first_tuned='stem'"
            )
        if not isinstance(self.learning_rate, Real) or not 0 < self.learning_rate < np.inf:
            raise ValueError(f"{name}(learning_rate={self.learning_rate!r}): not a number above 0")
        super().adapt(X)
        if self.size < 32:
            raise ValueError(f"{name}(size={self.size!r}): not a whole number of 32 or more")
        return self

    def prepare(self, X) -> np.ndarray:
        """Resize and send through the frozen part, once, in batches.

        Parameters
        ----------
        X : n_samples images, uint8 arrays of shape (height, width, 3), whatever their size

        Returns
        -------
        array, shape (n_samples, side, side, channels)
            float32, what goes into the first tuned part: (n_samples, 3, 3, 192) for block15 at 96 pixels.
            For ``first_tuned="stem"`` the pictures, uint8.

        Raises
        ------
        ValueError
            For a cell that is no image; the message names its row and column.
        """
        below = _frozen(self.first_tuned)
        nothing = np.empty((0, self.size, self.size, 3), np.uint8)
        batches = picture_batches(X, self.size, AT_ONCE)
        return np.concatenate([below(nothing), *map(below, batches)])  # so that no picture is no special case

    def layers(self, keras, x):
        """From the input tensor through the tuned part: a Keras tensor (n, 1280)."""
        whole = shared_efficientnet()
        original = keras.Model(whole.get_layer(BELOW[self.first_tuned]).output, whole.output)
        tuned = keras.models.clone_model(original, input_tensors=x)
        for layer in tuned.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable, layer.momentum = self.weights is None, 0.9
        if self.weights is not None:
            tuned.set_weights(original.get_weights())
        return tuned.output

    def fit(self, X, y=None) -> "FineTunedEfficientNet":
        """Train the tuned part, with a softmax on top.

        Parameters
        ----------
        X : n_samples images, uint8 arrays of shape (height, width, 3)
        y : array of labels, shape (n_samples,)

        Raises
        ------
        ValueError
            For a parameter out of its range, without labels, with a single class, or for a cell that is no
            image (row and column are named).
        """
        super().fit(X, y)
        self.n_trained_ = sum(int(np.prod(w.shape)) for w in self.network_.trainable_weights)
        return self

    def _build(self, arrays, codes, n_classes: int):
        """The tuned part, and the same with a softmax on top that begins as a logistic regression."""
        keras = import_keras()
        inputs = keras.Input(arrays.shape[1:], dtype=arrays.dtype.name)
        network = keras.Model(inputs, self.layers(keras, inputs))
        softmax = keras.layers.Dense(n_classes, activation="softmax", name="softmax")
        model = keras.Model(inputs, softmax(network.output))
        if self.weights is not None:
            softmax.set_weights(_logistic_start(forward(network, arrays), codes))
        return network, model


def _logistic_start(features: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit a logistic regression on standardized features; give the same as the weights of a softmax layer.

    Parameters
    ----------
    features : float array, shape (n_samples, n_features), not standardized
    codes : int array, shape (n_samples,), the classes 0 … n_classes - 1

    Returns
    -------
    kernel : float array, shape (n_features, n_classes)
    bias : float array, shape (n_classes,)
        softmax(features @ kernel + bias) is what the regression says.

    Notes
    -----
    w · (x - m) / s + b = (w / s) · x + (b - (w / s) · m), where s is the standard deviation or, if that is
    larger, `LEAST`: a feature that hardly varies would get so large a weight w / s that the first steps of
    training throw the network off. Of two classes the regression has one row of weights; each class gets half
    of it, with its sign.
    """
    mean, scale = features.mean(axis=0, dtype=float), np.maximum(features.std(axis=0, dtype=float), LEAST)
    model = LogisticRegression(C=C, max_iter=1000).fit((features - mean) / scale, codes)
    weights, bias = model.coef_ / scale, model.intercept_
    if len(model.classes_) == 2:
        weights, bias = np.vstack([-weights, weights]) / 2, np.hstack([-bias, bias]) / 2
    return weights.T, bias - weights @ mean


@cache
def _frozen(first_tuned: str):
    """The part below, compiled once a process: uint8 pictures to what goes into the first tuned part."""
    if first_tuned == "stem":
        return lambda pictures: pictures
    whole = shared_efficientnet()
    graph = one_graph(import_keras().Model(whole.input, whole.get_layer(BELOW[first_tuned]).output))
    return lambda pictures: graph(pictures).numpy()
