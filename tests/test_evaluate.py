"""What a user may rely on in measurements: same folds, honest errors, claims that can fail."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import claim, compare, count_parameters, make_folds, mispair, standard_error
from mmtutor.fusion import early_fusion
from mmtutor.image import HOG

HEAD = LogisticRegression(C=10, solver="newton-cg")


@pytest.fixture(scope="module")
def emoji():
    return load_emoji()


@pytest.fixture(scope="module")
def folds(emoji):
    return make_folds(emoji)


@pytest.fixture(scope="module")
def comparison(emoji, folds):
    models = {
        "nothing": DummyClassifier(),
        "image": early_fusion({"image": HOG(cell=16)}, HEAD),
        "text": early_fusion({"text": TfidfVectorizer()}, HEAD),
    }
    return compare(models, emoji, folds)


def numbers(n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "b"])
    return Bunch(X=X, y=np.where(X.a + 0.3 * rng.normal(size=n) > 0, "up", "down"))


def test_a_true_claim_prints_a_tick(capsys):
    claim("two is more than one", 2 > 1)
    claim("NumPy's truth counts too", np.bool_(True))
    assert capsys.readouterr().out == "✓ two is more than one\n✓ NumPy's truth counts too\n"


def test_a_false_claim_raises():
    with pytest.raises(AssertionError, match="does not hold: one is more than two"):
        claim("one is more than two", 1 > 2)


@pytest.mark.parametrize("no_truth", [1, "yes", np.array([True, True]), None, pd.Series([True])])
def test_a_claim_needs_one_truth_value(no_truth):
    with pytest.raises(TypeError, match="not one truth value"):
        claim("something", no_truth)


def test_every_row_is_tested_once_and_groups_stay_on_one_side(emoji, folds):
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(1378))
    for train, test in folds:
        assert not set(train) & set(test) and not set(emoji.groups[train]) & set(emoji.groups[test])
        assert set(emoji.y[test]) == set(emoji.target_names)


def test_the_same_seed_makes_the_same_folds(emoji, folds):
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(folds, make_folds(emoji), strict=True))
    assert not np.array_equal(folds[0][1], make_folds(emoji, random_state=1)[0][1])


def test_a_class_smaller_than_the_folds_is_refused():
    data = Bunch(X=pd.DataFrame({"a": range(9)}), y=["cat"] * 6 + ["dog"] * 3)
    with pytest.raises(ValueError, match=r"class 'dog' has 3 samples \(rows 6, 7, 8\), fewer than 5 folds"):
        make_folds(data)
    grouped = Bunch(
        X=pd.DataFrame({"a": range(20)}), y=["cat"] * 10 + ["dog"] * 10, groups=[*range(10), *[99] * 10]
    )
    with pytest.raises(ValueError, match="class 'dog' has 1 groups"):
        make_folds(grouped)


def test_compare_agrees_with_scikit_learn(emoji, folds, comparison):
    model = early_fusion({"image": HOG(cell=16)}, HEAD)
    with threadpool_limits(1):  # as compare does: with more threads sums round otherwise
        expected = cross_val_score(model, emoji.X, emoji.y, cv=folds)
    assert np.allclose(comparison.by_fold["image"], expected)
    assert comparison.table.accuracy["image"] == pytest.approx(expected.mean())


def test_compare_measures_what_it_says(emoji, comparison):
    table = comparison.table
    assert list(table) == ["accuracy", "se", "macro_f1", "parameters", "seconds"]
    assert table.accuracy["nothing"] == pytest.approx((emoji.y == "Objects").mean(), abs=0.01)
    assert table.macro_f1["nothing"] < 0.05 < 0.4 < table.accuracy["image"]
    assert table.parameters["image"] == (324 + 1) * 8
    assert comparison.predictions.shape == (1378, 3) and comparison.predictions.notna().all().all()
    said = comparison.predictions["image"].to_numpy() == emoji.y
    assert said.mean() == pytest.approx(table.accuracy["image"], abs=0.01)


def test_shuffled_labels_give_chance(emoji, folds):
    shuffled = Bunch(X=emoji.X, y=np.random.default_rng(0).permutation(emoji.y), groups=emoji.groups)
    result = compare({"image": early_fusion({"image": HOG(cell=16)}, HEAD)}, shuffled, folds)
    assert result.table.accuracy["image"] < 0.25


def test_compare_leaves_your_models_unfitted(folds, emoji):
    model = DummyClassifier()
    compare({"m": model}, emoji, folds)
    assert not hasattr(model, "classes_")


def test_workers_change_no_score():
    data = numbers()
    folds = list(KFold(4).split(data.X))
    alone = compare({"nb": GaussianNB()}, data, folds)
    assert compare({"nb": GaussianNB()}, data, folds, n_jobs=2).by_fold.equals(alone.by_fold)


def test_a_difference_is_paired_and_corrected(comparison):
    difference = comparison.difference("image", "text")
    by_fold = comparison.by_fold["image"] - comparison.by_fold["text"]
    assert difference.mean == pytest.approx(by_fold.mean())
    assert difference.se == pytest.approx(np.sqrt((1 / 5 + 1 / 4) * by_fold.var()), rel=0.02)
    assert difference.exceeds(difference.mean - 2.01 * difference.se)
    assert not difference.exceeds(difference.mean - 1.99 * difference.se)
    assert comparison.difference("image", "image").mean == 0
    with pytest.raises(KeyError, match=r"no model 'sound'; there are 'nothing'"):
        comparison.difference("sound", "image")


def test_standard_error_is_the_textbook_one_for_independent_values():
    values = [0.1, 0.4, 0.2, 0.5]
    assert standard_error(values) == pytest.approx(np.std(values, ddof=1) / 2)
    assert standard_error(values, shared=1 / 4) == pytest.approx(np.std(values, ddof=1) * np.sqrt(0.5))
    with pytest.raises(ValueError, match="1 value has no standard error"):
        standard_error([0.3])


def test_independent_experiments_are_not_corrected():
    data = numbers(40)
    rows = np.arange(40)
    apart = [(rows[:10], rows[10:20]), (rows[20:30], rows[30:])]
    assert compare({"nb": GaussianNB()}, data, apart).shared == 0
    assert compare({"nb": GaussianNB()}, data, list(KFold(4).split(rows))).shared == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("folds", "words"),
    [
        (5, "folds must be a list"),
        ([(np.arange(30), np.arange(30, 60))], "two or more"),
        ([(np.arange(30), np.arange(29, 60))] * 2, "fold 1: row 29 is in training and in test"),
        ([(np.arange(30), np.arange(30, 99))] * 2, "names row 98; there are 60 rows"),
    ],
)
def test_folds_that_leak_or_lie_are_refused(folds, words):
    with pytest.raises(ValueError, match=words):
        compare({"nb": GaussianNB()}, numbers(), folds)


def test_a_group_on_both_sides_is_refused_unless_insisted():
    data = numbers()
    data["groups"] = np.arange(60) // 2
    folds = list(KFold(4, shuffle=True, random_state=0).split(data.X))
    with pytest.raises(
        ValueError, match=r"fold 1: \d+ groups are in training and in test, group '\d+' with rows"
    ):
        compare({"nb": GaussianNB()}, data, folds)
    assert compare({"nb": GaussianNB()}, data, folds, allow_shared_groups=True).table.accuracy["nb"] > 0.5


def test_no_models_are_refused():
    with pytest.raises(ValueError, match="no models"):
        compare({}, numbers(), list(KFold(3).split(range(60))))


def test_a_missing_text_is_named_where_a_stock_encoder_stumbles(folds):
    missing = load_emoji(empty_as_missing=True)
    with pytest.raises(
        ValueError, match=r"row \d+, column 'text': missing, like 123 others, which model 'words'"
    ):
        compare({"words": early_fusion({"text": TfidfVectorizer()}, HEAD)}, missing, folds)


def test_parameters_of_composed_models_are_counted_once():
    data = numbers()
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.X, data.y)
    assert count_parameters(scaled) == 2 + 2 + 2 + (2 + 1)  # mean, variance, scale; weights and constant
    assert count_parameters(LogisticRegression().fit(data.X, data.y)) == 3
    words = TfidfVectorizer().fit(["red apple", "green apple"])
    assert count_parameters(words) == 3


def test_mispairing_moves_a_share_and_loses_nothing():
    column = pd.Series([f"text {i}" for i in range(200)], index=range(1000, 1200), name="text")
    for share in (0, 0.5, 1):
        dealt = mispair(column, share)
        assert sorted(dealt) == sorted(column) and (dealt.index == column.index).all()
        assert abs((dealt != column).mean() - share) < 0.03
    pictures = load_emoji().X.image[:9]
    assert mispair(pictures, 1)[0].shape == (64, 64, 3)
    with pytest.raises(ValueError, match="share=2 is no part"):
        mispair(column, 2)


def test_tables_are_shown_with_their_errors(comparison):
    text = repr(comparison)
    assert "±" in text and "macro-F1" in text and "2,600" in text.replace(" ", "")
    assert "<table" in comparison._repr_html_()
