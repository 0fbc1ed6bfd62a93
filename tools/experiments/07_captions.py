"""Chapter 7: captions of composed scenes, by finding, naming, counting and relating; known and new drawings.

Five seeds, each with other scenes for training and test. All 24 kinds, one to three of each, 96 pixels.
Naming is learned from the drawings of the training scenes; finding and relating are rules. Nothing is chosen
by these scores.
"""

from collections import Counter

import cv2
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.evaluate import over_seeds
from mmtutor.image import HOG
from mmtutor.scenes import KINDS, NUMBERS, make_scenes

N_TRAIN, N_TEST = 400, 200
OPPOSITE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}


def find(picture: np.ndarray) -> np.ndarray:
    """Boxes (n, 4) of what is not background: connected pixels that differ from the median color."""
    difference = np.abs(picture - np.median(picture, axis=(0, 1))).max(axis=2)
    mask = (difference > 40).astype(np.uint8)
    left, top, width, height, area = cv2.connectedComponentsWithStats(mask)[2][1:].T
    return np.stack([left, top, left + width, top + height], axis=1)[area >= 30]


def describe(picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Shape and colors of each box, (n, 288 + 48)."""
    crops = [picture[top:bottom, left:right] for left, top, right, bottom in boxes]
    shapes = HOG(cell=16).fit_transform([cv2.resize(crop, (64, 64)) for crop in crops])
    colors = [cv2.resize(crop, (4, 4), interpolation=cv2.INTER_AREA).ravel() for crop in crops]
    return np.hstack([shapes, np.array(colors) / 255])


def phrase(kind: str, number: int) -> str:
    if number == 1:
        return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
    return f"{NUMBERS.get(number, 'many')} {KINDS[kind][0]}"


def say(kinds: np.ndarray, boxes: np.ndarray) -> str:
    """Name the two most frequent kinds, count them, and relate their centers."""
    counts = Counter(kinds.tolist()).most_common(2)
    if len(counts) < 2:
        return phrase(*counts[0]) if counts else ""
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    across, down = centers[kinds == counts[0][0]].mean(0) - centers[kinds == counts[1][0]].mean(0)
    if abs(across) > abs(down):
        relation = "right of" if across > 0 else "left of"
    else:
        relation = "below" if down > 0 else "above"
    return f"{phrase(*counts[0])} {relation} {phrase(*counts[1])}"


def turned(sentence: str) -> str:
    """The same said the other way round: two cats left of a car, a car right of two cats."""
    for relation, opposite in OPPOSITE.items():
        if f" {relation} " in sentence:
            first, second = sentence.split(f" {relation} ")
            return f"{second} {opposite} {first}"
    return sentence


def overlap(one: str, other: str) -> float:
    """F1 of the words that two sentences share, in any order."""
    a, b = one.split(), other.split()
    return 2 * sum((Counter(a) & Counter(b)).values()) / max(1, len(a) + len(b))


def score(truth: list, said: list) -> dict:
    pairs = list(zip(truth, said, strict=True))
    return {
        "exact_match": np.mean([b in (a, turned(a)) for a, b in pairs]),
        "same_words_in_order": np.mean([a == b for a, b in pairs]),
        "overlap": np.mean([max(overlap(a, b), overlap(turned(a), b)) for a, b in pairs]),
    }


def one_seed(seed: int) -> list[dict]:
    train = make_scenes(N_TRAIN, random_state=seed)
    tests = {
        "known drawings": make_scenes(N_TEST, random_state=100 + seed),
        "new drawings": make_scenes(N_TEST, "test", random_state=100 + seed),
    }
    z = np.vstack([describe(*pair) for pair in zip(train.X.image, train.boxes, strict=True)])
    namer = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
    namer.fit(z, np.concatenate(train.kinds))
    words = Counter(" ".join(train.X.text).split())
    usual = Counter(train.X.text).most_common(1)[0][0]
    typical = max(train.X.text, key=lambda text: sum(words[word] for word in text.split()))
    rows = []
    for name, test in tests.items():
        truth, found = list(test.X.text), [find(picture) for picture in test.X.image]
        kinds = [namer.predict(describe(*pair)) for pair in zip(test.X.image, found, strict=True)]
        named = namer.predict(
            np.vstack([describe(*pair) for pair in zip(test.X.image, test.boxes, strict=True)])
        )
        answers = {
            "most frequent caption": [usual] * N_TEST,
            "caption of the most usual words": [typical] * N_TEST,
            "find, name, count, relate": [say(*pair) for pair in zip(kinds, found, strict=True)],
            "the same, kinds given": [say(*pair) for pair in zip(test.kinds, test.boxes, strict=True)],
        }
        about = {"seed": seed, "tested_on": name}
        extra = {
            "found_all": np.mean([len(a) == len(b) for a, b in zip(found, test.boxes, strict=True)]),
            "named": np.mean(named == np.concatenate(test.kinds)),
        }
        rows += [about | {"method": method} | score(truth, said) | extra for method, said in answers.items()]
    return rows


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        runs = pd.DataFrame([row for seed in range(5) for row in one_seed(seed)])
    return over_seeds(runs, by=["tested_on", "method"], score="exact_match")
