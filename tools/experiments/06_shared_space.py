"""Chapter 6: averaging features of two modalities in unrelated spaces, in a shared one, and side by side.

Trimodal digits, image and sound only (synthetic pairs), five seeds with other voices and scans each. Head of
all: standardize, then an SVC. `image, head of sound` is the head trained on sounds and given images. Gains
are paired over the seeds.
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
from mmtutor.evaluate import standard_error
from mmtutor.keras_quietly import import_keras

SEEDS, WIDTH, SHARED = range(5), 40, 9
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
    spaces = {
        "PCA": own,
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
        found[name, "image, head of sound"] = score(b[0], a[1]) if a[0].shape == b[0].shape else np.nan
        found[name, "maximum"] = score(*(np.maximum(a[k], b[k]) for k in (0, 1)))
        found[name, "mean"] = score(*((a[k] + b[k]) / 2 for k in (0, 1)))
        found[name, "concatenation"] = score(*(np.hstack([a[k], b[k]]) for k in (0, 1)))
    return found


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        by_seed = pd.DataFrame([scores_of(seed) for seed in SEEDS])
    best = by_seed[[("PCA", "image alone"), ("PCA", "sound alone")]].max(axis=1)
    references = {"mean": by_seed["PCA", "mean"], "concatenation": by_seed["PCA", "concatenation"]}
    rows = []
    for (space, pooling), scores in by_seed.items():
        row = {"space": space, "pooling": pooling, "accuracy": scores.mean(), "se": standard_error(scores)}
        for name, other in {**references, "best_alone": best}.items():
            row |= {
                f"gain_over_{name}": (scores - other).mean(),
                f"gain_over_{name}_se": standard_error(scores - other),
            }
        rows.append(row)
    return pd.DataFrame(rows)
