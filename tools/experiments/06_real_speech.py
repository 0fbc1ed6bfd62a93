"""Chapters 6 and 13: spoken digits of synthetic voices and of real people, each tested on the other.

Real speech is the Free Spoken Digit Dataset (MMTUTOR_FSDD or a download). Accuracy is a mean over the voices
of the test side, and its standard error is over these voices. Preparations and head were fixed beforehand:
nothing is chosen by these scores. Within one kind of speech every voice is tested by a model that never
heard it, and the standard error is corrected for models that share voices. `gain` is paired, voice by voice,
over the sounds as recorded. The parts of the preparation are measured from synthetic to real only.
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
from mmtutor.evaluate import over_seeds

RECORDED, LIKE = "as recorded", "trimmed, floor at -40 dB"
PREPARATIONS = {
    RECORDED: lambda sounds: MFCC().fit_transform(sounds),
    "trimmed": lambda sounds: MFCC().fit_transform(map(trim, sounds)),
    "floor at -40 dB": lambda sounds: MFCC(floor_db=40).fit_transform(sounds),
    LIKE: lambda sounds: MFCC(floor_db=40).fit_transform(map(trim, sounds)),
    f"8 kHz, {LIKE}": lambda sounds: MFCC(floor_db=40).fit_transform(map(trim, map(narrow, sounds))),
}


def trim(sound: np.ndarray) -> np.ndarray:
    """Cut off what is 30 dB below the loudest frame, at both ends."""
    return librosa.effects.trim(sound, top_db=30, frame_length=800, hop_length=160)[0]


def narrow(sound: np.ndarray) -> np.ndarray:
    """Take away what is above 4 kHz: real speech was recorded at 8,000 samples a second."""
    low = librosa.resample(sound, orig_sr=16000, target_sr=8000)
    return np.clip(librosa.resample(low, orig_sr=8000, target_sr=16000), -1, 1)


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
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))


def by_voice(preparation, trained_on, tested_on, test: Bunch, predicted) -> list[dict]:
    row = {"preparation": preparation, "trained_on": trained_on, "tested_on": tested_on}
    right = {voice: (predicted == test.y)[test.groups == voice].mean() for voice in np.unique(test.groups)}
    return [row | {"seed": voice, "accuracy": score} for voice, score in right.items()]


def run() -> pd.DataFrame:
    sides, runs = {"synthetic": synthetic(), "real": real()}, []
    splitters = {"synthetic": GroupKFold(7), "real": LeaveOneGroupOut()}
    with threadpool_limits(1):
        for preparation, encode in PREPARATIONS.items():
            z, whole = (
                {name: encode(side.sounds) for name, side in sides.items()},
                preparation in (RECORDED, LIKE),
            )
            for name, side in sides.items() if whole else ():
                predicted = cross_val_predict(
                    model(), z[name], side.y, cv=splitters[name], groups=side.groups
                )
                runs += by_voice(preparation, f"{name}, other voices", name, side, predicted)
            for trained, tested in (("synthetic", "real"), ("real", "synthetic"))[: 2 if whole else 1]:
                predicted = model().fit(z[trained], sides[trained].y).predict(z[tested])
                runs += by_voice(preparation, trained, tested, sides[tested], predicted)
    runs, by = pd.DataFrame(runs), ["preparation", "trained_on", "tested_on"]
    shared = {"synthetic, other voices": 1 / 6, "real, other voices": 1 / 5}
    tables = []
    for trained_on, rows in runs.groupby("trained_on", sort=False):
        settings = rows.groupby(by, sort=False)["accuracy"]
        table = over_seeds(rows, by, baseline={"preparation": RECORDED}, shared=shared.get(trained_on, 0))
        ends = settings.agg(worst_voice="min", best_voice="max", voices="size").reset_index()
        tables.append(table.merge(ends, on=by))
    return pd.concat(tables, ignore_index=True)
