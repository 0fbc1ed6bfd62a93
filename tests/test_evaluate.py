"""What a user may rely on in measurements: same folds, honest errors, claims that can fail."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import Bunch
from threadpoolctl import threadpool_info, threadpool_limits

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import (
    claim,
    compare,
    count_parameters,
    make_folds,
    mispair,
    over_seeds,
    pool,
    standard_error,
)
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
    assert not comparison.difference("image", "image").exceeds(0)  # no gain is no gain, however sure
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
        (5, "two or more folds"),
        (None, "two or more folds"),
        ([(np.arange(0), np.arange(9))] * 2, "one or more each"),
        ([(np.arange(60) < 30, np.arange(60) >= 30)] * 2, "must be row numbers"),
        ([(np.arange(9), np.array([-1]))] * 2, "names row -1"),
        ([(np.arange(10, 61), np.arange(9))] * 2, "names row 60"),
        ([(np.arange(30), np.arange(30, 60))], "two or more"),
        ([(np.arange(30), np.arange(29, 60))] * 2, "fold 1: row 29 is in training and in test"),
        ([(np.arange(30), np.arange(30, 99))] * 2, "names row 98; there are rows 0 to 59"),
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
        ValueError,
        match=r"row \d+, column 'text': missing, like 123 others, which model 'words' may not handle",
    ):
        compare({"words": early_fusion({"text": TfidfVectorizer()}, HEAD)}, missing, folds)


def test_parameters_of_composed_models_are_counted_once():
    data = numbers()
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.X, data.y)
    assert count_parameters(scaled) == 2 + 2 + 2 + (2 + 1)  # mean, variance, scale; weights and constant
    assert count_parameters(LogisticRegression().fit(data.X, data.y)) == 3
    words = TfidfVectorizer().fit(["red apple", "green apple"])
    assert count_parameters(words) == 3
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2).fit(data.X, data.y)
    assert count_parameters(search) == 3  # of the best, without the record of scores


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


def test_a_loss_exceeds_nothing(comparison):
    loss = comparison.difference("nothing", "image")
    assert loss.mean < 0 and not loss.exceeds(0) and not loss.exceeds(0.1)


def test_the_standard_error_of_a_table_is_corrected_too(comparison):
    by_fold = comparison.by_fold["text"]
    assert comparison.table.se["text"] == pytest.approx(np.sqrt((1 / 5 + 1 / 4) * by_fold.var()), rel=0.02)


def test_two_folds_share_rows_although_their_training_rows_differ():
    data = numbers(40)
    halves = list(KFold(2).split(data.X))
    assert compare({"nb": GaussianNB()}, data, halves).shared == 1


def test_folds_may_come_from_a_generator():
    data = numbers(40)
    assert len(compare({"nb": GaussianNB()}, data, KFold(4).split(data.X)).by_fold) == 4


def test_predictions_stand_under_the_index_of_the_table_in_the_type_of_the_labels():
    data = numbers(40)
    data.X.index = np.random.default_rng(0).permutation(40)
    data.y = (data.y == "up").astype(int)
    said = compare({"nb": GaussianNB()}, data, list(KFold(4).split(data.X))).predictions["nb"]
    assert said.dtype == int and (said.index == data.X.index).all()
    assert (said.to_numpy() == data.y).mean() > 0.8


def test_our_own_error_is_kept_and_a_missing_cell_is_only_a_perhaps():
    X = pd.DataFrame({"image": pd.Series([None, "no picture"] * 10, dtype=object), "text": ["!"] * 20})
    data = Bunch(X=X, y=["a", "b"] * 10)
    folds = list(KFold(2).split(X))
    with pytest.raises(ValueError, match=r"^row 10, column 'image': missing; drop the row"):
        compare({"m": early_fusion({"image": HOG()}, HEAD)}, data, folds)
    with pytest.raises(ValueError, match=r"may not handle \(it says: empty vocabulary"):
        compare({"m": early_fusion({"text": TfidfVectorizer()}, HEAD)}, data, folds)


@pytest.mark.parametrize(
    ("model", "count"),
    [
        (MLPClassifier((10,), max_iter=2000, random_state=0), 2 * 10 + 10 + 10 + 1),
        (VotingClassifier([("a", LogisticRegression()), ("b", LogisticRegression())], voting="soft"), 2 * 3),
        (make_union(StandardScaler(), StandardScaler()), 2 * 6),
        (DecisionTreeClassifier(max_depth=1), 3),
        (KNeighborsClassifier(), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_parameters_are_those_that_were_learned(model, count):
    data = numbers()
    assert count_parameters(model.fit(data.X, data.y)) == count


def test_mispairing_deals_at_random_and_by_its_seed():
    column = pd.Series(range(100))
    dealt = mispair(column, 1)
    assert dealt.equals(mispair(column, 1)) and not dealt.equals(mispair(column, 1, random_state=1))
    assert (dealt.diff().abs() == 1).mean() < 0.2


def test_seconds_are_those_of_a_fold(emoji, folds, comparison):
    assert 0 < comparison.table.seconds["nothing"] < comparison.table.seconds["image"] < 30


def test_thread_limits_are_given_back_after_threads():
    data = numbers(40)
    before = [each["num_threads"] for each in threadpool_info()]
    with parallel_config("threading", n_jobs=2):
        compare({"nb": GaussianNB(), "lr": HEAD}, data, list(KFold(4).split(data.X)))
    assert [each["num_threads"] for each in threadpool_info()] == before


def test_pooled_seeds_are_measured_over_all_their_folds(emoji, comparison):
    other = compare(
        {"nothing": DummyClassifier(), "image": early_fusion({"image": HOG(cell=16)}, HEAD)},
        emoji,
        make_folds(emoji, random_state=1),
    )
    first = compare(
        {"nothing": DummyClassifier(), "image": early_fusion({"image": HOG(cell=16)}, HEAD)},
        emoji,
        make_folds(emoji),
    )
    pooled = pool([first, other])
    values = np.r_[first.by_fold["image"], other.by_fold["image"]]
    assert pooled.table.accuracy["image"] == pytest.approx(values.mean())
    assert pooled.table.se["image"] == pytest.approx(np.sqrt((1 / 10 + 1 / 4) * values.var(ddof=1)), rel=0.02)
    assert pooled.table.macro_f1["image"] == pytest.approx((first.table + other.table).macro_f1["image"] / 2)
    assert pooled.predictions.shape == (2 * 1378, 2)
    gains = np.r_[first.difference("image", "nothing").by_fold, other.difference("image", "nothing").by_fold]
    assert np.array_equal(pooled.difference("image", "nothing").by_fold, gains)
    for wrong in ([], [first, comparison]):
        with pytest.raises(ValueError, match="pool needs one comparison or more"):
            pool(wrong)


@pytest.fixture
def runs():
    scores = {("digits", "early"): (0.5, 0.6, 0.7), ("digits", "late"): (0.6, 0.8, 0.7)}
    scores |= {("emoji", "early"): (0.2, 0.2, 0.5), ("emoji", "late"): (0.3, 0.3, 0.6)}
    return pd.DataFrame(
        {"data": data, "fusion": fusion, "seed": seed, "accuracy": score, "seconds": seed}
        for (data, fusion), each in scores.items()
        for seed, score in enumerate(each)
    )


def test_over_seeds_pairs_each_setting_with_its_baseline_seed_by_seed(runs):
    shuffled = runs.sample(frac=1, random_state=0)
    table = over_seeds(shuffled, ["data", "fusion"], baseline={"fusion": "early"}, shared=1 / 4)
    table = table.set_index(["data", "fusion"])
    late = table.loc[("digits", "late")]
    assert late.accuracy == pytest.approx(0.7) and late.seconds == 1
    assert late.se == pytest.approx(standard_error([0.6, 0.8, 0.7], 1 / 4))
    assert late.gain == pytest.approx(0.1) and late.gain_se == pytest.approx(
        standard_error([0.1, 0.2, 0.0], 1 / 4)
    )
    assert table.loc[("emoji", "late")].gain_se == pytest.approx(0)
    assert (table.xs("early", level="fusion")[["gain", "gain_se"]] == 0).all(axis=None)
    assert list(table) == ["accuracy", "se", "gain", "gain_se", "seconds"]


def test_over_seeds_without_a_baseline_keeps_the_order_of_the_runs(runs):
    emoji = runs[runs.data == "emoji"].drop(columns="data")[::-1]
    table = over_seeds(emoji, "fusion")
    assert table.fusion.tolist() == ["late", "early"] and list(table) == [
        "fusion",
        "accuracy",
        "se",
        "seconds",
    ]


@pytest.mark.parametrize(
    ("spoil", "arguments", "message"),
    [
        (lambda r: r, {"by": ["fusion"]}, "one run a seed and setting"),
        (lambda r: r, {"by": ["data", "fusion"], "score": "f1"}, "no column f1"),
        (lambda r: r, {"by": ["data", "fusion"], "baseline": {"seed": 1}}, "no column seed"),
        (lambda r: r, {"by": ["data", "fusion"], "baseline": {"fusion": "none"}}, "has no baseline"),
        (
            lambda r: r[1:],
            {"by": ["data", "fusion"], "baseline": {"fusion": "early"}},
            "'seed': 0.*no baseline",
        ),
        (lambda r: r[r.seed == 0], {"by": ["data", "fusion"]}, "no standard error"),
    ],
)
def test_over_seeds_refuses_runs_that_do_not_pair(runs, spoil, arguments, message):
    with pytest.raises(ValueError, match=message):
        over_seeds(spoil(runs), **arguments)
