"""What chapters may rely on in encoders trained elsewhere: right weights, right preprocessing."""

import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_sample_images

import build_efficientnet
from contract import each_check, keep_encoder_contract, pass_check
from mmtutor import image, pretrained
from mmtutor.datasets import DATA, load_emoji
from mmtutor.encoder import Cached
from mmtutor.pretrained import VGG16, EfficientNet, GloVe, efficientnet_lite0, glove, vgg16
from mmtutor.table import File
from mmtutor.text import words

ROOT = Path(__file__).parents[1]
PALACE, DAISY = 698, 985  # of ImageNet's 1,000 classes
SMALL = EfficientNet(size=64, batch_size=16)


@pytest.fixture(scope="module")
def emoji():
    rows = np.random.default_rng(0).permutation(1378)[:20]
    return load_emoji(text="name").X.iloc[rows]  # the index is shuffled, as after any split


@pytest.fixture(scope="module")
def classifier():
    return efficientnet_lite0(include_top=True)


@pytest.fixture(scope="module")
def photographs():
    """A Chinese palace and a flower, cut to the middle as the network was trained: float, 0-255."""
    return np.array([middle(picture) for picture in load_sample_images().images], np.float32)


def middle(picture, size=224):
    side = int(0.875 * min(picture.shape[:2]))
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    cut = picture[top : top + side, left : left + side]
    return cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA)


# EfficientNet-Lite0


def test_photographs_are_named_rightly(classifier, photographs):
    probabilities = classifier.predict(photographs, verbose=0)
    assert probabilities.shape == (2, 1000) and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert probabilities.argmax(axis=1).tolist() == [PALACE, DAISY]
    assert probabilities.max(axis=1).tolist() == pytest.approx([0.36, 0.29], abs=0.02)


def test_the_model_rescales_by_itself_so_that_rescaling_before_it_ruins_the_answer(classifier, photographs):
    right = classifier.predict(photographs, verbose=0)
    assert classifier.predict(photographs / 255, verbose=0).argmax(axis=1).tolist() != [PALACE, DAISY]
    backwards = classifier.predict(photographs[..., ::-1], verbose=0)
    assert np.abs(backwards - right).max() > 0.05


def test_the_first_layer_is_the_published_preprocessing(classifier, photographs):
    rescaled = classifier.get_layer("rescale")(photographs)
    assert np.array_equal(rescaled, (photographs - 127) / 128)


def test_the_network_can_be_cut_after_a_block(photographs):
    keras = pretrained.import_keras()
    whole = efficientnet_lite0(size=56)
    cut = whole.get_layer("block10").output
    below, above = keras.Model(whole.input, cut), keras.Model(cut, whole.output)
    pictures = photographs[:, ::4, ::4]
    assert np.allclose(above(below(pictures)), whole(pictures), atol=1e-5)


def test_blocks_can_be_frozen_by_name(classifier):
    names = [layer.name for layer in classifier.layers]
    blocks = [name for name in names if name.startswith("block") and "_" not in name]
    assert blocks == [f"block{i:02}" for i in range(16)]
    block15 = {name.removeprefix("block15_") for name in names if name.startswith("block15_")}
    assert {"expand", "depthwise", "project"} <= block15
    sizes = {layer.name: sum(int(np.prod(w.shape)) for w in layer.weights) for layer in classifier.layers}
    assert [sizes[f"block15_{part}"] for part in ("expand", "depthwise", "project")] == [
        192 * 1152,
        3 * 3 * 1152,
        1152 * 320,
    ]


def test_every_weight_of_the_shipped_file_has_its_place(classifier):
    with np.load(DATA / "efficientnet_lite0" / "efficientnet_lite0.npz") as stored:
        ours = {f"{layer.name}/{weight.name}" for layer in classifier.layers for weight in layer.weights}
        assert set(stored.files) == ours
        kinds = {name: stored[name].dtype for name in stored.files}
    assert all(kind == (np.float32 if "_bn/" in name else np.float16) for name, kind in kinds.items())


