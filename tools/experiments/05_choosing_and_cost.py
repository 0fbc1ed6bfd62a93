"""Chapter 5: choosing modalities, how complex a model may be, and what accuracy costs; five seeds.

Parts. "quality": a trimodal digit's modality with more or less noise, alone and in a product of three.
"greedy": modalities added one by one by the out-of-fold accuracy of their product on training voices, then
measured on the test set; besides the three there are a copy of the image (its negative) and pure noise.
"complexity": image and sound reduced by PCA inside the pipeline, few or many rows, weak or strong penalty.
"cost": emoji, three folds by kind: accuracy, seconds to encode 1,378 emoji and to fit and predict one fold,
and megabytes of the features of all rows and of the pickled model.
"""

import pickle
import time
from itertools import product

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.audio import MFCC
from mmtutor.datasets import load_emoji, load_trimodal_digits
from mmtutor.evaluate import compare, make_folds, pool, standard_error
from mmtutor.fusion import early_fusion, late_fusion
from mmtutor.image import HOG, Pixels
from mmtutor.pretrained import EfficientNet, GloVe

SEEDS = range(5)
MODALITIES = ("image", "sound", "text")
KNOBS = {
    "image": ("image_noise", (0.0, 4.0, 8.0, 16.0)),
    "sound": ("snr_db", (20.0, 5.0, 0.0, -5.0)),
    "text": ("typo_rate", (0.0, 0.2, 0.4, 0.7)),
}
N_ROWS, N_COMPONENTS, PENALTIES = (150, 1500), (5, 10, 20, 40, 80, 150), {"weak": 1e4, "strong": 0.01}


def scaled(*steps):
    return make_pipeline(FunctionTransformer(np.vstack), StandardScaler(), *steps)


HEAD = LogisticRegression(C=10, solver="newton-cg")
WORDS = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True)
ENCODERS = {"image": scaled(Normalizer()), "sound": scaled(Normalizer()), "text": WORDS}


def encode(column: pd.Series, encoder) -> pd.Series:
    return pd.Series(list(encoder.fit_transform(column)), dtype=object)


def features(subset: str, seed: int, **knobs) -> Bunch:
    data = load_trimodal_digits(subset, split=seed, random_state=seed, **knobs)
    for column, encoder in {"image": Pixels(), "sound": MFCC()}.items():
        data.X[column] = encode(data.X[column], encoder)
    return data


def row(part: str, what: str, level, n: int, values, others=None) -> dict:
    """A row of the table; `others` are paired scores to compare with."""
    values = np.asarray(values, float)
    measured = {"part": part, "what": what, "level": level, "n": n}
    measured |= {"accuracy": values.mean(), "se": standard_error(values)}
    if others is not None:
        gain = values - np.asarray(others, float)
        measured |= {"gain": gain.mean(), "gain_se": standard_error(gain)}
    return measured


def quality(whole: list[tuple]) -> list[dict]:
    """The noise of one modality at a time; gain is over the product of the two others."""
    rows = []
    for m, (knob, levels) in KNOBS.items():
        for level in levels:
            alone, fused, rest = [], [], []
            for seed, (train, test) in zip(SEEDS, whole, strict=True):
                kept = [
                    load_trimodal_digits(s, split=seed, random_state=seed, **{knob: level}).X[m]
                    for s in ("train", "test")
                ]
                if m != "text":
                    kept = [encode(column, {"image": Pixels(), "sound": MFCC()}[m]) for column in kept]
                X, X_test = train.X.assign(**{m: kept[0]}), test.X.assign(**{m: kept[1]})
                model = late_fusion(ENCODERS, HEAD, rule="product").fit(X, train.y)
                fused.append(model.score(X_test, test.y))
                alone.append(model.score(X_test.assign(**dict.fromkeys(set(MODALITIES) - {m})), test.y))
                rest.append(model.score(X_test.assign(**{m: None}), test.y))
            rows += [
                row("quality", m, level, 1500, alone),
                row("quality", f"all, {m}", level, 1500, fused, rest),
            ]
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
        chosen = [accuracy(path[: k + 1], votes, train.y) for k in range(len(path))]
        paths.append((path, scores, chosen))
    rows = []
    for k in range(5):
        added = pd.Series([path[k] for path, _, _ in paths]).value_counts()
        scores = [each[k] for _, each, _ in paths]
        before = [each[k - 1] for _, each, _ in paths] if k else None
        rows.append(row("greedy", added.index[0], k + 1, int(added.iloc[0]), scores, before))
    return rows


def accuracy(names: list, votes: dict, y) -> float:
    return float((sum(votes[m] for m in names).argmax(axis=1) == y).mean())


def complexity(whole: list[tuple]) -> list[dict]:
    rows = []
    for n, k, (name, C) in product(N_ROWS, N_COMPONENTS, PENALTIES.items()):
        if k >= n:
            continue
        scores = {"train": [], "test": []}
        for seed, (train, test) in zip(SEEDS, whole, strict=True):
            some = np.random.default_rng(seed).permutation(len(train.y))[:n]
            head = make_pipeline(
                PCA(k, random_state=0), LogisticRegression(C=C, solver="newton-cg", max_iter=200)
            )
            model = early_fusion({"image": scaled(), "sound": scaled()}, head)
            model.fit(train.X.iloc[some], train.y[some])
            scores["train"].append(model.score(train.X.iloc[some], train.y[some]))
            scores["test"].append(model.score(test.X, test.y))
        rows += [row("complexity", f"{name}, {side}", k, n, values) for side, values in scores.items()]
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
        columns[name] = encode(X.image, encoder)
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
        glove = encode(data.X.text, TEXTS["GloVe"])
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
        return pd.DataFrame(quality(whole) + greedy(whole) + complexity(whole) + cost())
