"""Chapter 6: from eight groups to their subgroups, with few examples of each.

A network with one hidden layer of 64 or 512 units learns the groups from EfficientNet-Lite0's features; then
its hidden layer is kept and a new head learns subgroups from k examples each. Beside it: the features as they
are, their first 64 principal components, hidden layers that were never trained, and features and trained
layer side by side, both blocks of the same size. Head of all: ridge regression on the classes, which chooses
its strength by leaving out one of the k examples at a time. Subgroups with 8 training rows or more and 3 test
rows or more; five splits by kind of thing, three draws of the examples averaged, standard errors corrected
for splits that share rows. `gain` is over the features.
"""

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import GroupShuffleSplit
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import over_seeds
from mmtutor.keras_quietly import import_keras
from mmtutor.pretrained import EfficientNet

SEEDS, DRAWS, K = range(5), range(3), (1, 2, 4, 8, "all")
FEATURES, ALPHAS = "features", 10.0 ** np.arange(-3, 4)
BLOCKS = (FEATURES, "hidden layer of 64, trained on groups")
keras = import_keras()
layers = keras.layers


def network(width):
    inputs = keras.Input((1280,))
    hidden = layers.Dense(width, activation="relu", name="hidden")(inputs)
    outputs = layers.Dense(8, activation="softmax")(layers.Dropout(0.3)(hidden))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", jit_compile=False)
    return model, keras.Model(inputs, hidden)


def sized(z, train):
    """Centered, with training rows of mean squared length 1: no block of columns weighs more than another."""
    z = z - z[train].mean(axis=0)
    return z / np.sqrt((z[train] ** 2).sum(axis=1).mean())


def representations(z, codes, train, seed) -> dict:
    found = {FEATURES: z, "PCA, 64": PCA(64, random_state=0).fit(z[train]).transform(z)}
    for width in (64, 512):
        keras.utils.set_random_seed(seed)
        model, hidden = network(width)
        found[f"hidden layer of {width}, untrained"] = hidden(z).numpy()
        model.fit(z[train], codes[train], epochs=20, batch_size=32, verbose=0)
        found[f"hidden layer of {width}, trained on groups"] = hidden(z).numpy()
    found = {name: sized(space, train) for name, space in found.items()}
    return found | {"side by side": np.hstack([z_i for n, z_i in found.items() if n in BLOCKS])}


def measure():
    emoji = load_emoji()
    features = EfficientNet(size=64).fit_transform(emoji.X.image)
    codes, sub = np.unique(emoji.y, return_inverse=True)[1], emoji.subgroup
    for seed in SEEDS:
        cut = GroupShuffleSplit(1, test_size=0.3, random_state=seed)
        train, test = next(cut.split(features, groups=emoji.groups))
        z = StandardScaler().fit(features[train]).transform(features).astype(np.float32)
        kept = [s for s in np.unique(sub) if (sub[train] == s).sum() >= 8 and (sub[test] == s).sum() >= 3]
        test = test[np.isin(sub[test], kept)]
        number = {s: n for n, s in enumerate(kept)}
        largest = max(np.mean(sub[test] == s) for s in kept)
        spaces = representations(z, codes, train, seed)
        for k in K:
            scores = {name: [] for name in spaces}
            for draw in DRAWS if k != "all" else [0]:
                rng = np.random.default_rng([seed, draw])
                shuffled = [rng.permutation(train[sub[train] == s]) for s in kept]
                rows = np.concatenate([s if k == "all" else s[:k] for s in shuffled])
                y, truth = (np.array([number[s] for s in sub[part]]) for part in (rows, test))
                for name, space in spaces.items():
                    head = RidgeClassifierCV(ALPHAS).fit(space[rows], y)
                    scores[name].append(head.score(space[test], truth))
            sizes = {"subgroups": len(kept), "rows": len(rows), "largest": largest}
            for name, each in scores.items():
                yield {"seed": seed, "representation": name, "k": k, "accuracy": np.mean(each)} | sizes


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        runs = pd.DataFrame(list(measure()))
    baseline = {"representation": FEATURES}
    return over_seeds(runs, ["representation", "k"], baseline=baseline, shared=3 / 7)
