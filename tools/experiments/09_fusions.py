"""Chapter 9: one fusion after another over the same frozen encoders; emoji, eight groups, five seeds.

Pictures: EfficientNet-Lite0 at 64 pixels, 1,280 features. Words: GloVe, the mean, 50 features. Each is
standardized and projected to 64 (dense layer, tanh); then the fusion, dropout and a softmax. Of five folds by
kind of thing, seed by seed, one is tested, one stops training, three train. `data` spoiled: in all three
parts a quarter of the pictures is white and a quarter of the texts is that of another row. `blank` and
`mispaired` are the accuracies on those rows, `kept` on the rest; `alpha` is the mean weight of the picture on
each. Settings are fixed beforehand.
"""

import time

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import over_seeds
from mmtutor.fusion_layers import ConvolutionalFusion, Gate, WeightedSum, keras
from mmtutor.pretrained import EfficientNet, GloVe

SEEDS = range(1, 6)
WIDTH, EPOCHS, PATIENCE = 64, 25, 4
ALPHAS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)  # of the picture; 0 and 1 leave one modality alone
FUSIONS = {
    "concatenation": keras.layers.Concatenate,
    **{f"alpha = {alpha}": lambda alpha=alpha: WeightedSum([alpha, 1 - alpha]) for alpha in ALPHAS},
    "learned alpha": WeightedSum,
    "gate": Gate,
    "convolution, size 1": ConvolutionalFusion,
    "convolution, size 3": lambda: ConvolutionalFusion(kernel_size=3),
}
WHEN_SPOILED = ("concatenation", "alpha = 0.0", "alpha = 0.5", "alpha = 1.0", "learned alpha", "gate")


def spoil(image, text, white, rng):
    """Whiten a quarter of the pictures; give a quarter of the rows the text of another row."""
    luck, image, text = rng.random(len(image)), image.copy(), text.copy()
    blank, mispaired = luck < 0.25, luck > 0.75
    image[blank] = white
    text[mispaired] = np.roll(text[mispaired], 1, axis=0)
    return image, text, {"blank": blank, "mispaired": mispaired, "kept": ~(blank | mispaired)}


def build(fusion, widths):
    inputs = [keras.Input((width,)) for width in widths]
    z = [keras.layers.Dense(WIDTH, activation="tanh")(each) for each in inputs]
    fused = keras.layers.Dropout(0.3)(fusion(z))
    model = keras.Model(inputs, keras.layers.Dense(8, activation="softmax")(fused))
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    return model, keras.Model(inputs, z)


def without_projection(X, codes, learn, test) -> dict[str, np.ndarray]:
    """Equal widths and unrelated axes: 50 principal components of the picture, 50 features of the words."""
    image = PCA(50, random_state=0).fit(X[0][learn]).transform(X[0])
    z = StandardScaler().fit(image[learn]).transform(image), X[1]
    found = {"unrelated axes, added": (z[0] + z[1]) / 2, "unrelated axes, side by side": np.hstack(z)}
    with threadpool_limits(1):
        fit = lambda x: LogisticRegression(C=0.1, max_iter=500).fit(x[learn], codes[learn])  # noqa: E731
        return {method: fit(x).predict(x[test]) for method, x in found.items()}


def train(model, X, codes, learn, stop):
    early = keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)
    held_out = ([x[stop] for x in X], codes[stop])
    settings = {"epochs": EPOCHS, "batch_size": 48, "callbacks": [early], "validation_data": held_out}
    model.fit([x[learn] for x in X], codes[learn], verbose=0, **settings)


def one_seed(seed: int, features: np.ndarray, white: np.ndarray) -> list[dict]:
    emoji, found = load_emoji(random_state=seed), []
    codes = np.unique(emoji.y, return_inverse=True)[1]
    words = GloVe().fit(emoji.X.text).transform(emoji.X.text)
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    folds = [test for _, test in splitter.split(codes, codes, emoji.groups)]
    test, stop, learn = folds[0], folds[1], np.concatenate(folds[2:])
    spoiled = spoil(features, words, white, np.random.default_rng(seed))
    for data, (image, text, kinds) in {"as they are": (features, words, {}), "spoiled": spoiled}.items():
        X = [StandardScaler().fit(x[learn]).transform(x) for x in (image, text)]
        for method, make in FUSIONS.items():
            if kinds and method not in WHEN_SPOILED:
                continue
            keras.utils.set_random_seed(seed)
            fusion, start = make(), time.process_time()
            model, branches = build(fusion, [x.shape[1] for x in X])
            train(model, X, codes, learn, stop)
            inputs = [x[test] for x in X]
            right = (said := np.asarray(model(inputs)).argmax(axis=1)) == codes[test]
            row = {"data": data, "method": method, "seed": seed, "accuracy": right.mean()}
            row |= {"macro_f1": f1_score(codes[test], said, average="macro")}
            row |= {"parameters": model.count_params(), "seconds": time.process_time() - start}
            row |= {kind: right[rows[test]].mean() for kind, rows in kinds.items()}
            if method in ("learned alpha", "gate"):
                alpha = np.asarray(fusion.weights_of(branches(inputs)))
                alpha = np.broadcast_to(alpha, (len(test), 2))[:, 0]
                row |= {"alpha": alpha.mean()}
                row |= {f"alpha {kind}": alpha[rows[test]].mean() for kind, rows in kinds.items()}
            found.append(row)
        if not kinds:
            for method, said in without_projection(X, codes, learn, test).items():
                row = {"data": data, "method": method, "seed": seed, "accuracy": np.mean(said == codes[test])}
                found.append(row | {"macro_f1": f1_score(codes[test], said, average="macro")})
    return found


def run() -> pd.DataFrame:
    encoder = EfficientNet(size=64)
    features = encoder.transform(load_emoji().X.image)
    white = encoder.transform([np.full((64, 64, 3), 255, np.uint8)])[0]
    runs = pd.DataFrame([row for seed in SEEDS for row in one_seed(seed, features, white)])
    table = over_seeds(runs, ["data", "method"], baseline={"method": "concatenation"}, shared=1 / 3)
    table["method"] = table.method.replace({"alpha = 0.0": "text alone", "alpha = 1.0": "image alone"})
    return table
