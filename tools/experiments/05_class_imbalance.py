"""Chapter 5: unbalanced classes: nothing done, class weights, resampling inside the folds; five seeds.

Emoji (85 to 263 samples a group): seed s draws other keywords and other folds by kind. Rare digits: of 5 to 9
a tenth of the samples is kept, in training and test folds alike, folds by voice. HOG, pixels and MFCC learn
nothing and are computed once; the rest is fitted in each fold.
"""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.preprocessing import Normalizer
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji, load_trimodal_digits
from mmtutor.evaluate import compare, make_folds, over_seeds, pool
from mmtutor.fusion import early_fusion
from mmtutor.image import HOG

SHARED = runpy.run_path(str(Path(__file__).with_name("05_missing_digits.py")))
SEEDS, HEAD, vectors = SHARED["SEEDS"], SHARED["HEAD"], SHARED["vectors"]
INSIDE, BEFORE = "oversampling, by row", "oversampling before splitting, by row"
RARE = {"emoji": ["Activities"], "rare digits": [5, 6, 7, 8, 9]}


def emoji(seed: int) -> Bunch:
    data = load_emoji(random_state=seed)
    return Bunch(X=vectors(data.X, {"image": HOG(cell=16)}), y=data.y, groups=data.groups)


def rare_digits(seed: int) -> Bunch:
    data = load_trimodal_digits(n_samples=3000, split=seed, random_state=seed)
    kept = np.flatnonzero((data.y < 5) | (np.random.default_rng(seed).random(len(data.y)) < 0.1))
    X = data.X.iloc[kept].reset_index(drop=True)
    return Bunch(X=vectors(X, SHARED["FROZEN"]), y=data.y[kept], groups=data.groups[kept])


def models(data: Bunch) -> dict:
    words = SHARED["WORDS"] if "sound" in data.X else TfidfVectorizer()
    encoders = {m: words if m == "text" else SHARED["scaled"](Normalizer()) for m in data.X}
    plain = early_fusion(encoders, HEAD)
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
    inside, before = {INSIDE: chosen["oversampling"]}, {BEFORE: chosen["nothing done"]}
    return {
        INSIDE: compare(inside, rows, make_folds(rows, random_state=seed)),
        BEFORE: compare(before, copied, make_folds(copied, random_state=seed)),
    }


def measure(name: str, prepare) -> pd.DataFrame:
    runs, recalls, by_row = [], [], []
    for seed in SEEDS:
        data = prepare(seed)
        runs.append(compare(models(data), data, make_folds(data, random_state=seed)))
        for method, said in runs[-1].predictions.items():
            recall = recall_score(data.y, list(said), labels=RARE[name], average="macro")
            recalls.append({"seed": seed, "method": method, "recall": recall})
        by_row.append(oversample_and_split(data, seed))
    pooled, columns = pool(runs), ["accuracy", "se", "macro_f1"]
    cures = pooled.table[columns].copy()
    gains = [pooled.difference(method, "nothing done") for method in cures.index]
    cures.insert(2, "gain", [gain.mean for gain in gains])
    cures.insert(3, "gain_se", [gain.se for gain in gains])
    found = over_seeds(pd.DataFrame(recalls), "method", "recall", baseline={"method": "nothing done"})
    found = found.drop(columns="se").set_index("method").add_prefix("recall_")
    found = found.rename(columns={"recall_recall": "recall_of_rare"})
    split = pd.concat([pool([each[method] for each in by_row]).table[columns] for method in (INSIDE, BEFORE)])
    f1 = [
        {"seed": seed, "method": method, "macro_f1": each[method].table.macro_f1[method]}
        for seed, each in zip(SEEDS, by_row, strict=True)
        for method in each
    ]
    leak = over_seeds(pd.DataFrame(f1), "method", "macro_f1", baseline={"method": INSIDE}).set_index("method")
    leak = leak.loc[[BEFORE], ["gain", "gain_se"]].set_axis(["leak", "leak_se"], axis=1)
    table = pd.concat([cures.join(found), split.join(leak)])
    return table.rename_axis("method").reset_index().assign(data=name)


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        table = pd.concat([measure("emoji", emoji), measure("rare digits", rare_digits)], ignore_index=True)
    return table[["data", *table.columns.drop("data")]]
