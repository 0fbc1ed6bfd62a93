"""Chapter 5: choosing modalities, how complex a model may be, and what accuracy costs; five seeds.

Parts. "quality": a trimodal digit's modality with more or less noise, alone and in a product of three.
"greedy": modalities added one by one by the out-of-fold accuracy of their product on training voices, then
measured on the test set; besides the three there are a copy of the image (its negative) and pure noise.
"complexity": image and sound reduced by PCA inside the pipeline, few or many rows, weak or strong penalty;
gain is of the strong one over the weak.
"cost": emoji, three folds by kind: accuracy, seconds to encode 1,378 emoji and to fit and predict one fold,
and megabytes of the features of all rows and of the pickled model.
"""

import pickle
import runpy
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji, load_trimodal_digits
from mmtutor.evaluate import compare, make_folds, over_seeds, pool
from mmtutor.fusion import early_fusion, late_fusion
from mmtutor.image import HOG, Pixels
from mmtutor.pretrained import EfficientNet, GloVe

SHARED = runpy.run_path(str(Path(__file__).with_name("05_missing_digits.py")))
SEEDS, MODALITIES, ENCODERS, HEAD = (SHARED[name] for name in ("SEEDS", "MODALITIES", "ENCODERS", "HEAD"))
features, scaled, vectors = (SHARED[name] for name in ("features", "scaled", "vectors"))
KEYS = ["part", "what", "level", "n"]
KNOBS = {
    "image": ("image_noise", (0.0, 4.0, 8.0, 16.0)),
    "sound": ("snr_db", (20.0, 5.0, 0.0, -5.0)),
    "text": ("typo_rate", (0.0, 0.2, 0.4, 0.7)),
}
N_ROWS, N_COMPONENTS, PENALTIES = (150, 1500), (5, 10, 20, 40, 80, 150), {"weak": 1e4, "strong": 0.01}


def quality(whole: list[tuple]) -> list[dict]:
    """The noise of one modality at a time; gain is over the product of the two others."""
    rows = []
    for m, (knob, levels) in KNOBS.items():
        for level, seed in product(levels, SEEDS):
            train, test = whole[seed]
            noisy = []
            for subset, data in (("train", train), ("test", test)):
                drawn = load_trimodal_digits(subset, split=seed, random_state=seed, **{knob: level}).X[[m]]
                drawn = drawn if m == "text" else vectors(drawn, {m: SHARED["FROZEN"][m]})
                noisy.append(data.X.assign(**{m: drawn[m]}))
            model, X, y = late_fusion(ENCODERS, HEAD, rule="product").fit(noisy[0], train.y), noisy[1], test.y
            scores = {
                m: {"accuracy": model.score(X.assign(**dict.fromkeys(set(MODALITIES) - {m})), y)},
                f"all, {m}": {"accuracy": model.score(X, y), "other": model.score(X.assign(**{m: None}), y)},
            }
            key = {"part": "quality", "level": level, "n": 1500, "seed": seed}
            rows += [key | {"what": what} | measured for what, measured in scores.items()]
    return rows


def greedy(whole: list[tuple]) -> list[dict]:
    """Path of greedy addition; `what` is the modality most often added in this step, `n` how often."""
    paths = []
    for seed, (train, test) in zip(SEEDS, whole, strict=True):
        rng = np.random.default_rng(seed)
        tables = []
        for data in (train, test):
            noise = pd.Series(list(rng.standard_normal((len(data.y), 64))), dtype=object)
            negative = data.X.image.map(lambda pixels: 255.0 - pixels)
            tables.append(data.X.assign(negative=negative, noise=noise))
        encoders = ENCODERS | {"negative": ENCODERS["image"], "noise": ENCODERS["image"]}
        models = {m: early_fusion({m: e}, HEAD) for m, e in encoders.items()}
        by_voice = list(GroupKFold(5).split(tables[0], train.y, train.voice))
        votes = {
            m: np.log(cross_val_predict(model, tables[0], train.y, cv=by_voice, method="predict_proba"))
            for m, model in models.items()
        }
        final = {
            m: np.log(clone(e).fit(tables[0], train.y).predict_proba(tables[1])) for m, e in models.items()
        }
        path = []
        while len(path) < len(votes):
            left = [m for m in votes if m not in path]
            found = {m: accuracy([*path, m], votes, train.y) for m in left}
            path.append(max(found, key=found.get))
        scores = [accuracy(path[: k + 1], final, test.y) for k in range(len(path))]
        paths.append((path, scores))
    rows = []
    for k in range(5):
        added = pd.Series([path[k] for path, _ in paths]).value_counts()
        key = {"part": "greedy", "what": added.index[0], "level": k + 1, "n": int(added.iloc[0])}
        for seed, (_, scores) in zip(SEEDS, paths, strict=True):
            other = {"other": scores[k - 1]} if k else {}
            rows.append(key | {"seed": seed, "accuracy": scores[k]} | other)
    return rows


