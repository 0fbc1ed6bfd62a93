"""Chapter 6: emoji of one style to emoji of another, from no target examples to all.

Source: Noto pictures; target: Twemoji. Five splits by kind of thing (the name's last word), a quarter for
testing, in whatever style: nothing in the test rows was seen in either style. `source` is Noto as it is,
turned by a quarter, or filed otherwise: with food, activities and travel labeled as objects. Standard errors
are corrected for splits that share rows. `gain` is paired: for both over target only with as many target
examples; for source or target alone over the source's head within its own style; for the rest over the
source's head as it is. `restyled` standardizes each style by its own unlabeled training rows; `shared kinds`
splits rows at random; `shared emoji` trains on all of Noto, test emoji included.
"""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import standard_error
from mmtutor.image import HOG
from mmtutor.pretrained import EfficientNet

SEEDS, SIZES = range(5), (0, 25, 50, 100, 200, 400, "all")
FILED = ("Food & Drink", "Activities", "Travel & Places")
ENCODERS = {"HOG": (HOG(cell=16), 0.01), "EfficientNet": (EfficientNet(size=64), 0.003)}


def head(C):
    return make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=300))


def fused_head(z, texts, y):
    """Pictures and words side by side, each of length one; gives a function of pictures and words."""
    words = TfidfVectorizer().fit(texts)
    vectors = make_pipeline(StandardScaler(), Normalizer()).fit(z)
    model = LogisticRegression(C=10, max_iter=300)

    def join(z, texts):
        return sparse.hstack([vectors.transform(z), words.transform(texts)]).tocsr()

    model.fit(join(z, texts), y)
    return lambda z, texts: model.predict(join(z, texts))


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        return pd.DataFrame(measure())


def measure() -> list[dict]:
    noto, twemoji = load_emoji("noto"), load_emoji("twemoji")
    y, texts, everything = noto.y, noto.X.text.to_numpy(), np.arange(len(noto.y))
    filed = np.where(np.isin(y, FILED), "Objects", y)
    turned = [np.rot90(picture).copy() for picture in noto.X.image]
    found = {}

    def keep(encoder, source, way, n, score):
        found.setdefault((encoder, source, way, n), []).append(score)

    for name, (encoder, C) in ENCODERS.items():
        z = {"Noto": encoder.fit_transform(noto.X.image), "target": encoder.fit_transform(twemoji.X.image)}
        sources = {"Noto": (z["Noto"], y), "Noto, filed otherwise": (z["Noto"], filed)}
        if name == "HOG":
            sources["Noto, turned"] = (encoder.fit_transform(turned), y)
        for seed in SEEDS:
            cut = GroupShuffleSplit(1, test_size=0.25, random_state=seed)
            train, test = next(cut.split(everything, groups=noto.groups))
            train = np.random.default_rng(seed).permutation(train)

            def score(model, style="target", rows=test, z=z):
                return model.score(z[style][rows], y[rows])

            for n in SIZES:
                few = train[: len(train) if n == "all" else n]
                if len(few):
                    only = head(C).fit(z["target"][few], y[few])
                    keep(name, "none", "target only", n, score(only))
                for source, (pictures, labels) in sources.items():
                    rows = np.vstack([pictures[train], z["target"][few]])
                    model = head(C).fit(rows, [*labels[train], *y[few]])
                    keep(name, source, "both", n, score(model))
            model = head(C).fit(z["Noto"][train], y[train])
            keep(name, "Noto", "within the style", 0, score(model, "Noto"))
            restyled = StandardScaler().fit(z["target"][train]).transform(z["target"][test])
            keep(name, "Noto", "restyled", 0, (model[-1].predict(restyled) == y[test]).mean())
            seen, new = train_test_split(everything, test_size=0.25, stratify=y, random_state=seed)
            model = head(C).fit(z["Noto"][seen], y[seen])
            keep(name, "Noto", "shared kinds", 0, score(model, rows=new))
            model = head(C).fit(z["Noto"], y)
            keep(name, "Noto", "shared emoji", 0, score(model))
            if name == "EfficientNet":
                predict = fused_head(z["Noto"][train], texts[train], y[train])
                for way, style in {"with words": "target", "with words, within": "Noto"}.items():
                    right = predict(z[style][test], texts[test]) == y[test]
                    keep(name, "Noto", way, 0, right.mean())
    return [row(key, scores, found) for key, scores in found.items()]


def row(key, scores, found) -> dict:
    encoder, source, way, n = key
    against = ("Noto", "within the style", 0)
    if way == "both" and n:
        against = ("none", "target only", n)
    elif way not in ("both", "target only", "within the style"):
        against = ("Noto", "both", 0)
    gains = np.array(scores) - np.array(found[encoder, *against])
    return {
        "encoder": encoder,
        "source": source,
        "way": way,
        "n_target": n,
        "accuracy": np.mean(scores),
        "se": standard_error(scores, 1 / 3),
        "gain": gains.mean(),
        "gain_se": standard_error(gains, 1 / 3),
    }
