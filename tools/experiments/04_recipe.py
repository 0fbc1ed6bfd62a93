"""Chapter 4: the classical recipe, CNN features and an LSTM side by side into an SVC; emoji, five seeds.

Pictures of 224 pixels through EfficientNet-Lite0: feature maps, 7 x 7 x 320, flattened, and pooled (1,280).
Words through Embedding 10,000 x 128, LSTM 64, LSTM 64, Dense 32, untrained and trained. Seed s takes fold 1
of split s and its own keywords. Test rows of different seeds overlap, so standard errors carry the correction
of Nadeau and Bengio (2003).
"""

import time

import cv2
import numpy as np
import pandas as pd
from nltk.tokenize import NLTKWordTokenizer
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, precision_recall_fscore_support
from sklearn.preprocessing import normalize
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import make_folds, standard_error
from mmtutor.keras_quietly import import_keras
from mmtutor.pretrained import efficientnet_lite0

SEEDS, LENGTH, WORDS, EPOCHS = range(5), 8, 10_000, 20
BEFORE = "maps"  # gains are over this


def picture_features() -> dict[str, np.ndarray]:
    keras = import_keras()
    network = efficientnet_lite0(size=224)
    both = keras.Model(network.input, [network.get_layer("block15").output, network.output])
    pictures = [cv2.resize(picture, (224, 224)) for picture in load_emoji().X.image]
    found = [both.predict(np.array(pictures[i : i + 53]), verbose=0) for i in range(0, len(pictures), 53)]
    maps, pooled = (np.concatenate(each) for each in zip(*found, strict=True))
    return {"maps": maps.reshape(len(maps), -1), "pooled": pooled}


def token_numbers(texts, train: np.ndarray) -> np.ndarray:
    tokens = [NLTKWordTokenizer().tokenize(text.lower()) for text in texts]
    known = sorted({token for row in train for token in tokens[row]})[: WORDS - 2]
    number = {token: n for n, token in enumerate(known, start=2)}
    rows = [[number.get(token, 1) for token in each] or [1] for each in tokens]
    return import_keras().utils.pad_sequences(rows, LENGTH, padding="post", truncating="post")


def text_network():
    layers = import_keras().layers
    return import_keras().Sequential(
        [
            layers.Input((LENGTH,), dtype="int32"),
            layers.Embedding(WORDS, 128, mask_zero=True),
            layers.LSTM(64, return_sequences=True),
            layers.LSTM(64),
            layers.Dense(32, activation="relu"),
        ]
    )


def text_features(numbers, codes, train, seed: int) -> dict[str, np.ndarray]:
    keras = import_keras()
    keras.utils.set_random_seed(seed)
    network = text_network()
    untrained = network.predict(numbers, verbose=0)
    model = keras.Sequential([network, keras.layers.Dense(len(np.unique(codes)), activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(numbers[train], codes[train], epochs=EPOCHS, batch_size=32, verbose=0)
    return {"untrained": untrained, "trained": network.predict(numbers, verbose=0)}


def standardized(z: np.ndarray, train: np.ndarray) -> np.ndarray:
    return (z - z[train].mean(axis=0)) / np.maximum(z[train].std(axis=0), 1e-6)


def of_length_one(z: np.ndarray, train: np.ndarray) -> np.ndarray:
    return normalize(standardized(z, train))


def inputs(pictures: dict, texts: dict, train) -> dict[str, np.ndarray]:
    """Method -> features of all rows; whatever is fitted is fitted on training rows."""
    maps, lstm = pictures["maps"], texts["trained"]
    return {
        "maps": maps,
        "pooled": pictures["pooled"],
        "LSTM, untrained": texts["untrained"],
        "LSTM, trained": lstm,
        "maps + LSTM, as they are": np.hstack([maps, lstm]),
        "maps + LSTM, columns standardized": np.hstack([standardized(z, train) for z in (maps, lstm)]),
        "maps + LSTM, each of length one": np.hstack([of_length_one(z, train) for z in (maps, lstm)]),
        "pooled + LSTM, each of length one": np.hstack(
            [of_length_one(z, train) for z in (pictures["pooled"], lstm)]
        ),
    }


def run() -> pd.DataFrame:
    pictures, found = picture_features(), []
    for seed in SEEDS:
        emoji = load_emoji(random_state=seed)
        codes = np.unique(emoji.y, return_inverse=True)[1]
        train, test = make_folds(emoji, random_state=seed)[0]
        texts = text_features(token_numbers(emoji.X.text, train), codes, train, seed)
        methods = {"always the largest class": (DummyClassifier(), pictures["pooled"])}
        methods |= {name: (SVC(), z) for name, z in inputs(pictures, texts, train).items()}
        for method, (classifier, z) in methods.items():
            start = time.process_time()
            with threadpool_limits(1):
                said = classifier.fit(z[train], codes[train]).predict(z[test])
            precision, recall, f1, _ = precision_recall_fscore_support(
                codes[test], said, average="macro", zero_division=0
            )
            scores = {"precision": precision, "recall": recall, "macro_f1": f1}
            accuracy = accuracy_score(codes[test], said)
            seconds = time.process_time() - start
            found.append({"method": method, "seed": seed, "accuracy": accuracy, **scores, "seconds": seconds})
    runs, shared = pd.DataFrame(found), len(test) / len(train)
    accuracy = runs.pivot(index="seed", columns="method", values="accuracy")
    gains = accuracy.sub(accuracy[BEFORE], axis=0)
    table = runs.drop(columns="seed").groupby("method", sort=False).mean()
    table.insert(1, "se", [standard_error(accuracy[name], shared) for name in table.index])
    table.insert(2, "gain", gains.mean())
    table.insert(3, "gain_se", [standard_error(gains[name], shared) for name in table.index])
    return table