def accuracy(names: list, votes: dict, y) -> float:
    return float((sum(votes[m] for m in names).argmax(axis=1) == y).mean())


def complexity(whole: list[tuple]) -> list[dict]:
    """Accuracy on training and test rows; gain is of the strong penalty over the weak one."""
    rows = []
    for n, k, seed in product(N_ROWS, N_COMPONENTS, SEEDS):
        train, test = whole[seed]
        some, other = np.random.default_rng(seed).permutation(len(train.y))[:n], {}
        tables = {"train": (train.X.iloc[some], train.y[some]), "test": (test.X, test.y)}
        for name, C in PENALTIES.items():
            head = make_pipeline(
                PCA(k, random_state=0), LogisticRegression(C=C, solver="newton-cg", max_iter=200)
            )
            model = early_fusion({"image": scaled(), "sound": scaled()}, head).fit(*tables["train"])
            key = {"part": "complexity", "level": k, "n": n, "seed": seed}
            for side, table in tables.items():
                score = model.score(*table)
                rows.append(key | {"what": f"{name}, {side}", "accuracy": score, "other": other.get(side)})
                other.setdefault(side, score)
    return rows


IMAGES = {
    "pixels 8": Pixels(8, color=True),
    "HOG 16": HOG(cell=16),
    "HOG 8": HOG(),
    "EfficientNet 64": EfficientNet(64),
}
TEXTS = {"TF-IDF": None, "GloVe": GloVe()}


def cost() -> list[dict]:
    """Seconds are of one run, on one thread."""
    X = load_emoji().X
    columns, seconds = {}, {"TF-IDF": 0.0}
    for name, encoder in IMAGES.items():
        start = time.perf_counter()
        columns[name] = vectors(X[["image"]], {"image": encoder}).image
        seconds[name] = time.perf_counter() - start
    image = scaled(Normalizer())
    models = {f"image, {i}": ((i,), early_fusion({i: image}, HEAD)) for i in IMAGES}
    texts = {"TF-IDF": TfidfVectorizer(), "GloVe": scaled(Normalizer())}
    models |= {f"text, {t}": ((t,), early_fusion({t: texts[t]}, HEAD)) for t in TEXTS}
    for i, t in [*((i, "TF-IDF") for i in IMAGES), ("EfficientNet 64", "GloVe")]:
        models[f"fused, {i} + {t}"] = ((i, t), late_fusion({i: image, t: texts[t]}, HEAD, rule="product"))
    runs = []
    for seed in SEEDS:
        data = load_emoji(random_state=seed)
        start = time.perf_counter()
        glove = vectors(data.X[["text"]], {"text": TEXTS["GloVe"]}).text
        seconds["GloVe"] = time.perf_counter() - start
        table = pd.DataFrame({**columns, "TF-IDF": data.X.text, "GloVe": glove})
        data = Bunch(X=table, y=data.y, groups=data.groups)
        runs.append(
            compare({n: m for n, (_, m) in models.items()}, data, make_folds(data, 3, random_state=seed))
        )
    pooled, rows = pool(runs), []
    for name, (used, model) in models.items():
        fitted = clone(model).fit(data.X, data.y)
        held = sum(data.X[c].map(len if c == "TF-IDF" else lambda z: 4 * len(z)).sum() for c in used)
        measured = pooled.table.loc[name]
        found = {"part": "cost", "what": name, "accuracy": measured.accuracy, "se": measured.se}
        found |= {"megabytes": (held + len(pickle.dumps(fitted))) / 1e6, "macro_f1": measured.macro_f1}
        found |= {"parameters": measured.parameters}
        rows.append(found | {"seconds": measured.seconds + sum(seconds[c] for c in used)})
    return rows


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        whole = [(features("train", seed), features("test", seed)) for seed in SEEDS]
        runs = pd.DataFrame(quality(whole) + greedy(whole) + complexity(whole))
        costs = pd.DataFrame(cost())
    runs["gain"] = runs["accuracy"] - runs.pop("other")
    table = over_seeds(runs, KEYS)
    table["gain_se"] = over_seeds(runs, KEYS, "gain").se
    return pd.concat([table, costs], ignore_index=True)
