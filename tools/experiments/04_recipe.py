"""Chapter 4: the classical recipe, CNN features and an LSTM side by side into an SVC; emoji, five seeds.

Pictures of 224 pixels through EfficientNet-Lite0: feature maps, 7 x 7 x 320, flattened, and pooled (1,280).
Words through Embedding 10,000 x 128, LSTM 64, LSTM 64, Dense 32, untrained and trained. Then words that have
not seen the labels on which the SVC is fitted: the LSTM's probabilities, those of training rows by three
inner folds, and TF-IDF. Seed s takes fold 1 of split s and its own keywords. Test rows of different seeds
overlap, so standard errors carry the correction of Nadeau and Bengio (2003).
"""

import time

import cv2
import numpy as np
import pandas as pd
from nltk.tokenize import NLTKWordTokenizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, precision_recall_fscore_support
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import normalize
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import make_folds, over_seeds
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


def trained_on(rows: np.ndarray, texts, codes, seed: int) -> dict[str, np.ndarray]:
    """Features before and after training on these rows, and probabilities; of all texts."""
    keras, numbers = import_keras(), token_numbers(texts, rows)
    keras.utils.set_random_seed(seed)
    network = text_network()
    untrained = network.predict(numbers, verbose=0)
    model = keras.Sequential([network, keras.layers.Dense(len(np.unique(codes)), activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(numbers[rows], codes[rows], epochs=EPOCHS, batch_size=32, verbose=0)
    trained = network.predict(numbers, verbose=0)
    return {"untrained": untrained, "trained": trained, "p": model.predict(numbers, verbose=0)}


def text_features(emoji, codes, train, seed: int) -> dict[str, np.ndarray]:
    texts = emoji.X.text
    found = trained_on(train, texts, codes, seed)
    found["out of fold"] = found["p"].copy()
    for inner, left_out in GroupKFold(3).split(train, groups=emoji.groups[train]):
        found["out of fold"][train[left_out]] = trained_on(train[inner], texts, codes, seed)["p"][
            train[left_out]
        ]
    found["TF-IDF"] = TfidfVectorizer().fit(texts.iloc[train]).transform(texts).toarray()
    return found


def standardized(z: np.ndarray, train: np.ndarray) -> np.ndarray:
    return (z - z[train].mean(axis=0)) / np.maximum(z[train].std(axis=0), 1e-6)


def of_length_one(z: np.ndarray, train: np.ndarray) -> np.ndarray:
    return normalize(standardized(z, train))


def inputs(pictures: dict, texts: dict, train) -> dict[str, np.ndarray]:
    """Method -> features of all rows; whatever is fitted is fitted on training rows."""
    maps, lstm = pictures["maps"], texts["trained"]
    one = {name: of_length_one(z, train) for name, z in (pictures | texts).items()}
    return {
        "maps": maps,
        "maps, of length one": one["maps"],
        "pooled": pictures["pooled"],
        "LSTM, untrained": texts["untrained"],
        "LSTM, trained": lstm,
        "LSTM, out of fold": texts["out of fold"],
        "TF-IDF": texts["TF-IDF"],
        "maps + LSTM, as they are": np.hstack([maps, lstm]),
        "maps + LSTM, columns standardized": np.hstack([standardized(z, train) for z in (maps, lstm)]),
        "maps + LSTM, each of length one": np.hstack([one["maps"], one["trained"]]),
        "maps + LSTM out of fold, each of length one": np.hstack([one["maps"], one["out of fold"]]),
        "maps + TF-IDF, each of length one": np.hstack([one["maps"], texts["TF-IDF"]]),
        "pooled + LSTM, each of length one": np.hstack([one["pooled"], one["trained"]]),
    }


def said_of_test(z: np.ndarray, codes: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """What `SVC()` says; its kernel is computed beforehand, in a tenth of the time."""
    gamma = 1 / (z.shape[1] * z[train].var(dtype=float))
    fitted = SVC(kernel="precomputed").fit(rbf_kernel(z[train], gamma=gamma), codes[train])
    return fitted.predict(rbf_kernel(z[test], z[train], gamma=gamma))


def run() -> pd.DataFrame:
    pictures, runs = picture_features(), []
    for seed in SEEDS:
        emoji = load_emoji(random_state=seed)
        codes = np.unique(emoji.y, return_inverse=True)[1]
        train, test = make_folds(emoji, random_state=seed)[0]
        texts = text_features(emoji, codes, train, seed)
        methods = {"always the largest class": None} | inputs(pictures, texts, train)
        for method, z in methods.items():
            start = time.process_time()
            with threadpool_limits(1):
                said = (
                    np.full(len(test), np.bincount(codes[train]).argmax())
                    if z is None
                    else said_of_test(z, codes, train, test)
                )
            precision, recall, f1, _ = precision_recall_fscore_support(
                codes[test], said, average="macro", zero_division=0
            )
            scores = {"precision": precision, "recall": recall, "macro_f1": f1}
            accuracy = accuracy_score(codes[test], said)
            seconds = time.process_time() - start
            runs.append({"method": method, "seed": seed, "accuracy": accuracy, **scores, "seconds": seconds})
    shared = len(test) / len(train)
    return over_seeds(pd.DataFrame(runs), "method", baseline={"method": BEFORE}, shared=shared)
