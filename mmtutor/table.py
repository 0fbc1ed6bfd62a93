"""The table: one row a sample, one column a modality. What every encoder checks in a column.

All errors about data have one form: the row, the column, what was found, what to do.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

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
    raise ValueError(f"row {row}, column {column!r}: {found}; {cure}")


@dataclass(frozen=True, slots=True)
class File:
    """An object that is still on disk: `cells` reads it when an encoder comes to it, and keeps nothing.

    Parameters
    ----------
    path : Path
    reader : function of a path
        `mmtutor.image.read` or `mmtutor.audio.read`, for instance.

    Notes
    -----
    A table of files is small, whatever the size of the folder. Taught in chapters 14 and 15.
    """

    path: Path
    reader: Callable[[Path], object]

    def read(self):
        """Read the object. Raises what the reader raises."""
        return self.reader(self.path)


def is_missing(cell) -> bool:
    """Say whether a cell holds no object: None, NaN or NaT; not the empty string. Taught in chapter 5."""
    return bool(pd.api.types.is_scalar(cell) and pd.isna(cell))


def cells(
    column: Iterable, problem: Callable[[object], str | None], cure: str, read: bool = True
) -> Iterator:
    """Go through the objects of one modality and refuse the first that cannot be used.

    Parameters
    ----------
    column : pd.Series or other iterable of raw objects
        A Series lends its name and index to the error.
    problem : function of one object
        What is wrong with it in a few words, or None.
    cure : str
        What to do about it, for the error.
    read : bool, default=True
        Whether an object that is still on disk, a `File`, is read.

    Yields
    ------
    The objects, one by one.

    Raises
    ------
    ValueError
        For a missing object, for one that has a problem or cannot be read, and for a table in place of a
        column.

    Notes
    -----
    Taught in chapter 2.
    """
    if isinstance(column, pd.DataFrame):
        name = str(column.columns[0])
        raise ValueError(f"an encoder reads one column, not a table; name it {name!r}, not [{name!r}]")
    series = column if isinstance(column, pd.Series) else pd.Series(list(column), dtype=object, name="X")
    for row, cell in series.items():
        if is_missing(cell):
            refuse(
                row, series.name, "missing", "drop the row, fill it, or leave this modality out (chapter 05)"
            )
        if read and isinstance(cell, File):
            try:
                cell = cell.read()
            except (OSError, ValueError) as error:
                raise ValueError(f"row {row}, column {series.name!r}: {error}") from None
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
    for name, objects in columns.items():
        if isinstance(objects, str):
            raise ValueError(f"column {name!r}: one str, not a sequence of objects; write [{objects[:20]!r}]")
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
    objects = [None if is_missing(cell) else cell for cell in objects]
    kinds = {type(cell) for cell in objects if cell is not None}
    if kinds == {str}:
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
        If X is no table, is empty, a label or group is missing, or y or groups differ from X in length.

    Notes
    -----
    Taught in chapter 1.
    """
    X, y, groups = data["X"], data["y"], data.get("groups")
    if not isinstance(X, pd.DataFrame):
        raise ValueError(f"X is a {type(X).__name__}; a multimodal data set is a table: use make_table")
    if len(X) == 0:
        raise ValueError("X has no rows; load at least one sample")
    return X, _one_a_row("y", y, len(X)), None if groups is None else _one_a_row("groups", groups, len(X))


def _one_a_row(name: str, values, n_rows: int) -> np.ndarray:
    if np.ndim(values) != 1:
        raise ValueError(f"{name} has {np.ndim(values)} dimensions; give one value a row, shape (n_samples,)")
    if len(values) != n_rows:
        raise ValueError(f"X has {n_rows} rows and {name} has {len(values)}; each row needs exactly one")
    for row, value in enumerate(values):
        if is_missing(value):
            refuse(row, name, "missing", "name it, or drop the row before splitting")
    return pd.Series(list(values)).infer_objects().to_numpy()
