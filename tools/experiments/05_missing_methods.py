"""Chapter 5: what to do about gaps, in trimodal digits; five seeds.

Seed s takes split s: eight voices and a third of the scans are for testing. Gaps are made by `hide`, in
training and test rows alike, of one modality at a time: completely at random, or growing with the digit
(by class). "whole" training rows have no gap, and one modality is missing in every test row. Image, sound and
text become 40, 50 and 100 features (PCA or its like for sparse counts), which are fitted on the training rows
that have the modality; all methods see the same. Penalties, widths, epochs are fixed beforehand.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.audio import MFCC
from mmtutor.datasets import load_trimodal_digits
from mmtutor.evaluate import standard_error
from mmtutor.fusion import MissingTolerant, early_fusion, late_fusion
from mmtutor.image import Pixels
from mmtutor.missing import CompleteRows, filled_fusion, hide
from mmtutor.networks import KerasFusionClassifier

SEEDS = range(5)
MODALITIES = ("image", "sound", "text")
SHARES = {"image": (0.1, 0.5, 0.9), "sound": (0.1, 0.3, 0.5, 0.7, 0.9), "text": (0.1, 0.5, 0.9)}
KEYS = ["training", "missing", "share", "tested", "method"]


def features(subset: str, seed: int) -> Bunch:
    """The data set with pixels and MFCC in place of pictures and sounds."""
    data = load_trimodal_digits(subset, split=seed, random_state=seed)
    for column, encoder in {"image": Pixels(), "sound": MFCC()}.items():
        data.X[column] = pd.Series(list(encoder.fit_transform(data.X[column])), dtype=object)
    return data


def vectors(n_features: int):
    pca = PCA(n_features, random_state=0)
    return make_pipeline(FunctionTransformer(np.vstack), StandardScaler(), pca, Normalizer())


WORDS = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True)
ENCODERS = {
    "image": vectors(40),
    "sound": vectors(50),
    "text": make_pipeline(WORDS, TruncatedSVD(100, random_state=0)),
}
HEAD = LogisticRegression(C=10, solver="newton-cg")


def imputers(is_whole: bool) -> dict:
    """What fills the gaps. tol=0.1 makes two or three rounds; the numbers hardly move after that."""
    chosen = {
        "mean": SimpleImputer(),
        "median": SimpleImputer(strategy="median"),
        "most frequent": SimpleImputer(strategy="most_frequent"),
        "zeros": SimpleImputer(strategy="constant", fill_value=0),
        "predicted, linear": IterativeImputer(Ridge(1.0), tol=0.1, skip_complete=not is_whole),
    }
    if is_whole:  # elsewhere it takes minutes
        chosen["predicted, neighbors"] = KNNImputer(n_neighbors=10)
    return chosen


def networks(is_whole: bool) -> dict:
    how = {"epochs": 15, "batch_size": 64, "learning_rate": 0.003}
    hidden = {"network": 0.0} if is_whole else {}
    hidden["network, modality dropout"] = 0.3
    return {
        name: KerasFusionClassifier(ENCODERS, modality_dropout=share, **how) for name, share in hidden.items()
    }


def predictions(
    X: pd.DataFrame, y, tests: dict, is_whole: bool, with_networks: bool
) -> dict[tuple, np.ndarray]:
    """(test table, method) -> labels. What several methods share is fitted once."""
    said = {}

    def note(name, model, tables=tests):
        said.update({(tested, name): model.predict(table) for tested, table in tables.items()})

    encode = filled_fusion(ENCODERS, SimpleImputer(), HEAD)["features"].fit(X)
    z, z_tests = encode.transform(X), {tested: encode.transform(table) for tested, table in tests.items()}
    for name, imputer in imputers(is_whole).items():
        note(name, make_pipeline(imputer, HEAD).fit(z, y), z_tests)
    if not is_whole:
        note("drop rows", CompleteRows(filled_fusion(ENCODERS, SimpleImputer(), HEAD)).fit(X, y))
    flagged = {m: MissingTolerant(e, "mean", indicator=True) for m, e in ENCODERS.items()}
    note("mean and a flag", early_fusion(flagged, HEAD).fit(X, y))
    late = late_fusion(ENCODERS, HEAD).fit(X, y)
    for rule in ("mean", "product"):  # the same models, combined in another way
        note(f"left out, {rule}", late.set_params(rule=rule))
    for name, network in networks(is_whole).items() if with_networks else ():
        note(name, network.fit(X, y))
    return said


def settings(train: Bunch, test: Bunch, seed: int) -> Iterator[tuple]:
    """(training, missing, share), training table, and test tables by name."""
    gone = {m: test.X.assign(**{m: None}) for m in MODALITIES}
    yield ("whole", "", 0.0), train.X, {"nothing": test.X} | gone
    for modality, shares in SHARES.items():
        for share in shares:
            alike = hide(test.X, share, modality, random_state=1000 + seed)
            tests = {"alike": alike, "whole": test.X}
            yield ("at random", modality, share), hide(train.X, share, modality, random_state=seed), tests
    by_class = hide(train.X, 0.5, "sound", random_state=seed, by=train.y)
    tests = {
        "alike": hide(test.X, 0.5, "sound", random_state=1000 + seed, by=test.y),
        "at random": hide(test.X, 0.5, "sound", random_state=1000 + seed),
        "whole": test.X,
    }
    yield ("by class", "sound", 0.5), by_class, tests


def measure(seed: int) -> dict[tuple, tuple]:
    """Setting and method -> accuracy and macro-F1."""
    train, test = features("train", seed), features("test", seed)
    scores = {}
    for (training, missing, share), X, tests in settings(train, test, seed):
        is_whole = training == "whole"
        said = predictions(X, train.y, tests, is_whole, is_whole or missing == "sound")
        for (tested, name), labels in said.items():
            key = (training, tested, 1.0, "all") if is_whole else (training, missing, share, tested)
            f1 = f1_score(test.y, labels, average="macro")
            scores[(*key, name)] = (labels == test.y).mean(), f1
    return scores


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        seeds = [measure(seed) for seed in SEEDS]
    rows = []
    for key in seeds[0]:
        accuracy = np.array([scores[key][0] for scores in seeds])
        row = dict(zip(KEYS, key, strict=True)) | {
            "accuracy": accuracy.mean(),
            "se": standard_error(accuracy),
        }
        for other in ("mean", "left out, product"):
            gain = accuracy - [scores[(*key[:-1], other)][0] for scores in seeds]
            name = "gain_over_mean" if other == "mean" else "gain_over_product"
            row |= {name: gain.mean(), f"{name}_se": standard_error(gain)}
        rows.append(row | {"macro_f1": np.mean([scores[key][1] for scores in seeds])})
    return pd.DataFrame(rows)
