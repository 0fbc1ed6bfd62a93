"""Fuse modalities: side by side as features, or as the probabilities of one model a modality.

Each function composes estimators; what comes back is a classifier over the table. Model-level fusion leaves
a missing modality out by itself; for feature-level fusion wrap the encoder in `MissingTolerant`.
"""

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from mmtutor.table import is_missing

Encoders = dict[str, BaseEstimator]
RULES = ("mean", "product", "max")
TINY = 1e-12  # a probability of 0 would forbid a class whatever the other modalities say


def early_fusion(encoders: Encoders, head: BaseEstimator) -> Pipeline:
    """Encode each column, put the features side by side, and let one head decide (feature level).

    Parameters
    ----------
    encoders : dict of column -> transformer
        Each turns its column of raw objects into an array (n_samples, n_features_i). Sorted by column, so
        that their order never matters. With one column it is the unimodal model.
    head : classifier

    Returns
    -------
    Pipeline with steps ``features`` (a ColumnTransformer) and ``head``; other columns are dropped

    Raises
    ------
    ValueError
        If there is no encoder.

    Notes
    -----
    y = h([z_1; …; z_n]), z_i = f_i(x_i). See Baltrušaitis et al. (2019), section 6.
    Taught in chapters 1 and 3.
    """
    _check(encoders)
    columns = [(column, clone(encoders[column]), column) for column in sorted(encoders)]
    features = ColumnTransformer(columns, sparse_threshold=1.0)  # words are mostly absent: stay sparse
    return Pipeline([("features", features), ("head", clone(head))])


def late_fusion(
    encoders: Encoders,
    head: BaseEstimator,
    weights: dict[str, float] | None = None,
    rule: str = "mean",
) -> "LateFusion":
    """Train one model a modality and combine their probabilities (model level).

    Parameters
    ----------
    encoders : dict of column -> transformer
    head : classifier with predict_proba, or dict of column -> classifier
    weights : dict of column -> float, optional
        How much each modality counts; equal by default. Only for ``rule="mean"``.
    rule : {"mean", "product", "max"}, default="mean"
        How probabilities become one; formulas at `LateFusion`.

    Returns
    -------
    LateFusion: one `early_fusion` of a single column a modality

    Raises
    ------
    ValueError
        If there is no encoder, heads or weights are given for other columns, a head has no predict_proba,
        weights are negative or all zero, or the rule is unknown.

    Notes
    -----
    Taught in chapters 1 and 3.
    """
    models = _one_model_a_column(encoders, head)
    if rule not in RULES:
        raise ValueError(f"rule={rule!r} is unknown; choose one of {', '.join(map(repr, RULES))}")
    if weights is not None:
        _same_columns("weights", weights, encoders)
        if rule != "mean":
            raise ValueError(f"weights count only in the mean; leave them out, or rule={rule!r}")
        if min(weights.values()) < 0 or max(weights.values()) <= 0:
            raise ValueError(
                f"weights {weights} are no shares; give numbers of 0 or more, one of them positive"
            )
        weights = [weights[column] for column, _ in models]
    return LateFusion(models, rule, weights)


def stacked_fusion(encoders: Encoders, head: BaseEstimator, final: BaseEstimator, cv=5) -> StackingClassifier:
    """Train one model a modality, and a final classifier on their probabilities (model level).

    Parameters
    ----------
    encoders : dict of column -> transformer
    head : classifier with predict_proba, or dict of column -> classifier
    final : classifier
        Sees n_modalities x n_classes probabilities, each said of a row that its model was not trained on.
    cv : int or splitter, default=5
        How the training rows are split to get such probabilities. Of a missing modality it sees the shares
        of the classes.

    Returns
    -------
    StackingClassifier

    Raises
    ------
    ValueError
        If there is no encoder, heads are given for other columns, or a head has no predict_proba.

    Notes
    -----
    Wolpert (1992), Stacked generalization. Taught in chapter 3.
    """
    return StackingClassifier(
        _one_model_a_column(encoders, head), clone(final), cv=cv, stack_method="predict_proba"
    )


