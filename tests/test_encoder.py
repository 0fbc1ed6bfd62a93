"""The cache of features: the same numbers, computed once, and never a leak."""

import os
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from mmtutor import image
from mmtutor.encoder import Cached, Encoder, cache_folder
from mmtutor.image import HOG, Pixels
from mmtutor.table import File


class Counting(Encoder):
    """Mean and maximum of a picture; remembers how many pictures it saw."""

    seen = 0

    def __init__(self, scale=1.0):
        self.scale = scale

    _n_features_out = 2

    def transform(self, X):
        Counting.seen += len(X)
        return np.array([[self.scale * picture.mean(), picture.max()] for picture in X]).reshape(-1, 2)


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    return pd.Series(list(rng.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)), name="image")


@pytest.fixture(autouse=True)
def count_from_zero():
    Counting.seen = 0


def test_features_are_the_encoders_own_and_computed_once(pictures, tmp_path):
    cached = Cached(Counting(), tmp_path)
    expected = Counting().fit_transform(pictures)
    Counting.seen = 0
    assert np.array_equal(cached.fit_transform(pictures), expected)
    assert Counting.seen == 12
    assert np.array_equal(cached.transform(pictures[::-1]), expected[::-1])
    assert np.array_equal(clone(cached).fit_transform(pictures.iloc[3:5]), expected[3:5])
    assert Counting.seen == 12  # another fold, another process: nothing is computed again


def test_only_new_objects_are_computed(pictures, tmp_path):
    cached = Cached(Counting(), tmp_path).fit(pictures)
    cached.transform(pictures[:5])
    assert np.array_equal(cached.transform(pictures), Counting().fit_transform(pictures))
    assert Counting.seen == 5 + 7 + 12


def test_other_parameters_and_other_pixels_are_other_features(pictures, tmp_path):
    one = Cached(Counting(scale=1.0), tmp_path).fit_transform(pictures)
    two = Cached(Counting(scale=2.0), tmp_path).fit_transform(pictures)
    assert np.allclose(two[:, 0], 2 * one[:, 0])
    changed = pictures.iloc[0].copy()
    changed[0, 0, 0] ^= 1
    assert not np.array_equal(Cached(Counting(), tmp_path).fit_transform([changed])[0], one[0])


def test_an_encoder_that_learns_is_refused(pictures, tmp_path):
    for encoder in (TfidfVectorizer(), make_pipeline(TfidfVectorizer())):
        with pytest.raises(ValueError, match="it learns from its rows; cache encoders that do not"):
            Cached(encoder, tmp_path).fit(["a cat"])


def test_a_damaged_file_is_computed_anew(pictures, tmp_path):
    cached = Cached(Counting(), tmp_path)
    expected = cached.fit_transform(pictures)
    files = sorted(tmp_path.rglob("*.npy"))
    assert len(files) == 12
    files[0].write_bytes(b"")
    files[1].write_bytes(files[1].read_bytes()[:-3])
    files[2].write_bytes(pickle.dumps(print))  # never unpickled
    assert np.array_equal(cached.transform(pictures), expected)
    assert Counting.seen == 12 + 3


def test_a_folder_that_cannot_be_written_is_a_warning_and_no_loss(pictures, tmp_path):
    (tmp_path / "a file").write_text("")
    with pytest.warns(UserWarning, match="features are not kept: .*set MMTUTOR_CACHE to a folder"):
        features = Cached(Counting(), tmp_path / "a file").fit_transform(pictures)
    assert np.array_equal(features, Counting().fit_transform(pictures))


def test_an_error_of_the_encoder_names_row_and_column_through_the_cache(pictures, tmp_path):
    cached = Cached(HOG(size=16), tmp_path).fit(pictures)
    pictures.iloc[7] = np.zeros((0, 8, 3), np.uint8)
    with pytest.raises(ValueError, match=r"row 7, column 'image': 8 x 0 pixels"):
        cached.transform(pictures)
    pictures.iloc[7] = None
    with pytest.raises(ValueError, match=r"row 7, column 'image': missing"):
        cached.transform(pictures)


def test_a_file_is_known_by_its_place_size_and_time(pictures, tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), pictures.iloc[0])
    opened = []
    monkeypatch.setattr(image, "read", lambda path, read=image.read: opened.append(path) or read(path))
    cell = File(path, lambda path: image.read(path))
    cached = Cached(HOG(size=16), tmp_path / "features").fit([cell])
    first = cached.transform([cell])
    assert np.array_equal(cached.transform([cell]), first) and len(opened) == 1
    cv2.imwrite(str(path), pictures.iloc[1])
    os.utime(path, ns=(1, 1))
    assert not np.array_equal(cached.transform([cell]), first) and len(opened) == 2


def test_another_reader_of_the_same_file_is_another_object(pictures, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.dstack([pictures.iloc[0], np.full((8, 8), 99, np.uint8)])).save(path)
    cells = [File(path, image.read), File(path, partial(image.read, background=(0, 0, 0)))]
    white, black = (Cached(Pixels(), tmp_path / "features").fit_transform([cell]) for cell in cells)
    assert white.mean() > black.mean()


def test_an_interrupted_run_keeps_what_it_has_done(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr("mmtutor.encoder.CHUNK", 5)
    pictures.iloc[11] = None
    with pytest.raises(ValueError, match="row 11"):
        Cached(HOG(size=16), tmp_path).fit_transform(pictures)
    pictures.iloc[11] = np.zeros((0, 1, 3), np.uint8)
    with pytest.raises(ValueError, match="row 11"):
        Cached(HOG(size=16), tmp_path).fit_transform(pictures)
    assert len(list(tmp_path.rglob("*.npy"))) == 10


def test_several_writers_do_not_disturb_each_other(pictures, tmp_path):
    def encode(_):
        return Cached(HOG(size=16), tmp_path).fit_transform(pictures)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(encode, range(8)))
    assert all(np.array_equal(result, results[0]) for result in results)
    assert len(list(tmp_path.rglob("*"))) == 1 + 12  # no half-written file is left


def test_no_rows_and_feature_names(pictures, tmp_path):
    cached = Cached(HOG(size=16), tmp_path).fit(pictures)
    assert cached.transform(pictures[:0]).shape == (0, 36)
    assert list(cached.get_feature_names_out()[:2]) == ["hog0", "hog1"]


def test_where_features_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("MMTUTOR_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("MMTUTOR_CACHE")
    assert cache_folder().name == "mmtutor" and cache_folder() != Path()


def test_code_that_has_changed_is_another_encoder(pictures, tmp_path, monkeypatch):
    Cached(Counting(), tmp_path).fit_transform(pictures)
    monkeypatch.setattr("inspect.getsource", lambda kind: "class Counting: # new")
    Cached(Counting(), tmp_path).fit_transform(pictures)
    assert Counting.seen == 24


def test_a_plain_function_can_be_cached(pictures, tmp_path):
    mean = FunctionTransformer(np.vstack)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert get_shape(Cached(mean, tmp_path), pd.Series([[1, 2], [3, 4]])) == (2, 2)


def get_shape(encoder, column):
    return encoder.fit_transform(column).shape
