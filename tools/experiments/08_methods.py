"""Chapter 8: pooled frames, frame differences, sound, ways to fuse them, and what spoils them; five seeds.

Seed s makes 1,000 clips for training and, of other drawings, 600 for testing, 32 pixels wide. No clip is made
twice, but all seeds share the 35 drawings of training and the 31 of testing: standard errors speak of new
clips of these drawings. `gain` is over frame differences without the sound, on the same clips and the same
label. Penalties (and the width of the kernel of *RBF*) are chosen by log loss (accuracy) in three inner folds
of the training rows that keep each drawing on one side.

Rows of `shift` play the sound of the whole film, clip after clip, that many seconds late: in test clips
alone, in training too, or in both and then taken back by the lag that inner folds of the training rows
prefer. Rows of `fps` believe another frame rate than the clips' 8; rows of `frames` keep so many of 16
frames. Rows of label `first motion` ask which motion came first.
"""

from itertools import pairwise

import cv2
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from mmtutor.evaluate import count_parameters, make_folds, over_seeds
from mmtutor.image import HOG
from mmtutor.motion import FrameDifferences, Loudness
from mmtutor.scenes import make_videos

SEEDS = range(1, 6)
N_TRAIN, N_TEST, FRAMES = 1000, 600, 16
SHIFTS = (-1.0, -0.5, -0.25, -0.125, 0.125, 0.25, 0.5, 1.0)
LAGS = np.arange(-8, 9) / 8  # seconds
RATES = (5, 6, 7, 9, 10, 12)
KEPT = (8, 4, 2)
FOREST = RandomForestClassifier(100, min_samples_leaf=5, random_state=0)


def late(power: np.ndarray, seconds: float) -> np.ndarray:
    """Slots of sound, clip after clip, later by eighths of a second: none is cut off."""
    return np.roll(power, round(seconds * 8)).reshape(power.shape)  # the same as rolling the samples


def at_the_beep(steps: np.ndarray, loudness: np.ndarray) -> np.ndarray:
    """The mean of n - 1 steps, weighted by how loud n slots are; where all is silent, the plain mean."""
    a = (loudness[:, :-1] + loudness[:, 1:]) / 2 + 1e-6
    return np.einsum("nt,nti->ni", a / a.sum(axis=1, keepdims=True), steps)


def stretched(clips, fps: int) -> np.ndarray:
    """The loudness of the slots in which frames would be shown if there were `fps` of them a second."""
    edges = np.minimum(np.arange(FRAMES + 1) / fps * clips.rate, len(clips.X.sound[0])).astype(int)
    power = [[np.square(s[a:b]).mean() if b > a else 0 for a, b in pairwise(edges)] for s in clips.X.sound]
    return np.array(power) / np.max(power, axis=1, keepdims=True)


def streaks(clip: np.ndarray) -> np.ndarray:
    """Which way the mean frame is smeared: its spectrum beside that of the frames, and where values vary."""
    gray = clip.mean(axis=3) - np.median(clip)
    mean, each = abs(np.fft.fft2(gray.mean(axis=0))), abs(np.fft.fft2(gray)).mean(axis=0)
    spread = gray.std(axis=0)
    across = [spread.max(axis=k).std() for k in (0, 1)] + [spread.mean(axis=k).std() for k in (0, 1)]
    return np.r_[np.log((mean + 1) / (each + 1))[:8, :8].ravel(), across]


def displacement(raw: np.ndarray) -> np.ndarray:
    """From the mean difference alone: how far the dark blob lies from the light one that it left."""
    spectrum = np.fft.fft2(np.clip(-raw, 0, None)) * np.conj(np.fft.fft2(np.clip(raw, 0, None)))
    y, x = np.unravel_index(np.fft.ifft2(spectrum).real.argmax(), raw.shape)
    return (np.array([x, y]) + raw.shape[0] / 2) % raw.shape[0] - raw.shape[0] / 2


