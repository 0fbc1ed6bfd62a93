"""Chapter 5: trimodal digits, whole and with each modality missing in the test set; five seeds.

Seed s takes split s: eight voices and a third of the scans are for testing. All models are trained on whole
rows. The weights of the weighted mean are the accuracies of each modality alone, by cross-validation inside
the training rows, voice by voice. What learns nothing from rows (pixels, MFCC) is computed once.
"""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.audio import MFCC
from mmtutor.datasets import load_trimodal_digits
from mmtutor.evaluate import standard_error
from mmtutor.fusion import MissingTolerant, early_fusion, late_fusion, stacked_fusion
from mmtutor.image import Pixels

SEEDS = range(5)
MODALITIES = ("image", "sound", "text")


def features(subset: str, seed: int) -> Bunch:
    """The data set with pixels and MFCC in place of pictures and sounds."""
    data = load_trimodal_digits(subset, split=seed, random_state=seed)
    for column, encoder in {"image": Pixels(), "sound": MFCC()}.items():
        data.X[column] = pd.Series(list(encoder.fit_transform(data.X[column])), dtype=object)
    return data


def models(train: Bunch) -> dict:
    vectors = make_pipeline(FunctionTransformer(np.vstack), StandardScaler(), Normalizer())
    words = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True)
    encoders = {"image": vectors, "sound": vectors, "text": words}
    tolerant = {
        fill: {m: MissingTolerant(encoder, fill, indicator=False) for m, encoder in encoders.items()}
        for fill in ("mean", "zero")
    }
    head = LogisticRegression(C=10, solver="newton-cg")
    alone = {m: early_fusion({m: encoders[m]}, head) for m in MODALITIES}
    by_voice = list(GroupKFold(5).split(train.X, train.y, train.groups))
    weights = {m: cross_val_score(model, train.X, train.y, cv=by_voice).mean() for m, model in alone.items()}
    return {
        **{m: late_fusion({m: encoders[m]}, head) for m in MODALITIES},
        "features side by side, missing filled with means": early_fusion(tolerant["mean"], head),
        "features side by side, missing filled with zeros": early_fusion(tolerant["zero"], head),
        "mean": late_fusion(encoders, head),
        "mean, weighted": late_fusion(encoders, head, weights=weights),
        "product": late_fusion(encoders, head, rule="product"),
        "maximum": late_fusion(encoders, head, rule="max"),
        "stacked": stacked_fusion(encoders, head, LogisticRegression(solver="newton-cg"), cv=by_voice),
    }


def measure(seed: int) -> dict[tuple, tuple]:
    """(what is missing, method) -> accuracy and macro-F1."""
    train, test = features("train", seed), features("test", seed)
    scores = {}
    for name, model in models(train).items():
        model.fit(train.X, train.y)
        for gone in (None, *MODALITIES):
            if gone != name:
                X = test.X if gone is None else test.X.assign(**{gone: None})
                predicted = model.predict(X)
                f1 = f1_score(test.y, predicted, average="macro")
                scores[gone or "nothing", name] = (predicted == test.y).mean(), f1
    return scores


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        seeds = [measure(seed) for seed in SEEDS]
    accuracy = {key: np.array([scores[key][0] for scores in seeds]) for key in seeds[0]}
    rows = []
    for (gone, name), each in sorted(
        accuracy.items(), key=lambda item: (item[0][0] != "nothing", item[0][0])
    ):
        best = max((m for m in MODALITIES if m != gone), key=lambda m: accuracy[gone, m].mean())
        gain = each - accuracy[gone, best]
        rows.append(
            {
                "missing": gone,
                "method": name,
                "accuracy": each.mean(),
                "se": standard_error(each),
                "gain_over_best_alone": gain.mean(),
                "gain_se": standard_error(gain),
                "macro_f1": np.mean([scores[gone, name][1] for scores in seeds]),
            }
        )
    return pd.DataFrame(rows)
