"""Chapter 9: two branches trained from scratch, together and alone, on emoji; five seeds.

Pictures of 24 pixels: Conv2D 32, 64, 128, each with MaxPooling, Dense 128. Words: Embedding 64, LSTM 64,
Dense 128. Of five folds by kind of thing, seed by seed, one is tested, one stops training early, three train.
`accuracy` is that of the epoch with the lowest loss on the rows that stop; `best of epochs` is the highest
test accuracy of any epoch, which nobody may report. Settings are fixed beforehand.
"""

import time

import cv2
import numpy as np
import pandas as pd
from nltk.tokenize import NLTKWordTokenizer
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import over_seeds
from mmtutor.keras_quietly import import_keras

keras = import_keras()
layers = keras.layers
SEEDS = range(1, 6)
SIZE, LENGTH = 24, 6
PAIR = ["Objects", "Travel & Places"]
EPOCHS = {2: 12, 8: 8}
METHODS = {"image alone": ["image"], "text alone": ["text"], "two branches": ["image", "text"]}


def picture_branch(x):
    x = layers.Rescaling(1 / 255)(x)
    for filters in (32, 64, 128):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 3, padding="same", activation="relu")(x))
    return layers.Dense(128, activation="relu")(layers.Flatten()(x))


def word_branch(x, n_words):
    states = layers.LSTM(64)(layers.Embedding(n_words, 64, mask_zero=True)(x))
    return layers.Dense(128, activation="relu")(states)


def build(names, n_words, n_classes):
    inputs = {"image": layers.Input((SIZE, SIZE, 3)), "text": layers.Input((LENGTH,), dtype="int32")}
    z = {"image": picture_branch(inputs["image"]), "text": word_branch(inputs["text"], n_words)}
    joint = layers.Concatenate()([z[name] for name in names]) if len(names) > 1 else z[names[0]]
    head = layers.Dense(1, "sigmoid") if n_classes == 2 else layers.Dense(n_classes, "softmax")
    model = keras.Model([inputs[name] for name in names], head(layers.Dropout(0.3)(joint)))
    loss = "binary_crossentropy" if n_classes == 2 else "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.001), loss, metrics=["accuracy"], jit_compile=False)
    return model


class TestEachEpoch(keras.callbacks.Callback):
    """Keep what the network says of the test rows after each epoch."""

    def __init__(self, X):
        super().__init__()
        self.X, self.said = X, []

    def on_epoch_end(self, epoch, logs=None):
        p = np.asarray(self.model(self.X, training=False))
        self.said.append((p[:, 0] > 0.5).astype(int) if p.shape[1] == 1 else p.argmax(axis=1))


def numbers(texts, learn) -> tuple[np.ndarray, int]:
    tokens = [NLTKWordTokenizer().tokenize(text.lower()) for text in texts]
    known = sorted({token for row in learn for token in tokens[row]})
    number = {token: n for n, token in enumerate(known, start=2)}  # 0 pads, 1 is unknown
    rows = [[number.get(token, 1) for token in each] or [1] for each in tokens]
    return keras.utils.pad_sequences(rows, LENGTH, padding="post", truncating="post"), len(known) + 2


def one_run(seed: int, n_classes: int) -> list[dict]:
    emoji, found = load_emoji(random_state=seed), []
    rows = np.flatnonzero(np.isin(emoji.y, PAIR)) if n_classes == 2 else np.arange(len(emoji.y))
    X, groups = emoji.X.iloc[rows], emoji.groups[rows]
    codes = np.unique(emoji.y[rows], return_inverse=True)[1]
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    folds = [test for _, test in splitter.split(codes, codes, groups)]
    test, stop, learn = folds[0], folds[1], np.concatenate(folds[2:])
    size = (SIZE, SIZE)
    pictures = np.array([cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in X.image])
    tokens, n_words = numbers(list(X.text), learn)
    arrays = {"image": pictures, "text": tokens}
    methods = METHODS if n_classes == 2 else {"two branches": METHODS["two branches"]}
    for method, names in methods.items():
        keras.utils.set_random_seed(seed)
        model, start = build(names, n_words, n_classes), time.process_time()
        part = {key: [arrays[name][where] for name in names] for key, where in
                {"learn": learn, "stop": stop, "test": test}.items()}  # fmt: skip
        watch, settings = TestEachEpoch(part["test"]), {"epochs": EPOCHS[n_classes], "verbose": 0}
        held_out = (part["stop"], codes[stop])
        model.fit(part["learn"], codes[learn], validation_data=held_out, callbacks=[watch], **settings)
        best = int(np.argmin(model.history.history["val_loss"]))
        scores = [np.mean(said == codes[test]) for said in watch.said]
        row = {"groups": n_classes, "method": method, "seed": seed, "accuracy": scores[best]}
        row |= {"macro_f1": f1_score(codes[test], watch.said[best], average="macro")}
        row |= {"parameters": model.count_params(), "seconds": time.process_time() - start}
        row |= {"best epoch": best + 1, "best of epochs": max(scores)}
        found.append(row | {"too high": max(scores) - scores[best]})
    return found


def run() -> pd.DataFrame:
    runs = pd.DataFrame([row for n in (2, 8) for seed in SEEDS for row in one_run(seed, n)])
    by, shared = ["groups", "method"], 1 / 3
    table = over_seeds(runs, by, baseline={"method": "two branches"}, shared=shared)
    excess = over_seeds(runs, by, score="too high", shared=shared)
    table.insert(len(table.columns), "too high se", excess["se"])
    return table.astype({"parameters": int})
