"""Chapter 6: from eight groups to their subgroups, with few examples of each.

A network with one hidden layer of 64 learns the groups from EfficientNet-Lite0's features; then its hidden
layer is kept and a new head learns subgroups from k examples each. Beside it: the features as they are, a
hidden layer that was never trained, and features and hidden layer side by side, each of length one. Subgroups
with 8 training rows or more and 3 test rows or more; five splits by kind of thing, three draws of the
examples averaged, standard errors corrected for splits that share rows. `gain` is over the features.
"""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import standard_error
from mmtutor.keras_quietly import import_keras
from mmtutor.pretrained import EfficientNet

SEEDS, DRAWS, K = range(5), range(3), (1, 2, 4, 8, "all")
FEATURES = "features"
keras = import_keras()
layers = keras.layers


def network():
    inputs = keras.Input((1280,))
    hidden = layers.Dense(64, activation="relu", name="hidden")(inputs)
    outputs = layers.Dense(8, activation="softmax")(layers.Dropout(0.3)(hidden))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", jit_compile=False)
    return model, keras.Model(inputs, hidden)


def representations(z, codes, train, seed) -> dict:
    keras.utils.set_random_seed(seed)
    model, hidden = network()
    found = {FEATURES: z, "hidden layer, untrained": hidden(z).numpy()}
    model.fit(z[train], codes[train], epochs=20, batch_size=32, verbose=0)
    found["hidden layer, trained on groups"] = hidden(z).numpy()
    pair = [normalize(found[name]) for name in (FEATURES, "hidden layer, trained on groups")]
    return found | {"both": np.hstack(pair)}


def measure():
    emoji, found = load_emoji(), {}
    features = EfficientNet(size=64).fit_transform(emoji.X.image)
    codes, sub = np.unique(emoji.y, return_inverse=True)[1], emoji.subgroup
    for seed in SEEDS:
        cut = GroupShuffleSplit(1, test_size=0.3, random_state=seed)
        train, test = next(cut.split(features, groups=emoji.groups))
        z = StandardScaler().fit(features[train]).transform(features).astype(np.float32)
        kept = [s for s in np.unique(sub) if (sub[train] == s).sum() >= 8 and (sub[test] == s).sum() >= 3]
        test = test[np.isin(sub[test], kept)]
        spaces = representations(z, codes, train, seed)
        for k in K:
            scores = {name: [] for name in spaces}
            for draw in DRAWS if k != "all" else [0]:
                rng = np.random.default_rng([seed, draw])
                shuffled = [rng.permutation(train[sub[train] == s]) for s in kept]
                rows = np.concatenate([s if k == "all" else s[:k] for s in shuffled])
                for name, space in spaces.items():
                    head = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=300))
                    head.fit(space[rows], sub[rows])
                    scores[name].append(head.score(space[test], sub[test]))
            for name, each in scores.items():
                found.setdefault((name, k), []).append((np.mean(each), len(kept), len(rows)))
    for (name, k), measured in found.items():
        scores, n_classes, n_rows = np.array(measured).T
        gains = scores - np.array(found[FEATURES, k])[:, 0]
        yield {
            "representation": name,
            "k": k,
            "accuracy": scores.mean(),
            "se": standard_error(scores, 3 / 7),
            "gain": gains.mean(),
            "gain_se": standard_error(gains, 3 / 7),
            "subgroups": n_classes.mean(),
            "rows": n_rows.mean(),
        }


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        return pd.DataFrame(list(measure()))
