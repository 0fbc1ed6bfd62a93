"""The ten networks of chapter 9: broken as they should be, and what counts as mended."""

import numpy as np
import pytest

from mmtutor import broken
from mmtutor.broken import P, W, Y, answer, inputs, keras, layers, read, see, train

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in Keras

MESSAGES = {
    "missing_import": "NameError: name 'Concatenate' is not defined",
    "strings": "Cast string to int32 is not supported",
    "no_embedding": "expected ndim=3, found ndim=2",
    "different_rank": "requires inputs with matching shapes except for the concatenation axis",
    "no_batch_axis": "'x' sizes: 24, 6",
    "wrong_labels": "must have the same rank (ndim). Received: target.shape=(12,), output.shape=(12, 8)",
    "different_widths": "incompatible shapes. Received shapes (16,) and (8,)",
    "forgotten_input": "is not connected to `inputs`",
    "small_vocabulary": "is not in [0, 10)",
    "numpy_inside": "A KerasTensor is symbolic",
}


@pytest.fixture(scope="module")
def healthy():
    return broken.healthy()


@pytest.mark.parametrize("patient", broken.PATIENTS, ids=lambda patient: patient.__name__)
def test_each_patient_has_the_message_that_chapter_09_reads(patient):
    found = broken.message(patient)
    assert MESSAGES[patient.__name__] in found, found
    assert "\x1b" not in found and "{{" not in found and "/" not in found


def test_there_are_ten_and_each_has_one_mistake():
    assert [patient.__name__ for patient in broken.PATIENTS] == list(MESSAGES)
    assert broken.message(broken.healthy) == "runs"


def test_the_healthy_network_counts_as_mended_except_where_a_sum_is_wanted(healthy):
    assert [p.__name__ for p in broken.PATIENTS if not broken.is_mended(healthy, p)] == ["different_widths"]


def test_a_network_that_ignores_a_modality_is_not_mended():
    picture, text = inputs()
    deaf = train(keras.Model([picture, text], answer(layers.Concatenate()([see(picture)] * 2))), [P, W], Y)
    assert not broken.is_mended(deaf, broken.strings)


def test_a_network_that_was_never_trained_is_not_mended():
    picture, text = inputs()
    model = keras.Model([picture, text], answer(layers.Average()([see(picture), read(text)])))
    model.compile("adam", "categorical_crossentropy")
    assert not broken.is_mended(model, broken.different_widths)
    model.fit([P, W], np.asarray(Y), verbose=0)
    assert broken.is_mended(model, broken.different_widths)
