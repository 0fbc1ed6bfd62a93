"""Real data sets from OpenML by name and version, with what to use instead where there is no network."""

import gzip
import json
import warnings
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

import pandas as pd
from sklearn.datasets import fetch_openml, load_digits
from sklearn.utils import Bunch

from mmtutor.download import time_limit
from mmtutor.encoder import cache_folder

NO_ANSWER = "what came was no answer of OpenML; a log-in page or a proxy may stand in between"
KEYS = {"data", "data_set_description", "data_features", "data_qualities", "error"}  # with which answers open


def load_openml(
    name: str,
    version: int = 1,
    stand_in: Callable[[], Bunch] | None = None,
    folder: str | Path | None = None,
    timeout: float = 10,
) -> Bunch:
    """Load a data set from openml.org, once: later calls read the copy on this computer.

    Parameters
    ----------
    name : str
        As OpenML writes it, such as ``"optdigits"``, ``"mnist_784"`` or ``"titanic"``.
    version : int, default=1
        A name may have several versions, which may differ in everything: always say which.
    stand_in : function that gives a Bunch with data and target, optional
        Called where the data set is not on this computer and cannot be fetched.
    folder : str or Path, optional
        Where copies are kept, in a folder ``openml``; by default the cache folder.
    timeout : float, default=10
        Seconds to wait for an answer, or for the next piece of it; looking up the server's address and a
        long download may take longer. A failed request is tried again.

    Returns
    -------
    Bunch
        data : pd.DataFrame, shape (n_samples, n_features)
        target : pd.Series, shape (n_samples,)
        origin : str
            Where it came from: ``"openml.org, optdigits, version 1"``, or ``"stand-in"`` and why.
        and what else scikit-learn's `fetch_openml` gives (DESCR, details, url, …).

    Raises
    ------
    OSError
        If it is not on this computer, cannot be fetched, and there is no `stand_in`. What comes from a log-in
        page or a proxy in place of OpenML's answer is not kept, and counts as not fetched.
    ValueError
        If OpenML says that it has no data set of that name and version (which only OpenML can say: without a
        network a misspelled name gives the `stand_in`), or for a `timeout` that is not above 0.

    Notes
    -----
    OpenML: Vanschoren et al. (2013). Reads by scikit-learn's `fetch_openml`, which checks the file's MD5 sum,
    and by its parser in plain Python: a table of many megabytes such as ``mnist_784`` takes minutes.
    Taught in chapter 6.
    """
    folder = Path(folder) if folder is not None else cache_folder()
    with time_limit(timeout):
        try:
            data = _fetch_or_forget(name, version, folder)
        except (OSError, HTTPException, ValueError) as error:  # an HTTP error, too, is an OSError
            data, why = None, _reason(error, timeout)
    if data is None:
        found = f"{name!r}, version {version}, is not on this computer and could not be fetched ({why})"
        if stand_in is None:
            raise OSError(
                f"{found}; connect to a network once: the copy is kept in {folder}. Or give a stand_in"
            )
        data = stand_in()
        data.origin = f"stand-in: {found}"
        return data
    data.origin = f"openml.org, {name}, version {version}"
    return data


def small_digits() -> Bunch:
    """Give the 1,797 scans that scikit-learn ships in the form of OpenML's ``optdigits``.

    Returns
    -------
    Bunch
        data : pd.DataFrame of int, shape (1797, 64)
            Columns ``input1`` to ``input64``: 8 x 8 pixels row by row, 0 (paper) to 16 (ink).
        target : pd.Series of categories, shape (1797,)
            ``"0"`` to ``"9"``.
        DESCR : str

    Notes
    -----
    ``optdigits`` has 5,620 scans by 43 people; these are the part that its authors kept for testing, by 13
    others than the rest. Neither says who wrote which. Taught in chapter 6.
    """
    digits = load_digits()
    columns = [f"input{n}" for n in range(1, 65)]
    return Bunch(
        data=pd.DataFrame(digits.data, columns=columns, dtype="int64"),
        target=pd.Series(digits.target.astype(str), name="class", dtype="category"),
        DESCR=digits.DESCR,
    )


def _fetch(name: str, version: int, folder: Path) -> Bunch:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Invalid cache|A network error occurred")  # it tries again
        return fetch_openml(
            name,
            version=version,
            data_home=folder,
            as_frame=True,
            parser="liac-arff",
            n_retries=1,
            delay=0.1,
        )


def _fetch_or_forget(name: str, version: int, folder: Path, again: bool = True) -> Bunch:
    """Fetch, and do not keep what is no answer of OpenML: fetch_openml would read it for ever."""
    try:
        return _fetch(name, version, folder)
    except (ValueError, LookupError, TypeError, AttributeError):
        wrong = [path for path in (folder / "openml").rglob("api/**/*.gz") if not _is_answer(path)]
        for path in wrong:
            path.unlink(missing_ok=True)
        if not wrong:
            raise
        if not again:
            raise OSError(NO_ANSWER) from None
    return _fetch_or_forget(name, version, folder, again=False)


def _is_answer(path: Path) -> bool:
    try:
        found = json.loads(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, zlib.error, ValueError):
        return False
    return isinstance(found, dict) and any(isinstance(found.get(key), dict) for key in KEYS)


def _reason(error: Exception, timeout: float) -> str:
    """Why nothing came, in words; an error that is the caller's is raised again."""
    if isinstance(error, ValueError) and "checksum" in str(error):
        return "what came was not whole"
    if isinstance(error, ValueError):
        raise error
    if "timed out" in str(error):
        return f"no answer within {timeout:g} s"
    return str(getattr(error, "reason", "") or error) or type(error).__name__
