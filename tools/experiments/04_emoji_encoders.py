"""Chapter 4: emoji groups by designed, trained and pretrained encoders, alone and fused; five seeds.

Each method is measured on 5 seeds x 5 folds by the name's last word; a seed decides which two keywords are
drawn and how the rows are split. Standard errors carry the correction of Nadeau and Bengio (2003). The
pictures' features are computed once: their encoders learn nothing here. C is fixed beforehand.
"""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.utils import Bunch

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import compare, make_folds, pool
from mmtutor.fusion import early_fusion, late_fusion
from mmtutor.image import HOG
from mmtutor.pretrained import EfficientNet, GloVe
from mmtutor.text import Word2Vec

SEEDS = range(5)
PICTURES = {"HOG": HOG(), "EfficientNet-Lite0": EfficientNet(size=96)}
VECTORS = make_pipeline(FunctionTransformer(np.vstack), StandardScaler(), Normalizer())
ENCODERS = {
    "HOG": VECTORS,
    "EfficientNet-Lite0": VECTORS,
    "TF-IDF": TfidfVectorizer(),
    "Word2Vec": make_pipeline(Word2Vec(), StandardScaler(), Normalizer()),
    "GloVe": make_pipeline(GloVe(), StandardScaler(), Normalizer()),
}
FUSED = [
    ("HOG", "TF-IDF"),
    ("HOG", "GloVe"),
    ("EfficientNet-Lite0", "TF-IDF"),
    ("EfficientNet-Lite0", "GloVe"),
    ("EfficientNet-Lite0", "TF-IDF", "GloVe"),
]


def models() -> dict:
    head = LogisticRegression(C=10, solver="newton-cg")
    alone = {name: early_fusion({name: encoder}, head) for name, encoder in ENCODERS.items()}
    fused = {}
    for names in FUSED:
        encoders = {name: ENCODERS[name] for name in names}
        fused[" + ".join(names)] = early_fusion(encoders, head)
        fused[" + ".join(names) + ", product"] = late_fusion(encoders, head, rule="product")
    return alone | fused


def run() -> pd.DataFrame:
    pictures = load_emoji().X.image
    vectors = {name: pd.Series(list(e.fit_transform(pictures))) for name, e in PICTURES.items()}
    runs = []
    for seed in SEEDS:
        emoji = load_emoji(random_state=seed)
        texts = {name: emoji.X.text for name in ENCODERS if name not in vectors}
        data = Bunch(X=pd.DataFrame(vectors | texts), y=emoji.y, groups=emoji.groups)
        runs.append(compare(models(), data, make_folds(data, random_state=seed)))
    pooled = pool(runs)
    best_alone = pooled.table.accuracy[list(ENCODERS)].idxmax()
    rows = []
    for method, row in pooled.table.iterrows():
        gain = pooled.difference(method, best_alone)
        rows.append({"method": method, **row, "gain": gain.mean, "gain_se": gain.se})
    return pd.DataFrame(rows)
