"""Chapter 6: one chain, x -> f -> Y -> z = g(Y) -> y = h(z), with three poolings, three heads and two splits.

Emoji: pixels by PCA, pictures by EfficientNet-Lite0 and PCA, names by an LSTM over GloVe vectors, 32 numbers
each. Encoders learn from one half of the training rows, heads from the other. Five splits by kind of thing
(the name's last word) and five of rows at random, a quarter for testing; the standard error is corrected for
splits that share rows. Gains are paired: over concatenation with the same head, and of random splits.
"""

import cv2
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import standard_error
from mmtutor.keras_quietly import import_keras
from mmtutor.pretrained import EfficientNet, glove
from mmtutor.text import words

SEEDS, WIDTH, LENGTH = range(5), 32, 6
POOLINGS = {
    "mean": lambda Y: Y.mean(axis=1),
    "maximum": lambda Y: Y.max(axis=1),
    "concatenation": lambda Y: Y.reshape(len(Y), -1),
    "pixels alone": lambda Y: Y[:, 0],
    "CNN alone": lambda Y: Y[:, 1],
    "RNN alone": lambda Y: Y[:, 2],
}
keras = import_keras()
layers = keras.layers


def crop(picture: np.ndarray, size: int = 32) -> np.ndarray:
    """Cut off the white margin and scale what is left."""
    drawn = (picture < 250).any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    inside = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cv2.resize(inside, (size, size), interpolation=cv2.INTER_AREA)


def embed(texts) -> np.ndarray:
    """Look up the vectors of the first words, zeros after the last."""
    vectors, found = glove(), np.zeros((len(texts), LENGTH, 50), np.float32)
    for row, text in zip(found, texts, strict=True):
        known = [vectors[word] for word in words(text) if word in vectors][:LENGTH]
        row[: len(known)] = known or 0
    return found


def rnn(n_classes: int):
    inputs = keras.Input((LENGTH, 50))
    states = layers.LSTM(WIDTH, name="state")(layers.Masking()(inputs))
    return compiled(keras.Model(inputs, layers.Dense(n_classes, activation="softmax")(states)), 0.01)


def compiled(model, rate):
    model.compile(
        keras.optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    return model


def deep_head(X, y):
    hidden = [layers.Input(X.shape[1:]), layers.Dense(64, activation="relu"), layers.Dropout(0.3)]
    return compiled(keras.Sequential([*hidden, layers.Dense(8, activation="softmax")]), 0.003)


def heads(seed):
    return {
        "SVM": SVC(),
        "random forest": RandomForestClassifier(200, random_state=seed),
        "deep head": Deep(),
    }


class Deep:
    """The network as a classifier of codes; scikit-learn's wrapper is shown in the chapter."""

    def fit(self, X, y):
        self.model = deep_head(X, y)
        self.model.fit(X, y, epochs=30, batch_size=32, verbose=0)
        return self

    def predict(self, X):
        return np.asarray(self.model(X)).argmax(axis=1)


def encode(x, codes, source, seed) -> np.ndarray:
    """Float array (n_samples, 3, 32): encoders fitted on the rows `source`."""
    pixels = make_pipeline(StandardScaler(), PCA(WIDTH, random_state=0)).fit(x["pixels"][source])
    maps = make_pipeline(StandardScaler(), PCA(WIDTH, random_state=0)).fit(x["cnn"][source])
    keras.utils.set_random_seed(seed)
    network = rnn(8)
    network.fit(x["words"][source], codes[source], epochs=15, batch_size=32, verbose=0)
    states = keras.Model(network.input, network.get_layer("state").output)(x["words"]).numpy()
    Y = [pixels.transform(x["pixels"]), maps.transform(x["cnn"]), states]
    return np.stack([(z - z[source].mean(axis=0)) / z[source].std(axis=0) for z in Y], axis=1)


def splits(emoji, codes, seed):
    everything = np.arange(len(codes))
    yield "rows at random", *train_test_split(everything, test_size=0.25, stratify=codes, random_state=seed)
    cut = GroupShuffleSplit(1, test_size=0.25, random_state=seed)
    yield "by kind", *next(cut.split(everything, groups=emoji.groups))


def halves(emoji, train, seed):
    cut = GroupShuffleSplit(1, test_size=0.5, random_state=seed)
    return [train[half] for half in next(cut.split(train, groups=emoji.groups[train]))]


def run() -> pd.DataFrame:
    emoji, names = load_emoji(), load_emoji(text="name").X.text
    codes, found = np.unique(emoji.y, return_inverse=True)[1], {}
    x = {
        "pixels": np.array([crop(p) for p in emoji.X.image]).reshape(len(codes), -1) / 255,
        "cnn": EfficientNet(size=64).fit_transform(emoji.X.image),
        "words": embed(list(names)),
    }
    with threadpool_limits(1):
        for seed in SEEDS:
            for split, train, test in splits(emoji, codes, seed):
                source, target = halves(emoji, train, seed)
                Y = encode(x, codes, source, seed)
                for pooling, g in POOLINGS.items():
                    for name, h in heads(seed).items():
                        if "alone" in pooling and name != "SVM":
                            continue
                        scaler = StandardScaler().fit(g(Y)[target])
                        z = scaler.transform(g(Y))
                        score = (h.fit(z[target], codes[target]).predict(z[test]) == codes[test]).mean()
                        found.setdefault((split, pooling, name), []).append(score)
    rows = []
    for (split, pooling, name), scores in found.items():
        over = np.array(found[split, "concatenation", name])
        fair = np.array(found["by kind", pooling, name])
        rows.append(
            {
                "split": split,
                "pooling": pooling,
                "head": name,
                "accuracy": np.mean(scores),
                "se": standard_error(scores, 1 / 3),
                "gain_over_concatenation": np.mean(scores - over),
                "gain_over_concatenation_se": standard_error(scores - over, 1 / 3),
                "gain_over_by_kind": np.mean(scores - fair),
                "gain_over_by_kind_se": standard_error(scores - fair, 1 / 3),
            }
        )
    return pd.DataFrame(rows)
