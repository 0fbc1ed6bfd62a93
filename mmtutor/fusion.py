"""Fuse modalities: side by side as features, or as the probabilities of one model a modality.

Each function composes stock scikit-learn estimators; what comes back is a classifier over the table.
"""

from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.pipeline import Pipeline

Encoders = dict[str, BaseEstimator]


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
    encoders: Encoders, head: BaseEstimator, weights: dict[str, float] | None = None
) -> VotingClassifier:
    """Train one model a modality and average their probabilities (model level).

    Parameters
    ----------
    encoders : dict of column -> transformer
    head : classifier with predict_proba, or dict of column -> classifier
    weights : dict of column -> float, optional
        How much each modality counts; equal by default.

    Returns
    -------
    VotingClassifier with ``voting="soft"``, one `early_fusion` of a single column a modality

    Raises
    ------
    ValueError
        If there is no encoder, heads or weights are given for other columns, a head has no predict_proba, or
        weights are negative or all zero.

    Notes
    -----
    p(y) = Σ α_i p_i(y), Σ α_i = 1. See Kittler et al. (1998), the sum rule. Taught in chapters 1 and 3.
    """
    models = _one_model_a_column(encoders, head)
    if weights is not None:
        _same_columns("weights", weights, encoders)
        if min(weights.values()) < 0 or max(weights.values()) <= 0:
            raise ValueError(
                f"weights {weights} are no shares; give numbers of 0 or more, one of them positive"
            )
        weights = [weights[column] for column, _ in models]
    return VotingClassifier(models, voting="soft", weights=weights)


def stacked_fusion(encoders: Encoders, head: BaseEstimator, final: BaseEstimator, cv=5) -> StackingClassifier:
    """Train one model a modality, and a final classifier on their probabilities (model level).

    Parameters
    ----------
    encoders : dict of column -> transformer
    head : classifier with predict_proba, or dict of column -> classifier
    final : classifier
        Sees n_modalities x n_classes probabilities, each said of a row that its model was not trained on.
    cv : int or splitter, default=5
        How the training rows are split to get such probabilities.

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


def _one_model_a_column(encoders: Encoders, head) -> list[tuple[str, Pipeline]]:
    _check(encoders)
    heads = head if isinstance(head, dict) else dict.fromkeys(encoders, head)
    _same_columns("head", heads, encoders)
    for column, each in heads.items():
        if not hasattr(each, "predict_proba"):
            raise ValueError(
                f"head of {column!r}: {each} gives no probabilities; take one with predict_proba"
            )
    return [(column, early_fusion({column: encoders[column]}, heads[column])) for column in sorted(encoders)]


def _check(encoders: Encoders) -> None:
    if not encoders:
        raise ValueError("no encoder; give at least one, as a dict of column -> transformer")


def _same_columns(what: str, given: dict, encoders: Encoders) -> None:
    if set(given) != set(encoders):
        raise ValueError(
            f"{what} is given for {sorted(given)}, encoders for {sorted(encoders)}; name the same columns"
        )
