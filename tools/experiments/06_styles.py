"""Chapter 6: emoji of one style to emoji of another, from no target examples to all.

Source: Noto pictures; target: Twemoji. Five splits by kind of thing (the name's last word), a quarter for
testing, in whatever style: nothing in the test rows was seen in either style. `source` is Noto as it is,
turned by a quarter, or filed otherwise: with food, activities and travel labeled as objects. C of every head
is chosen by inner folds of kinds: over its target rows for `target only`, over the source's rows for models
with a source. `weighted`: source and target count alike; `chosen`: how much the source counts (nothing, three
tenths, alike, row by row) is chosen by inner folds over target rows.

`gain` is paired: for models with source and target over target only with as many target examples; for those
without target examples over target only with all of them; in the rows `words alone` and below over the fused
head's pictures. `drop` is what a head loses from Noto's test pictures to Twemoji's. `restyled` standardizes
each style by its own unlabeled training rows; `shared kinds` splits rows at random; `shared emoji` trains on
as many Noto rows, test emoji among them: gains of these over the source's head. Standard errors are corrected
for splits that share rows.
"""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import over_seeds
from mmtutor.image import HOG
from mmtutor.pretrained import EfficientNet

SEEDS, SIZES, CHOSEN = range(5), (25, 50, 100, 200, 400, "all"), (100, 400, "all")
FILED = ("Food & Drink", "Activities", "Travel & Places")
ENCODERS = {"HOG": HOG(cell=16), "EfficientNet": EfficientNet(size=64)}
CS, SHARES = (0.001, 0.003, 0.01, 0.1), (0, 0.3, 1, None)
BY = ["encoder", "source", "way", "n_target"]


def fit(X, y, C, weights=None):
    model = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=300))
    return model.fit(X, y, logisticregression__sample_weight=weights)


def choose(options, groups, score, n_folds=3):
    """The option with the best mean of score(option, learn, judge) over inner folds of groups."""
    folds = list(GroupKFold(n_folds).split(groups, groups=groups))
    return max(options, key=lambda option: np.mean([score(option, *fold) for fold in folds]))


def best_C(X, y, groups):
    return choose(CS, groups, lambda C, a, b: fit(X[a], y[a], C).score(X[b], y[b]))


def pool(source, target, C, share=None):
    """Source and target rows in one training set; all source rows together count `share` of the target's."""
    (a, labels), (b, own) = source, target
    if not len(b):
        return fit(a, labels, C)
    if share == 0:
        return fit(b, own, C)
    each = 1 if share is None else share * len(b) / len(a)
    weights = np.r_[np.full(len(a), float(each)), np.ones(len(b))]
    return fit(np.vstack([a, b]), np.r_[labels, own], C, weights / weights.mean())


def fused_head(z, texts, y):
    """Pictures and words side by side, each of length one; beside it the same head with one of the two."""
    words = TfidfVectorizer().fit(texts)
    vectors = make_pipeline(StandardScaler(), Normalizer()).fit(z)
    sides = {
        "with words": lambda z, t: sparse.hstack([vectors.transform(z), words.transform(t)]).tocsr(),
        "without words": lambda z, t: vectors.transform(z),
        "words alone": lambda z, t: words.transform(t),
    }
    models = {}
    for name, join in sides.items():
        models[name] = LogisticRegression(C=10, max_iter=300).fit(join(z, texts), y)
    return {name: lambda z, t, n=name: models[n].predict(sides[n](z, t)) for name in sides}


