"""What a user may rely on in the table of raw objects."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from mmtutor.table import cells, check_data, is_missing, make_table

PICTURE = np.zeros((4, 4, 3), np.uint8)


def test_a_table_has_a_row_a_sample_and_keeps_arrays_whole():
    table = make_table({"image": [PICTURE, PICTURE + 1], "text": ["a", ""]})
    assert table.shape == (2, 2)
    assert table.image[1] is not None and table.image[1].shape == (4, 4, 3)


def test_a_missing_modality_is_what_isna_says_and_an_empty_text_is_not():
    table = make_table({"image": [PICTURE, None], "text": [None, ""]})
    assert table.isna().to_numpy().tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize("value", [None, float("nan"), np.nan, pd.NA])
def test_missing(value):
    assert is_missing(value)


@pytest.mark.parametrize("value", ["", 0, PICTURE, np.array([np.nan]), "nan"])
def test_not_missing(value):
    assert not is_missing(value)


def test_unequal_columns_are_refused_with_row_column_and_cure():
    with pytest.raises(
        ValueError, match=r"row 1, column 'text'.*'image' has 2, 'text' has 1.*pair the samples"
    ):
        make_table({"image": [PICTURE, PICTURE], "text": ["a"]})


def test_cells_name_the_row_by_the_index_of_the_table():
    column = pd.Series([PICTURE, "no picture"], index=[40, 17], name="image", dtype=object)
    with pytest.raises(ValueError, match="row 17, column 'image': a str; read it"):
        list(cells(column, lambda cell: None if isinstance(cell, np.ndarray) else "a str", "read it"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (Bunch(X=[[1]], y=[0]), "X is a list"),
        (Bunch(X=pd.DataFrame({"a": [1, 2]}), y=[0]), "X has 2 rows and y has 1"),
        (Bunch(X=pd.DataFrame({"a": [1, 2]}), y=[0, 1], groups=["g"]), "X has 2 rows and groups has 1"),
        (Bunch(X=pd.DataFrame({"a": []}), y=[]), "X has no rows"),
        (Bunch(X=pd.DataFrame({"a": [1, 2]}), y=["b", None]), "row 1, column 'y': missing; name it"),
    ],
)
def test_data_that_does_not_fit_together_is_refused(data, words):
    with pytest.raises(ValueError, match=words):
        check_data(data)


def test_a_column_of_nothing_and_pandas_own_missing_value_become_none():
    table = make_table({"image": [None, None], "text": ["a", pd.NA]})
    assert (
        table.image.dtype == object
        and table.image.isna().all()
        and table.text.isna().tolist() == [False, True]
    )


def test_one_string_is_no_column_of_texts():
    with pytest.raises(ValueError, match="column 'text': one str, not a sequence"):
        make_table({"text": "abc"})


def test_a_table_in_place_of_a_column_is_refused_with_the_cure():
    with pytest.raises(ValueError, match=r"one column, not a table; name it 'image', not \['image'\]"):
        list(cells(pd.DataFrame({"image": [PICTURE]}), lambda cell: None, ""))


def test_labels_of_any_one_kind_are_accepted():
    X = pd.DataFrame({"a": range(3)})
    for y in (
        [1, 0, 1],
        ["a", "b", "a"],
        pd.Series([1, 0, 1], dtype="Int64"),
        np.array([True, False, True], object),
    ):
        assert check_data(Bunch(X=X, y=y))[1].dtype != object or isinstance(y[0], str)
    with pytest.raises(ValueError, match="y has 2 dimensions"):
        check_data(Bunch(X=X, y=[[1], [0], [1]]))
    with pytest.raises(ValueError, match="row 1, column 'groups': missing"):
        check_data(Bunch(X=X, y=[1, 0, 1], groups=[1, np.nan, 2]))