def test_without_weights_the_network_is_random_but_repeatable():
    keras = pretrained.import_keras()
    kernels = []
    for seed in (0, 0, 1):
        keras.utils.set_random_seed(seed)
        kernels.append(efficientnet_lite0(size=32, weights=None).get_layer("head").kernel.numpy())
    assert np.array_equal(kernels[0], kernels[1]) and not np.array_equal(kernels[0], kernels[2])
    with pytest.raises(ValueError, match="weights='noisy-student' is unknown; choose 'imagenet' or None"):
        efficientnet_lite0(weights="noisy-student")


def test_the_encoder_gives_what_the_model_gives(emoji):
    pictures = np.array([cv2.resize(each, (96, 96), interpolation=cv2.INTER_CUBIC) for each in emoji.image])
    by_hand = efficientnet_lite0(size=96).predict(pictures.astype(np.float32), verbose=0)
    features = EfficientNet().fit_transform(emoji.image)
    assert features.shape == (20, 1280) and features.dtype == np.float32
    assert np.allclose(features, by_hand, atol=1e-4)
    assert np.allclose(EfficientNet(batch_size=3).transform(emoji.image), features, atol=1e-4)


def test_wrong_channel_order_and_wrong_range_change_the_features(emoji):
    right = SMALL.transform(emoji.image)
    for wrong in (lambda x: x[..., ::-1], lambda x: x // 255):
        changed = SMALL.transform(emoji.image.map(wrong))
        assert np.linalg.norm(changed - right) > 0.3 * np.linalg.norm(right)


def test_pictures_of_any_shape_and_files_are_read_as_they_come(tmp_path):
    photographs = load_sample_images().images
    paths = [tmp_path / f"{i}.png" for i in range(2)]
    for path, picture in zip(paths, photographs, strict=True):
        cv2.imwrite(str(path), picture[..., ::-1])
    files = pd.Series([File(path, image.read) for path in paths], dtype=object)
    assert np.array_equal(SMALL.transform(files), SMALL.transform(photographs))
    shrunk = [cv2.resize(each, (64, 64), interpolation=cv2.INTER_AREA) for each in photographs]
    assert np.array_equal(SMALL.transform(shrunk), SMALL.transform(photographs))


def test_the_network_is_built_once_and_is_no_part_of_the_estimator(emoji, monkeypatch):
    SMALL.transform(emoji.image[:1])
    monkeypatch.setattr(pretrained, "efficientnet_lite0", None)
    EfficientNet(size=80).transform(emoji.image[:2])
    assert len(pickle.dumps(EfficientNet().fit(emoji.image))) < 200


def test_bad_pictures_and_bad_parameters_are_refused(emoji):
    column = emoji.image.copy()
    column.iloc[17] = column.iloc[17][..., 0]
    row = column.index[17]
    with pytest.raises(
        ValueError, match=rf"row {row}, column 'image': an array of shape \(64, 64\); an image"
    ):
        SMALL.transform(column)
    column.iloc[17] = None
    with pytest.raises(ValueError, match=rf"row {row}, column 'image': missing; "):
        SMALL.transform(column)
    for name, value in (("size", 31), ("size", 96.0), ("batch_size", 0)):
        with pytest.raises(ValueError, match=rf"EfficientNet\({name}={value}\): not a whole number of"):
            EfficientNet(**{name: value}).fit(column)
    assert SMALL.transform([]).shape == (0, 1280)


def test_cached_features_equal_computed_ones(emoji, tmp_path, monkeypatch):
    monkeypatch.setenv("MMTUTOR_CACHE", str(tmp_path))
    computed = Cached(SMALL).fit_transform(emoji.image)
    assert len(list(tmp_path.rglob("*.npy"))) == 20
    monkeypatch.setattr(EfficientNet, "transform", None)
    assert np.array_equal(Cached(SMALL).fit_transform(emoji.image), computed)
    monkeypatch.undo()
    assert np.allclose(SMALL.transform(emoji.image), computed, atol=1e-4)


# VGG16


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """An empty folder in place of ~/.keras."""
    pretrained.import_keras()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    return tmp_path


def fetch_from(monkeypatch, address):
    monkeypatch.setattr("keras.src.applications.vgg16.WEIGHTS_PATH_NO_TOP", address)


def test_untrained_vgg16_has_the_published_shape_and_its_preprocessing_inside():
    network = pretrained.import_keras().applications.vgg16
    model = vgg16(size=64, weights=None)
    assert model.output_shape == (None, 2, 2, 512)
    assert model.count_params() == 14_714_688
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)
    by_hand = pretrained.import_keras().Model(model.get_layer("block1_conv1").output, model.output)
    first = model.get_layer("block1_conv1")(network.preprocess_input(pictures.copy()))
    assert np.allclose(model(pictures), by_hand(first), atol=1e-4)
    for wrong in ({"size": 31}, {"pooling": "mean"}):
        with pytest.raises(ValueError, match="give 32 or more, and None, 'avg' or 'max'"):
            vgg16(weights=None, **wrong)


