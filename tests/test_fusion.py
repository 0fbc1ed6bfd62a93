"""What a user may rely on in fusion, and the contract that our estimators keep."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from contract import each_check, keep_encoder_contract, pass_check
from mmtutor.datasets import load_emoji
from mmtutor.encoder import Cached
from mmtutor.fusion import MissingTolerant, WherePresent, early_fusion, late_fusion, stacked_fusion
from mmtutor.image import HOG, Pixels

ENCODERS = {"image": HOG(cell=16), "text": TfidfVectorizer()}
HEAD = LogisticRegression(C=10, solver="newton-cg")
FUSIONS = {
    "early": early_fusion(ENCODERS, HEAD),
    "late": late_fusion(ENCODERS, HEAD),
    "product": late_fusion(ENCODERS, HEAD, rule="product"),
    "max": late_fusion(ENCODERS, HEAD, rule="max"),
    "weighted": late_fusion(ENCODERS, HEAD, weights={"text": 3, "image": 1}),
    "stacked": stacked_fusion(ENCODERS, HEAD, LogisticRegression(), cv=3),
}


@pytest.fixture(scope="module")
def emoji():
    rows = np.random.default_rng(0).permutation(1378)[:400]
    data = load_emoji()
    data.X, data.y = data.X.iloc[rows], data.y[rows]  # the index is shuffled, as after any split
    return data


def test_early_fusion_is_concatenation(emoji):
    model = FUSIONS["early"].fit(emoji.X, emoji.y)
    image = HOG(cell=16).fit_transform(emoji.X.image)
    text = TfidfVectorizer().fit_transform(emoji.X.text)
    by_hand = np.hstack([image, text.toarray()])
    assert np.allclose(model["features"].transform(emoji.X).toarray(), by_hand)
    head = clone(HEAD).fit(by_hand, emoji.y)
    assert np.allclose(head.predict_proba(by_hand), model.predict_proba(emoji.X), atol=1e-4)


def test_late_fusion_is_the_mean_of_probabilities(emoji):
    model = FUSIONS["late"].fit(emoji.X, emoji.y)
    alone = [
        early_fusion({c: e}, HEAD).fit(emoji.X, emoji.y).predict_proba(emoji.X) for c, e in ENCODERS.items()
    ]
    assert np.allclose(model.predict_proba(emoji.X), np.mean(alone, axis=0))
    weighted = FUSIONS["weighted"].fit(emoji.X, emoji.y).predict_proba(emoji.X)
    assert np.allclose(weighted, 0.25 * alone[0] + 0.75 * alone[1])


@pytest.mark.parametrize("name", FUSIONS)
def test_probabilities_sum_to_one_and_the_order_of_modalities_never_matters(name, emoji):
    fused = FUSIONS[name].fit(emoji.X, emoji.y).predict_proba(emoji.X)
    assert np.allclose(fused.sum(axis=1), 1)
    turned = emoji.X[["text", "image"]]
    assert np.array_equal(clone(FUSIONS[name]).fit(turned, emoji.y).predict_proba(turned), fused)


def test_order_of_encoders_never_matters(emoji):
    a = early_fusion(ENCODERS, HEAD)
    b = early_fusion(dict(reversed(ENCODERS.items())), HEAD)
    assert [t[0] for t in a["features"].transformers] == [t[0] for t in b["features"].transformers]


def test_each_modality_may_have_a_head_of_its_own(emoji):
    model = late_fusion(ENCODERS, {"image": LogisticRegression(C=1), "text": LogisticRegression(C=100)})
    assert [part.model["head"].C for _, part in model.estimators] == [1, 100]


@pytest.mark.parametrize("fuse", [early_fusion, late_fusion])
def test_no_encoder_is_refused(fuse):
    with pytest.raises(ValueError, match="no encoder; give at least one"):
        fuse({}, HEAD)


def test_weights_or_heads_for_other_columns_are_refused():
    with pytest.raises(
        ValueError, match=r"weights is given for \['sound'\], encoders for \['image', 'text'\]"
    ):
        late_fusion(ENCODERS, HEAD, weights={"sound": 1})
    with pytest.raises(ValueError, match="head is given for"):
        late_fusion(ENCODERS, {"image": HEAD})


def test_late_fusion_needs_probabilities_and_shares():
    with pytest.raises(ValueError, match=r"head of 'image': LinearSVC\(\) gives no probabilities"):
        late_fusion(ENCODERS, LinearSVC())
    for weights in ({"image": 0, "text": 0}, {"image": -1, "text": 2}):
        with pytest.raises(ValueError, match="are no shares"):
            late_fusion(ENCODERS, HEAD, weights=weights)


def test_stacking_uses_the_splits_it_is_given():
    assert stacked_fusion(ENCODERS, HEAD, LogisticRegression(), cv=7).cv == 7


# Rules of combining, by hand


class Says(ClassifierMixin, BaseEstimator):
    """A model of one modality that says the probabilities written in its cells."""

    def __init__(self, column=None):
        self.column = column

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.array([[1 - p, p] for p in X[:, 0]])


def say(rule, a, b, y=("no", "no", "no", "yes"), weights=None):
    """Fuse two modalities that say probabilities a and b of "yes"; y are the training labels."""
    train = pd.DataFrame({"a": [0.5] * len(y), "b": [0.5] * len(y)})
    number = FunctionTransformer(lambda column: np.array(column, float)[:, None])
    fused = late_fusion({"a": number, "b": number}, Says(), rule=rule, weights=weights).fit(train, list(y))
    return fused.predict_proba(pd.DataFrame({"a": a, "b": b}))[:, 1]


def test_the_mean_rule_by_hand():
    assert say("mean", [0.2], [0.6]) == pytest.approx(0.4)
    assert say("mean", [0.2], [0.6], weights={"a": 3, "b": 1}) == pytest.approx(0.3)


def test_the_product_rule_divides_by_the_priors():
    # prior of "yes" 1/4: 0.2 x 0.6 / 0.25 against 0.8 x 0.4 / 0.75
    yes, no = 0.2 * 0.6 / 0.25, 0.8 * 0.4 / 0.75
    assert say("product", [0.2], [0.6]) == pytest.approx(yes / (yes + no))
    balanced = say("product", [0.2], [0.6], y=["no", "yes"])
    assert balanced == pytest.approx(0.12 / (0.12 + 0.32))


def test_the_product_of_ten_modalities_neither_overflows_nor_forbids():
    columns = dict.fromkeys("abcdefghij", FunctionTransformer(lambda c: np.array(c, float)[:, None]))
    X = pd.DataFrame({column: [1.0, 0.0] for column in columns}).assign(a=[0.0, 1.0])
    p = late_fusion(columns, Says(), rule="product").fit(X, ["no", "yes"]).predict_proba(X)
    assert np.isfinite(p).all() and p[0, 1] > 0.999 and p[1, 0] > 0.999


def test_the_maximum_rule_listens_to_the_surest():
    yes, no = 0.6, 0.9
    assert say("max", [0.1], [0.6]) == pytest.approx(yes / (yes + no))


@pytest.mark.parametrize("rule", ["mean", "product", "max"])
def test_a_missing_modality_is_left_out(rule):
    missing_a, missing_b, neither = say(rule, [None, 0.2, None], [0.6, None, None])
    assert missing_a == pytest.approx(0.6)
    assert missing_b == pytest.approx(0.2)
    assert neither == pytest.approx(0.25)  # the share of "yes" in training


def test_without_missing_modalities_the_mean_is_soft_voting(emoji):
    models = [(column, early_fusion({column: encoder}, HEAD)) for column, encoder in ENCODERS.items()]
    voting = VotingClassifier(models, voting="soft").fit(emoji.X, emoji.y)
    assert np.allclose(
        voting.predict_proba(emoji.X), FUSIONS["late"].fit(emoji.X, emoji.y).predict_proba(emoji.X)
    )


def test_an_unknown_rule_and_weights_of_another_rule_are_refused():
    with pytest.raises(ValueError, match="rule='vote' is unknown; choose one of 'mean', 'product', 'max'"):
        late_fusion(ENCODERS, HEAD, rule="vote")
    with pytest.raises(ValueError, match="weights count only in the mean"):
        late_fusion(ENCODERS, HEAD, rule="max", weights={"image": 1, "text": 1})


# Missing modalities


@pytest.fixture(scope="module")
def with_gaps(emoji):
    X = emoji.X.copy()
    rng = np.random.default_rng(0)
    X.loc[rng.random(len(X)) < 0.3, "text"] = None
    X["image"] = [
        None if gone else cell for gone, cell in zip(rng.random(len(X)) < 0.3, X.image, strict=True)
    ]
    return X


MISSING = {
    **{name: FUSIONS[name] for name in ("late", "product", "max", "weighted", "stacked")},
    "filled": early_fusion({c: MissingTolerant(e) for c, e in ENCODERS.items()}, HEAD),
    "no flag": early_fusion(
        {c: MissingTolerant(e, "zero", indicator=False) for c, e in ENCODERS.items()}, HEAD
    ),
}


@pytest.mark.parametrize("name", MISSING)
def test_fusions_learn_and_predict_with_gaps(name, emoji, with_gaps):
    model = clone(MISSING[name]).fit(with_gaps, emoji.y)
    p = model.predict_proba(with_gaps)
    assert np.allclose(p.sum(axis=1), 1) and np.isfinite(p).all()
    assert (model.predict(with_gaps) == emoji.y).mean() > 0.6
    row_by_row = [model.predict_proba(with_gaps.iloc[[row]])[0] for row in range(20)]
    assert np.allclose(row_by_row, p[:20], atol=1e-12)


def test_models_of_a_modality_learn_from_the_rows_that_have_it(emoji, with_gaps):
    model = clone(FUSIONS["late"]).fit(with_gaps, emoji.y)
    has_text = with_gaps.text.notna()
    text = early_fusion({"text": ENCODERS["text"]}, HEAD).fit(with_gaps[has_text], emoji.y[has_text])
    only_text = with_gaps[has_text].assign(image=None)
    assert np.allclose(model.predict_proba(only_text), text.predict_proba(only_text))


def test_a_class_that_a_modality_never_shows_gets_probability_0_from_it(emoji):
    X = emoji.X.assign(text=np.where(emoji.y == "Symbols", None, emoji.X.text))
    model = late_fusion({"text": ENCODERS["text"]}, HEAD).fit(X, emoji.y)
    p = model.predict_proba(X)[:, list(model.classes_).index("Symbols")]
    assert (p[emoji.y != "Symbols"] == 0).all()
    assert p[emoji.y == "Symbols"] == pytest.approx((emoji.y == "Symbols").mean())


@pytest.mark.parametrize("fill", ["mean", "median", "zero"])
def test_missing_objects_get_typical_features_of_training_rows_and_a_flag(fill):
    X = pd.Series([np.full((16, 16, 3), value, np.uint8) for value in (0, 10, 50)] + [None], dtype=object)
    bright = FunctionTransformer(lambda column: np.array([[picture.mean()] for picture in column]))
    encoder = MissingTolerant(bright, fill=fill).fit(X)
    expected = {"mean": 20, "median": 10, "zero": 0}[fill]
    assert encoder.transform(X).tolist() == [[0, 0], [10, 0], [50, 0], [expected, 1]]
    new = pd.Series([None, X[2]], dtype=object)
    assert encoder.transform(new).tolist() == [[expected, 1], [50, 0]]
    assert encoder.transform(new.iloc[:1]).tolist() == [[expected, 1]]


def test_filled_words_stay_sparse_and_empty_is_not_missing():
    X = pd.Series(["cat", "", None, "dog cat"], dtype="str")
    z = MissingTolerant(TfidfVectorizer(), "zero").fit_transform(X)
    assert sparse.issparse(z) and z.shape == (4, 3)
    assert z.toarray()[:, -1].tolist() == [0, 0, 1, 0]


def test_features_of_a_wrapped_encoder_have_names():
    X = pd.Series(["cat", None, "dog"], dtype="str")
    names = MissingTolerant(TfidfVectorizer()).fit(X).get_feature_names_out()
    assert list(names) == ["cat", "dog", "missing"]


def test_a_modality_that_is_always_missing_is_refused(emoji):
    X = emoji.X.assign(text=None)
    for model in (FUSIONS["late"], MISSING["filled"]):
        with pytest.raises(ValueError, match=r"column 'text' is missing in each of 400 rows; leave it out"):
            clone(model).fit(X, emoji.y)
    first = emoji.y[0]
    X = emoji.X.assign(text=np.where(emoji.y == first, emoji.X.text, None))
    n = (emoji.y == first).sum()
    with pytest.raises(ValueError, match=f"the {n} rows that have it are all of class {first}; leave it out"):
        WherePresent("text", HEAD).fit(X, emoji.y)
    with pytest.raises(ValueError, match="fill='mode' is unknown; choose one of 'mean', 'median', 'zero'"):
        MissingTolerant(HOG(), fill="mode").fit(emoji.X.image)


# The contract: clone, refit, halves, shuffled index, pickling


@pytest.mark.parametrize("name", FUSIONS)
def test_a_fusion_keeps_the_estimator_contract(name, emoji):
    model = clone(FUSIONS[name])
    first = model.fit(emoji.X, emoji.y).predict_proba(emoji.X)
    assert np.array_equal(model.fit(emoji.X, emoji.y).predict_proba(emoji.X), first)
    halves = np.vstack([model.predict_proba(emoji.X.iloc[:150]), model.predict_proba(emoji.X.iloc[150:])])
    assert np.allclose(halves, first, atol=1e-12)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict_proba(emoji.X), first)
    order = np.random.default_rng(1).permutation(len(emoji.X))
    assert np.allclose(model.predict_proba(emoji.X.iloc[order]), first[order], atol=1e-12)


@pytest.fixture(autouse=True)
def cache_of_this_test(tmp_path, monkeypatch):
    monkeypatch.setenv("MMTUTOR_CACHE", str(tmp_path))


ESTIMATORS = [Pixels(), Pixels(4, color=True), HOG(), MissingTolerant(HOG()), Cached(HOG())]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_an_encoder_keeps_the_estimator_contract(estimator, emoji):
    column = emoji.X.image
    whole = clone(estimator).fit_transform(column)
    fitted = clone(estimator).fit(column)
    assert np.array_equal(keep_encoder_contract(fitted, column), whole)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@each_check
def test_scikit_learns_own_checks_pass(estimator, check):
    pass_check(estimator, check)
