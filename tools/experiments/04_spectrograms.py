"""Chapter 4: EfficientNet-Lite0 on spectrograms of spoken digits, as pictures; five seeds.

As 04_fine_tuning.py, from which all but the data comes. Seed s takes voices of split s: 400 training rows,
240 test rows of other voices, at 5 decibels. MFCC with the same head stand beside it.
"""

import runpy
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mmtutor.audio import MFCC, log_mel
from mmtutor.datasets import load_trimodal_digits

SHARED = runpy.run_path(str(Path(__file__).with_name("04_fine_tuning.py")))
ROWS, TEST_ROWS, SIZE = (SHARED[name] for name in ("ROWS", "TEST_ROWS", "SIZE"))


def spectrogram(sound: np.ndarray) -> np.ndarray:
    """A picture, uint8 (SIZE, SIZE, 3): time to the right, frequency upwards, 80 decibels from 0 to 255."""
    decibels = log_mel(sound).T[::-1]
    gray = np.clip((decibels - decibels.max() + 80) / 80, 0, 1) * 255
    return cv2.cvtColor(cv2.resize(gray.astype(np.uint8), (SIZE, SIZE)), cv2.COLOR_GRAY2RGB)


def digit_sounds(seed: int) -> tuple:
    """Sounds, digits, training rows and test rows: other voices."""
    sides = [
        load_trimodal_digits(side, n_samples=n, split=seed, random_state=seed)
        for side, n in (("train", ROWS), ("test", TEST_ROWS))
    ]
    sounds = [sound for side in sides for sound in side.X.sound]
    digits = np.concatenate([side.y for side in sides]).astype(int)
    return sounds, digits, np.arange(ROWS), np.arange(ROWS, ROWS + TEST_ROWS)


def digit_rows(seed: int) -> tuple:
    sounds, *rest = digit_sounds(seed)
    return np.array([spectrogram(sound) for sound in sounds]), *rest


def run() -> pd.DataFrame:
    return SHARED["measure"](
        digit_rows, lambda seed: {"MFCC": MFCC().fit_transform(digit_sounds(seed)[0])}, n_classes=10
    ).assign(trained=lambda table: table.trained.where(table.index != "MFCC", 105 * 10))
