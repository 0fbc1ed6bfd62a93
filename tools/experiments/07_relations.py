"""Chapter 7: how two modalities relate: redundant, complementary or in conflict, on emoji and their groups.

Five seeds of five folds by kind of thing. Each modality has its own logistic regression; both together is the
mean of their probabilities. In the conflict the models are the same, but at the test the words are another
emoji's, of another group by construction. Kappa is the agreement beyond chance. Nothing is chosen by these
scores.
"""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import make_folds, over_seeds
from mmtutor.image import HOG


def swapped(y: np.ndarray, rng) -> np.ndarray:
    """For each row another one of another group, at random."""
    return np.array([rng.choice(np.flatnonzero(y != label)) for label in y])


def relation(name: str, y, one: np.ndarray, other: np.ndarray) -> dict:
    """What two tables of probabilities (n, n_classes) say alone and together."""
    first, second, both = one.argmax(1), other.argmax(1), (one + other).argmax(1)
    shares = [np.bincount(each, minlength=one.shape[1]) / len(each) for each in (first, second)]
    agree, by_chance = (first == second).mean(), shares[0] @ shares[1]
    return {
        "relation": name,
        "first": (first == y).mean(),
        "second": (second == y).mean(),
        "both": (both == y).mean(),
        "gain": (both == y).mean() - max((first == y).mean(), (second == y).mean()),
        "agree": agree,
        "by_chance": by_chance,
        "kappa": (agree - by_chance) / (1 - by_chance),
        "both_right": ((first == y) & (second == y)).mean(),
        "one_right": ((first == y) != (second == y)).mean(),
    }


def one_fold(z: dict, texts, y, train, test, rng) -> list[dict]:
    probabilities, head = {}, LogisticRegression(C=1, max_iter=300)
    for name, features in z.items():
        probabilities[name] = head.fit(features[train], y[train]).predict_proba(features[test])
    tfidf = TfidfVectorizer().fit(texts.iloc[train])
    reader = LogisticRegression(C=10, max_iter=300).fit(tfidf.transform(texts.iloc[train]), y[train])
    words = reader.predict_proba(tfidf.transform(texts.iloc[test]))
    wrong = words[swapped(y[test], rng)]
    noto, twemoji = probabilities["noto"], probabilities["twemoji"]
    return [
        relation("redundant: two drawings of it", y[test], noto, twemoji),
        relation("complementary: drawing and words", y[test], noto, words),
        relation("conflicting: drawing and another's words", y[test], noto, wrong),
    ]


def run() -> pd.DataFrame:
    vendors = {vendor: load_emoji(vendor) for vendor in ("noto", "twemoji")}
    emoji, rows = vendors["noto"], []
    y = np.unique(emoji.y, return_inverse=True)[1]
    z = {vendor: HOG(cell=16).fit_transform(each.X.image) for vendor, each in vendors.items()}
    with threadpool_limits(1):
        for seed in range(5):
            folds = make_folds(Bunch(X=emoji.X, y=emoji.y, groups=emoji.groups), random_state=seed)
            rng = np.random.default_rng([7, seed])
            for number, fold in enumerate(folds):
                found = one_fold(z, emoji.X.text, y, *fold, rng)
                rows += [{"seed": 5 * seed + number} | each for each in found]
    runs = pd.DataFrame(rows)
    table = over_seeds(runs, by="relation", score="both", shared=1 / 4)
    gains = over_seeds(runs, by="relation", score="gain", shared=1 / 4)
    agrees = over_seeds(runs, by="relation", score="agree", shared=1 / 4)
    kappas = over_seeds(runs, by="relation", score="kappa", shared=1 / 4)
    return table.assign(gain_se=gains.se, agree_se=agrees.se, kappa_se=kappas.se)
