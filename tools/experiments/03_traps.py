"""Chapter 3: what each trap is worth on trimodal digits; five seeds, the wrong way beside the right one.

Seed s draws everything anew, with voices and scans of split s, and five folds by voice, as in
03_trimodal_digits.py, from which encoders, heads and inner folds come. A difference is taken fold by fold,
25 in all, and its standard error carries the correction of Nadeau and Bengio (2003). Folds by row are other
folds than folds by voice: there fold k is set against fold k of the same seed, which pairs the seed alone
and makes the error no smaller than it is. `least` and `most` are the smallest and the largest mean
difference of a seed.

The last rows ask how well a vote knows itself: `wrong` is its mean confidence, `right` its accuracy.
"""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.evaluate import compare, make_folds, standard_error
from mmtutor.fusion import early_fusion, late_fusion, stacked_fusion

SHARED = runpy.run_path(str(Path(__file__).with_name("03_trimodal_digits.py")))
HEAD, FINAL, MODALITIES = SHARED["HEAD"], SHARED["FINAL"], SHARED["MODALITIES"]
SEEDS = range(5)
TEST_PER_TRAIN = 1 / 4  # of five folds
NOISE_COLUMNS, CHOSEN = 5000, 20


def accuracies(models: dict, data: Bunch, folds: list, leak: bool = False) -> dict[str, np.ndarray]:
    """Name of a model -> its accuracy on each fold."""
    by_fold = compare(models, data, folds, allow_shared_groups=leak).by_fold
    return {name: by_fold[name].to_numpy() for name in models}


def leak_of_voices(data: Bunch, folds: list, seed: int) -> dict:
    """Folds by row against folds by voice."""
    every = SHARED["encoders"]()
    models = {name: early_fusion({name: every[name]}, HEAD) for name in MODALITIES}
    models["product"] = late_fusion(every, HEAD, rule="product")
    careless = list(StratifiedKFold(5, shuffle=True, random_state=seed).split(data.X, data.y))
    wrong, right = accuracies(models, data, careless, leak=True), accuracies(models, data, folds)
    return {f"folds by row: {name}": (wrong[name], right[name]) for name in models}


def leak_of_inner_folds(data: Bunch, folds: list) -> dict:
    """Stacking with inner folds by row against inner folds by voice: accuracy, and what is trusted."""
    inner = {"wrong": 5, "right": SHARED["ByVoice"]()}
    found = {way: [] for way in inner}
    for train, test in folds:
        for way, cv in inner.items():
            model = stacked_fusion(SHARED["encoders"](), HEAD, FINAL, cv=cv)
            model.fit(data.X.iloc[train], data.y[train])
            weights = model.final_estimator_.coef_.reshape(10, 3, 10)  # class, modality, its vote
            sizes = dict(zip(model.named_estimators_, np.linalg.norm(weights, axis=(0, 2)), strict=True))
            share = sizes["sound"] / sum(sizes.values())
            found[way].append([model.score(data.X.iloc[test], data.y[test]), share])
    (wrong, wrong_share), (right, right_share) = (np.transpose(found[way]) for way in ("wrong", "right"))
    return {
        "inner folds by row: stacking": (wrong, right),
        "inner folds by row: weight on the sound": (wrong_share, right_share),
    }


def rows_out_of_order(data: Bunch, folds: list, seed: int) -> dict:
    """Image and sound side by side, sounds pasted in another order."""
    every = SHARED["encoders"]()
    pair = {"pair": early_fusion({name: every[name] for name in ("image", "sound")}, HEAD)}
    alone = {name: early_fusion({name: every[name]}, HEAD) for name in ("image", "sound")}
    order = data.X.sound.sample(frac=1, random_state=seed).to_numpy()
    pasted = Bunch(X=data.X.assign(sound=order), y=data.y, groups=data.groups)
    wrong, right = accuracies(pair, pasted, folds)["pair"], accuracies(pair | alone, data, folds)
    names = {"aligned": "pair", "the image alone": "image", "the sound alone": "sound"}
    return {f"rows out of order: against {said}": (wrong, right[name]) for said, name in names.items()}


def fitted_before_splitting(data: Bunch, folds: list, seed: int) -> dict:
    """Scaling of features, and selection among columns of noise: on all rows, and inside the folds."""
    noise = np.random.default_rng(seed).standard_normal((len(data.y), NOISE_COLUMNS))
    both = np.hstack([np.vstack(data.X.image), np.vstack(data.X.sound)])
    steps = {"scaling": (both, StandardScaler()), "selection": (noise, SelectKBest(k=CHOSEN))}
    found = {}
    for name, (X, step) in steps.items():
        head = LogisticRegression(C=0.1, max_iter=300)
        tables = step.fit_transform(X, data.y), X
        models = make_pipeline("passthrough", head), make_pipeline(step, head)
        found[f"{name} before splitting"] = tuple(
            accuracies({"m": m}, Bunch(X=pd.DataFrame(t), y=data.y, groups=data.groups), folds)["m"]
            for t, m in zip(tables, models, strict=True)
        )
    return found


def confidence(data: Bunch, folds: list) -> dict:
    """What the votes say of themselves, and how often they are right."""
    every, found = SHARED["encoders"](), {}
    for train, test in folds:
        model = late_fusion(every, HEAD, rule="product").fit(data.X.iloc[train], data.y[train])
        X, y = data.X.iloc[test], data.y[test]
        votes = dict(zip(MODALITIES, [each.predict_proba(X) for each in model.estimators_], strict=True))
        votes |= {"mean": np.mean(list(votes.values()), axis=0), "product": model.predict_proba(X)}
        for name, p in votes.items():
            scores = p.max(axis=1).mean(), (p.argmax(axis=1) == y).mean()
            found.setdefault(f"confidence: {name}", []).append(scores)
    return {name: tuple(np.transpose(each)) for name, each in found.items()}


def run() -> pd.DataFrame:
    pairs = {}
    with threadpool_limits(1):
        for seed in SEEDS:
            data = SHARED["features"](seed)
            folds = make_folds(data, random_state=seed)
            found = leak_of_voices(data, folds, seed) | leak_of_inner_folds(data, folds)
            found |= rows_out_of_order(data, folds, seed) | fitted_before_splitting(data, folds, seed)
            for name, pair in (found | confidence(data, folds)).items():
                pairs.setdefault(name, []).append(pair)
    rows = []
    for name, each in pairs.items():
        wrong, right = np.array(each).transpose(1, 0, 2)  # a seed a row, a fold a column
        gaps = wrong - right
        row = {"trap": name, "wrong": wrong.mean(), "right": right.mean(), "wrong_minus_right": gaps.mean()}
        row |= {"se": standard_error(gaps.ravel(), TEST_PER_TRAIN)}
        rows.append(row | {"least": gaps.mean(axis=1).min(), "most": gaps.mean(axis=1).max()})
    return pd.DataFrame(rows)
