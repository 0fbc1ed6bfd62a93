"""Chapter 5: a text branch that learns fast silences an image branch, and cures; five seeds.

Trimodal digits without sound; seed s takes split s. One hidden layer of 32 units and ten scores a modality;
the scores are added (both probabilities multiplied). Batches of 64, 20 epochs, Adam with 0.003, fixed
beforehand; strengths of the cures too. Rows for each epoch: accuracy on the test set of the sum and of each
branch's own scores.
"""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_trimodal_digits
from mmtutor.evaluate import over_seeds
from mmtutor.image import Pixels
from mmtutor.keras_quietly import import_keras

SHARED = runpy.run_path(str(Path(__file__).with_name("05_missing_digits.py")))
SEEDS, WORDS = SHARED["SEEDS"], SHARED["WORDS"]
EPOCHS, BATCH, RATE = 20, 64, 0.003
PARTS = ("fused", "image", "text")
CURES = {
    "joint": {},
    "unimodal losses": {"unimodal": 1.0},
    "apart": {"joint": 0.0, "unimodal": 1.0},
    "text at a third of the rate": {"text_rate": 1 / 3},
    "text at a tenth of the rate": {"text_rate": 0.1},
    "dropout on text": {"text_dropout": 0.5},
    "gradient modulation": {"modulate": 1.0},
    "modality dropout": {"hidden": 0.3},
}


def arrays(seed: int) -> tuple:
    """Features and labels of the training and the test set; encoders are fitted on training rows."""
    train, test = (
        load_trimodal_digits(subset, split=seed, random_state=seed) for subset in ("train", "test")
    )
    image = make_pipeline(Pixels(), StandardScaler(), Normalizer())
    dense = FunctionTransformer(lambda z: z.toarray(), accept_sparse=True)
    encoders = {"image": image, "text": make_pipeline(WORDS, dense)}
    z = {m: e.fit_transform(train.X[m]).astype("float32") for m, e in encoders.items()}
    z_test = {m: e.transform(test.X[m]).astype("float32") for m, e in encoders.items()}
    return z, train.y.astype("int32"), z_test, test.y


def two_branches(widths: dict[str, int], text_dropout: float = 0.0):
    keras = import_keras()
    inputs = {m: keras.Input((width,), name=m) for m, width in widths.items()}
    present = keras.Input((len(widths),), name="present")
    scores = {}
    for place, (m, x) in enumerate(inputs.items()):
        x = keras.layers.Dense(32, activation="relu", name=f"{m}_hidden")(x)
        if m == "text":
            x = keras.layers.Dropout(text_dropout)(x)
        scores[m] = keras.layers.Dense(10, name=f"{m}_scores")(x) * present[:, place : place + 1]
    return keras.Model(inputs | {"present": present}, scores | {"fused": scores["image"] + scores["text"]})


def train_network(data: tuple, seed: int, **cure) -> np.ndarray:
    """Accuracy on the test set: (epochs, parts)."""
    keras = import_keras()
    import tensorflow as tf

    z, y, z_test, y_test = data
    joint, unimodal, modulate = cure.get("joint", 1.0), cure.get("unimodal", 0.0), cure.get("modulate", 0.0)
    text_rate, hidden = cure.get("text_rate", 1.0), cure.get("hidden", 0.0)
    keras.utils.set_random_seed(seed)
    widths = {m: each.shape[1] for m, each in z.items()}
    network = two_branches(widths, cure.get("text_dropout", 0.0))
    weights = {m: [w for w in network.trainable_variables if m in w.path] for m in z}
    adam = {m: keras.optimizers.Adam(RATE * (text_rate if m == "text" else 1)) for m in z}
    for m in z:
        adam[m].build(weights[m])
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(batch, labels):
        with tf.GradientTape() as tape:
            scores = network(batch, training=True)
            loss = joint * loss_of(labels, scores["fused"])
            loss += unimodal * (loss_of(labels, scores["image"]) + loss_of(labels, scores["text"]))
        gradients = tape.gradient(loss, weights)
        sure = {m: tf.reduce_sum(tf.gather(tf.nn.softmax(scores[m]), labels, batch_dims=1)) for m in z}
        for m, other in (("image", "text"), ("text", "image")):
            ratio = sure[m] / sure[other]
            k = tf.where(ratio > 1, 1 - tf.tanh(modulate * ratio), 1.0)
            adam[m].apply([k * g for g in gradients[m]], weights[m])

    rng, history = np.random.default_rng(seed), []
    everything = {m: tf.constant(each) for m, each in z_test.items()} | {"present": tf.ones((len(y_test), 2))}
    for _ in range(EPOCHS):
        order = rng.permutation(len(y))
        for rows in (order[start : start + BATCH] for start in range(0, len(y), BATCH)):
            luck = rng.random((len(rows), 2))
            present = (luck >= hidden) | (luck == luck.max(axis=1, keepdims=True))
            step({m: each[rows] for m, each in z.items()} | {"present": present.astype("float32")}, y[rows])
        scores = network(everything)
        history.append([(np.asarray(scores[m]).argmax(axis=1) == y_test).mean() for m in PARTS])
    return np.array(history)


def run() -> pd.DataFrame:
    by, tables = ["method", "epoch"], []
    with threadpool_limits(1):
        rows = []
        for seed in SEEDS:
            data = arrays(seed)
            for name, settings in CURES.items():
                for epoch, right in enumerate(train_network(data, seed, **settings), start=1):
                    scores = dict(zip(PARTS, right, strict=True))
                    rows.append({"seed": seed, "method": name, "epoch": epoch, **scores})
    runs = pd.DataFrame(rows)
    for part in PARTS:
        table = over_seeds(runs[["seed", *by, part]], by, part, baseline={"method": "joint"})
        columns = {name: f"{part}_{name}" for name in ("se", "gain", "gain_se")}
        tables.append(table.set_index(by).rename(columns=columns))
    return pd.concat(tables, axis=1).reset_index()
