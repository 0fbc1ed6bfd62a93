"""Measure models on the same folds, say how sure a difference is, and check what the prose claims."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from mmtutor.progress import Progress
from mmtutor.table import check_data

Folds = Sequence[tuple[np.ndarray, np.ndarray]]


def claim(sentence: str, holds: bool) -> None:
    """Check a sentence of the course against a measured number: print a tick, or raise. Taught in chapter 0.

    Raises
    ------
    AssertionError
        If the sentence is false.
    TypeError
        If `holds` is not one truth value.
    """
    if not isinstance(holds, (bool, np.bool_)):
        raise TypeError(
            f"claim({sentence!r}): {type(holds).__name__} is not one truth value; compare, then claim"
        )
    if not holds:
        raise AssertionError(f"does not hold: {sentence}")
    print(f"✓ {sentence}")


def make_folds(data: Bunch, n_splits: int = 5, random_state: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split the rows of a data set into folds; rows of one group stay on one side.

    Parameters
    ----------
    data : Bunch with X, y and, where samples belong together, groups
    n_splits : int, default=5
        Number of folds, 2 or more.
    random_state : int, default=0
        Which of the many possible splits.

    Returns
    -------
    list of (train rows, test rows), n_splits pairs of int arrays; each row is tested once

    Raises
    ------
    ValueError
        If a class has fewer samples, or lies in fewer groups, than there are folds.

    Notes
    -----
    scikit-learn's StratifiedGroupKFold, or StratifiedKFold without groups. Taught in chapter 1.
    """
    X, y, groups = check_data(data)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        for things, count in {
            "samples": len(rows),
            "groups": len(rows) if groups is None else len(np.unique(groups[rows])),
        }.items():
            if count < n_splits:
                raise ValueError(
                    f"class {str(label)!r} has {count} {things} (rows {', '.join(map(str, rows[:5]))}), "
                    f"fewer than {n_splits} folds; use fewer folds, add samples, or leave the class out"
                )
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    return list(splitter(n_splits, shuffle=True, random_state=random_state).split(X, y, groups))


