"""What a user may rely on where cells are missing: how gaps are made, what fills them, what is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.base import clone
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import Bunch

from mmtutor.datasets import load_emoji
from mmtutor.evaluate import compare, make_folds
from mmtutor.fusion import MissingTolerant, early_fusion
from mmtutor.image import Pixels
from mmtutor.missing import CompleteRows, filled_fusion, hide

LINEAR = IterativeImputer(Ridge(), tol=1)  # unlike neighbors, it knows no ties
HEAD = LogisticRegression(C=10, solver="newton-cg")
ENCODERS = {
    "image": Pixels(4),
    "text": make_pipeline(TfidfVectorizer(max_features=30), FunctionTransformer(lambda z: z.toarray())),
}


@pytest.fixture(scope="module")
def emoji():
    rows = np.random.default_rng(0).permutation(1378)[:300]
    data = load_emoji()
    data.X, data.y, data.groups = data.X.iloc[rows], data.y[rows], data.groups[rows]
    return data


# Making gaps


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_about_the_share_is_hidden_and_nothing_else_changes(share, emoji):
    X = hide(emoji.X, share, "text")
    assert abs(X.text.isna().mean() - share) < 0.06
    assert X.image is not emoji.X.image and not X.image.isna().any()
    assert emoji.X.notna().all(axis=None), "the table that was given is as it was"
    there = X.text.notna()
    assert (X.text[there] == emoji.X.text[there]).all() and X.index.equals(emoji.X.index)
    assert X.dtypes.equals(emoji.X.dtypes)


def test_a_larger_share_hides_the_same_cells_and_more(emoji):
    few, many = (hide(emoji.X, share, "text").text.isna() for share in (0.2, 0.6))
    assert many[few].all() and many.sum() > few.sum()


def test_another_random_state_hides_other_cells_and_columns_are_independent(emoji):
    a, b = (hide(emoji.X, 0.5, "text", random_state=seed).text.isna() for seed in (0, 1))
    assert 0.35 < (a == b).mean() < 0.65
    both = hide(emoji.X.assign(sound="s"), 0.5, ["image", "text"]).isna()
    assert 0.35 < (both.image == both.text).mean() < 0.65


def test_a_row_keeps_one_of_its_objects(emoji):
    X = hide(emoji.X, 1)
    assert (X.notna().sum(axis=1) == 1).all()
    assert 0.3 < X.text.isna().mean() < 0.7, "which one is drawn by chance"
    n, p = 3, 0.5
    large = pd.DataFrame({name: ["x"] * 20_000 for name in "abc"})
    assert hide(large, p).isna().to_numpy().mean() == pytest.approx(p - p**n / n, abs=0.01)


def test_a_cell_that_is_missing_stays_so_and_counts_when_a_row_would_be_emptied(emoji):
    X = hide(emoji.X, 0.5, "image", random_state=1)
    again = hide(X, 1, "text")
    assert (again.image.isna() == X.image.isna()).all()
    assert again.notna().any(axis=1).all()


def test_by_class_gaps_grow_from_class_to_class_with_the_share_as_their_mean():
    y = np.repeat(["a", "b", "c", "d"], 5000)
    X = pd.DataFrame({"text": ["x"] * len(y), "other": ["y"] * len(y)})
    shares = hide(X, 0.4, "text", by=y).text.isna().groupby(y).mean()
    assert shares.to_numpy() == pytest.approx([0.1, 0.3, 0.5, 0.7], abs=0.03)


def test_by_a_number_the_largest_values_are_hidden_most():
    by = np.random.default_rng(0).standard_normal(10_000)
    hidden = hide(pd.DataFrame({"a": ["x"] * 10_000, "b": ["x"] * 10_000}), 0.5, "a", by=by).a.isna()
    assert hidden.mean() == pytest.approx(0.5, abs=0.02)
    assert hidden[by > 2].mean() > 0.9 and hidden[by < -2].mean() < 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"share": 1.2}, "share=1.2 is not allowed; give a number from 0 to 1"),
        ({"share": float("nan")}, "share=nan is not allowed"),
        ({"share": 0.6, "by": np.arange(300)}, r"from 0 to 0.5 with by=, since the likelihood grows"),
        (
            {"share": 0.2, "columns": "sound"},
            r"columns \['sound'\] are not in the table, which has \['image'",
        ),
        ({"share": 0.2, "by": np.arange(7)}, r"by has shape \(7,\); give one value for each of 300 rows"),
        ({"share": 0.2, "by": [None] + ["a"] * 299}, "none missing"),
    ],
)
def test_hide_says_what_it_was_given_and_what_it_needs(arguments, message, emoji):
    with pytest.raises(ValueError, match=message):
        hide(emoji.X, **arguments)


# Filling


def test_nan_marks_every_feature_of_a_missing_object():
    X = pd.Series(["cat", None, "dog"], dtype="str")
    z = MissingTolerant(TfidfVectorizer(), "nan", indicator=False).fit_transform(X).toarray()
    assert np.isnan(z[1]).all() and not np.isnan(z[[0, 2]]).any()


@pytest.mark.parametrize(("fill", "expected"), [("nan", np.nan), ("mean", 1.5), ("median", 1.5), ("zero", 0)])
def test_features_that_are_whole_numbers_are_filled_too(fill, expected):
    counts = FunctionTransformer(lambda column: np.array([[len(text)] for text in column]))
    X = pd.Series(["a", None, "bb"], dtype="str")
    z = MissingTolerant(counts, fill).fit_transform(X)
    assert np.array_equal(z, [[1, 0], [expected, 1], [2, 0]], equal_nan=True)


def test_filling_with_the_mean_is_what_missing_tolerant_does(emoji):
    X = hide(emoji.X, 0.3)
    tolerant = {column: MissingTolerant(each, "mean", indicator=False) for column, each in ENCODERS.items()}
    expected = early_fusion(tolerant, HEAD).fit(X, emoji.y).predict_proba(X)
    found = filled_fusion(ENCODERS, SimpleImputer(), HEAD).fit(X, emoji.y).predict_proba(X)
    assert np.allclose(found, expected, atol=1e-5)


def test_neighbors_predict_a_modality_from_the_one_that_is_there(emoji):
    dark, light = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    X = pd.DataFrame({"image": [dark, light] * 4, "text": ["night", "day"] * 3 + [None, None]})
    model = filled_fusion(ENCODERS, KNNImputer(n_neighbors=1), HEAD).fit(X, list("nd" * 4))
    filled = model["head"][0].transform(model["features"].transform(X))
    assert np.allclose(filled[6:], filled[:2])


@pytest.mark.parametrize("imputer", [SimpleImputer(strategy="most_frequent"), LINEAR], ids=repr)
def test_a_filled_fusion_keeps_the_estimator_contract(imputer, emoji):
    X = hide(emoji.X, 0.3)
    model = filled_fusion(ENCODERS, imputer, HEAD).fit(X, emoji.y)
    p = model.predict_proba(X)
    assert np.allclose(p.sum(axis=1), 1)
    halves = np.vstack([model.predict_proba(X.iloc[:100]), model.predict_proba(X.iloc[100:])])
    assert np.allclose(halves, p, atol=1e-12)
    assert np.allclose(clone(model).fit(X, emoji.y).predict_proba(X), p)
    assert model.predict_proba(X.assign(text=None)).shape == p.shape


def test_no_test_row_helps_to_fill_another(emoji):
    X = hide(emoji.X, 0.3)
    model = filled_fusion(ENCODERS, LINEAR, HEAD).fit(X.iloc[:200], emoji.y[:200])
    alone = model.predict_proba(X.iloc[[250]])
    assert np.allclose(alone, model.predict_proba(X.iloc[200:])[50], atol=1e-12)


# Dropping


def test_complete_rows_fits_on_the_rows_without_a_gap(emoji):
    X = hide(emoji.X, 0.3)
    whole = X.notna().all(axis=1).to_numpy()
    model = early_fusion({"image": ENCODERS["image"]}, HEAD)
    dropped = CompleteRows(model).fit(X, emoji.y)
    assert dropped.n_rows_ == whole.sum()
    expected = clone(model).fit(X[whole], emoji.y[whole]).predict_proba(emoji.X)
    assert np.allclose(dropped.predict_proba(emoji.X), expected)
    assert CompleteRows(model, ["image"]).fit(X, emoji.y).n_rows_ == X.image.notna().sum()
    copy = pickle.loads(pickle.dumps(clone(dropped).fit(X, emoji.y)))
    assert (copy.predict(emoji.X) == dropped.predict(emoji.X)).all()


def test_complete_rows_says_when_too_few_are_left(emoji):
    X = emoji.X.assign(text=np.where(emoji.y == "Symbols", emoji.X.text, None))
    with pytest.raises(ValueError, match=r"of 300 rows have no gap, of 1 classes; a classifier needs two"):
        CompleteRows(early_fusion(ENCODERS, HEAD)).fit(X, emoji.y)


# Resampling the table of raw objects


def test_oversampling_works_inside_the_folds_of_compare(emoji):
    model = early_fusion(ENCODERS, HEAD)
    resampled = make_sampling_pipeline(RandomOverSampler(random_state=0), model)
    common = np.isin(emoji.y, ["Objects", "Symbols", "Travel & Places"])
    some = Bunch(X=emoji.X[common], y=emoji.y[common], groups=emoji.groups[common])
    results = compare({"as it is": model, "over": resampled}, some, make_folds(some, n_splits=2))
    assert results.table.accuracy.between(0.3, 1).all()
    X, y = RandomOverSampler(random_state=0).fit_resample(some.X, some.y)
    assert len(set(pd.Series(y).value_counts())) == 1
    assert all(type(picture) is np.ndarray for picture in X.image)
