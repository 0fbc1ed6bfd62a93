"""Chapter 8: which way does it move when it beeps? One frame, frames pooled, differences, sound, both.

Five seeds. Seed s makes 600 clips for training and, of other drawings, 600 for testing, 32 pixels wide. No
clip is made twice, so that standard errors are those of five independent values. `bound` is the best accuracy
that is possible, which follows from how the clips are made. `gain` is the accuracy minus that of the frame
differences without the sound, on the same clips. Rows of `shift` play the sound that many seconds late, in
test clips alone or (where the method says so) in training too; rows of `fps` believe another frame rate than
the clips' 8; rows of `frames` keep so many of 16 frames. Rows of `first motion` ask for another label.
Penalties are fixed beforehand.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.audio import MFCC
from mmtutor.evaluate import count_parameters, standard_error
from mmtutor.image import HOG
from mmtutor.motion import FrameDifferences, Loudness
from mmtutor.scenes import make_videos

SEEDS = range(5)
N_TRAIN = N_TEST = 600
FRAMES = 16
SHIFTS = (-1.0, -0.5, -0.25, -0.125, 0.125, 0.25, 0.5, 1.0)
RATES = (5, 6, 7, 9, 10, 12)
KEPT = (8, 4, 2)


def late(sound: np.ndarray, seconds: float, rate: int) -> np.ndarray:
    """The sound, later by some seconds (or earlier), as long as before; what is missing is silence."""
    n = round(seconds * rate)
    padded = np.pad(sound, abs(n))
    return padded[abs(n) - n : abs(n) - n + len(sound)]


def shares(loudness: np.ndarray) -> np.ndarray:
    """Loudness of n slots to the weight of n - 1 steps; the weights of a clip sum to 1."""
    alpha = (loudness[:, :-1] + loudness[:, 1:]) / 2
    return alpha / alpha.sum(axis=1, keepdims=True)


def weighted(steps: np.ndarray, loudness: np.ndarray) -> np.ndarray:
    """The mean of the steps, weighted by how loud it is meanwhile."""
    return np.einsum("nt,nti->ni", shares(loudness), steps)


def stretched(clips, fps: int) -> np.ndarray:
    """The loudness of the slots in which frames would be shown if there were `fps` of them a second."""
    edges = np.minimum(np.arange(FRAMES + 1) / fps * clips.rate, len(clips.X.sound[0])).astype(int)
    power = [[np.square(s[a:b]).mean() if b > a else 1e-9 for a, b in pairwise(edges)] for s in clips.X.sound]
    power = np.array(power)
    return power / power.max(axis=1, keepdims=True)


def views(clips) -> dict[str, np.ndarray]:
    """Name of a method -> features, one row a clip."""
    hog = HOG(size=32)
    frames = hog.transform([frame for clip in clips.X.video for frame in clip])
    frames = frames.reshape(len(clips.y), FRAMES, -1)
    steps = FrameDifferences().transform(clips.X.video).reshape(len(clips.y), FRAMES - 1, 3)
    loudness = Loudness().transform(clips.X.sound)
    raw = np.array([[np.diff(clip[[0, -1]].mean(axis=3), axis=0)[0].ravel()] for clip in clips.X.video])
    found = {
        "one frame": frames[:, FRAMES // 2],
        "frames pooled": frames.mean(axis=1),
        "raw differences pooled": raw[:, 0] / (FRAMES - 1) / 255,
        "sound": np.hstack([MFCC().fit_transform(clips.X.sound), loudness]),
        "frame differences": steps.mean(axis=1),
        "differences + sound": weighted(steps, loudness),
        "differences + sound, side by side": np.hstack([steps.mean(axis=1), loudness]),
        "in order": steps.reshape(len(steps), -1),
    }
    for seconds in SHIFTS:
        moved = [late(sound, seconds, clips.rate) for sound in clips.X.sound]
        found[f"shift {seconds}"] = weighted(steps, Loudness().transform(moved))
    for fps in RATES:
        found[f"fps {fps}"] = weighted(steps, stretched(clips, fps))
    for n in KEPT:
        fewer = FrameDifferences(n).transform(clips.X.video).reshape(len(clips.y), n - 1, 3)
        found[f"frames {n}"] = weighted(fewer, Loudness(n).transform(clips.X.sound))
    return found


def head():
    return make_pipeline(StandardScaler(), LogisticRegression(C=1, max_iter=2000))


def run() -> pd.DataFrame:
    bounds = {
        "one frame": 1 / 6,
        "frames pooled": 1 / 4,
        "raw differences pooled": 1 / 4,
        "sound": 1 / 6,
        "frame differences": 1 / 2,
    }
    scores = {}

    def keep(name, model, X, clips, y=None):
        y = clips.y if y is None else y
        said = model.predict(X)
        found = (np.mean(said == y), f1_score(y, said, average="macro"), count_parameters(model))
        scores.setdefault(name, []).append(found)

    with threadpool_limits(1):
        for seed in SEEDS:
            train = make_videos(N_TRAIN, "train", size=32, random_state=seed)
            test = make_videos(N_TEST, "test", size=32, random_state=seed)
            X, X_new = views(train), views(test)
            models = {name: head().fit(X[name], train.y) for name in X}
            aligned = models["differences + sound"]
            for name in list(X)[:7]:
                keep(name, models[name], X_new[name], test)
            both = [models[name] for name in ("frame differences", "sound")]
            votes = [
                m.predict_proba(X_new[n]) for m, n in zip(both, ("frame differences", "sound"), strict=True)
            ]
            product = np.prod(votes, axis=0).argmax(axis=1)
            said = both[0].classes_[product]
            found = (np.mean(said == test.y), f1_score(test.y, said, average="macro"))
            parameters = sum(map(count_parameters, both))
            scores.setdefault("differences + sound, late fusion", []).append((*found, parameters))
            for seconds in SHIFTS:
                keep(f"shift {seconds}", aligned, X_new[f"shift {seconds}"], test)
            for name in (f"shift {s}" for s in SHIFTS):
                keep(f"{name}, in training too", models[name], X_new[name], test)
            for fps in RATES:
                keep(f"fps {fps}", aligned, X_new[f"fps {fps}"], test)
            for n in KEPT:
                keep(f"frames {n}", models[f"frames {n}"], X_new[f"frames {n}"], test)
            for name in ("frames pooled", "frame differences", "in order"):
                first = head().fit(X[name], train.motions[:, 0])
                keep(f"first motion, {name}", first, X_new[name], test, test.motions[:, 0])
    base = np.array(scores["frame differences"])[:, 0]
    rows = []
    for name, each in scores.items():
        accuracy, f1, parameters = np.array(each).T
        gain = accuracy - base
        row = {"method": name, "accuracy": accuracy.mean(), "se": standard_error(accuracy)}
        row |= {"macro_f1": f1.mean(), "parameters": int(parameters.mean()), "gain": gain.mean()}
        rows.append(row | {"gain_se": standard_error(gain), "bound": bounds.get(name, np.nan)})
    return pd.DataFrame(rows)
