"""What a user may rely on in fusion, and the contract that our estimators keep."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.utils import estimator_checks

from mmtutor.datasets import load_emoji
from mmtutor.fusion import early_fusion, late_fusion, stacked_fusion
from mmtutor.image import HOG

ENCODERS = {"image": HOG(cell=16), "text": TfidfVectorizer()}
HEAD = LogisticRegression(C=10, solver="newton-cg")
FUSIONS = {
    "early": early_fusion(ENCODERS, HEAD),
    "late": late_fusion(ENCODERS, HEAD),
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
    assert [m["head"].C for _, m in model.estimators] == [1, 100]


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


ESTIMATORS = [HOG()]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_an_encoder_keeps_the_estimator_contract(estimator, emoji):
    column = emoji.X.image
    whole = clone(estimator).fit_transform(column)
    fitted = clone(estimator).fit(column)
    assert np.array_equal(fitted.transform(column), whole) and np.array_equal(fitted.transform(column), whole)
    halves = np.vstack([fitted.transform(column.iloc[:150]), fitted.transform(column.iloc[150:])])
    assert np.array_equal(halves, whole)
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).transform(column), whole)
    assert np.array_equal(fitted.transform(column.iloc[::-1]), whole[::-1])
    assert np.array_equal(fitted.transform(list(column)), whole)
    named = fitted.set_output(transform="pandas").transform(column)
    assert isinstance(named, pd.DataFrame) and (named.index == column.index).all()
    assert list(named) == list(fitted.get_feature_names_out())


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize(
    "check",
    [
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimator_tags_renamed",
        "check_valid_tag_types",
    ],
)
def test_scikit_learns_own_checks_pass(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))