class LateFusion(VotingClassifier):
    """Soft voting of one model a modality, by three rules; a missing modality is left out.

    Parameters
    ----------
    estimators : list of (column, classifier over the table)
    rule : {"mean", "product", "max"}, default="mean"
    weights : list of float, optional
        One an estimator, for the mean.

    Attributes
    ----------
    estimators_ : list of fitted classifiers
    classes_ : array, shape (n_classes,)
    prior_ : float array, shape (n_classes,)
        The share of each class in the training rows.

    Notes
    -----
    With n modalities present in a row::

        mean     p(y) = Σ α_i p_i(y), Σ α_i = 1
        product  p(y) ∝ Π p_i(y) / prior(y)^(n - 1)
        max      p(y) ∝ max_i p_i(y)

    The product is Bayes' rule for modalities that are independent given the class; the priors cancel only
    where classes are balanced. A row without any modality gets the prior. Without missing modalities the
    mean is what scikit-learn's VotingClassifier gives. Kittler et al. (1998). Taught in chapters 1, 3 and 5.
    """

    def __init__(self, estimators, rule="mean", weights=None):
        super().__init__(estimators, voting="soft", weights=weights)
        self.rule = rule

    def fit(self, X, y):
        """Fit each model on the rows that have its modality. X: DataFrame (n_samples, n_modalities)."""
        super().fit(X, y)
        self.prior_ = _shares(self.le_.transform(y))
        return self

    def predict_proba(self, X) -> np.ndarray:
        """Combine the probabilities: float array, shape (n_samples, n_classes), rows sum to 1."""
        check_is_fitted(self)
        p = np.array([model.predict_proba(X) for model in self.estimators_])  # (modality, sample, class)
        present = np.array([_present(X[column]) for column, _ in self.estimators])[:, :, None]
        if self.rule == "mean":
            weights = np.ones(len(p)) if self.weights is None else np.asarray(self.weights, float)
            fused = (p * present * weights[:, None, None]).sum(axis=0)
        elif self.rule == "product":
            evidence = np.log(np.maximum(p, TINY)) - np.log(self.prior_)
            fused = softmax((evidence * present).sum(axis=0) + np.log(self.prior_), axis=1)
        else:
            fused = (p * present).max(axis=0)
        fused[fused.sum(axis=1) == 0] = self.prior_
        return fused / fused.sum(axis=1, keepdims=True)


