"""Chapter 7: picture and name in one space: retrieval both ways, traps, zero-shot labels, odd pairs found.

Five seeds: each draws other kinds of things for the test (a fifth of them) and other weights. Pictures:
EfficientNet-Lite0 at 64 pixels, frozen. Words: means of GloVe vectors; in the trap, of Word2Vec vectors
fitted here. For unseen subgroups, each seed leaves out ten others of at least eight emoji, drawn at random;
a subgroup's text is its official name. Nothing is chosen by these scores.
"""

import numpy as np
import pandas as pd
from gensim.models import Word2Vec
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.crossing import info_nce, recall_at_k
from mmtutor.datasets import load_emoji
from mmtutor.evaluate import count_parameters, over_seeds
from mmtutor.keras_quietly import import_keras
from mmtutor.pretrained import EfficientNet, GloVe
from mmtutor.text import mean_vectors, words

EPOCHS, BATCH, TEMPERATURE, WIDTH, DROPOUT = 20, 128, 0.1, 64, 0.5
FEW, UNSEEN = 10, 10  # candidates; subgroups
BY = ["task", "method", "rows", "candidates", "k"]
EVERYDAY = {
    "Activities": "game sport ball music party",
    "Animals & Nature": "dog bird fish tree flower",
    "Food & Drink": "fruit bread meat cake wine",
    "Objects": "book phone tool clothes lamp",
    "People & Body": "man woman hand person child",
    "Smileys & Emotion": "smile laugh cry love angry",
    "Symbols": "arrow sign number button circle",
    "Travel & Places": "car train house mountain city",
}


def towers(keras, widths: tuple[int, int], seed: int):
    layers = keras.layers
    keras.utils.set_random_seed(seed)
    inputs = [keras.Input((width,)) for width in widths]
    wide = [layers.Dropout(rate)(each) for rate, each in zip((DROPOUT, 0), inputs, strict=True)]
    both = [layers.UnitNormalization()(layers.Dense(WIDTH)(each)) for each in wide]
    model = keras.Model(inputs, keras.ops.stack(both, axis=1))
    model.compile(keras.optimizers.Adam(0.001), info_nce(TEMPERATURE), jit_compile=False)
    return model


def trained(z: dict, rows: np.ndarray, seed: int, epochs: int = EPOCHS):
    """Train both towers on these rows; give all embeddings, a function for new texts, and the size."""
    scaler = StandardScaler().fit(z["image"][rows])
    images, texts = scaler.transform(z["image"]).astype(np.float32), z["text"].astype(np.float32)
    model = towers(import_keras(), (images.shape[1], texts.shape[1]), seed)
    if epochs:
        nothing = np.zeros(len(rows))
        model.fit([images[rows], texts[rows]], nothing, batch_size=BATCH, epochs=epochs, verbose=0)
    embed = model.predict([images, texts], batch_size=500, verbose=0)

    def embed_text(vectors):
        blank = np.zeros((len(vectors), images.shape[1]), np.float32)
        return model.predict([blank, vectors.astype(np.float32)], verbose=0)[:, 1]

    return embed, embed_text, count_parameters(model)


def retrieval(about: dict, embedded: np.ndarray, rows: np.ndarray) -> list[dict]:
    similarity = embedded[rows, 0] @ embedded[rows, 1].T
    sides = {"picture -> name": similarity, "name -> picture": similarity.T}
    about = about | {"n_candidates": len(rows)}
    return [
        about | {"task": side, "k": k, "score": recall_at_k(each, k), "chance": k / len(rows)}
        for side, each in sides.items()
        for k in (1, 10)
    ]


def few_candidates(embedded: np.ndarray, rows: np.ndarray, rng) -> float:
    """Recall@1 when the partner stands among FEW names drawn at random."""
    draws = [rng.permutation(rows)[:FEW] for _ in range(200)]
    return float(np.mean([recall_at_k(embedded[d, 0] @ embedded[d, 1].T, 1) for d in draws]))


def odd_pairs(embedded: np.ndarray, rows: np.ndarray, rng) -> float:
    """Area under the curve of similarity: true pairs against the same pictures with another test name."""
    other = np.roll(rng.permutation(rows), 1)
    true = (embedded[rows, 0] * embedded[rows, 1]).sum(axis=1)
    false = (embedded[np.roll(other, -1), 0] * embedded[other, 1]).sum(axis=1)
    return roc_auc_score(np.repeat([1, 0], len(rows)), np.concatenate([true, false]))


def zero_shot(embedded, embed_text, texts: dict, y, rows) -> dict:
    labels = np.array(sorted(texts))
    prompts = embed_text(GloVe().fit_transform([texts[label] for label in labels]))
    said = labels[(embedded[rows, 0] @ prompts.T).argmax(axis=1)]
    largest = np.unique(y[rows], return_counts=True)[1].max() / len(rows)
    return {
        "score": (said == y[rows]).mean(),
        "macro_f1": f1_score(y[rows], said, average="macro"),
        "chance": largest,
    }


