"""Chapter 1: second modalities that cannot help, a copy and mispaired words; five seeds.

A seed decides which keywords are drawn, how the rows are split and which words are dealt to other rows.
Standard errors as in 01_emoji.py.
"""

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.utils import Bunch

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import compare, make_folds, mispair, pool
from mmtutor.fusion import early_fusion
from mmtutor.image import HOG

SEEDS = range(5)
IMAGE, TEXT = make_pipeline(HOG(), Normalizer()), TfidfVectorizer()
SECOND = {
    "image": {},
    "image + its copy": {"copy": IMAGE},
    "image + text": {"text": TEXT},
    "image + text, half of it mispaired": {"half": TEXT},
    "image + text, all of it mispaired": {"all": TEXT},
}


def measure(seed: int):
    """Compare all models on the data and folds of one seed."""
    emoji = load_emoji(random_state=seed)
    X = emoji.X.assign(
        copy=emoji.X.image,
        half=mispair(emoji.X.text, 0.5, random_state=seed),
        all=mispair(emoji.X.text, 1, random_state=seed),
    )
    head = LogisticRegression(C=10, solver="newton-cg")
    models = {name: early_fusion({"image": IMAGE} | second, head) for name, second in SECOND.items()}
    return compare(models, Bunch(X=X, y=emoji.y, groups=emoji.groups), make_folds(emoji, random_state=seed))


def run() -> pd.DataFrame:
    pooled = pool(measure(seed) for seed in SEEDS)
    rows = []
    for name, row in pooled.table.iterrows():
        gain = pooled.difference(name, "image")  # over pictures alone
        loss = pooled.difference("image + text", name)  # against rightly paired words
        measured = {"method": name, "accuracy": row.accuracy, "se": row.se}
        rows.append(measured | {"gain": gain.mean, "gain_se": gain.se, "loss": loss.mean, "loss_se": loss.se})
    return pd.DataFrame(rows)
