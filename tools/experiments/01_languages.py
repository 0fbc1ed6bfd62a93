"""Chapter 1: English words, Chinese words and Chinese characters, alone and with pictures; five seeds.

A seed decides which keywords are drawn and how the rows are split. Standard errors as in 01_emoji.py.
"""

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.utils import Bunch

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import compare, make_folds, pool
from mmtutor.fusion import early_fusion
from mmtutor.image import HOG

SEEDS = range(5)
IMAGE, WORDS = make_pipeline(HOG(), Normalizer()), TfidfVectorizer()
CHARACTERS = TfidfVectorizer(analyzer="char", ngram_range=(1, 2))
ENCODERS = {
    "text": {"text": WORDS},
    "Chinese text": {"chinese": CHARACTERS},
    "Chinese text, split at spaces": {"chinese": WORDS},
    "image + text": {"image": IMAGE, "text": WORDS},
    "image + Chinese text": {"image": IMAGE, "chinese": CHARACTERS},
    "image + text + Chinese text": {"image": IMAGE, "text": WORDS, "chinese": CHARACTERS},
}
PAIRS = [  # first, second: whose difference the table gives
    ("Chinese text", "text"),
    ("Chinese text", "Chinese text, split at spaces"),
    ("image + text + Chinese text", "image + Chinese text"),
]


def measure(seed: int):
    """Compare all models on the data and folds of one seed."""
    english, chinese = (load_emoji(language=each, random_state=seed) for each in ("en", "zh"))
    data = Bunch(X=english.X.assign(chinese=chinese.X.text), y=english.y, groups=english.groups)
    head = LogisticRegression(C=10, solver="newton-cg")
    models = {name: early_fusion(encoders, head) for name, encoders in ENCODERS.items()}
    return compare(models, data, make_folds(english, random_state=seed))


def run() -> pd.DataFrame:
    pooled = pool(measure(seed) for seed in SEEDS)
    rows = [(name, "", row.accuracy, row.se) for name, row in pooled.table.iterrows()]
    for first, second in PAIRS:
        gain = pooled.difference(first, second)
        rows.append((first, second, gain.mean, gain.se))
    return pd.DataFrame(rows, columns=["method", "minus", "value", "se"])
