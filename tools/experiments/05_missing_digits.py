"""Chapter 5: trimodal digits, whole and with each modality missing in the test set; five seeds.

Seed s takes split s: eight voices and a third of the scans are for testing. All models are trained on whole
rows. The weights of the weighted mean are the accuracies of each modality alone, by cross-validation inside
the training rows, voice by voice. What learns nothing from rows (pixels, MFCC) is computed once.
"""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.audio import MFCC
from mmtutor.datasets import load_trimodal_digits
from mmtutor.evaluate import over_seeds
from mmtutor.fusion import MissingTolerant, early_fusion, late_fusion, stacked_fusion
from mmtutor.image import Pixels

SEEDS = range(5)
MODALITIES = ("image", "sound", "text")
FROZEN = {"image": Pixels(), "sound": MFCC()}


def scaled(*steps):
    return make_pipeline(FunctionTransformer(np.vstack), StandardScaler(), *steps)


WORDS = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True)
ENCODERS = {"image": scaled(Normalizer()), "sound": scaled(Normalizer()), "text": WORDS}
HEAD = LogisticRegression(C=10, solver="newton-cg")


def vectors(X: pd.DataFrame, encoders: dict) -> pd.DataFrame:
    """The table with a column of vectors in place of each column that an encoder of `encoders` reads."""
    columns = {m: pd.Series(list(e.fit_transform(X[m])), dtype=object) for m, e in encoders.items()}
    return X.assign(**columns)


def features(subset: str, seed: int, **knobs) -> Bunch:
    """The data set with pixels and MFCC in place of pictures and sounds."""
    data = load_trimodal_digits(subset, split=seed, random_state=seed, **knobs)
    data.X = vectors(data.X, FROZEN)
    return data


def models(train: Bunch) -> dict:
    encoders, head = ENCODERS, HEAD
    tolerant = {
        fill: {m: MissingTolerant(encoder, fill, indicator=False) for m, encoder in encoders.items()}
        for fill in ("mean", "zero")
    }
    alone = {m: early_fusion({m: encoders[m]}, head) for m in MODALITIES}
    by_voice = list(GroupKFold(5).split(train.X, train.y, train.groups))
    weights = {m: cross_val_score(model, train.X, train.y, cv=by_voice).mean() for m, model in alone.items()}
    return {
        **{m: late_fusion({m: encoders[m]}, head) for m in MODALITIES},
        "features side by side, missing filled with means": early_fusion(tolerant["mean"], head),
        "features side by side, missing filled with zeros": early_fusion(tolerant["zero"], head),
        "mean": late_fusion(encoders, head),
        "mean, weighted": late_fusion(encoders, head, weights=weights),
        "product": late_fusion(encoders, head, rule="product"),
        "maximum": late_fusion(encoders, head, rule="max"),
        "stacked": stacked_fusion(encoders, head, LogisticRegression(solver="newton-cg"), cv=by_voice),
    }


def measure(seed: int) -> list[dict]:
    """A row for each method and for what is missing in the test set: nothing first."""
    train, test = features("train", seed), features("test", seed)
    fitted = {name: model.fit(train.X, train.y) for name, model in models(train).items()}
    rows = []
    for gone in ("nothing", *MODALITIES):
        X = test.X.assign(**({} if gone == "nothing" else {gone: None}))
        for name, model in fitted.items():
            if name != gone:
                said = model.predict(X)
                f1 = f1_score(test.y, said, average="macro")
                measured = {"accuracy": (said == test.y).mean(), "macro_f1": f1}
                rows.append({"seed": seed, "missing": gone, "method": name, **measured})
    return rows


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        runs = pd.DataFrame([row for seed in SEEDS for row in measure(seed)])
    tables = []
    for _, each in runs.groupby("missing", sort=False):
        alone = each[each.method.isin(MODALITIES)].groupby("method").accuracy.mean()
        tables.append(over_seeds(each, ["missing", "method"], baseline={"method": alone.idxmax()}))
    return pd.concat(tables, ignore_index=True).rename(columns={"gain": "gain_over_best_alone"})