def measure(name, encoder, noto, twemoji):
    y, groups, texts = noto.y, noto.groups, noto.X.text.to_numpy()
    everything = np.arange(len(y))
    z, t = encoder.fit_transform(noto.X.image), encoder.fit_transform(twemoji.X.image)
    sources = {"Noto": (z, y), "Noto, filed otherwise": (z, np.where(np.isin(y, FILED), "Objects", y))}
    if name == "HOG":
        turned = [np.rot90(picture).copy() for picture in noto.X.image]
        sources["Noto, turned"] = (encoder.fit_transform(turned), y)
    for seed in SEEDS:
        train, test = next(GroupShuffleSplit(1, test_size=0.25, random_state=seed).split(y, groups=groups))
        train = np.random.default_rng(seed).permutation(train)

        def row(source, way, n, score, seed=seed):
            values = dict(zip(BY, (name, source, way, n), strict=True))
            return values | {"seed": seed, "accuracy": score}

        C = {s: best_C(X[train], labels[train], groups[train]) for s, (X, labels) in sources.items()}
        for source, (X, labels) in sources.items():
            model = fit(X[train], labels[train], C[source])
            yield row(source, "both", 0, model.score(t[test], y[test]))
            yield row(source, "on its own training rows", 0, model.score(X[train], labels[train]))
        for n in SIZES:
            few = train[: len(train) if n == "all" else n]
            own = best_C(t[few], y[few], groups[few])
            only = fit(t[few], y[few], own).score(t[test], y[test])
            yield row("none", "target only", n, only)
            for source, (X, labels) in sources.items():
                side = X[train], labels[train]
                ways = {"both": None, "weighted": 1}
                if n in CHOSEN and name == "EfficientNet":

                    def inner(share, a, b, few=few, side=side, C=C[source], own=own):
                        strength = C if share != 0 else own
                        model = pool(side, (t[few[a]], y[few[a]]), strength, share)
                        return model.score(t[few[b]], y[few[b]])

                    ways["chosen"] = choose(SHARES, groups[few], inner)
                for way, share in ways.items():
                    model = pool(side, (t[few], y[few]), C[source] if share != 0 else own, share)
                    yield row(source, way, n, model.score(t[test], y[test]))
        model = fit(z[train], y[train], C["Noto"])
        yield row("Noto", "within the style", 0, model.score(z[test], y[test]))
        back = fit(t[train], y[train], best_C(t[train], y[train], groups[train]))
        yield row("Twemoji", "the other way", 0, back.score(z[test], y[test]))
        restyled = StandardScaler().fit(t[train]).transform(t[test])
        yield row("Noto", "restyled", 0, (model[-1].predict(restyled) == y[test]).mean())
        seen, new = train_test_split(everything, test_size=0.25, stratify=y, random_state=seed)
        yield row("Noto", "shared kinds", 0, fit(z[seen], y[seen], C["Noto"]).score(t[new], y[new]))
        mixed = np.r_[test, train[: len(train) - len(test)]]
        yield row("Noto", "shared emoji", 0, fit(z[mixed], y[mixed], C["Noto"]).score(t[test], y[test]))
        if name == "EfficientNet":
            for way, predict in fused_head(z[train], texts[train], y[train]).items():
                at = [(predict(side[test], texts[test]) == y[test]).mean() for side in (z, t)]
                yield row("Noto", way, 0, at[1])
                yield row("Noto", f"{way}, drop", 0, at[0] - at[1])


def over(runs, rows, baseline) -> pd.DataFrame:
    """The rows summarized, their gain over one way (its rows named anew, so that they pair)."""
    rows, reference = runs[rows], runs[np.logical_and.reduce([runs[k] == v for k, v in baseline.items()])]
    scores = reference.set_index(["encoder", "seed"]).accuracy
    paired = [scores[e, s] for e, s in zip(rows.encoder, rows.seed, strict=True)]
    both = pd.concat([rows.assign(side=1), rows.assign(side=0, accuracy=paired)])
    table = over_seeds(both, ["side", *BY], baseline={"side": 0}, shared=1 / 3)
    return table[table.side == 1].drop(columns="side")


def run() -> pd.DataFrame:
    noto, twemoji = load_emoji("noto"), load_emoji("twemoji")
    with threadpool_limits(1):
        runs = pd.DataFrame(
            [row for name, encoder in ENCODERS.items() for row in measure(name, encoder, noto, twemoji)]
        )
    tables = []
    only, free = runs.way == "target only", runs.n_target == 0
    for n in SIZES:
        rows = (runs.n_target == n) & ~only
        tables.append(over(runs, rows, {"way": "target only", "n_target": n}))
    best = {"way": "target only", "n_target": "all"}
    tables.append(over(runs, only, best))
    to_head = runs.way.isin(["restyled", "shared kinds", "shared emoji"])
    tables.append(over(runs, to_head, {"way": "both", "source": "Noto", "n_target": 0}))
    fused, drops = runs.way.isin(["with words", "words alone"]), runs.way == "with words, drop"
    tables.append(over(runs, fused, {"way": "without words"}))
    tables.append(over(runs, drops, {"way": "without words, drop"}))
    rest = free & ~to_head & ~fused & ~drops & (runs.way != "words alone, drop")
    tables.append(over(runs, rest & ~runs.way.str.endswith("drop"), best))
    tables.append(over(runs, runs.way == "without words, drop", {"way": "without words, drop"}))
    return pd.concat(tables, ignore_index=True)[[*BY, "accuracy", "se", "gain", "gain_se"]]
