"""What every encoder and every estimator of the course must do: each module's tests ask it of its own."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks

# scikit-learn's own checks that need no data: those with data feed arrays of numbers, not raw objects.
each_check = pytest.mark.parametrize(
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


def pass_check(estimator, check: str) -> None:
    """Run one of scikit-learn's own checks; it raises where the estimator does otherwise."""
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


def keep_encoder_contract(fitted, column: pd.Series, rounding: float = 0) -> np.ndarray:
    """Transform a column again, in halves, pickled, reversed, as a list, into a DataFrame: always the same.

    Parameters
    ----------
    fitted : encoder
    column : pd.Series of raw objects
    rounding : float, default=0
        What halves and another order may change: how rows are batched decides the last digits of a network.

    Returns
    -------
    The features, shape (n_samples, n_features).
    """
    whole, half = fitted.transform(column), len(column) * 2 // 5
    assert np.array_equal(fitted.transform(column), whole)
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).transform(column), whole)
    assert np.array_equal(fitted.transform(list(column)), whole)
    halves = np.vstack([fitted.transform(column.iloc[:half]), fitted.transform(column.iloc[half:])])
    assert np.allclose(halves, whole, rtol=0, atol=rounding)
    assert np.allclose(fitted.transform(column.iloc[::-1]), whole[::-1], rtol=0, atol=rounding)
    named = clone_fitted(fitted).set_output(transform="pandas").transform(column)
    assert isinstance(named, pd.DataFrame) and (named.index == column.index).all()
    assert list(named) == list(fitted.get_feature_names_out()) and named.columns.is_unique
    return whole


def clone_fitted(estimator):
    """A copy with what it has learned: settings of the copy leave the original alone."""
    return pickle.loads(pickle.dumps(estimator))
