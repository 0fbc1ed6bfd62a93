"""Chapter 4: a learning rate for the last block, chosen on rows that neither trained it nor test it.

Emoji, network, epochs and five seeds as in 04_fine_tuning.py, 400 training rows. Three tenths of them, other
kinds of things, are held back; each rate is trained on the rest, head included, and judged on them (`inner`).
Then each is trained on all 400 and measured on the test rows, which chose nothing. Every rate starts from the
head with C = 0.01; gains are over the frozen network with the best of four C, as in 04_fine_tuning.py.
"""

import runpy
from pathlib import Path

import pandas as pd
from sklearn.model_selection import GroupShuffleSplit

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import over_seeds
from mmtutor.pretrained import EfficientNet

SHARED = runpy.run_path(str(Path(__file__).with_name("04_fine_tuning.py")))
RATES = (1e-4, 3e-4, 1e-3, 1e-2)
START, BASELINE = "frozen, C = 0.01", "frozen"


def one_seed(tail, groups, seed: int) -> dict[str, dict]:
    """Method -> its scores."""
    pictures, codes, train, test = SHARED["emoji_rows"](seed)
    features = EfficientNet(size=SHARED["SIZE"]).transform(list(pictures))
    best_head = SHARED["best_head"](features[train], codes[train], groups[train])
    runs = {BASELINE: {"accuracy": best_head.score(features[test], codes[test])}, START: {}}
    split = GroupShuffleSplit(1, test_size=0.3, random_state=seed)
    inner = (train[rows] for rows in next(split.split(train, groups=groups[train])))
    for name, (learn, judge) in {"accuracy": (train, test), "inner": inner}.items():
        fitted = SHARED["head"]().fit(features[learn], codes[learn])
        runs[START][name] = fitted.score(features[judge], codes[judge])
        for rate in RATES:
            tail.model.optimizer.learning_rate = rate
            curve = tail.train(pictures, codes, learn, judge, fitted, seed)[0]
            runs.setdefault(f"rate {rate:g}", {}).update({name: curve[-1], f"{name}, epoch 1": curve[0]})
    tuned = [f"rate {rate:g}" for rate in RATES]
    best = max(tuned, key=lambda name: runs[name]["inner"])
    for name in tuned:
        runs[name]["chosen"] = float(name == best)
    return runs | {"rate chosen": runs[best]}


def run() -> pd.DataFrame:
    groups, tail = load_emoji().groups, SHARED["Tail"](*SHARED["WAYS"]["last block"], n_classes=8)
    found = [
        {"method": name, "seed": seed, **scores}
        for seed in SHARED["SEEDS"]
        for name, scores in one_seed(tail, groups, seed).items()
    ]
    shared = SHARED["TEST_ROWS"] / SHARED["ROWS"]
    return over_seeds(pd.DataFrame(found), "method", baseline={"method": BASELINE}, shared=shared)
