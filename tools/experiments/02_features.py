"""Chapter 2: features of pictures, texts and sounds: dimensions, seconds, accuracy; five seeds.

Emoji: the group, from a picture, two keywords or the name, in English and Chinese; 5 seeds x 5 folds by the
name's last word. Spoken digits, clean, and trimodal digits: 5 seeds, each with a split of its own, so that 8
other voices are tested. What learns nothing is computed once. Every row names the feature of its task that
it is compared with, and gives the paired difference.
"""

import time

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.utils import Bunch, get_tags
from threadpoolctl import threadpool_limits

from mmtutor.audio import MFCC, MelStatistics
from mmtutor.datasets import load_emoji, load_trimodal_digits
from mmtutor.evaluate import compare, make_folds, pool, standard_error
from mmtutor.fusion import early_fusion
from mmtutor.image import HOG, Pixels
from mmtutor.networks import ImageCNN, SoundCNN, SoundLSTM, TextTransformer
from mmtutor.pretrained import EfficientNet, GloVe
from mmtutor.text import Word2Vec, chinese_words, stem, words

SEEDS = range(5)
SCALE = make_pipeline(StandardScaler(), Normalizer())  # each feature alike, then each row of length one
CHARACTERS = {"analyzer": "char", "ngram_range": (1, 2)}


def stems(text: str) -> list[str]:
    return [stem(word) for word in words(text)]


