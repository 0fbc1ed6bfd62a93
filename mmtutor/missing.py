"""Tables with gaps: make them on purpose, learn from the rows that have none, or fill them in.

Model-level fusion (`mmtutor.fusion.late_fusion`) needs none of this: it leaves out what is missing.
"""

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted

from mmtutor.fusion import Encoders, MissingTolerant, early_fusion
from mmtutor.table import is_missing


def hide(X: pd.DataFrame, share: float, columns=None, random_state: int = 0, by=None) -> pd.DataFrame:
    """Hide cells of a table at random, each alike or depending on something.

    Parameters
    ----------
    X : pd.DataFrame, shape (n_samples, n_modalities)
    share : float in [0, 1]
        How likely a cell of `columns` is to be hidden, on average over the rows; at most 0.5 with `by`.
    columns : str or list of str, optional
        The modalities with gaps; all by default.
    random_state : int, default=0
        With the same number a larger share hides the same cells and more. Columns are hidden independently.
    by : array-like of numbers or labels, shape (n_samples,), optional
        What a gap depends on: the likelihood grows with the rank of the value, from 0 to twice `share`.
        Equal values are equally likely.

    Returns
    -------
    pd.DataFrame, a copy with the same index; hidden cells are missing (None, in text columns NaN)

    Raises
    ------
    ValueError
        For a share or a column that is not allowed, or a `by` that is not one value a row.

    Notes
    -----
    A row that would lose every object keeps one of them, drawn by chance: with all of n columns and one share
    p the share that is missing in the end is p - p^n / n.

    Rubin (1976) tells three cases apart. Without `by` gaps come completely at random (MCAR). They come at
    random (MAR) if `by` is visible in the table, such as the length of a text that stays: the visible makes
    up for the hidden. They do not come at random (MNAR) if `by` is the hidden value itself, or the class,
    which nobody knows when predicting. Taught in chapter 5.
    """
    columns = [columns] if isinstance(columns, str) else list(X if columns is None else columns)
    if unknown := [column for column in columns if column not in X]:
        raise ValueError(f"columns {unknown} are not in the table, which has {list(X)}")
    most = 1 if by is None else 0.5
    if not 0 <= share <= most:
        reason = "" if by is None else " with by=, since the likelihood grows to twice the share"
        raise ValueError(f"share={share} is not allowed; give a number from 0 to {most}{reason}")
    likely = np.full(len(X), float(share)) if by is None else 2 * share * _height(by, len(X))
    rng = np.random.default_rng(random_state)
    luck = rng.random((len(X), X.shape[1]))
    gone = np.array([X[column].map(is_missing) for column in X], bool).T.reshape(luck.shape)
    hidden = (luck < likely[:, None]) & ~gone & np.isin(list(X), columns)
    empty = (hidden | gone).all(axis=1) & hidden.any(axis=1)
    kept = np.where(hidden, rng.random(luck.shape), -1).argmax(axis=1)
    hidden[empty, kept[empty]] = False
    return X.assign(**{column: X[column].mask(hidden[:, place], None) for place, column in enumerate(X)})


def _height(by, n_samples: int) -> np.ndarray:
    """The rank of each value between 0 and 1; its mean is 1/2."""
    by = np.asarray(by)
    if by.shape != (n_samples,) or pd.isna(by).any():
        raise ValueError(
            f"by has shape {by.shape}; give one value for each of {n_samples} rows, none missing"
        )
    return (rankdata(np.unique(by, return_inverse=True)[1]) - 0.5) / n_samples


def filled_fusion(encoders: Encoders, imputer: BaseEstimator, head: BaseEstimator) -> Pipeline:
    """Put features side by side, fill the gaps with a scikit-learn imputer, and let one head decide.

    Parameters
    ----------
    encoders : dict of column -> transformer
        Each encodes the objects that are there, to a dense array.
    imputer : transformer
        SimpleImputer, KNNImputer, IterativeImputer or another one that replaces NaN. It sees the features of
        all modalities, so it may predict those of a missing one from those that are present.
    head : classifier

    Returns
    -------
    Pipeline: `early_fusion` of `MissingTolerant` encoders with ``fill="nan"``, whose head begins with the
    imputer

    Raises
    ------
    ValueError
        If there is no encoder; when fitted, if a column is missing in each row.

    Notes
    -----
    Everything is fitted on the rows that ``fit`` is given, so no test row helps to fill another. van Buuren
    and Groothuis-Oudshoorn (2011) on predicting each feature from the others. Taught in chapter 5.
    """
    tolerant = {column: MissingTolerant(each, "nan", indicator=False) for column, each in encoders.items()}
    return early_fusion(tolerant, make_pipeline(clone(imputer), clone(head)))


class CompleteRows(ClassifierMixin, BaseEstimator):
    """Fit a model on the rows without a gap: drop the others (listwise deletion).

    Parameters
    ----------
    model : classifier over the table
        Whatever it does with gaps when it predicts, it does; a row that is to be judged cannot be dropped.
    columns : list of str, optional
        The modalities that must be there; all of the table's by default.

    Attributes
    ----------
    model_ : the fitted model
    n_rows_ : int, how many rows it was fitted on
    classes_ : array, the classes of those rows

    Notes
    -----
    Safe where gaps do not depend on the class beyond what the features say; even then it costs rows.
    Taught in chapter 5.
    """

    def __init__(self, model, columns=None):
        self.model = model
        self.columns = columns

    def fit(self, X, y):
        """Fit the model. X: DataFrame (n_samples, n_modalities); at least two classes have whole rows."""
        y = np.asarray(y)
        whole = X[list(X) if self.columns is None else self.columns].notna().all(axis=1).to_numpy()
        classes = np.unique(y[whole])
        if len(classes) < 2:
            raise ValueError(
                f"{whole.sum()} of {len(y)} rows have no gap, of {len(classes)} classes; a classifier needs "
                "two: fill the gaps, or leave a modality out"
            )
        self.model_, self.n_rows_ = clone(self.model).fit(X[whole], y[whole]), int(whole.sum())
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X) -> np.ndarray:
        """Give labels, shape (n_samples,)."""
        check_is_fitted(self)
        return self.model_.predict(X)

    def predict_proba(self, X) -> np.ndarray:
        """Give probabilities, shape (n_samples, n_classes), in the order of ``classes_``."""
        check_is_fitted(self)
        return self.model_.predict_proba(X)
