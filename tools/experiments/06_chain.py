"""Chapter 6: one chain, x -> f -> Y -> z = g(Y) -> y = h(z): poolings, heads, splits, and its transfer.

Emoji: pixels by PCA, pictures by EfficientNet-Lite0 and PCA, names by an LSTM over GloVe vectors, 32 numbers
each. Encoders learn from one half of the training rows, heads from the other. Five splits by kind of thing
(the name's last word) and five of rows at random, a quarter for testing; standard errors are corrected for
splits that share rows. `gain` is paired: over concatenation with the same head, in the rows `heads` over the
SVM, and in the rows `at random` over the split by kind.

Transfer (split `to Twemoji`, concatenation and an SVM): tested on Twemoji pictures of new kinds of things.
f, g, h: the Noto chain as it is; f, g: a new head from n Twemoji rows; f, g + Noto rows: from these and the
rows of Noto's head, both sides counting alike; nothing: f and h from n Twemoji rows, all for both, or, in
`nothing, halves`, one half each. The names are the same in both styles: `pictures only` leaves them out.
There `gain` is over what keeps nothing, the better of the two ways on average.
"""

import cv2
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import over_seeds
from mmtutor.keras_quietly import import_keras
from mmtutor.pretrained import EfficientNet, glove
from mmtutor.text import words

SEEDS, WIDTH, LENGTH, SIZES = range(5), 32, 6, (50, 100, 200, "all")
POOLINGS = {
    "mean": lambda Y: Y.mean(axis=1),
    "maximum": lambda Y: Y.max(axis=1),
    "concatenation": lambda Y: Y.reshape(len(Y), -1),
    "pixels alone": lambda Y: Y[:, 0],
    "CNN alone": lambda Y: Y[:, 1],
    "RNN alone": lambda Y: Y[:, 2],
}
keras = import_keras()
layers = keras.layers


def crop(picture: np.ndarray, size: int = 32) -> np.ndarray:
    """Cut off the white margin and scale what is left."""
    drawn = (picture < 250).any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    inside = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cv2.resize(inside, (size, size), interpolation=cv2.INTER_AREA)


def embed(texts) -> np.ndarray:
    """Look up the vectors of the first words, zeros after the last."""
    vectors, found = glove(), np.zeros((len(texts), LENGTH, 50), np.float32)
    for row, text in zip(found, texts, strict=True):
        known = [vectors[word] for word in words(text) if word in vectors][:LENGTH]
        row[: len(known)] = known or 0
    return found


def compiled(model, rate):
    """A network that is built and traced once; `start` gives it new weights."""
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model, [np.array(v) for v in model.optimizer.variables]


def start(network, seed):
    model, at_rest = network
    keras.utils.set_random_seed(seed)
    model.set_weights(keras.models.clone_model(model).get_weights())
    for variable, value in zip(model.optimizer.variables, at_rest, strict=True):
        variable.assign(value)
    return model


def rnn():
    inputs = keras.Input((LENGTH, 50))
    states = layers.LSTM(WIDTH, name="state")(layers.Masking()(inputs))
    return compiled(keras.Model(inputs, layers.Dense(8, activation="softmax")(states)), 0.01)


def deep_head(width):
    hidden = [layers.Input((width,)), layers.Dense(64, activation="relu"), layers.Dropout(0.3)]
    return compiled(keras.Sequential([*hidden, layers.Dense(8, activation="softmax")]), 0.003)


READER, DEEP = rnn(), {width: deep_head(width) for width in (WIDTH, 3 * WIDTH)}


class Deep:
    """The network as a classifier of codes; scikit-learn's wrapper is shown in the chapter."""

    def fit(self, X, y):
        self.model = start(DEEP[X.shape[1]], 0)
        self.model.fit(X, y, epochs=20, batch_size=32, verbose=0)
        return self

    def predict(self, X):
        return np.asarray(self.model(X)).argmax(axis=1)


def heads(seed):
    return {
        "SVM": SVC(),
        "random forest": RandomForestClassifier(100, random_state=seed),
        "deep head": Deep(),
    }


def learn_encoders(x, codes, rows, seed):
    """Encoders fitted on some rows: a function from raw columns to a float array (n_samples, 3, 32)."""
    pixels = make_pipeline(StandardScaler(), PCA(WIDTH, random_state=0)).fit(x["pixels"][rows])
    maps = make_pipeline(StandardScaler(), PCA(WIDTH, random_state=0)).fit(x["cnn"][rows])
    network = start(READER, seed)
    network.fit(x["words"][rows], codes[rows], epochs=15, batch_size=32, verbose=0)
    weights, state = network.get_weights(), keras.Model(network.input, network.get_layer("state").output)

    def encode(x):
        network.set_weights(weights)
        parts = pixels.transform(x["pixels"]), maps.transform(x["cnn"]), state(x["words"]).numpy()
        return np.stack(parts, axis=1)

    Y = encode(x)[rows]
    return lambda x: (encode(x) - Y.mean(axis=0)) / Y.std(axis=0)


def splits(emoji, codes, seed):
    everything = np.arange(len(codes))
    cut = GroupShuffleSplit(1, test_size=0.25, random_state=seed)
    yield "by kind", *next(cut.split(everything, groups=emoji.groups))
    yield "at random", *train_test_split(everything, test_size=0.25, stratify=codes, random_state=seed)