class WherePresent(ClassifierMixin, BaseEstimator):
    """A classifier of one modality that answers with the shares of the classes where it is missing.

    Parameters
    ----------
    column : str
    model : classifier over the table, with predict_proba

    Attributes
    ----------
    model_ : the model, fitted on the rows that have the modality
    classes_, prior_ : as in `LateFusion`, from all training rows

    Notes
    -----
    A class that the modality never shows in training gets probability 0. Taught in chapter 5.
    """

    def __init__(self, column, model):
        self.column = column
        self.model = model

    def fit(self, X, y):
        """Fit the model on the rows that have the modality, of two classes at least. X: DataFrame."""
        y, present = np.asarray(y), _present(X[self.column], at_least_one=True)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.prior_ = _shares(codes)
        if len(seen := np.unique(y[present])) < 2:
            raise ValueError(
                f"column {self.column!r}: the {present.sum()} rows that have it are all of class {seen[0]!s}"
                "; leave it out"
            )
        self.model_ = clone(self.model).fit(X[present], y[present])
        return self

    def predict_proba(self, X) -> np.ndarray:
        """Give probabilities, shape (n_samples, n_classes); rows sum to 1."""
        check_is_fitted(self)
        present = _present(X[self.column])
        p = np.tile(self.prior_, (len(X), 1))
        if present.any():
            p[present] = 0
            known = np.searchsorted(self.classes_, self.model_.classes_)
            p[np.ix_(present, known)] = self.model_.predict_proba(X[present])
        return p

    def predict(self, X) -> np.ndarray:
        """Name the most probable class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class MissingTolerant(TransformerMixin, BaseEstimator):
    """Let an encoder meet missing objects: typical features in their place, and a flag that says so.

    Parameters
    ----------
    encoder : transformer
        Encodes the objects that are there.
    fill : {"mean", "median", "zero", "nan"}, default="mean"
        What the features of a missing object are: the mean or median of the training rows that have one;
        zeros, which look like silence, black or an empty text; or NaN, for an imputer that follows.
    indicator : bool, default=True
        Whether one more feature says 1 where the object is missing, else 0.

    Attributes
    ----------
    encoder_ : the encoder, fitted on the objects that are there
    fill_ : float array, shape (1, n_features)

    Notes
    -----
    Features stay sparse where the encoder's are, but the mean of sparse features is dense. Little and Rubin
    (2019) on what filling assumes: that the object is missing at random. Taught in chapter 5.
    """

    def __init__(self, encoder, fill="mean", indicator=True):
        self.encoder = encoder
        self.fill = fill
        self.indicator = indicator

    def fit(self, X, y=None):
        """Fit the encoder and the filling. X: n_samples raw objects, missing ones None."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X, y=None):
        """Fit and transform; the encoder sees the objects that are there, and their part of y."""
        fills = {
            "mean": np.mean,
            "median": np.median,
            "zero": lambda z, axis: np.zeros(z.shape[1]),
            "nan": lambda z, axis: np.full(z.shape[1], np.nan),
        }
        if self.fill not in fills:
            raise ValueError(f"fill={self.fill!r} is unknown; choose one of {', '.join(map(repr, fills))}")
        X = _column(X)
        present = _present(X, at_least_one=True)
        self.encoder_ = clone(self.encoder)
        z = self.encoder_.fit_transform(X[present], None if y is None else np.asarray(y)[present])
        dense = z.toarray() if sparse.issparse(z) else np.asarray(z)
        dtype = dense.dtype if dense.dtype.kind == "f" else float  # of whole numbers the mean is none
        self.fill_ = fills[self.fill](dense, axis=0)[None].astype(dtype)
        self.nothing_ = z[:0]
        return self._place(z, present)

    def transform(self, X):
        """Encode.

        Parameters
        ----------
        X : n_samples raw objects, missing ones None

        Returns
        -------
        float array or sparse matrix, shape (n_samples, n_features), + 1 with an indicator
        """
        check_is_fitted(self)
        X = _column(X)
        present = _present(X)
        z = self.encoder_.transform(X[present]) if present.any() else self.nothing_
        return self._place(z, present)

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Name the features as the encoder does; the indicator is called ``missing``."""
        names = self.encoder_.get_feature_names_out(input_features)
        return np.append(names, "missing").astype(object) if self.indicator else names

    def _place(self, z, present):
        """Put the features of present objects into their rows, the filling into the others."""
        flag = (~present).astype(float)[:, None] if self.indicator else np.empty((len(present), 0))
        rows = np.where(present, np.cumsum(present) - 1, z.shape[0])
        if sparse.issparse(z):
            filled = sparse.vstack([z, sparse.csr_array(self.fill_)], format="csr")[rows]
            return sparse.hstack([filled, sparse.csr_array(flag)], format="csr")
        return np.hstack([np.vstack([z, self.fill_])[rows], flag.astype(self.fill_.dtype)])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        return tags


def _one_model_a_column(encoders: Encoders, head) -> list[tuple[str, Pipeline]]:
    _check(encoders)
    heads = head if isinstance(head, dict) else dict.fromkeys(encoders, head)
    _same_columns("head", heads, encoders)
    for column, each in heads.items():
        if not hasattr(each, "predict_proba"):
            raise ValueError(
                f"head of {column!r}: {each} gives no probabilities; take one with predict_proba"
            )
    return [
        (column, WherePresent(column, early_fusion({column: encoders[column]}, heads[column])))
        for column in sorted(encoders)
    ]


def _check(encoders: Encoders) -> None:
    if not encoders:
        raise ValueError("no encoder; give at least one, as a dict of column -> transformer")


def _same_columns(what: str, given: dict, encoders: Encoders) -> None:
    if set(given) != set(encoders):
        raise ValueError(
            f"{what} is given for {sorted(given)}, encoders for {sorted(encoders)}; name the same columns"
        )


def _column(X) -> pd.Series:
    return X if isinstance(X, pd.Series) else pd.Series(list(X), dtype=object, name="X")


def _present(column: pd.Series, at_least_one: bool = False) -> np.ndarray:
    present = ~np.fromiter(map(is_missing, column), bool, len(column))
    if at_least_one and not present.any():
        raise ValueError(f"column {column.name!r} is missing in each of {len(column)} rows; leave it out")
    return present


def _shares(codes: np.ndarray) -> np.ndarray:
    return np.bincount(codes) / len(codes)
