"""Chapter 4: what wrong preprocessing costs, before training, before use, or both; emoji, five seeds.

EfficientNet-Lite0 at 64 pixels wants RGB, 0-255. Its features go into one logistic regression. Seed
s takes the five folds of split s; standard errors carry the correction of Nadeau and Bengio (2003).
"""

import cv2
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import make_folds, standard_error
from mmtutor.pretrained import efficientnet_lite0

SEEDS = range(5)
WAYS = {
    "right": lambda x: x,
    "BGR": lambda x: x[..., ::-1],
    "divided by 255": lambda x: x / 255,
    "scaled twice": lambda x: (x - 127) / 128,
    "inverted": lambda x: 255 - x,
    "shrunk first": lambda x: np.array([cv2.resize(cv2.resize(p, (32, 32)), (64, 64)) for p in x]),
}


def run() -> pd.DataFrame:
    emoji, network = load_emoji(), efficientnet_lite0(size=64)
    pictures = np.array(list(emoji.X.image)).astype(np.float32)
    z = {name: network.predict(way(pictures), batch_size=53, verbose=0) for name, way in WAYS.items()}
    pairs = [(name, name) for name in WAYS] + [("right", name) for name in WAYS if name != "right"]
    scores = {pair: [] for pair in pairs}
    for seed in SEEDS:
        for train, test in make_folds(emoji, random_state=seed):
            fitted = {}
            for learned, served in pairs:
                if learned not in fitted:
                    head = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
                    with threadpool_limits(1):
                        fitted[learned] = head.fit(z[learned][train], emoji.y[train])
                scores[learned, served].append(fitted[learned].score(z[served][test], emoji.y[test]))
    by_fold = pd.DataFrame(scores)
    gains = by_fold.sub(by_fold["right", "right"], axis=0)
    rows = []
    for learned, served in pairs:
        accuracy, gain = by_fold[learned, served], gains[learned, served]
        numbers = {"accuracy": accuracy.mean(), "se": standard_error(accuracy, 1 / 4)}
        numbers |= {"gain": gain.mean(), "gain_se": standard_error(gain, 1 / 4)}
        rows.append({"trained on": learned, "served": served, **numbers})
    return pd.DataFrame(rows)