def by_labels(features, y, train, test, C: float) -> dict:
    head = LogisticRegression(C=C, max_iter=500).fit(features[train], y[train])
    said = head.predict(features[test])
    return {
        "score": (said == y[test]).mean(),
        "macro_f1": f1_score(y[test], said, average="macro"),
        "chance": np.unique(y[test], return_counts=True)[1].max() / len(test),
        "parameters": count_parameters(head),
    }


def unseen(emoji, seed: int) -> dict:
    """Ten subgroups -> their names; other ones for each of five seeds."""
    names, counts = np.unique(emoji.subgroup, return_counts=True)
    mixed = np.random.default_rng(7).permutation(names[counts >= 8])
    return {name: name.replace("-", " ").replace("&", "and") for name in np.split(mixed[:50], 5)[seed]}


def word2vec(texts: list) -> np.ndarray:
    sentences = [words(text) for text in texts]
    model = Word2Vec(sentences, vector_size=50, window=20, min_count=1, sg=1, epochs=40, workers=1, seed=0)
    return dict(zip(model.wv.index_to_key, model.wv.vectors, strict=True))


def one_seed(emoji, keywords, image: np.ndarray, seed: int) -> list[dict]:
    cut = GroupShuffleSplit(1, test_size=0.2, random_state=seed)
    train, test = next(cut.split(emoji.y, groups=emoji.groups))
    rng, rows = np.random.default_rng([7, seed]), []
    z = {"image": image, "text": GloVe().fit_transform(emoji.X.text)}
    say = {"seed": seed, "method": "GloVe", "rows": "test", "candidates": "all"}

    untrained = trained(z, train, seed, epochs=0)[0]
    rows += retrieval(say | {"method": "untrained towers"}, untrained, test)
    embedded, embed_text, parameters = trained(z, train, seed)
    rows += retrieval(say, embedded, test) + retrieval(say | {"rows": "training"}, embedded, train)
    few = {"task": "picture -> name", "k": 1, "chance": 1 / FEW, "score": few_candidates(embedded, test, rng)}
    rows.append(say | few | {"candidates": str(FEW)})
    rows.append(say | {"task": "tell odd pairs", "chance": 0.5, "score": odd_pairs(embedded, test, rng)})

    names = {group: group.replace("&", "and") for group in EVERYDAY}
    texts = {"group names": names, "five everyday words": EVERYDAY}
    for method, each in texts.items():
        found = zero_shot(embedded, embed_text, each, emoji.y, test)
        rows.append(say | {"task": "zero-shot, 8 groups", "method": method, "parameters": parameters} | found)
    scaled = StandardScaler().fit(image[train]).transform(image)
    heads = {
        "labels, same embeddings": by_labels(embedded[:, 0], emoji.y, train, test, C=1),
        "labels, all image features": by_labels(scaled, emoji.y, train, test, C=0.01),
    }
    rows += [say | {"task": "zero-shot, 8 groups", "method": name} | found for name, found in heads.items()]

    texts = unseen(emoji, seed)
    hidden = np.isin(emoji.subgroup, list(texts))
    embedded, embed_text, _ = trained(
        z, np.flatnonzero(~hidden & ~np.isin(emoji.groups, emoji.groups[hidden])), seed
    )
    found = zero_shot(embedded, embed_text, texts, emoji.subgroup, np.flatnonzero(hidden))
    rows.append(say | {"task": f"zero-shot, {UNSEEN} unseen subgroups", "method": "subgroup names"} | found)

    lists = list(keywords)
    for method, fitted_on in {"training texts": train, "training and test texts": range(len(lists))}.items():
        texts = mean_vectors(lists, word2vec([lists[row] for row in fitted_on]), 50)
        method = f"Word2Vec of {method}"
        said = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(
            texts[train], emoji.y[train]
        )
        right = said.score(texts[test], emoji.y[test])
        rows.append(say | {"task": "group from keywords", "method": method, "score": right})
        embedded = trained({"image": image, "text": texts}, train, seed)[0]
        rows += retrieval(say | {"method": method}, embedded, test)
    return rows


def run() -> pd.DataFrame:
    emoji, keywords = load_emoji(text="name"), load_emoji(text="all keywords").X.text
    with threadpool_limits(1):
        image = EfficientNet(size=64).fit_transform(emoji.X.image)
        runs = pd.DataFrame([row for seed in range(5) for row in one_seed(emoji, keywords, image, seed)])
    runs = runs.fillna({"k": 0}).assign(above=runs.score - runs.chance)
    table = over_seeds(runs, by=BY, score="score", shared=1 / 4)
    above = over_seeds(runs, by=BY, score="above", shared=1 / 4)
    table.insert(table.columns.get_loc("above") + 1, "above_se", above.se)
    fair = {"Word2Vec": "Word2Vec of training texts", "zero-shot, 8": "five everyday words"}
    gains = [  # paired, seed by seed
        over_seeds(
            runs[(runs.method + runs.task).str.contains(some)],
            by=BY, score="score", baseline={"method": method}, shared=1 / 4,
        )
        for some, method in fair.items()
    ]  # fmt: skip
    return table.merge(pd.concat(gains)[[*BY, "gain", "gain_se"]], "left", on=BY)
