"""The table: one row a sample, one column a modality. What every encoder checks in a column.

All errors about data have one form: the row, the column, what was found, what to do.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
from sklearn.utils import Bunch


def refuse(row, column, found: str, cure: str):
    """Raise the one error that the course uses for bad data.

    Raises
    ------
    ValueError
        ``row 17, column 'image': 0 x 0 pixels; <cure>``. Taught in chapter 1.
    """
    raise ValueError(f"row {row!r}, column {column!r}: {found}; {cure}")


def is_missing(cell) -> bool:
    """Say whether a cell holds no object: None or NaN. An empty string is a text, not a missing one."""
    return cell is None or cell is pd.NA or (isinstance(cell, (float, np.floating)) and np.isnan(cell))


def cells(column: Iterable, problem: Callable[[object], str | None], cure: str) -> Iterator:
    """Go through the objects of one modality and refuse the first that cannot be used.

    Parameters
    ----------
    column : pd.Series or other iterable of raw objects
        A Series lends its name and index to the error.
    problem : function of one object
        What is wrong with it in a few words, or None.
    cure : str
        What to do about it, for the error.

    Yields
    ------
    The objects, one by one.

    Raises
    ------
    ValueError
        For a missing object, and for one that has a problem.
    """
    series = column if isinstance(column, pd.Series) else pd.Series(list(column), dtype=object, name="X")
    for row, cell in series.items():
        if is_missing(cell):
            refuse(
                row, series.name, "missing", "drop the row, fill it, or leave this modality out (chapter 5)"
            )
        found = problem(cell)
        if found is not None:
            refuse(row, series.name, found, cure)
        yield cell


def make_table(columns: dict[str, Iterable]) -> pd.DataFrame:
    """Put modalities side by side: one row a sample, one column a modality. Taught in chapter 1.

    Parameters
    ----------
    columns : dict of name -> sequence of raw objects
        Image: uint8 RGB array (height, width, 3). Text: str. Sound: float32 array in [-1, 1].
        A missing modality is None.

    Returns
    -------
    pd.DataFrame with columns of raw objects, index 0 … n_samples - 1

    Raises
    ------
    ValueError
        If two columns differ in length: a sample without its partner cannot be paired by guessing.
    """
    columns = {name: list(objects) for name, objects in columns.items()}
    lengths = {name: len(objects) for name, objects in columns.items()}
    if len(set(lengths.values())) > 1:
        shortest = min(lengths, key=lengths.get)
        counts = ", ".join(f"{name!r} has {n}" for name, n in lengths.items())
        refuse(
            lengths[shortest],
            shortest,
            f"no object: the columns are of unequal length ({counts})",
            "pair the samples by name, and write None where a modality is missing",
        )
    return pd.DataFrame({name: _as_column(objects) for name, objects in columns.items()})


def _as_column(objects: list) -> pd.Series:
    if objects and all(isinstance(cell, str) or is_missing(cell) for cell in objects):
        return pd.Series(objects, dtype="str")
    column = pd.Series([None] * len(objects), dtype=object)
    for row, cell in enumerate(objects):  # pandas would spread an array over rows
        column.iat[row] = cell
    return column


def check_data(data: Bunch) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
    """Take X, y and groups from a data set and make sure that they fit together.

    Returns
    -------
    X : pd.DataFrame, shape (n_samples, n_modalities)
    y : array, shape (n_samples,)
    groups : array, shape (n_samples,), or None where the data set has none

    Raises
    ------
    ValueError
        If X is no table, is empty, a label is missing, or y or groups differ from X in length.
    """
    X, groups = data["X"], data.get("groups")
    if not isinstance(X, pd.DataFrame):
        raise ValueError(f"X is a {type(X).__name__}; a multimodal data set is a table: use make_table")
    y = np.asarray(data["y"])
    for name, values in {"y": y, "groups": groups}.items():
        if values is not None and len(values) != len(X):
            raise ValueError(f"X has {len(X)} rows and {name} has {len(values)}; each row needs exactly one")
    if len(X) == 0:
        raise ValueError("X has no rows; load at least one sample")
    for row, label in enumerate(y):
        if is_missing(label):
            refuse(row, "y", "no label", "label the row or drop it before splitting")
    return X, y, None if groups is None else np.asarray(groups)