@dataclass(frozen=True, eq=False)
class Difference:
    """A paired difference of two models' accuracies.

    Attributes
    ----------
    mean : float
        Mean over folds of (first - second), in [-1, 1].
    se : float
        Its standard error, corrected for folds that share training rows.
    by_fold : array, shape (n_folds,)

    Notes
    -----
    Taught in chapter 1.
    """

    mean: float
    se: float
    by_fold: np.ndarray

    def exceeds(self, bound: float, margin: float = 2) -> bool:
        """Say whether the mean lies above `bound`, and by at least `margin` standard errors."""
        return bool(self.mean > bound and self.mean - bound >= margin * self.se)

    def __repr__(self):
        return f"{self.mean:+.3f} ± {self.se:.3f} ({len(self.by_fold)} folds)"


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` measured.

    Attributes
    ----------
    table : pd.DataFrame
        One row a model: accuracy, se (its standard error), macro_f1, parameters, and seconds to fit and
        predict one fold.
    by_fold : pd.DataFrame, shape (n_folds, n_models)
        Accuracy of each model on each fold.
    predictions : pd.DataFrame, shape (n_samples, n_models)
        What each model said of a row when it had not been trained on it, under the index of X; missing for
        rows in no test fold. Of a row in several test folds, what was said last.
    shared : float
        Test rows per training row where folds share rows, else 0: what `standard_error` needs.

    Notes
    -----
    Taught in chapter 1.
    """

    table: pd.DataFrame
    by_fold: pd.DataFrame
    predictions: pd.DataFrame
    shared: float

    def difference(self, first: str, second: str) -> Difference:
        """Compare two models fold by fold. Taught in chapter 1.

        Raises
        ------
        KeyError
            If there is no model of that name.
        """
        for name in (first, second):
            if name not in self.by_fold:
                raise KeyError(f"no model {name!r}; there are {', '.join(map(repr, self.by_fold))}")
        gains = (self.by_fold[first] - self.by_fold[second]).to_numpy()
        return Difference(float(gains.mean()), standard_error(gains, self.shared), gains)

    def _shown(self) -> pd.DataFrame:
        table = self.table
        return pd.DataFrame(
            {
                "accuracy": [f"{a:.3f} ± {s:.3f}" for a, s in zip(table.accuracy, table.se, strict=True)],
                "macro-F1": table.macro_f1.map("{:.3f}".format),
                "parameters": table.parameters.map("{:,}".format),
                "seconds": table.seconds.map("{:.2f} s".format),
            },
            index=table.index,
        )

    def __repr__(self):
        return repr(self._shown())

    def _repr_html_(self):
        return self._shown().to_html(border=0)


def standard_error(values, shared: float = 0) -> float:
    """Standard error of a mean over folds or seeds.

    Parameters
    ----------
    values : array-like, shape (n,)
        One score, or one paired difference, a fold or seed; n of 2 or more.
    shared : float, default=0
        Test rows per training row (1/4 for five folds) if the values come from training sets that share rows,
        0 if they are independent.

    Returns
    -------
    float, sqrt((1 / n + shared) * variance)

    Raises
    ------
    ValueError
        For fewer than two values.

    Notes
    -----
    Folds that share rows vary less than independent experiments would. The correction of Nadeau and Bengio
    (2003, section 3) was derived for random splits and is a good rule for folds. With few values two standard
    errors are less sure than they look: t has n - 1 degrees of freedom. Taught in chapter 1.
    """
    values = np.asarray(values, float)
    if values.ndim != 1 or shared < 0:
        raise ValueError("values must be one score a fold or seed, in one dimension, and shared 0 or more")
    if values.size < 2:
        raise ValueError(f"{values.size} value has no standard error; measure two folds or seeds at least")
    return float(np.sqrt((1 / values.size + shared) * values.var(ddof=1)))


def over_seeds(
    runs: pd.DataFrame, by: str | list, score: str = "accuracy", *, baseline: dict | None = None, shared=0.0
) -> pd.DataFrame:
    """Summarize runs that were repeated with several seeds (or folds): a row a setting, with standard errors.

    Parameters
    ----------
    runs : DataFrame
        A row a run: a column `seed`, the columns `by`, and measured numbers (or truth values) in all others.
    by : str or list of str
        The column or columns that say which setting a run belongs to.
    score : str, default="accuracy"
        The measured column to give a standard error.
    baseline : dict of column -> value, or None
        Which settings to compare with, such as ``{"method": "image"}``: each setting is paired, seed by seed,
        with the one that has these values and is like it in all other columns of `by`.
    shared : float, default=0
        Test rows per training row, as in `standard_error`, if seeds draw their training rows from one pool.

    Returns
    -------
    DataFrame, a row a setting in order of appearance; columns `by`, then the mean over seeds of each measured
    column, with `se` behind `score` and, given a baseline, `gain` and `gain_se` (0 for the baseline itself)

    Raises
    ------
    ValueError
        If a column is missing, a setting was run twice with one seed, or has no baseline with the same seeds.

    Notes
    -----
    Taught in chapter 5.
    """
    by, baseline = [by] if isinstance(by, str) else list(by), baseline or {}
    missing = {"seed", *by, score}.difference(runs.columns) | set(baseline).difference(by)
    if missing:
        names = ", ".join(sorted(missing))
        raise ValueError(f"runs has no column {names} (a baseline's columns are some of `by`)")
    doubled = runs[runs.duplicated(["seed", *by])]
    if len(doubled):
        again = doubled[["seed", *by]].iloc[0].to_dict()
        raise ValueError(f"row {doubled.index[0]}: {again} is there already; one run a seed and setting")
    settings = runs.groupby(by, sort=False, dropna=False)
    table = settings[[name for name in runs if name not in ("seed", *by)]].mean()
    place = table.columns.get_loc(score) + 1
    table.insert(place, "se", settings[score].apply(standard_error, shared=shared))
    if baseline:
        others = ["seed", *(name for name in by if name not in baseline)]
        is_baseline = np.logical_and.reduce([runs[name] == value for name, value in baseline.items()])
        reference = runs[is_baseline].set_index(others)[score]
        paired = runs[others].merge(reference.rename("_"), "left", left_on=others, right_index=True)["_"]
        if paired.isna().any():
            alone = runs.loc[paired.isna().idxmax(), ["seed", *by]].to_dict()
            raise ValueError(f"{alone} has no baseline {baseline} beside it; run both with each seed")
        gains = runs.assign(gain=runs[score] - paired).groupby(by, sort=False, dropna=False)["gain"]
        table.insert(place + 1, "gain", gains.mean())
        table.insert(place + 2, "gain_se", gains.apply(standard_error, shared=shared))
    return table.reset_index()


def compare(
    models: dict, data: Bunch, folds: Folds, *, allow_shared_groups: bool = False, n_jobs: int | None = None
) -> Comparison:
    """Fit and test each model on the same folds.

    Parameters
    ----------
    models : dict of name -> scikit-learn classifier over the table
        Cloned for each fold; yours stay unfitted.
    data : Bunch with X (a table), y (labels) and, where samples belong together, groups
    folds : list of (train rows, test rows)
        Two or more, as `make_folds` or a scikit-learn splitter's ``split`` gives them.
    allow_shared_groups : bool, default=False
        Go on although a group stands on both sides of a fold; to measure what such a leak is worth.
    n_jobs : int or None
        Worker processes, as in joblib. Each uses one thread: more would make small models slower.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If rows or groups stand on both sides of a fold, if there are fewer than two folds, or if a model
        meets a missing modality that it cannot handle (the message names the row and column).

    Notes
    -----
    Taught in chapter 1.
    """
    X, y, groups = check_data(data)
    folds = [] if np.isscalar(folds) or folds is None else list(folds)
    _check_folds(folds, len(y), None if allow_shared_groups else groups)
    if not models:
        raise ValueError("no models to compare; give at least one, as a dict of name -> classifier")
    jobs = [(name, k) for name in models for k in range(len(folds))]
    work = (delayed(_fit_and_predict)(models[name], X, y, *folds[k], name) for name, k in jobs)
    results = {}
    with threadpool_limits(1), Progress(len(jobs)) as progress:  # here for threads, in each job for processes
        for job, result in zip(jobs, Parallel(n_jobs=n_jobs, return_as="generator")(work), strict=True):
            results[job] = result
            progress.step(f"{job[0]}, fold {job[1] + 1} of {len(folds)}")
    return _collect(results, list(models), X.index, y, folds)


def pool(comparisons: Sequence[Comparison]) -> Comparison:
    """Put comparisons of the same models together, one a seed.

    Parameters
    ----------
    comparisons : one or more Comparison
        What `compare` measured with each seed, on folds of the same number and size.

    Returns
    -------
    Comparison
        Over all folds of all seeds; its predictions carry the seed's place, 0, 1, …, before the row.

    Raises
    ------
    ValueError
        If there is none, or if they are of different models.

    Notes
    -----
    Folds of different seeds share rows as those of one seed do, and `standard_error` is corrected alike.
    Taught in chapter 1.
    """
    comparisons = list(comparisons)
    if not comparisons or any(list(each.by_fold) != list(comparisons[0].by_fold) for each in comparisons):
        raise ValueError("pool needs one comparison or more, all of the same models; compare them again")
    shared = comparisons[0].shared
    by_fold = pd.concat([each.by_fold for each in comparisons], keys=range(len(comparisons)))
    table = sum(each.table for each in comparisons) / len(comparisons)
    table["se"] = [standard_error(by_fold[name], shared) for name in by_fold]
    predictions = pd.concat([each.predictions for each in comparisons], keys=range(len(comparisons)))
    return Comparison(
        table.assign(parameters=table.parameters.round().astype(int)), by_fold, predictions, shared
    )


def _check_folds(folds: Folds, n_samples: int, groups: np.ndarray | None) -> None:
    if len(folds) < 2:
        raise ValueError("give two or more folds, a list of (train rows, test rows): see make_folds")
    for number, (train, test) in enumerate(folds, start=1):
        rows = np.concatenate([train, test])
        if not len(train) or not len(test) or rows.dtype.kind not in "iu":
            raise ValueError(
                f"fold {number}: train and test must be row numbers, one or more each; see make_folds"
            )
        for row in (rows.min(), rows.max()):
            if not 0 <= row < n_samples:
                raise ValueError(f"fold {number} names row {row}; there are rows 0 to {n_samples - 1}")
        both = np.intersect1d(train, test)
        if both.size:
            raise ValueError(
                f"fold {number}: row {both[0]} is in training and in test; a model must not see it twice"
            )
        if groups is not None:
            _check_groups(number, train, test, groups)


def _check_groups(number: int, train, test, groups: np.ndarray) -> None:
    shared = np.intersect1d(groups[train], groups[test])
    if shared.size:
        rows = [int(side[groups[side] == shared[0]][0]) for side in map(np.asarray, (train, test))]
        raise ValueError(
            f"fold {number}: {shared.size} groups are in training and in test, group {str(shared[0])!r} with "
            f"rows {rows[0]} and {rows[1]}; split by groups (make_folds), or measure the leak with "
            "allow_shared_groups=True"
        )


def _fit_and_predict(model, X: pd.DataFrame, y: np.ndarray, train, test, name: str) -> Bunch:
    start = time.perf_counter()
    with threadpool_limits(1):
        model = clone(model)
        try:
            predicted = model.fit(X.iloc[train], y[train]).predict(X.iloc[test])
        except (ValueError, TypeError, AttributeError) as error:
            _explain_missing(X.iloc[[*train, *test]], name, error)
            raise
    return Bunch(predicted=predicted, parameters=count_parameters(model), seconds=time.perf_counter() - start)


def _explain_missing(X: pd.DataFrame, name: str, error: Exception) -> None:
    """Where a stock encoder stumbles, perhaps over a missing modality, say where that is."""
    missing = X.isna()
    if str(error).startswith("row ") or not missing.to_numpy().any():
        return
    column = missing.any().idxmax()
    row, others = missing[column].idxmax(), missing[column].sum() - 1
    raise ValueError(
        f"row {row}, column {column!r}: missing, like {others} others, which model {name!r} may not handle "
        f"(it says: {error}); drop the rows, fill them, or leave this modality out (chapter 05)"
    ) from error


def _collect(results: dict, names: list, index: pd.Index, y: np.ndarray, folds: Folds) -> Comparison:
    truth = [y[test] for _, test in folds]
    accuracy = {n: [accuracy_score(t, results[n, k].predicted) for k, t in enumerate(truth)] for n in names}
    by_fold = pd.DataFrame(accuracy, index=pd.RangeIndex(1, len(folds) + 1, name="fold"))
    predictions = pd.DataFrame(None, index=index, columns=names, dtype=object)
    for (name, k), result in results.items():
        predictions.iloc[folds[k][1], names.index(name)] = result.predicted
    shared = _shared(folds)

    def row(name):
        folds_of = [results[name, k] for k in range(len(folds))]
        return {
            "accuracy": np.mean(accuracy[name]),
            "se": standard_error(accuracy[name], shared),
            "macro_f1": np.mean(
                [f1_score(t, r.predicted, average="macro") for t, r in zip(truth, folds_of, strict=True)]
            ),
            "parameters": folds_of[-1].parameters,
            "seconds": np.mean([r.seconds for r in folds_of]),
        }

    return Comparison(
        pd.DataFrame({name: row(name) for name in names}).T.astype({"parameters": int}),
        by_fold,
        predictions.infer_objects(),
        shared,
    )


def _shared(folds: Folds) -> float:
    """Test rows per training row if any two folds use a common row, else 0."""
    used = np.concatenate([np.unique(np.concatenate(fold)) for fold in folds])
    if len(np.unique(used)) == len(used):
        return 0.0
    return float(np.mean([len(test) / len(train) for train, test in folds]))


def mispair(column: pd.Series, share: float, random_state: int = 0) -> pd.Series:
    """Deal a share of a column's objects out anew, so that they no longer belong to their rows.

    Parameters
    ----------
    column : pd.Series of raw objects, shape (n_samples,)
    share : float in [0, 1]
        Which part of the rows is dealt out anew; one of them may get its own object back by chance.
    random_state : int, default=0

    Returns
    -------
    pd.Series, a copy with the same index

    Raises
    ------
    ValueError
        For a share outside [0, 1].

    Notes
    -----
    Taught in chapter 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share={share} is no part of the rows; choose a number from 0 to 1")
    rng = np.random.default_rng(random_state)
    chosen = rng.choice(len(column), round(share * len(column)), replace=False)
    order = np.arange(len(column))
    order[chosen] = rng.permutation(chosen)
    return pd.Series(column.array[order], index=column.index, name=column.name)


def count_parameters(model) -> int:
    """Count the numbers that a fitted model learned and predicts with.

    Parameters
    ----------
    model : fitted scikit-learn estimator, alone or composed (Pipeline, VotingClassifier, …), or Keras model

    Returns
    -------
    int: entries of all learned float arrays (weights, idf, means, …) and nodes of trees; for a network
        what Keras counts. Labels, vocabularies and stored training rows (nearest neighbors) are not counted.

    Notes
    -----
    Taught in chapter 1.
    """
    seen, total, todo = set(), 0, [model]
    while todo:
        part = todo.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, np.ndarray):
            total += part.size if part.dtype.kind == "f" else 0
        elif isinstance(part, dict):
            todo += part.values()
        elif isinstance(part, (list, tuple)):
            todo += part
        elif hasattr(part, "count_params"):  # a Keras model
            total += part.count_params()
        elif hasattr(part, "node_count"):  # a tree
            total += part.node_count
        elif hasattr(part, "best_estimator_"):  # a search; its record of scores predicts nothing
            todo.append(part.best_estimator_)
        elif hasattr(part, "get_params"):
            todo += [value for name, value in vars(part).items() if _is_learned(name)]
    return int(total)


def _is_learned(name: str) -> bool:
    """scikit-learn's convention is a trailing underscore; the rest are containers of fitted parts."""
    if name in ("steps", "transformer_list", "_tfidf", "calibrated_classifiers_"):
        return True
    return name.endswith("_") and not name.startswith("_") and name != "classes_"
