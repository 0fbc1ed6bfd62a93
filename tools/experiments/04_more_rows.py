"""Chapter 4: the spectrograms of 04_spectrograms.py with three times the rows; five seeds.

1,200 training rows instead of 400, else as there: frozen, MFCC, and tuned from block 5 on, 8 epochs.
"""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd

from mmtutor.audio import MFCC
from mmtutor.datasets import load_trimodal_digits

SHARED = runpy.run_path(str(Path(__file__).with_name("04_fine_tuning.py")))
PICTURE = runpy.run_path(str(Path(__file__).with_name("04_spectrograms.py")))["spectrogram"]
ROWS, TEST_ROWS = 1200, 240


def digit_sounds(seed: int) -> tuple:
    sides = [
        load_trimodal_digits(side, n_samples=n, split=seed, random_state=seed)
        for side, n in (("train", ROWS), ("test", TEST_ROWS))
    ]
    sounds = [sound for side in sides for sound in side.X.sound]
    digits = np.concatenate([side.y for side in sides]).astype(int)
    return sounds, digits, np.arange(ROWS), np.arange(ROWS, ROWS + TEST_ROWS)


def digit_rows(seed: int) -> tuple:
    sounds, *rest = digit_sounds(seed)
    return np.array([PICTURE(sound) for sound in sounds]), *rest


def run() -> pd.DataFrame:
    within = SHARED["measure"].__globals__
    within["ROWS"] = ROWS  # for the standard errors
    for way in ("last block", "from scratch"):
        del within["WAYS"][way]
    table = SHARED["measure"](
        digit_rows, lambda seed: {"MFCC": MFCC().fit_transform(digit_sounds(seed)[0])}, n_classes=10
    )
    return table.assign(trained=table.trained.where(table.index != "MFCC", 105 * 10))
