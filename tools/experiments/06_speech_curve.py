"""Chapter 6: from synthetic voices to a real one, with none, few and many clips of other real voices.

Sounds are trimmed and given a floor at -40 dB, as in 06_real_speech. Each of six real speakers is tested
once; target examples come from the five others, three draws averaged. Accuracy is a mean over the six
speakers, and its standard error is over these, corrected for training sets that share four speakers of five.
`gain` is paired: source and target over target only, with as many clips.
"""

import librosa
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.audio import MFCC
from mmtutor.datasets import load_spoken_digit, load_spoken_digits, shipped
from mmtutor.evaluate import over_seeds

SIZES, DRAWS = (0, 20, 50, 100, 200, 500, 1000, 2500), range(3)


def encode(sounds) -> np.ndarray:
    trimmed = (librosa.effects.trim(s, top_db=30, frame_length=800, hop_length=160)[0] for s in sounds)
    return MFCC(floor_db=40).fit_transform(trimmed)


def synthetic() -> tuple[np.ndarray, np.ndarray]:
    index = pd.read_csv(shipped("spoken_digits", "index.csv"))
    clips = [load_spoken_digit(*clip) for clip in index[["digit", "voice", "speed"]].itertuples(index=False)]
    return encode(clip.sound for clip in clips), np.array([clip.digit for clip in clips])


def score(fit_on, labels, test_on, truth) -> float:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    return model.fit(fit_on, labels).score(test_on, truth)


def run() -> pd.DataFrame:
    source, source_y = synthetic()
    speech = load_spoken_digits()
    z, y, runs = encode(speech.X.sound), speech.y, []
    with threadpool_limits(1):
        for who in np.unique(speech.speaker):
            test, pool = speech.speaker == who, np.flatnonzero(speech.speaker != who)
            for n in SIZES:
                scores = []
                for draw in DRAWS if 0 < n < len(pool) else [0]:
                    few = np.random.default_rng([draw, n]).permutation(pool)[:n]
                    both = score(np.vstack([source, z[few]]), np.r_[source_y, y[few]], z[test], y[test])
                    only = score(z[few], y[few], z[test], y[test]) if n else np.nan
                    scores.append((both, only))
                for way, value in zip(("synthetic and real", "real only"), np.mean(scores, 0), strict=True):
                    if n or way != "real only":
                        runs.append({"seed": who, "way": way, "n_target": n, "accuracy": value})
    runs, by = pd.DataFrame(runs), ["way", "n_target"]
    some, none = runs[runs.n_target > 0], runs[runs.n_target == 0]
    tables = [over_seeds(none, by, shared=1 / 5)]
    tables.append(over_seeds(some, by, baseline={"way": "real only"}, shared=1 / 5))
    return pd.concat(tables, ignore_index=True)
