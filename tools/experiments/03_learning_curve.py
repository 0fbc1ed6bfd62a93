"""Chapter 3: accuracy against the number of training rows, and of voices at equal rows; five seeds.

Seed s takes voices and scans of split s; models are tested on the 750 test rows of that split. Test sets of
different splits share voices and scans, so standard errors are corrected as for random splits (Nadeau and
Bengio 2003). Encoders, heads and their C as in 03_trimodal_digits.py.
"""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.audio import MFCC
from mmtutor.datasets import load_trimodal_digits
from mmtutor.evaluate import standard_error
from mmtutor.fusion import early_fusion, late_fusion
from mmtutor.image import Pixels

SHARED = runpy.run_path(str(Path(__file__).with_name("03_trimodal_digits.py")))
SEEDS = range(5)
ROWS = (100, 200, 400, 800, 1500)
VOICES = (4, 8, 16)
FEW = 300  # rows, whatever the number of voices
TEST_PER_TRAIN = 750 / 1500


def features(subset: str, seed: int) -> Bunch:
    data = load_trimodal_digits(subset, split=seed, random_state=seed)
    for column, encoder in {"image": Pixels(), "sound": MFCC()}.items():
        data.X[column] = pd.Series(list(encoder.fit_transform(data.X[column])), index=data.X.index)
    return data


def models() -> dict:
    every, head = SHARED["encoders"](), SHARED["HEAD"]
    alone = {name: early_fusion({name: every[name]}, head) for name in every}
    return alone | {
        "features side by side": early_fusion(every, head),
        "product": late_fusion(every, head, rule="product"),
    }


def choices(train: Bunch, seed: int) -> dict:
    """What to train on: (kind, amount) -> row numbers."""
    rows = {("rows", n): np.arange(n) for n in ROWS}
    order = np.random.default_rng(seed).permutation(np.unique(train.voice))
    for n in VOICES:
        rows["voices", n] = np.flatnonzero(np.isin(train.voice, order[:n]))[:FEW]
    return rows


def run() -> pd.DataFrame:
    scores = {}
    with threadpool_limits(1):
        for seed in SEEDS:
            train, test = features("train", seed), features("test", seed)
            for (kind, amount), rows in choices(train, seed).items():
                for name, model in models().items():
                    fitted = model.fit(train.X.iloc[rows], train.y[rows])
                    scores.setdefault((kind, amount, name), []).append(fitted.score(test.X, test.y))
    table = []
    for (kind, amount, name), each in scores.items():
        most = scores[kind, max(VOICES if kind == "voices" else ROWS), name]
        gain = np.subtract(most, each)  # from here to the largest amount
        table.append(
            {
                "kind": kind,
                "amount": amount,
                "method": name,
                "accuracy": np.mean(each),
                "se": standard_error(each, TEST_PER_TRAIN),
                "still_to_gain": gain.mean(),
                "still_to_gain_se": standard_error(gain, TEST_PER_TRAIN),
            }
        )
    return pd.DataFrame(table)