def halves(emoji, train, seed):
    cut = GroupShuffleSplit(1, test_size=0.5, random_state=seed)
    return [train[half] for half in next(cut.split(train, groups=emoji.groups[train]))]


def right(z, codes, learn, judge, h, z_judge=None, weights=None):
    """Accuracy of a head; it is fitted on rows of z and judged on rows of z_judge."""
    scaler = StandardScaler().fit(z[learn])
    h.fit(scaler.transform(z[learn]), codes[learn], **({} if weights is None else {"sample_weight": weights}))
    judged = scaler.transform((z if z_judge is None else z_judge)[judge])
    return (h.predict(judged) == codes[judge]).mean()


def transfer(encode, noto, twemoji, codes, for_heads, test, seed):
    """Yields parts, kept, n, accuracy on Twemoji's test pictures."""
    few_of = np.random.default_rng(seed).permutation(for_heads)
    kept, anew = (encode(noto), encode(twemoji)), {}
    for n in SIZES:
        few = few_of[: len(few_of) if n == "all" else n]
        half = len(few) // 2
        anew[n, "nothing"] = few, learn_encoders(twemoji, codes, few, seed)(twemoji)
        anew[n, "nothing, halves"] = few[half:], None
        if half > WIDTH:
            anew[n, "nothing, halves"] = few[half:], learn_encoders(twemoji, codes, few[:half], seed)(twemoji)
    for parts, n_parts in {"pictures and names": 3, "pictures only": 2}.items():
        flat = [Y[:, :n_parts].reshape(len(Y), -1) for Y in kept]
        yield parts, "f, g, h", 0, right(flat[0], codes, for_heads, test, SVC(), flat[1])
        yield parts, "within Noto", 0, right(flat[0], codes, for_heads, test, SVC())
        for n in SIZES:
            few = few_of[: len(few_of) if n == "all" else n]
            yield parts, "f, g", n, right(flat[1], codes, few, test, SVC())
            z, twice = np.vstack(flat), np.r_[codes, codes]
            rows, weights = np.r_[for_heads, few + len(codes)], np.ones(len(for_heads) + len(few))
            weights[len(for_heads) :] = len(for_heads) / len(few)
            yield parts, "f, g + Noto rows", n, right(z, twice, rows, test + len(codes), SVC(), None, weights)
            for way in ("nothing", "nothing, halves"):
                learn, Y = anew[n, way]
                if Y is not None:
                    z = Y[:, :n_parts].reshape(len(Y), -1)
                    yield parts, way, n, right(z, codes, learn, test, SVC())


def columns(pictures, maps, texts):
    pixels = np.array([crop(p) for p in pictures]).reshape(len(pictures), -1) / 255
    return {"pixels": pixels, "cnn": maps, "words": embed(list(texts))}


def measure():
    noto, twemoji, names = load_emoji(), load_emoji("twemoji"), load_emoji(text="name").X.text
    codes, cnn = np.unique(noto.y, return_inverse=True)[1], EfficientNet(size=64)
    x, other = (columns(e.X.image, cnn.fit_transform(e.X.image), names) for e in (noto, twemoji))
    for seed in SEEDS:
        for split, train, test in splits(noto, codes, seed):
            for_encoders, for_heads = halves(noto, train, seed)
            encode = learn_encoders(x, codes, for_encoders, seed)
            Y = encode(x)
            for pooling, g in POOLINGS.items():
                for name, h in heads(seed).items():
                    if name == "SVM" or (split == "by kind" and "alone" not in pooling):
                        score = right(g(Y), codes, for_heads, test, h)
                        yield seed, split, "", pooling, name, 0, score
            if split == "by kind":
                for parts, kept, n, score in transfer(encode, x, other, codes, for_heads, test, seed):
                    yield seed, "to Twemoji", parts, kept, "SVM", n, score


def run() -> pd.DataFrame:
    names = ["seed", "split", "parts", "way", "head", "n_target", "accuracy"]
    with threadpool_limits(1):
        runs = pd.DataFrame(list(measure()), columns=names)
    by, tables = names[1:-1], []
    inside, at_random = runs[runs.split == "by kind"], runs[runs.split != "to Twemoji"]
    tables.append(over_seeds(inside, by, baseline={"way": "concatenation"}, shared=1 / 3))
    ends = inside[inside.way == "concatenation"].assign(split="heads")
    tables.append(over_seeds(ends, by, baseline={"head": "SVM"}, shared=1 / 3))
    at_random = over_seeds(
        at_random[at_random["head"] == "SVM"], by, baseline={"split": "by kind"}, shared=1 / 3
    )
    tables.append(at_random[at_random.split == "at random"])
    moved = runs[runs.split == "to Twemoji"]
    tables.append(over_seeds(moved[moved.n_target == 0], by, baseline={"way": "f, g, h"}, shared=1 / 3))
    for _, rows in moved[moved.n_target != 0].groupby(["parts", "n_target"], sort=False):
        means = rows.groupby("way").accuracy.mean()
        rival = means[means.index.str.startswith("nothing")].idxmax()
        tables.append(over_seeds(rows, by, baseline={"way": rival}, shared=1 / 3))
    return pd.concat(tables, ignore_index=True)
