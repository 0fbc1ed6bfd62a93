"""Chapter 7: Word2Vec fitted on the keyword lists of the training emoji, or of the test emoji as well.

The group of an emoji from its name, or from two of its keywords, by the mean of its words' vectors. Ten seeds
draw other kinds of things for the test (a fifth of them). Nothing is chosen by these scores.
"""

import numpy as np
import pandas as pd
from gensim.models import Word2Vec
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import over_seeds
from mmtutor.pretrained import GloVe
from mmtutor.text import mean_vectors, words

FAIR = "training lists"


def vectors(lists) -> dict[str, np.ndarray]:
    sentences = [words(text) for text in lists]
    wv = Word2Vec(sentences, vector_size=50, window=20, min_count=1, sg=1, epochs=40, workers=1, seed=0).wv
    return dict(zip(wv.index_to_key, wv.vectors, strict=True))


def run() -> pd.DataFrame:
    emoji, lists, rows = load_emoji(), load_emoji(text="all keywords").X.text, []
    texts = {"name": load_emoji(text="name").X.text, "two keywords": emoji.X.text}
    with threadpool_limits(1):
        for seed in range(10):
            cut = GroupShuffleSplit(1, test_size=0.2, random_state=seed)
            train, test = next(cut.split(emoji.y, groups=emoji.groups))
            fitted = {FAIR: vectors(lists.iloc[train]), "training and test lists": vectors(lists)}
            for shown, column in texts.items():
                z = {on: mean_vectors(column, each, 50) for on, each in fitted.items()}
                for on, features in (z | {"elsewhere (GloVe)": GloVe().fit_transform(column)}).items():
                    head = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
                    head.fit(features[train], emoji.y[train])
                    accuracy = head.score(features[test], emoji.y[test])
                    rows.append({"seed": seed, "text": shown, "fitted_on": on, "accuracy": accuracy})
    return over_seeds(
        pd.DataFrame(rows), by=["text", "fitted_on"], baseline={"fitted_on": FAIR}, shared=1 / 4
    )
