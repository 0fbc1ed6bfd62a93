"""Chapters 6 and 13: spoken digits of synthetic voices and of real people, each tested on the other.

Real speech is the Free Spoken Digit Dataset (MMTUTOR_FSDD or a download). Accuracy is a mean over the voices
of the test side, and its standard error is over these voices. Preparations and head were fixed beforehand:
nothing is chosen by these scores. Within one kind of speech every voice is tested by a model that never
heard it.
"""

import librosa
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.audio import MFCC
from mmtutor.datasets import load_spoken_digit, load_spoken_digits, shipped
from mmtutor.evaluate import standard_error

PREPARATIONS = {
    "as recorded": lambda sounds: MFCC().fit_transform(sounds),
    "trimmed, floor at -40 dB": lambda sounds: MFCC(floor_db=40).fit_transform(map(trim, sounds)),
}


def trim(sound: np.ndarray) -> np.ndarray:
    """Cut off what is 30 dB below the loudest frame, at both ends."""
    return librosa.effects.trim(sound, top_db=30, frame_length=800, hop_length=160)[0]


def synthetic() -> Bunch:
    index = pd.read_csv(shipped("spoken_digits", "index.csv"))
    clips = [load_spoken_digit(*clip) for clip in index[["digit", "voice", "speed"]].itertuples(index=False)]
    return Bunch(
        sounds=[clip.sound for clip in clips],
        y=np.array([clip.digit for clip in clips]),
        groups=np.array([clip.voice for clip in clips]),
    )


def real() -> Bunch:
    speech = load_spoken_digits()
    return Bunch(sounds=list(speech.X.sound), y=speech.y, groups=speech.speaker)


def model():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, solver="newton-cg"))


def row(preparation, trained_on, tested_on, test: Bunch, predicted) -> dict:
    by_voice = [(predicted == test.y)[test.groups == voice].mean() for voice in np.unique(test.groups)]
    return {
        "preparation": preparation,
        "trained_on": trained_on,
        "tested_on": tested_on,
        "voices": len(by_voice),
        "accuracy": np.mean(by_voice),
        "se": standard_error(by_voice),
        "worst_voice": min(by_voice),
        "best_voice": max(by_voice),
    }


def run() -> pd.DataFrame:
    sides, rows = {"synthetic": synthetic(), "real": real()}, []
    splitters = {"synthetic": GroupKFold(7), "real": LeaveOneGroupOut()}
    with threadpool_limits(1):
        for preparation, encode in PREPARATIONS.items():
            z = {name: encode(side.sounds) for name, side in sides.items()}
            for name, side in sides.items():
                predicted = cross_val_predict(
                    model(), z[name], side.y, cv=splitters[name], groups=side.groups
                )
                rows.append(row(preparation, f"{name}, other voices", name, side, predicted))
            for trained, tested in (("synthetic", "real"), ("real", "synthetic")):
                predicted = model().fit(z[trained], sides[trained].y).predict(z[tested])
                rows.append(row(preparation, trained, tested, sides[tested], predicted))
    return pd.DataFrame(rows)
