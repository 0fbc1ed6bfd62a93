"""Chapter 5: unbalanced classes: nothing done, class weights, resampling inside the folds; five seeds.

Emoji (85 to 263 samples a group): seed s draws other keywords and other folds by kind. Rare digits: of 5 to 9
a tenth of the samples is kept, in training and test folds alike, folds by voice. HOG, pixels and MFCC learn
nothing and are computed once; the rest is fitted in each fold.
"""

import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.audio import MFCC
from mmtutor.datasets import load_emoji, load_trimodal_digits
from mmtutor.evaluate import compare, make_folds, pool, standard_error
from mmtutor.fusion import early_fusion
from mmtutor.image import HOG, Pixels

SEEDS = range(5)
RARE = {"emoji": ["Activities"], "rare digits": [5, 6, 7, 8, 9]}


def vectors(X: pd.DataFrame, encoders: dict) -> pd.DataFrame:
    columns = {m: pd.Series(list(e.fit_transform(X[m])), dtype=object) for m, e in encoders.items()}
    return X.assign(**columns)


def emoji(seed: int) -> Bunch:
    data = load_emoji(random_state=seed)
    return Bunch(X=vectors(data.X, {"image": HOG(cell=16)}), y=data.y, groups=data.groups)


def rare_digits(seed: int) -> Bunch:
    data = load_trimodal_digits(n_samples=3000, split=seed, random_state=seed)
    kept = np.flatnonzero((data.y < 5) | (np.random.default_rng(seed).random(len(data.y)) < 0.1))
    X = data.X.iloc[kept].reset_index(drop=True)
    return Bunch(X=vectors(X, {"image": Pixels(), "sound": MFCC()}), y=data.y[kept], groups=data.groups[kept])


def models(data: Bunch) -> dict:
    scaled = make_pipeline(FunctionTransformer(np.vstack), StandardScaler(), Normalizer())
    pieces = {"analyzer": "char_wb", "ngram_range": (1, 3), "sublinear_tf": True}
    words = TfidfVectorizer(**(pieces if "sound" in data.X else {}))
    encoders = {m: words if m == "text" else scaled for m in data.X}
    plain = early_fusion(encoders, LogisticRegression(C=10, solver="newton-cg"))
    weighted = LogisticRegression(C=10, solver="newton-cg", class_weight="balanced")
    return {
        "nothing done": plain,
        "class weights": early_fusion(encoders, weighted),
        "oversampling": make_sampling_pipeline(RandomOverSampler(random_state=0), plain),
        "undersampling": make_sampling_pipeline(RandomUnderSampler(random_state=0), plain),
    }


def oversample_and_split(data: Bunch, seed: int) -> dict:
    """Oversampling inside the folds and before splitting, folds by row."""
    chosen = models(data)
    X, y = RandomOverSampler(random_state=seed).fit_resample(data.X, data.y)
    rows, copied = Bunch(X=data.X, y=data.y), Bunch(X=X, y=y)
    inside = compare({"inside": chosen["oversampling"]}, rows, make_folds(rows, random_state=seed))
    before = compare({"before": chosen["nothing done"]}, copied, make_folds(copied, random_state=seed))
    return {"inside": inside, "before": before}


def measure(name: str, prepare) -> list[dict]:
    runs, recalls, by_row = [], [], []
    for seed in SEEDS:
        data = prepare(seed)
        runs.append(compare(models(data), data, make_folds(data, random_state=seed)))
        said = runs[-1].predictions
        of_rare = {m: recall_score(data.y, list(said[m]), labels=RARE[name], average="macro") for m in said}
        recalls.append(of_rare)
        by_row.append(oversample_and_split(data, seed))
    pooled, recalls = pool(runs), pd.DataFrame(recalls)
    rows = []
    for method, row in pooled.table.iterrows():
        gain = pooled.difference(method, "nothing done")
        found = recalls[method] - recalls["nothing done"]
        measured = {"data": name, "method": method, "accuracy": row.accuracy, "se": row.se}
        measured |= {"gain": gain.mean, "gain_se": gain.se, "macro_f1": row.macro_f1}
        measured |= {"recall_of_rare": recalls[method].mean(), "recall_gain": found.mean()}
        rows.append(measured | {"recall_gain_se": standard_error(found)})
    f1 = {
        side: np.array([each[side].table.macro_f1[side] for each in by_row]) for side in ("inside", "before")
    }
    leak = f1["before"] - f1["inside"]
    for side, method in (
        ("inside", "oversampling, by row"),
        ("before", "oversampling before splitting, by row"),
    ):
        table = pool([each[side] for each in by_row]).table.loc[side]
        measured = {"data": name, "method": method, "accuracy": table.accuracy, "se": table.se}
        measured |= {"macro_f1": table.macro_f1}
        if side == "before":
            measured |= {"leak": leak.mean(), "leak_se": standard_error(leak)}
        rows.append(measured)
    return rows


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        return pd.DataFrame(measure("emoji", emoji) + measure("rare digits", rare_digits))
