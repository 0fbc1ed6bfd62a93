"""Chapter 6: averaging features of two modalities in unrelated spaces, in a shared one, and side by side.

Trimodal digits, image and sound only (synthetic pairs), five seeds with other voices and scans each. Head of
all: standardize, then an SVC. `image, head of sound` is the head trained on sounds and given images. Gains
are paired over the seeds: over the mean of PCAs, over PCAs side by side, over sound alone (PCA). Seeds draw
most of the same voices and scans, so standard errors are corrected (750 test rows, 1,500 training rows).
"""

import numpy as np
import pandas as pd
from sklearn.cross_decomposition import CCA, PLSCanonical
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from mmtutor import audio, image
from mmtutor.datasets import load_trimodal_digits
from mmtutor.evaluate import over_seeds
from mmtutor.keras_quietly import import_keras

SEEDS, WIDTH, SHARED = range(5), 40, 9
REFERENCES = {
    "mean": ("PCA", "mean"),
    "concatenation": ("PCA", "concatenation"),
    "sound": ("PCA", "sound alone"),
}
keras = import_keras()
layers = keras.layers


def learned(train, y, seed):
    """A linear layer a modality, averaged; trained by the labels. Gives the two projections."""
    keras.utils.set_random_seed(seed)
    inputs = [keras.Input((z.shape[1],)) for z in train]
    projected = [layers.Dense(SHARED)(each) for each in inputs]
    mean = layers.Average()(projected)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(mean))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(train, y, epochs=15, batch_size=50, verbose=0)
    return keras.Model(inputs, projected)


def scores_of(seed) -> dict:
    train = load_trimodal_digits("train", split=seed, random_state=seed)
    test = load_trimodal_digits("test", split=seed, random_state=seed)
    z = []
    for encoder, column in ((image.Pixels(), "image"), (audio.MFCC(), "sound")):
        raw = [encoder.fit_transform(side.X[column]) for side in (train, test)]
        scaler = StandardScaler().fit(raw[0])
        z.append([scaler.transform(each) for each in raw])
    pca = [PCA(WIDTH, random_state=0).fit(sides[0]) for sides in z]
    own = [[p.transform(side) for side in sides] for p, sides in zip(pca, z, strict=True)]

    def shared(model, sides):
        model.fit(sides[0][0], sides[1][0])
        return list(zip(*(model.transform(sides[0][k], sides[1][k]) for k in (0, 1)), strict=True))

    project = learned([sides[0] for sides in own], train.y, seed)
    trained = list(zip(*([p.numpy() for p in project([s[k] for s in own])] for k in (0, 1)), strict=True))
    standardized = [[StandardScaler().fit(sides[0]).transform(side) for side in sides] for sides in own]
    spaces = {
        "PCA": own,
        "PCA, standardized": standardized,
        "CCA": shared(CCA(SHARED, max_iter=2000), own),
        "PLS": shared(PLSCanonical(SHARED, scale=False, max_iter=2000), own),
        "learned": trained,
    }

    def score(fit_on, test_on):
        return make_pipeline(StandardScaler(), SVC()).fit(fit_on, train.y).score(test_on, test.y)

    found = {}
    for name, (a, b) in spaces.items():
        found[name, "image alone"] = score(a[0], a[1])
        found[name, "sound alone"] = score(b[0], b[1])
        found[name, "image, head of sound"] = score(b[0], a[1])
        found[name, "maximum"] = score(*(np.maximum(a[k], b[k]) for k in (0, 1)))
        found[name, "mean"] = score(*((a[k] + b[k]) / 2 for k in (0, 1)))
        found[name, "concatenation"] = score(*(np.hstack([a[k], b[k]]) for k in (0, 1)))
    return found


def run() -> pd.DataFrame:
    runs = []
    with threadpool_limits(1):
        for seed in SEEDS:
            found = scores_of(seed)
            for name, against in REFERENCES.items():
                for (space, pooling), score in found.items():
                    row = {"seed": seed, "space": space, "pooling": pooling, "over": name}
                    runs.append(row | {"accuracy": score, "side": 1})
                    runs.append(row | {"accuracy": found[against], "side": 0})
    by = ["space", "pooling", "over", "side"]
    table = over_seeds(pd.DataFrame(runs), by, baseline={"side": 0}, shared=1 / 2)
    return table[table.side == 1].drop(columns="side").reset_index(drop=True)
