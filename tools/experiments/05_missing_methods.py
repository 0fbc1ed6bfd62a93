"""Chapter 5: what to do about gaps, in trimodal digits; five seeds.

Seed s takes split s: eight voices and a third of the scans are for testing. Gaps are made by `hide`, in
training and test rows alike, of one modality at a time: completely at random, or growing with the digit
(by class). "whole" training rows have no gap, and one modality is missing in every test row. Image, sound and
text become 40, 50 and 100 features (PCA or its like for sparse counts), which are fitted on the training rows
that have the modality; all methods see the same. Penalties, widths, epochs are fixed beforehand.
"""

import runpy
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.evaluate import over_seeds
from mmtutor.fusion import MissingTolerant, early_fusion, late_fusion
from mmtutor.missing import CompleteRows, filled_fusion, hide
from mmtutor.networks import KerasFusionClassifier

SHARED = runpy.run_path(str(Path(__file__).with_name("05_missing_digits.py")))
SEEDS, MODALITIES, HEAD, features = (SHARED[name] for name in ("SEEDS", "MODALITIES", "HEAD", "features"))
SHARES = {"image": (0.1, 0.5, 0.9), "sound": (0.1, 0.3, 0.5, 0.7, 0.9), "text": (0.1, 0.5, 0.9)}
KEYS = ["training", "missing", "share", "tested", "method"]


def reduced(n_features: int):
    return SHARED["scaled"](PCA(n_features, random_state=0), Normalizer())


ENCODERS = {
    "image": reduced(40),
    "sound": reduced(50),
    "text": make_pipeline(SHARED["WORDS"], TruncatedSVD(100, random_state=0)),
}


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
) -> dict[tuple, Sequence]:
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


def measure(seed: int) -> list[dict]:
    """A row for each setting and method."""
    train, test = features("train", seed), features("test", seed)
    rows = []
    for (training, missing, share), X, tests in settings(train, test, seed):
        is_whole = training == "whole"
        said = predictions(X, train.y, tests, is_whole, is_whole or missing == "sound")
        for (tested, name), labels in said.items():
            key = (training, tested, 1.0, "all") if is_whole else (training, missing, share, tested)
            f1 = f1_score(test.y, labels, average="macro")
            measured = {"seed": seed, "accuracy": (labels == test.y).mean(), "macro_f1": f1}
            rows.append(dict(zip(KEYS, (*key, name), strict=True)) | measured)
    return rows


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        runs = pd.DataFrame([row for seed in SEEDS for row in measure(seed)])
    over_mean = over_seeds(runs, KEYS, baseline={"method": "mean"})
    over_product = over_seeds(runs, KEYS, baseline={"method": "left out, product"})
    table = over_mean.rename(columns={"gain": "gain_over_mean", "gain_se": "gain_over_mean_se"})
    gains = over_product[["gain", "gain_se"]].set_axis(["gain_over_product", "gain_over_product_se"], axis=1)
    return pd.concat([table.drop(columns="macro_f1"), gains, table.macro_f1], axis=1)
