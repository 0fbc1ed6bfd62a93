"""Chapter 3: trimodal digits alone, in pairs and fused at three levels; five seeds.

Settings: the data as it comes; twice as many rows; louder noise on the sound; three shares of samples whose
image and sound show the same wrong digit (dependence); rare digits (a fifth of the samples of 2 to 9 is
kept). Seed s draws everything anew, with voices and scans of split s, and five folds by voice; standard
errors carry the correction of Nadeau and Bengio (2003). What learns nothing from rows (pixels, MFCC) is
computed once. The heads' C, and epochs and width of the network, are fixed beforehand.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.audio import MFCC
from mmtutor.datasets import load_trimodal_digits
from mmtutor.evaluate import compare, make_folds, pool
from mmtutor.fusion import LateFusion, early_fusion, late_fusion, stacked_fusion
from mmtutor.image import Pixels
from mmtutor.keras_quietly import import_keras

SEEDS = range(5)
MODALITIES = ("image", "sound", "text")
DEPENDENCE = (0.1, 0.3, 0.5)
KEPT = 0.2  # of the samples of the digits 2 to 9, where they are rare
HEAD = LogisticRegression(C=10, solver="newton-cg")
FINAL = LogisticRegression(C=1, solver="newton-cg")


def features(seed: int, **knobs) -> Bunch:
    """The data set with pixels and MFCC in place of pictures and sounds, and the voice as a column."""
    data = load_trimodal_digits(split=seed, random_state=seed, **knobs)
    for column, encoder in {"image": Pixels(), "sound": MFCC()}.items():
        data.X[column] = pd.Series(list(encoder.fit_transform(data.X[column])), index=data.X.index)
    return Bunch(X=data.X.assign(voice=data.voice), y=data.y, groups=data.groups)


def with_rare_digits(data: Bunch, seed: int) -> Bunch:
    """All samples of 0 and 1, a part of the others."""
    rows = np.flatnonzero((data.y < 2) | (np.random.default_rng(seed).random(len(data.y)) < KEPT))
    return Bunch(X=data.X.iloc[rows].reset_index(drop=True), y=data.y[rows], groups=data.groups[rows])


def encoders() -> dict:
    vectors = make_pipeline(FunctionTransformer(np.vstack), StandardScaler(), Normalizer())
    text = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True)
    return {"image": vectors, "sound": vectors, "text": text}


class PlainProduct(LateFusion):
    """The product of the probabilities, priors left in."""

    def predict_proba(self, X):
        fused = np.prod([model.predict_proba(X) for model in self.estimators_], axis=0)
        return fused / fused.sum(axis=1, keepdims=True)


class ByVoice:
    """Inner folds for stacking; scikit-learn hands them the table, the voice is one of its columns."""

    def split(self, X, y, groups=None):
        return StratifiedGroupKFold(5, shuffle=True, random_state=0).split(X, y, X["voice"])

    def get_n_splits(self, X=None, y=None, groups=None):
        return 5


class JointNetwork(ClassifierMixin, BaseEstimator):
    """A hidden layer a modality, fused by concatenation, one softmax; everything trained together."""

    def __init__(self, encoders, n_hidden=32, epochs=12):
        self.encoders = encoders
        self.n_hidden = n_hidden
        self.epochs = epochs

    def fit(self, X, y):
        keras = import_keras()
        keras.utils.set_random_seed(0)
        self.classes_ = np.unique(y)
        self.encoders_ = {name: clone(e).fit(X[name], y) for name, e in self.encoders.items()}
        z = self.encode(X)
        inputs = {name: keras.Input(each.shape[1:], name=name) for name, each in z.items()}
        hidden = [keras.layers.Dense(self.n_hidden, activation="relu")(each) for each in inputs.values()]
        joint = keras.layers.Concatenate()(hidden)
        scores = keras.layers.Dense(len(self.classes_), activation="softmax")(joint)
        self.model_ = keras.Model(inputs, scores)
        adam = keras.optimizers.Adam(0.003)
        self.model_.compile(adam, "sparse_categorical_crossentropy", jit_compile=False)
        self.model_.fit(z, np.searchsorted(self.classes_, y), 64, self.epochs, verbose=0)
        return self

    def encode(self, X) -> dict:
        z = {name: encoder.transform(X[name]) for name, encoder in self.encoders_.items()}
        return {n: np.asarray(e.toarray() if hasattr(e, "toarray") else e, "float32") for n, e in z.items()}

    def predict(self, X):
        return self.classes_[np.asarray(self.model_(self.encode(X))).argmax(axis=1)]


def models(all_of_them: bool) -> dict:
    every = encoders()
    late = late_fusion(every, HEAD, rule="product")
    chosen = {name: early_fusion({name: every[name]}, HEAD) for name in MODALITIES}
    chosen |= {
        "features side by side": early_fusion(every, HEAD),
        "mean": late_fusion(every, HEAD),
        "product": late,
        "product, priors left in": PlainProduct(late.estimators, "product"),
        "maximum": late_fusion(every, HEAD, rule="max"),
    }
    if all_of_them:
        pairs = combinations(MODALITIES, 2)
        chosen |= {
            f"{a} + {b}, product": late_fusion({n: every[n] for n in (a, b)}, HEAD, rule="product")
            for a, b in pairs
        }
        chosen |= {
            "stacked, inner folds by row": stacked_fusion(every, HEAD, FINAL),
            "stacked, inner folds by voice": stacked_fusion(every, HEAD, FINAL, cv=ByVoice()),
            "joint network": JointNetwork(every),
        }
    return chosen


def measure(setting: str, prepare, all_of_them: bool = False) -> list[dict]:
    """Rows of the table for one setting: one a method."""
    runs = []
    for seed in SEEDS:
        data = prepare(seed)
        runs.append(compare(models(all_of_them), data, make_folds(data, random_state=seed)))
    pooled = pool(runs)
    rows = []
    for name, row in pooled.table.iterrows():
        lead, gain = pooled.difference("product", name), pooled.difference(name, "mean")
        measured = {"setting": setting, "method": name, "accuracy": row.accuracy, "se": row.se}
        measured |= {"product_minus_this": lead.mean, "product_minus_this_se": lead.se}
        measured |= {"this_minus_mean": gain.mean, "this_minus_mean_se": gain.se}
        rows.append(measured | row[["macro_f1", "parameters", "seconds"]].to_dict())
    return rows


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        rows = measure("independent", features, all_of_them=True)
        rows += measure("3,000 rows", lambda seed: features(seed, n_samples=3000))
        rows += measure("sound at -5 dB", lambda seed: features(seed, snr_db=-5.0))
        for share in DEPENDENCE:
            rows += measure(f"dependence {share}", lambda seed, share=share: features(seed, dependence=share))
        rows += measure("rare digits", lambda seed: with_rare_digits(features(seed), seed))
    return pd.DataFrame(rows)
