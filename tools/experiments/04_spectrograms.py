"""Chapter 4: EfficientNet-Lite0 on spectrograms of spoken digits, as pictures; five seeds.

As 04_fine_tuning.py, from which all but the data comes. Seed s takes voices of split s: 400 training rows,
then 1,200 with the same 8 epochs; 240 test rows of other voices, at 5 decibels. MFCC with the same kind of
head stand beside it. Inner folds keep voices apart.
"""

import runpy
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mmtutor.audio import MFCC, log_mel
from mmtutor.datasets import load_trimodal_digits

SHARED = runpy.run_path(str(Path(__file__).with_name("04_fine_tuning.py")))
TEST_ROWS, SIZE = SHARED["TEST_ROWS"], SHARED["SIZE"]
WAYS = ("last block", "blocks 5 to 15")


def spectrogram(sound: np.ndarray) -> np.ndarray:
    """A picture, uint8 (SIZE, SIZE, 3): time to the right, frequency upwards, 80 decibels from 0 to 255."""
    decibels = log_mel(sound).T[::-1]
    gray = np.clip((decibels - decibels.max() + 80) / 80, 0, 1) * 255
    return cv2.cvtColor(cv2.resize(gray.astype(np.uint8), (SIZE, SIZE)), cv2.COLOR_GRAY2RGB)


def digit_sounds(seed: int, n_rows: int) -> tuple:
    """Sounds, digits and voices; first `n_rows` training rows, then the test rows, of other voices."""
    sides = [
        load_trimodal_digits(side, n_samples=n, split=seed, random_state=seed)
        for side, n in (("train", n_rows), ("test", TEST_ROWS))
    ]
    sounds = [sound for side in sides for sound in side.X.sound]
    return sounds, *(np.concatenate([side[name] for side in sides]) for name in ("y", "voice"))


def measure(n_rows: int) -> pd.DataFrame:
    rows = np.arange(n_rows), np.arange(n_rows, n_rows + TEST_ROWS)
    data = {seed: digit_sounds(seed, n_rows) for seed in SHARED["SEEDS"]}

    def digit_rows(seed: int) -> tuple:
        sounds, digits, _ = data[seed]
        return np.array([spectrogram(sound) for sound in sounds]), digits, *rows

    def mfcc(seed: int) -> dict:
        return {"MFCC": MFCC().fit_transform(data[seed][0])}

    table = SHARED["measure"](digit_rows, lambda seed: data[seed][2], mfcc, 10, WAYS, n_rows)
    table.loc[table.method == "MFCC", "trained"] = 105 * 10
    table.insert(0, "rows", n_rows)
    return table


def run() -> pd.DataFrame:
    return pd.concat([measure(400), measure(1200)], ignore_index=True)