EMOJI = {  # task -> feature -> (column, encoder); the first feature is what the others are compared with
    "emoji group from the picture": {
        "HOG": ("image", HOG()),
        "gray pixels, 16 x 16": ("image", Pixels(16)),
        "small CNN, trained here": ("image", ImageCNN(epochs=8)),
        "EfficientNet-Lite0, 96 pixels": ("image", EfficientNet(size=96)),
    },
    "emoji group from two keywords": {
        "TF-IDF": ("keywords", TfidfVectorizer()),
        "TF-IDF of stems": ("keywords", TfidfVectorizer(analyzer=stems)),
        "Word2Vec, trained here": ("keywords", Word2Vec()),
        "GloVe": ("keywords", GloVe()),
        "small Transformer, trained here": ("keywords", TextTransformer(epochs=10, length=8)),
    },
    "emoji group from the name": {
        "TF-IDF": ("name", TfidfVectorizer()),
        "TF-IDF without stop words": ("name", TfidfVectorizer(stop_words="english")),
        "GloVe": ("name", GloVe()),
    },
    "emoji group from two Chinese keywords": {
        "characters and pairs of them": ("chinese", TfidfVectorizer(**CHARACTERS)),
        "jieba's words": ("chinese", TfidfVectorizer(analyzer=chinese_words)),
        "split at spaces": ("chinese", TfidfVectorizer(analyzer=str.split)),
    },
    "emoji group from the Chinese name": {
        "characters and pairs of them": ("chinese name", TfidfVectorizer(**CHARACTERS)),
        "jieba's words": ("chinese name", TfidfVectorizer(analyzer=chinese_words)),
        "split at spaces": ("chinese name", TfidfVectorizer(analyzer=str.split)),
    },
}
SOUNDS = {
    "MFCC, means of 8 parts": MFCC(),
    "MFCC, mean of the whole": MFCC(n_segments=1),
    "mel bands: mean, deviation, maximum": MelStatistics(),
    "small CNN on mel frames, trained here": SoundCNN(epochs=12),
    "small LSTM on mel frames, trained here": SoundLSTM(epochs=12),
}
DIGITS = {
    "sound": ("MFCC, means of 8 parts", MFCC()),
    "image": ("gray pixels, 8 x 8", Pixels()),
    "text": ("TF-IDF of characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3))),
}


def head() -> LogisticRegression:
    return LogisticRegression(C=10, solver="newton-cg", max_iter=500)


def scaled(encoder):
    """TF-IDF has rows of length one already."""
    return encoder if isinstance(encoder, TfidfVectorizer) else make_pipeline(encoder, *SCALE)


def learns(encoder) -> bool:
    return get_tags(encoder).requires_fit


def emoji() -> list[dict]:
    pictures = load_emoji().X.image
    frozen = {
        f: e.fit_transform(pictures)
        for f, (column, e) in EMOJI["emoji group from the picture"].items()
        if not learns(e)
    }
    runs = {task: [] for task in EMOJI}
    for seed in SEEDS:
        data = load_emoji(random_state=seed)
        X = data.X.rename(columns={"text": "keywords"})
        X = X.assign(name=load_emoji(text="name").X.text)
        X = X.assign(chinese=load_emoji(language="zh", random_state=seed).X.text)
        X["chinese name"] = load_emoji(language="zh", text="name").X.text
        X = X.assign(**{f: pd.Series(list(z)) for f, z in frozen.items()})
        vectors = FunctionTransformer(np.vstack)
        data = Bunch(X=X, y=data.y, groups=data.groups)
        folds = make_folds(data, random_state=seed)
        for task, features in EMOJI.items():
            models = {
                f: early_fusion({f: scaled(vectors)} if f in frozen else {column: scaled(encoder)}, head())
                for f, (column, encoder) in features.items()
            }
            runs[task].append(compare(models, data, folds))
    rows = []
    for task, features in EMOJI.items():
        pooled, (reference, *_) = pool(runs[task]), features
        for feature, (column, encoder) in features.items():
            scores, gain = pooled.table.loc[feature], pooled.difference(feature, reference)
            measured = scores.accuracy, scores.se, gain.mean, gain.se
            rows.append(row(task, feature, encoder, X[column], data.y, reference, measured))
    return rows


def digits(task: str, encoders: dict, **knobs) -> list[dict]:
    """encoders: feature -> (column, encoder); by default as many samples as the data set has."""
    accuracy = {feature: [] for feature in encoders}
    for seed in SEEDS:
        train, test = (
            load_trimodal_digits(s, split=seed, random_state=seed, **knobs) for s in ("train", "test")
        )
        for feature, (column, encoder) in encoders.items():
            model = early_fusion({column: scaled(encoder)}, head()).fit(train.X, train.y)
            accuracy[feature].append((model.predict(test.X) == test.y).mean())
    accuracy, reference = {f: np.array(a) for f, a in accuracy.items()}, next(iter(encoders))
    rows = []
    for feature, (column, encoder) in encoders.items():
        each, gain = accuracy[feature], accuracy[feature] - accuracy[reference]
        measured = each.mean(), standard_error(each), gain.mean(), standard_error(gain)
        rows.append(row(task, feature, encoder, train.X[column], train.y, reference, measured))
    return rows


def scaling() -> list[dict]:
    """Spoken digits: what standardizing MFCC, fitted inside the pipeline, changes for two kinds of head."""
    heads = {"logistic regression": head(), "nearest neighbors": KNeighborsClassifier()}
    accuracy = {(name, how): [] for name in heads for how in ("standardized", "as they are")}
    for seed in SEEDS:
        train, test = (
            load_trimodal_digits(s, snr_db=np.inf, split=seed, random_state=seed) for s in ("train", "test")
        )
        z_train, z_test = (MFCC().fit_transform(each.X.sound) for each in (train, test))
        for name, how in accuracy:
            scaler = StandardScaler() if how == "standardized" else FunctionTransformer()
            model = make_pipeline(scaler, heads[name]).fit(z_train, train.y)
            accuracy[name, how].append(model.score(z_test, test.y))
    rows = []
    for (name, how), each in accuracy.items():
        gain = np.subtract(each, accuracy[name, "standardized"])
        rows.append(
            {
                "task": f"scaling: {name}",
                "feature": f"MFCC {how}",
                "dimensions": z_train.shape[1],
                "accuracy": np.mean(each),
                "se": standard_error(each),
                "minus": "MFCC standardized",
                "gain": gain.mean(),
                "gain_se": standard_error(gain),
            }
        )
    return rows


def row(task, feature, encoder, column, y, reference, measured) -> dict:
    """seconds: of one core, to encode 1,000 samples with a fitted encoder; the first call apart."""
    column = column.iloc[:1000]
    encoder.fit(column, y[:1000])
    encoder.transform(column[:10])
    start = time.process_time()
    n_features = encoder.transform(column).shape[1]
    accuracy, se, gain, gain_se = measured
    return {
        "task": task,
        "feature": feature,
        "dimensions": n_features,
        "seconds": time.process_time() - start,
        "accuracy": accuracy,
        "se": se,
        "minus": reference,
        "gain": gain,
        "gain_se": gain_se,
    }


def run() -> pd.DataFrame:
    with threadpool_limits(1):
        sounds = {feature: ("sound", encoder) for feature, encoder in SOUNDS.items()}
        rows = digits("spoken digit, unseen voices", sounds, snr_db=np.inf)
        named = {feature: (column, encoder) for column, (feature, encoder) in DIGITS.items()}
        rows += digits("trimodal digits, noisy", named)
        return pd.DataFrame(emoji() + rows + scaling())
