"""What the encoders of the course share, and a cache for those that learn nothing.

An encoder f_i turns one column of raw objects into a float array (n_samples, n_features_i).
"""

import inspect
import os
import tempfile
import warnings
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.utils import get_tags

from mmtutor import __version__
from mmtutor.table import File, cells

CHUNK = 256  # objects that are encoded, then kept, at once


class Encoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base of encoders: features are named after the class (hog0, hog1, …).

    A subclass has ``transform`` and ``_n_features_out``; one that learns has ``fit`` and sets
    ``learns = True``. Taught in chapter 2.
    """

    learns = False  # from the samples it is fitted on

    def fit(self, X, y=None):
        """Do nothing: there is nothing to learn. X: n_samples raw objects."""
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = self.learns
        tags.input_tags.two_d_array = False
        return tags


class Cached(TransformerMixin, BaseEstimator):
    """Keep the features of each object on disk, so that a slow encoder sees it only once.

    Parameters
    ----------
    encoder : transformer that learns nothing
        Its features depend on the object and on its own parameters only: HOG, MFCC, a frozen network.
    folder : str or Path, optional
        Where the features are kept, a small file an object; may be deleted at any time. By default
        ``features`` in the user's cache folder, or in the folder that MMTUTOR_CACHE names.

    Raises
    ------
    ValueError
        By ``fit``, if the encoder learns: features kept from one fold would leak into the next.

    Notes
    -----
    The key is the object's content (for a File: path, size, time of change and reader), the encoder's
    parameters, its code, and the version of mmtutor. A damaged file is computed anew; a folder that cannot be
    written is a warning, no error.
    Taught in chapter 4.
    """

    def __init__(self, encoder, folder=None):
        self.encoder = encoder
        self.folder = folder

    def fit(self, X, y=None):
        """Check the encoder; X is not used."""
        if get_tags(self.encoder).requires_fit:
            raise ValueError(f"Cached({self.encoder}): it learns from its rows; cache encoders that do not")
        self.encoder_ = clone(self.encoder).fit(X)
        return self

    def transform(self, X) -> np.ndarray:
        """Encode each object, or take its features from the folder.

        Parameters
        ----------
        X : n_samples raw objects

        Returns
        -------
        float array, shape (n_samples, n_features)

        Raises
        ------
        ValueError
            What the encoder raises; the message names the row and the column.
        """
        column = X if isinstance(X, pd.Series | pd.DataFrame) else pd.Series(list(X), dtype=object, name="X")
        folder = self._folder()
        files = [folder / f"{_key(cell)}.npy" for cell in cells(column, lambda cell: None, "", read=False)]
        features = [_load(file) for file in files]
        new = [row for row, found in enumerate(features) if found is None]
        for start in range(0, len(new), CHUNK):  # what an interrupted run has done is kept
            rows = new[start : start + CHUNK]
            for row, found in zip(rows, np.asarray(self.encoder_.transform(column.iloc[rows])), strict=True):
                features[row] = found
                _save(files[row], found)
        return np.array(features) if features else np.asarray(self.encoder_.transform(column))

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Name the features as the encoder does."""
        return self.encoder_.get_feature_names_out(input_features)

    def _folder(self) -> Path:
        kind = type(self.encoder)
        code = [inspect.getsource(each) for each in kind.__mro__[:-1]]  # without `object`
        about = joblib.hash((__version__, code, self.encoder.get_params()))
        folder = Path(self.folder) if self.folder is not None else cache_folder() / "features"
        return folder / f"{kind.__name__}-{about}"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags


def cache_folder() -> Path:
    """The folder for what can be computed or downloaded again. Taught in chapter 4.

    Returns
    -------
    Path: what the environment variable MMTUTOR_CACHE names, else ``mmtutor`` in the user's cache folder
    """
    import pooch

    return Path(os.environ.get("MMTUTOR_CACHE") or pooch.os_cache("mmtutor"))


def _key(cell) -> str:
    if isinstance(cell, File):
        stat = cell.path.stat()
        cell = (str(cell.path.resolve()), stat.st_size, stat.st_mtime_ns, _name(cell.reader))
    return joblib.hash(cell)


def _name(reader) -> tuple:
    if isinstance(reader, partial):
        return _name(reader.func), reader.args, reader.keywords
    return reader.__module__, reader.__qualname__


def _load(file: Path) -> np.ndarray | None:
    try:
        return np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):  # not there yet, or damaged
        return None


def _save(file: Path, features: np.ndarray) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".new", delete=False) as new:
            np.save(new, features)
        Path(new.name).replace(file)  # whole or not at all, also when several processes write
    except OSError as error:
        warnings.warn(
            f"features are not kept: {error}; set MMTUTOR_CACHE to a folder that can be written", stacklevel=3
        )
