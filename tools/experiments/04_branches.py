"""Chapter 4: tune the image branch, the text branch, both apart, both together; emoji, five seeds.

Rows as in 04_fine_tuning.py: 400 for training, pictures of 64 pixels. Image: EfficientNet-Lite0, frozen or
tuned from block 15 on. Text: GloVe, the mean over words, frozen or its vectors tuned. Encoders that are not
trained together go side by side into one logistic regression. Settings are fixed beforehand.
"""

import runpy
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import standard_error
from mmtutor.finetune import FineTunedEfficientNet
from mmtutor.networks import KerasFusionClassifier, NetworkEncoder, TextEncoder, TextLSTM
from mmtutor.pretrained import EfficientNet, GloVe, glove

SHARED = runpy.run_path(str(Path(__file__).with_name("04_fine_tuning.py")))
SEEDS, ROWS, TEST_ROWS, SIZE = (SHARED[name] for name in ("SEEDS", "ROWS", "TEST_ROWS", "SIZE"))
BEFORE = "both frozen"


class TunedGloVe(TextEncoder):
    """GloVe's vectors as the start of an embedding that is trained on; all its words are known."""

    def adapt(self, X, y=None):
        self.vocabulary_ = {word: number for number, word in enumerate(glove(), start=3)}
        return NetworkEncoder.adapt(self, X)

    def layers(self, keras, x):
        table = np.vstack([np.zeros((3, 50)), *glove().values()])
        embedding = keras.layers.Embedding(*table.shape, weights=[table], mask_zero=True)
        return keras.layers.GlobalAveragePooling1D()(embedding(x))


def head():
    return LogisticRegression(C=10, solver="newton-cg")


def alone(encoder, X, y, train, test) -> tuple[np.ndarray, np.ndarray]:
    """Features of training and test rows, each row of length one."""
    scale = make_pipeline(StandardScaler(), Normalizer())
    z = [encoder.fit(X[train], y[train]).transform(X[rows]) for rows in (train, test)]
    return scale.fit_transform(z[0]), scale.transform(z[1])


def one_seed(seed: int) -> list[dict]:
    _, codes, train, test = SHARED["emoji_rows"](seed)
    X, found, z, seconds = load_emoji(random_state=seed).X, [], {}, {}
    encoders = {
        "image frozen": EfficientNet(size=SIZE),
        "image tuned": FineTunedEfficientNet(size=SIZE, random_state=seed),
        "text frozen": GloVe(),
        "text tuned": TunedGloVe(random_state=seed),
        "text LSTM": TextLSTM(random_state=seed),
    }
    for name, encoder in encoders.items():
        start = time.process_time()
        z[name] = alone(encoder, X[name.split()[0]], codes, train, test)
        seconds[name] = time.process_time() - start
    methods = {name: [name] for name in encoders} | {
        BEFORE: ["image frozen", "text frozen"],
        "only image tuned": ["image tuned", "text frozen"],
        "only text tuned": ["image frozen", "text tuned"],
        "both tuned, apart": ["image tuned", "text tuned"],
    }
    for method, names in methods.items():
        with threadpool_limits(1):
            fitted = head().fit(np.hstack([z[name][0] for name in names]), codes[train])
        said = fitted.predict(np.hstack([z[name][1] for name in names]))
        found.append(scores(method, seed, codes[test], said, sum(seconds[name] for name in names)))
    start = time.process_time()
    branches = {"image": FineTunedEfficientNet(size=SIZE), "text": TunedGloVe()}
    joint = KerasFusionClassifier(branches, epochs=16, learning_rate=1e-3, random_state=seed)
    said = joint.fit(X.iloc[train], codes[train]).predict(X.iloc[test])
    found.append(scores("both tuned, together", seed, codes[test], said, time.process_time() - start))
    return found


def scores(method: str, seed: int, y, said, seconds: float) -> dict:
    accuracy, macro_f1 = np.mean(said == y), f1_score(y, said, average="macro")
    return {"method": method, "seed": seed, "accuracy": accuracy, "macro_f1": macro_f1, "seconds": seconds}


def run() -> pd.DataFrame:
    runs = pd.DataFrame([row for seed in SEEDS for row in one_seed(seed)])
    accuracy = runs.pivot(index="seed", columns="method", values="accuracy")
    gains, shared = accuracy.sub(accuracy[BEFORE], axis=0), TEST_ROWS / ROWS
    table = runs.drop(columns="seed").groupby("method", sort=False).mean()
    table.insert(1, "se", [standard_error(accuracy[name], shared) for name in table.index])
    table.insert(2, "gain", gains.mean())
    table.insert(3, "gain_se", [standard_error(gains[name], shared) for name in table.index])
    return table
