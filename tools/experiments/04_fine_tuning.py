"""Chapter 4: EfficientNet-Lite0 on emoji: frozen, partly unfrozen, from scratch; five seeds.

Pictures of 64 pixels, 400 training rows, the same 8 epochs for all. Seed s takes fold 1 of split s. Test rows
of different seeds overlap, so standard errors carry the correction of Nadeau and Bengio (2003). Heads on
features that stay as they are have their C chosen by three inner folds that keep groups apart; gains are over
the frozen network with such a head. Tuning starts from C = 0.01. Other settings are fixed beforehand, after a
look at one seed for the depth of *blocks 5 to 15*. 04_spectrograms.py does the same with spoken digits.
"""

import time

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import make_folds, over_seeds
from mmtutor.keras_quietly import import_keras
from mmtutor.pretrained import EfficientNet, efficientnet_lite0

SEEDS, ROWS, TEST_ROWS, EPOCHS, SIZE = range(5), 400, 240, 8, 64
# How it is trained -> block below the first one trained, start, learning rate.
WAYS = {
    "last block": ("block14", "imagenet", 3e-4),
    "blocks 5 to 15": ("block04", "imagenet", 3e-4),
    "from scratch": ("rescale", None, 1e-3),
}


def emoji_rows(seed: int) -> tuple:
    """Pictures, class numbers, training rows and test rows."""
    emoji = load_emoji()
    train, test = make_folds(emoji, random_state=seed)[0]
    rng = np.random.default_rng(seed)
    codes = np.unique(emoji.y, return_inverse=True)[1]
    chosen = rng.permutation(train)[:ROWS], rng.permutation(test)[:TEST_ROWS]
    return np.array(list(emoji.X.image)), codes, *chosen


def head(C: float = 0.01):
    return make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=1000))


def best_head(features: np.ndarray, codes: np.ndarray, groups: np.ndarray):
    """Fitted with the best of four C, by three folds within these rows."""
    grid = {"logisticregression__C": [0.001, 0.01, 0.1, 1]}
    with threadpool_limits(1):
        return GridSearchCV(head(), grid, cv=GroupKFold(3)).fit(features, codes, groups=groups)


class Tail:
    """The layers above a cut, and a softmax on them: traced once, set back for each seed."""

    def __init__(self, cut: str, weights: str | None, rate: float, n_classes: int):
        keras = import_keras()
        keras.utils.set_random_seed(0)
        whole = efficientnet_lite0(size=SIZE, weights=weights)
        middle = whole.get_layer(cut).output
        self.lower = keras.Model(whole.input, middle)
        self.upper = keras.Model(middle, whole.output)
        self.softmax = keras.layers.Dense(n_classes, activation="softmax")
        self.model = keras.Model(middle, self.softmax(whole.output))
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable, layer.momentum = weights is None, 0.9
        self.weights = weights
        loss, adam = "sparse_categorical_crossentropy", keras.optimizers.Adam(rate)
        self.model.compile(adam, loss, metrics=["accuracy"], jit_compile=False)
        self.start = self.upper.get_weights()

    def train(self, pictures, codes, train, test, fitted, seed: int) -> tuple:
        """Test and training accuracy of each epoch, and what it says of the test rows in the end."""
        import_keras().utils.set_random_seed(seed)
        if self.weights is None:
            self.start = efficientnet_lite0(size=SIZE, weights=None).get_weights()
        self.upper.set_weights(self.start)
        for variable in self.model.optimizer.variables:
            if variable is not self.model.optimizer._learning_rate:
                variable.assign(np.zeros(variable.shape))
        scale, line = fitted[0], fitted[1]
        matrix = (line.coef_ / scale.scale_).T
        bias = line.intercept_ - scale.mean_ @ matrix
        if self.weights is None:
            matrix, bias = 0.03 * np.random.default_rng(seed).normal(size=matrix.shape), 0 * bias
        self.softmax.set_weights([matrix, bias])
        x, x_test = (self.lower.predict(pictures[rows], verbose=0) for rows in (train, test))
        history = self.model.fit(
            x, codes[train], validation_data=(x_test, codes[test]), epochs=EPOCHS, batch_size=40, verbose=0
        ).history
        said = self.model.predict(x_test, verbose=0, batch_size=40).argmax(axis=1)
        return history["val_accuracy"], history["accuracy"], said


def careless(features, codes, train, test, seed: int) -> np.ndarray:
    """A dense head as many tutorials train it: random start, plain Adam, the same 8 epochs."""
    keras = import_keras()
    keras.utils.set_random_seed(seed)
    n_classes = len(np.unique(codes))
    model = keras.Sequential([keras.layers.Dense(n_classes, activation="softmax")])
    model.compile(keras.optimizers.Adam(3e-4), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(features[train], codes[train], epochs=EPOCHS, batch_size=30, verbose=0)
    return model.predict(features[test], verbose=0).argmax(axis=1)


def one_seed(rows: tuple, groups: np.ndarray, others: dict, tails: dict, seed: int) -> list[dict]:
    """Scores of each method: others are name -> features that stay as they are."""
    pictures, codes, train, test = rows
    found = []

    def note(method, said, start, **curves):
        scores = {
            "accuracy": np.mean(said == codes[test]),
            "macro_f1": f1_score(codes[test], said, average="macro"),
            "seconds": time.process_time() - start,
        }
        found.append({"method": method, "seed": seed, **scores, **curves})

    features = EfficientNet(size=SIZE).transform(list(pictures))
    for method, z in ({"frozen": features} | others).items():
        start = time.process_time()
        note(method, best_head(z[train], codes[train], groups[train]).predict(z[test]), start)
    start = time.process_time()
    with threadpool_limits(1):
        fitted = head().fit(features[train], codes[train])
    note("frozen, C = 0.01", fitted.predict(features[test]), start)
    start = time.process_time()
    note("frozen, careless head", careless(features, codes, train, test, seed), start)
    for way, tail in tails.items():
        start = time.process_time()
        test_curve, train_curve, said = tail.train(*rows, fitted, seed)
        curves = {f"test {n}": value for n, value in enumerate(test_curve, start=1)}
        curves |= {f"train {n}": value for n, value in enumerate(train_curve, start=1)}
        note(way, said, start, **curves)
    return found


def measure(
    rows_of, groups_of, others_of, n_classes: int, ways=tuple(WAYS), n_rows: int = ROWS
) -> pd.DataFrame:
    """One row a method: means over seeds, gains over the frozen network."""
    tails = {way: Tail(*WAYS[way], n_classes) for way in ways}
    trained = {
        way: sum(int(np.prod(weight.shape)) for weight in tail.model.trainable_weights)
        for way, tail in tails.items()
    }
    runs = []
    for seed in SEEDS:
        runs += one_seed(rows_of(seed), groups_of(seed), others_of(seed), tails, seed)
    shared = TEST_ROWS / n_rows
    table = over_seeds(pd.DataFrame(runs), "method", baseline={"method": "frozen"}, shared=shared)
    table.insert(5, "trained", [trained.get(name, 1281 * n_classes) for name in table.method])
    return table


def run() -> pd.DataFrame:
    emoji = load_emoji()
    large = {"frozen, 224 pixels": EfficientNet(size=224).transform(emoji.X.image)}
    return measure(emoji_rows, lambda seed: emoji.groups, lambda seed: large, n_classes=8)