def test_without_a_network_vgg16_says_what_is_missing_and_leaves_nothing_behind(
    keras_home, monkeypatch, capfd
):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        fetch_from(monkeypatch, f"http://127.0.0.1:{closed.getsockname()[1]}/{pretrained.VGG16_FILE}")
        with pytest.raises(OSError) as error:
            vgg16(size=64)
    message = str(error.value)
    assert message.startswith("the weights of VGG16 are not on this computer and could not be fetched (URL ")
    assert "go on with EfficientNet, which is shipped with the course" in message
    assert message.endswith(f"put the file into {keras_home / 'models'} by hand: {pretrained.VGG16_FILE}")
    assert list(keras_home.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_server_that_never_answers_is_given_up(keras_home, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fetch_from(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}/{pretrained.VGG16_FILE}")
        begin = time.monotonic()
        with pytest.raises(OSError, match=r"could not be fetched .*timed out"):
            vgg16(size=64, timeout=0.5)
    assert time.monotonic() - begin < 10
    assert socket.getdefaulttimeout() is None
    assert list(keras_home.iterdir()) == []


def answer(server, content):
    """Answer one request."""
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)


def test_a_file_that_is_not_the_weights_is_not_kept(keras_home, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=(server, b"please log in"), daemon=True).start()
        fetch_from(monkeypatch, f"http://127.0.0.1:{server.getsockname()[1]}/{pretrained.VGG16_FILE}")
        with pytest.raises(OSError, match="Incomplete or corrupted file"):
            vgg16(size=64, timeout=5)
    assert list(keras_home.iterdir()) == []


@pytest.mark.parametrize("timeout", [0, -1.0, True, "20"])
def test_a_time_limit_for_vgg16_is_above_zero(timeout):
    with pytest.raises(ValueError, match=r"timeout=.* no number of seconds above 0"):
        vgg16(size=64, timeout=timeout)


def test_vgg16_works_with_the_file_that_keras_finds(keras_home, monkeypatch, emoji):
    """Random weights in the format of the published file, which has 59 MB; Keras would refuse their sum."""
    from keras.src.legacy.saving import legacy_h5_format

    keras = pretrained.import_keras()
    keras.utils.set_random_seed(0)
    source = keras.applications.VGG16(include_top=False, weights=None, input_shape=(64, 64, 3), pooling="avg")
    file = keras_home / "models" / pretrained.VGG16_FILE
    file.parent.mkdir()
    with h5py.File(file, "w") as published:
        legacy_h5_format.save_weights_to_hdf5_group(published, source)
    monkeypatch.setattr("keras.src.utils.file_utils.validate_file", lambda *_, **__: True)
    features = VGG16(size=64).fit_transform(emoji.image)
    VGG16._network.cache_clear()
    pictures = keras.applications.vgg16.preprocess_input(np.array(list(emoji.image), np.float32))
    assert features.shape == (20, 512)
    assert np.allclose(features, source.predict(pictures, verbose=0), atol=1e-4)
    assert np.abs(features).max() > 0.01


# GloVe


def test_vectors_of_like_words_are_near():
    vectors = glove()
    assert len(vectors) == 5453 and next(iter(vectors)) == "the"
    assert all(vector.shape == (50,) and vector.dtype == np.float32 for vector in vectors.values())
    names = ["cat", "dog", "car", "truck"]
    near = np.corrcoef([vectors[name] for name in names])
    assert near[0, 1] > 0.9 and near[2, 3] > 0.8
    assert near[:2, 2:].max() < 0.6


def test_the_table_of_vectors_cannot_be_spoiled_for_others():
    vectors = glove()
    del vectors["cat"]
    assert "cat" in glove()
    with pytest.raises(ValueError, match="read-only"):
        vectors["dog"][0] = 1


def test_the_words_of_nearly_all_emoji_names_and_everyday_scenes_are_known():
    known = glove().keys()
    named = {word for name in load_emoji(text="name").X.text for word in words(name)}
    assert len(named - known) / len(named) < 0.05
    assert {"cats", "left", "right", "above", "below", "many", "three", "7", "seven"} <= known


def test_a_text_is_the_mean_of_its_known_words(emoji):
    vectors = glove()
    features = GloVe().fit_transform(["Red apple!", "red qwxyz apple", "qwxyz", ""])
    assert features.shape == (4, 50)
    assert np.allclose(features[:2], (vectors["red"] + vectors["apple"]) / 2, atol=1e-6)
    assert not features[2:].any()


def test_a_missing_text_is_refused():
    with pytest.raises(ValueError, match="row 1, column 'text': missing"):
        GloVe().fit_transform(pd.Series(["cat", None], name="text"))


# The contract: clone, refit, halves, shuffled index, pickling

ESTIMATORS = [SMALL, GloVe()]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_an_encoder_keeps_the_estimator_contract(estimator, emoji):
    column = emoji.text if isinstance(estimator, GloVe) else emoji.image
    whole = clone(estimator).fit_transform(column)
    fitted = clone(estimator).fit(column)
    assert np.array_equal(keep_encoder_contract(fitted, column, rounding=1e-4), whole)


@pytest.mark.parametrize("estimator", [*ESTIMATORS, VGG16()], ids=repr)
@each_check
def test_scikit_learns_own_checks_pass(estimator, check):
    pass_check(estimator, check)


# Quiet, light, built by a script


def test_tensorflow_loads_when_a_network_is_needed_and_prints_nothing_but_errors():
    code = """
import os, sys
import mmtutor.pretrained
assert "keras" not in sys.modules and "tensorflow" not in sys.modules
keras = mmtutor.pretrained.import_keras()
import numpy as np
model = keras.Sequential([keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D()])
model.compile("adam", "mse")
model.fit(np.zeros((2, 8, 8, 3)), np.zeros((2, 2)), verbose=0)
os.write(2, b"visible")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "visible")


class Evil:
    def __reduce__(self):
        return os.system, ("exit 1",)


def test_a_file_of_weights_may_not_run_a_program():
    content = pickle.dumps(Evil())
    with pytest.raises(pickle.UnpicklingError, match=r"system has no place in a file of weights"):
        build_efficientnet.read_torch(content)
    with pytest.raises(ValueError, match="not a file of weights in PyTorch's old format"):
        build_efficientnet.read_torch(pickle.dumps(17))


def test_the_same_arrays_give_the_same_file(tmp_path, monkeypatch):
    arrays = {"a/kernel": np.arange(6, dtype=np.float16).reshape(2, 3), "words": np.array(["cat", "猫"])}
    paths = [tmp_path / f"{i}.npz" for i in range(2)]
    build_efficientnet.write_npz(arrays, paths[0])
    monkeypatch.setattr(time, "time", lambda: 2e9)
    build_efficientnet.write_npz(arrays, paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with np.load(paths[0], allow_pickle=False) as stored:
        assert all(np.array_equal(stored[name], arrays[name]) for name in arrays)


WANTED = os.environ.get("MMTUTOR_REBUILD") == "1"


@pytest.mark.skipif(not WANTED, reason="needs pip, a network and a minute; set MMTUTOR_REBUILD=1")
@pytest.mark.parametrize("tool", ["build_efficientnet.py", "build_glove.py"])
def test_the_folder_can_be_built_again(tool):
    if tool == "build_glove.py":
        pytest.importorskip("pyarrow")
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / tool), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