def views(clips) -> dict[str, np.ndarray]:
    """Name of a method -> features, one row a clip."""
    n, videos, sounds = len(clips.y), clips.X.video, clips.X.sound
    hog = HOG(size=32)
    small = hog.transform([frame for clip in videos for frame in clip]).reshape(n, FRAMES, -1)
    steps = FrameDifferences().transform(videos).reshape(n, FRAMES - 1, 3)
    loudness = Loudness().transform(sounds)
    power = np.square(np.stack(list(sounds))).reshape(n, FRAMES, -1).mean(axis=2)
    raw = np.array([clip[-1].astype(float) - clip[0] for clip in videos]).mean(axis=3) / (FRAMES - 1)
    found = {
        "one frame": small[:, FRAMES // 2],
        "frames pooled": small.mean(axis=1),
        "mean frame, streaks": np.array([streaks(clip) for clip in videos]),
        "raw differences pooled": raw.reshape(n, -1) / 255,
        "raw differences pooled, displacement": np.array([displacement(each) for each in raw]),
        "sound": loudness,
        "frame differences": steps.mean(axis=1),
        "pooled steps + loudness": np.hstack([steps.mean(axis=1), loudness]),
        "all steps": steps.reshape(n, -1),
        "all steps + loudness": np.hstack([steps.reshape(n, -1), loudness]),
        "at the beep": at_the_beep(steps, loudness),
        "power": power,
    }
    for seconds in SHIFTS:
        found[f"shift {seconds}"] = at_the_beep(steps, late(power, seconds))
    for fps in RATES:
        found[f"fps {fps}"] = at_the_beep(steps, stretched(clips, fps))
    for n_kept in KEPT:
        fewer = FrameDifferences(n_kept).transform(videos).reshape(n, n_kept - 1, 3)
        found[f"frames {n_kept}"] = at_the_beep(fewer, Loudness(n_kept).transform(sounds))
    return found


def find_lag(y: np.ndarray, steps: np.ndarray, power: np.ndarray, folds) -> float:
    """The middle of the lags whose taking back gives the best accuracy in inner folds."""
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scores = []
    for lag in LAGS:
        z = at_the_beep(steps, late(power, -lag))
        scores.append(cross_val_score(model, z, y, cv=folds).mean())
    scores = np.array(scores)
    return float(LAGS[scores > scores.max() - 0.02].mean())


def linear(folds):
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    grid = {"logisticregression__C": [1e-3, 1e-2, 0.1, 1]}
    return GridSearchCV(model, grid, scoring="neg_log_loss", cv=folds)


def kernel(folds):
    grid = {"svc__C": [1, 10, 100], "svc__gamma": [0.005, 0.02]}
    return GridSearchCV(make_pipeline(StandardScaler(), SVC()), grid, cv=folds)


def measure(seed: int) -> list[dict]:
    rows = []
    train = make_videos(N_TRAIN, "train", size=32, random_state=seed)
    test = make_videos(N_TEST, "test", size=32, random_state=seed)
    train.groups = train.codepoints
    folds = make_folds(train, n_splits=3)
    X, X_new = views(train), views(test)

    def note(method, said, y, parameters, label="at the beep", **more):
        row = {"seed": seed, "label": label, "method": method, "accuracy": np.mean(said == y)}
        rows.append(row | {"macro_f1": f1_score(y, said, average="macro"), "parameters": parameters} | more)

    def keep(method, model, name, label="at the beep", y=test.y):
        fitted = getattr(model, "best_estimator_", model)
        note(method, fitted.predict(X_new[name]), y, count_parameters(fitted), label)

    used_as_they_are = ("power", "fps", "streaks", "displacement")
    fitted = [n for n in X if not any(part in n for part in used_as_they_are) and n[:5] != "shift"]
    fitted += ["shift -0.5", "shift 0.5"]
    models = {name: linear(folds).fit(X[name], train.y).best_estimator_ for name in fitted}
    forests = {name: clone(FOREST).fit(X[name], train.y) for name in X if name.endswith(("streaks", "ment"))}
    for name in list(X)[:11]:
        keep(name, (models | forests)[name], name)
    for name in ("pooled steps + loudness", "all steps + loudness"):
        keep(f"{name}, RBF", kernel(folds).fit(X[name], train.y), name)
    both = [models[name] for name in ("frame differences", "sound")]
    votes = [m.predict_proba(X_new[n]) for m, n in zip(both, ("frame differences", "sound"), strict=True)]
    said = both[0].classes_[np.prod(votes, axis=0).argmax(axis=1)]
    note("late fusion", said, test.y, sum(map(count_parameters, both)))
    aligned = models["at the beep"]
    for name in [f"shift {s}" for s in SHIFTS] + [f"fps {fps}" for fps in RATES]:
        keep(name, aligned, name)
    for name in ("shift -0.5", "shift 0.5"):
        keep(f"{name}, in training too", models[name], name)
    steps = [X["all steps"].reshape(-1, FRAMES - 1, 3), X_new["all steps"].reshape(-1, FRAMES - 1, 3)]
    for seconds in (-0.5, 0.5):
        power = [late(each["power"], seconds) for each in (X, X_new)]
        lag = find_lag(train.y, steps[0], power[0], folds)
        z = [at_the_beep(m, late(each, -lag)) for m, each in zip(steps, power, strict=True)]
        said = linear(folds).fit(z[0], train.y).predict(z[1])
        note(f"shift {seconds}, found and taken back", said, test.y, np.nan, lag_error=abs(lag - seconds))
    for n_kept in KEPT:
        keep(f"frames {n_kept}", models[f"frames {n_kept}"], f"frames {n_kept}")
    first, y = train.motions[:, 0], test.motions[:, 0]
    for name in ("frames pooled", "frame differences", "all steps"):
        keep(name, linear(folds).fit(X[name], first), name, "first motion", y)
    return rows


def run() -> pd.DataFrame:
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        runs = pd.DataFrame([row for seed in SEEDS for row in measure(seed)])
    return over_seeds(runs, ["label", "method"], baseline={"method": "frame differences"})
