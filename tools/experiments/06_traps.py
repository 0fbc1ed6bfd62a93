"""Chapter 6: what five mistakes print, and what the cures print, over five splits by kind of thing.

Emoji, a quarter for testing. `strings` are texts numbered in order of the alphabet, or of the file, against
TF-IDF; `refitted` is one PCA fitted on Noto's pixels and then on Twemoji's, used for Noto's test rows,
against two. `before` teaches a head with 60 labeled rows, after a projection of HOG features that was fitted
on all training rows (`right`), on as many rows with the test rows among them (`wrong`), or on the 60 (`60
rows`); for PCA also how much of the test rows' variance it keeps. `split` deals out rows at random against
kinds of things, for names (TF-IDF) and pictures (HOG). Standard errors are corrected for splits that share
rows; `gain` is paired, over the cure.
"""

import cv2
import numpy as np
import pandas as pd
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import over_seeds
from mmtutor.image import HOG

SEEDS, FEW = range(5), 60


def pixels(emoji) -> np.ndarray:
    small = [cv2.resize(p, (16, 16), interpolation=cv2.INTER_AREA) for p in emoji.X.image]
    return np.array(small).reshape(len(small), -1) / 255


def accuracy(z, y, train, test) -> float:
    return make_pipeline(StandardScaler(), SVC()).fit(z[train], y[train]).score(z[test], y[test])


def measure(emoji, names, hog, noto, twemoji, seed) -> dict:
    y, found = emoji.y, {}
    cut = GroupShuffleSplit(1, test_size=0.25, random_state=seed)
    train, test = next(cut.split(y, groups=emoji.groups))
    texts = emoji.X.text
    for way, sort in {"alphabet": True, "order of the file": False}.items():
        numbered = PCA(1).fit_transform(pd.factorize(texts, sort=sort)[0][:, None])
        found["strings", way] = accuracy(numbered, y, train, test)
    words = make_pipeline(TfidfVectorizer(), TruncatedSVD(100, random_state=0)).fit(texts.iloc[train])
    found["strings", "right"] = accuracy(words.transform(texts), y, train, test)

    right = PCA(32, random_state=0).fit(noto[train])
    other = PCA(32, random_state=0).fit(twemoji[train])
    learned, at_test = right.transform(noto[train]), {"right": right, "wrong": other}
    head = make_pipeline(StandardScaler(), SVC()).fit(learned, y[train])
    for way, pca in at_test.items():
        found["refitted", way] = head.score(pca.transform(noto[test]), y[test])

    shuffled = np.random.default_rng(seed).permutation(train)
    few, leaked = shuffled[:FEW], np.r_[shuffled[: len(train) - len(test)], test]
    codes = pd.get_dummies(y).to_numpy(float)
    for way, rows in {"right": train, "wrong": leaked, "60 rows": few}.items():
        pca = PCA(32, random_state=0).fit(hog[rows])
        found["before, PCA", way] = accuracy(pca.transform(hog), y, few, test)
        back = pca.inverse_transform(pca.transform(hog[test]))
        lost = ((hog[test] - back) ** 2).sum() / ((hog[test] - hog[few].mean(axis=0)) ** 2).sum()
        found["variance of test rows kept", way] = 1 - lost
        pls = PLSRegression(7).fit(hog[rows], codes[rows])
        found["before, PLS with labels", way] = accuracy(pls.transform(hog), y, few, test)

    at_random = train_test_split(np.arange(len(y)), test_size=0.25, stratify=y, random_state=seed)
    for way, (learn, judge) in {"right": (train, test), "wrong": at_random}.items():
        named = TfidfVectorizer().fit(names.iloc[learn])
        head = LogisticRegression(C=10).fit(named.transform(names.iloc[learn]), y[learn])
        found["split, names", way] = head.score(named.transform(names.iloc[judge]), y[judge])
        found["split, pictures", way] = accuracy(hog, y, learn, judge)
    return found


def run() -> pd.DataFrame:
    emoji, runs = load_emoji(), []
    names, hog = load_emoji(text="name").X.text, HOG(cell=8).fit_transform(emoji.X.image)
    sides = names, hog, pixels(emoji), pixels(load_emoji("twemoji"))
    with threadpool_limits(1):
        for seed in SEEDS:
            for (trap, way), value in measure(emoji, *sides, seed).items():
                runs.append({"seed": seed, "trap": trap, "way": way, "value": value})
    baseline = {"way": "right"}
    return over_seeds(pd.DataFrame(runs), ["trap", "way"], "value", baseline=baseline, shared=1 / 3)
