"""Ten networks with two branches that Keras refuses, to be read, understood and mended in chapter 9.

Each patient is a function without parameters: it builds a network, trains it one step, and gives the model,
or would, if it were not for one mistake. Importing this module loads Keras.
"""

import re
from collections.abc import Callable

import cv2
import numpy as np

from mmtutor.datasets import load_emoji
from mmtutor.keras_quietly import import_keras
from mmtutor.text import words

keras = import_keras()
layers = keras.layers

_few = load_emoji().X.iloc[:12]
_tokens = [words(text.lower()) for text in _few.text]
_known = sorted({token for each in _tokens for token in each})

TEXTS = np.array(_few.text, dtype=object)
P = np.array([cv2.resize(each, (24, 24)) for each in _few.image], np.float32) / 255  # 12 pictures
W = keras.utils.pad_sequences(
    [[1 + _known.index(token) for token in each] for each in _tokens], 6
)  # their words
LABELS = np.arange(12) % 8  # any will do
Y = np.eye(8)[LABELS]  # the same, one-hot
N_WORDS = len(_known) + 1


def see(picture):
    """A small branch for pictures: (None, 24, 24, 3) -> (None, 16)."""
    return layers.Dense(16)(layers.Flatten()(layers.Conv2D(4, 3, strides=2)(picture)))


def read(numbers, n_words=N_WORDS):
    """A small branch for words: (None, 6) -> (None, 16)."""
    return layers.Dense(16)(layers.LSTM(8)(layers.Embedding(n_words, 8)(numbers)))


def inputs():
    """A picture and the numbers of six words."""
    return layers.Input((24, 24, 3)), layers.Input((6,), dtype="int32")


def answer(features):
    """The head: probabilities of eight classes."""
    return layers.Dense(8, activation="softmax")(features)


def train(model, x, y):
    """One step, run line by line without compiling: slow for long training, good for finding mistakes."""
    model.compile("adam", "categorical_crossentropy", run_eagerly=True)
    model.fit(x, y, verbose=0)
    return model


def healthy():
    """Join both branches: the network that works."""
    picture, text = inputs()
    z = layers.Concatenate()([see(picture), read(text)])
    return train(keras.Model([picture, text], answer(z)), [P, W], Y)


def missing_import():
    """Patient 1."""
    picture, text = inputs()
    z = Concatenate()([see(picture), read(text)])  # noqa: F821 (the mistake)
    return train(keras.Model([picture, text], answer(z)), [P, W], Y)


def strings():
    """Patient 2."""
    picture, text = inputs()
    z = layers.Concatenate()([see(picture), read(text)])
    return train(keras.Model([picture, text], answer(z)), [P, TEXTS], Y)


def no_embedding():
    """Patient 3."""
    picture, text = inputs()
    z = layers.Concatenate()([see(picture), layers.LSTM(16)(text)])
    return train(keras.Model([picture, text], answer(z)), [P, W], Y)


def different_rank():
    """Patient 4."""
    picture, text = inputs()
    z = layers.Concatenate()([layers.Conv2D(16, 3)(picture), read(text)])
    return train(keras.Model([picture, text], answer(z)), [P, W], Y)


def no_batch_axis():
    """Patient 5."""
    picture, text = inputs()
    z = layers.Concatenate()([see(picture), read(text)])
    return train(keras.Model([picture, text], answer(z)), [P[0], W[0]], Y[0])


def wrong_labels():
    """Patient 6."""
    picture, text = inputs()
    z = layers.Concatenate()([see(picture), read(text)])
    return train(keras.Model([picture, text], answer(z)), [P, W], LABELS)


def different_widths():
    """Patient 7."""
    picture, text = inputs()
    z = layers.Average()([see(picture), layers.Dense(8)(read(text))])
    return train(keras.Model([picture, text], answer(z)), [P, W], Y)


def forgotten_input():
    """Patient 8."""
    picture, text = inputs()
    z = layers.Concatenate()([see(picture), read(text)])
    return train(keras.Model(picture, answer(z)), [P, W], Y)


def small_vocabulary():
    """Patient 9."""
    picture, text = inputs()
    z = layers.Concatenate()([see(picture), read(text, n_words=10)])
    return train(keras.Model([picture, text], answer(z)), [P, W], Y)


def numpy_inside():
    """Patient 10."""
    picture, text = inputs()
    z = np.hstack([see(picture), read(text)])
    return train(keras.Model([picture, text], answer(z)), [P, W], Y)


# fmt: off
PATIENTS = (missing_import, strings, no_embedding, different_rank, no_batch_axis,
            wrong_labels, different_widths, forgotten_input, small_vocabulary, numpy_inside)
# fmt: on


def message(build: Callable) -> str:
    """Call a function; give the line of its error that matters, after the error's class, or ``"runs"``.

    Notes
    -----
    Left out: colors, the names of internal operations, and "Exception encountered when calling …", which a
    network writes above a message from inside. Taught in chapter 9.
    """
    try:
        build()
    except Exception as error:  # whatever a broken network raises
        text = re.sub(r"\x1b\[\d+m|\{\{.*?\}\} ?|\[Op:.*", "", str(error))
        lines = [line.strip() for line in text.splitlines()]
        kept = [line for line in lines if line and not line.startswith("Exception encountered")]
        return f"{type(error).__name__}: {(kept or ['(no message)'])[0]}"
    return "runs"


def is_mended(model, patient: Callable) -> bool:
    """Say whether a model reads both inputs, answers as it should, and was trained. Used in chapter 9.

    Parameters
    ----------
    model : keras.Model
        What the mended function gives.
    patient : function
        The one that was mended; `different_widths` must still average.
    """
    p, other_picture, other_text = (np.asarray(model(x)) for x in ([P, W], [P[::-1], W], [P, W[::-1]]))
    if patient is different_widths and not any(isinstance(layer, layers.Average) for layer in model.layers):
        return False
    reads_both = not (np.allclose(p, other_picture) or np.allclose(p, other_text))
    return bool(p.shape == (12, 8) and reads_both and model.optimizer.iterations.numpy() >= 1)
