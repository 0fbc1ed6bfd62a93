"""Chapter 1: emoji groups from pictures, words, and both; five seeds, two vendors, two languages, two leaks.

A seed decides which keywords are drawn and how the rows are split. Each method is measured on 5 seeds x 5
folds; the folds share rows, so standard errors carry the correction of Nadeau and Bengio (2003).
"""

import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import Comparison, compare, make_folds, pool
from mmtutor.fusion import early_fusion, late_fusion
from mmtutor.image import HOG

SEEDS = range(5)
WORDS = {
    "en": TfidfVectorizer(),
    "zh": TfidfVectorizer(analyzer="char", ngram_range=(1, 2)),
}
SETTINGS = [  # pictures, words, which words, split
    ("noto", "en", "keywords", "by group"),
    ("twemoji", "en", "keywords", "by group"),
    ("noto", "zh", "keywords", "by group"),
    ("noto", "en", "all keywords", "by group"),
    ("noto", "en", "keywords", "by row"),
    ("noto", "en", "name", "by group"),
    ("noto", "en", "name", "by row"),
]


def models(language: str) -> dict:
    encoders = {"image": make_pipeline(HOG(), Normalizer()), "text": WORDS[language]}
    head = LogisticRegression(C=10, solver="newton-cg")
    return {
        "always the largest class": DummyClassifier(),
        "image": early_fusion({"image": encoders["image"]}, head),
        "text": early_fusion({"text": encoders["text"]}, head),
        "image + text": early_fusion(encoders, head),
        "image + text, late": late_fusion(encoders, head),
    }


def measure(vendor: str, language: str, text: str, split: str) -> list[dict]:
    """Rows of the table for one setting: one a method."""
    runs = []
    for seed in SEEDS:
        emoji = load_emoji(vendor, language, text, random_state=seed)
        folds = make_folds(emoji, random_state=seed)
        if split == "by row":
            folds = list(StratifiedKFold(5, shuffle=True, random_state=seed).split(emoji.X, emoji.y))
        runs.append(compare(models(language), emoji, folds, allow_shared_groups=split == "by row"))
    pooled = pool(runs)
    best_alone = pooled.table.accuracy[["image", "text"]].idxmax()
    setting = {"pictures": vendor, "words": language, "text": text, "split": split}
    return [setting | summarize(method, pooled, best_alone) for method in pooled.table.index]


def summarize(method: str, pooled: Comparison, best_alone: str) -> dict:
    """One row: accuracy and the gain over the best single modality, each with its standard error."""
    row, gain = pooled.table.loc[method], pooled.difference(method, best_alone)
    return {
        "method": method,
        "accuracy": row.accuracy,
        "se": row.se,
        "gain": gain.mean,
        "gain_se": gain.se,
        "macro_f1": row.macro_f1,
        "parameters": int(row.parameters),
        "seconds": row.seconds,
    }


def run() -> pd.DataFrame:
    return pd.DataFrame([row for setting in SETTINGS for row in measure(*setting)])
