"""A pretrained network that is trained on: what stays frozen, what moves, and where training begins."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from contract import each_check, keep_encoder_contract, pass_check
from mmtutor import finetune
from mmtutor.datasets import load_emoji
from mmtutor.evaluate import count_parameters
from mmtutor.finetune import FineTunedEfficientNet
from mmtutor.fusion import early_fusion
from mmtutor.keras_quietly import import_keras
from mmtutor.networks import KerasFusionClassifier, TextLSTM, _seeded
from mmtutor.pretrained import EfficientNet, efficientnet_lite0, shared_efficientnet

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in Keras

STILL = 1e-12  # a learning rate at which nothing moves that float32 could show
TUNED = FineTunedEfficientNet(size=32, epochs=1, batch_size=8)
SCRATCH = clone(TUNED).set_params(first_tuned="stem", weights=None)
BLOCK15 = (192 + 9 + 320) * 1152 + 320 * 1280  # expand, depthwise, project, and the head


def two_groups(n=24):
    data = load_emoji(text="name")
    rows = np.flatnonzero(np.isin(data.y, ["Animals & Nature", "Travel & Places"]))
    rows = np.random.default_rng(0).permutation(rows)[:n]  # the index is shuffled, as after any split
    return data.X.iloc[rows], data.y[rows]


X, y = two_groups()
CODES = np.unique(y, return_inverse=True)[1]


@pytest.fixture(scope="module")
def tuned():
    return clone(TUNED).set_params(epochs=4).fit(X.image, y)


@pytest.fixture(scope="module")
def scratch():
    return clone(SCRATCH).fit(X.image, y)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def changes(network, start) -> dict[str, float]:
    """By how much each weight of a network differs from that of the same name in another."""
    return {
        f"{layer.name}/{weight.name}": np.abs(weight.numpy() - theirs.numpy()).max()
        for layer in network.layers
        if layer.weights
        for weight, theirs in zip(layer.weights, start.get_layer(layer.name).weights, strict=True)
    }


# What moves


def test_the_tuned_weights_move_and_batch_normalization_and_everything_below_do_not(tuned):
    pristine = efficientnet_lite0(size=None)
    moved = changes(tuned.network_, pristine)
    assert {name.split("_")[0].split("/")[0] for name in moved} == {"block15", "head"}
    kernels = {name for name in moved if "_bn/" not in name}
    assert len(kernels) == 4 and min(moved[name] for name in kernels) > 1e-4
    assert len(moved) == 4 + 4 * 4 and max(moved[name] for name in moved.keys() - kernels) == 0
    assert max(changes(shared_efficientnet(), pristine).values()) == 0
    again = clone(tuned).fit(X.image, y)  # begins where the first began, not where it ended
    assert np.allclose(again.transform(X.image), tuned.transform(X.image), atol=1e-5)


def test_the_gradient_reaches_every_tuned_weight():
    import tensorflow as tf

    encoder = clone(TUNED).set_params(first_tuned="block13").adapt(X.image)
    arrays = encoder.prepare(X.image)
    network = encoder.network(arrays, name="mine")
    assert network.name == "mine" and network.output_shape == (None, 32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(arrays, training=True) ** 2)
    gradients = tape.gradient(loss, network.trainable_weights)
    assert len(gradients) == 3 * 3 + 1 + 2  # three blocks of three convolutions, the head, the dense layer
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_from_scratch_everything_is_trained_and_batch_normalization_too(scratch):
    shapes = efficientnet_lite0(size=32, weights=None)
    assert len(scratch.network_.trainable_weights) == len(shapes.trainable_weights) == 49 * 3
    assert scratch.n_trained_ == sum(int(np.prod(w.shape)) for w in shapes.trainable_weights)
    bn = scratch.network_.get_layer("block08_project_bn")
    assert all(np.ptp(w.numpy()) > 0 for w in (bn.gamma, bn.beta, bn.moving_mean, bn.moving_variance))
    pretrained = np.corrcoef(
        scratch.network_.get_layer("head").kernel.numpy().ravel(),
        shared_efficientnet().get_layer("head").kernel.numpy().ravel(),
    )
    assert abs(pretrained[0, 1]) < 0.05


@pytest.mark.parametrize(
    ("part", "shape"), [("head", (1, 1, 320)), ("block11", (2, 2, 112)), ("stem", (32, 32, 3))]
)
def test_the_parts_below_and_above_the_cut_make_the_whole_network(part, shape):
    encoder = clone(TUNED).set_params(first_tuned=part).adapt(X.image)
    arrays = encoder.prepare(X.image)
    assert arrays.shape == (24, *shape) and arrays.dtype == (np.uint8 if part == "stem" else np.float32)
    network, _ = encoder._build(arrays, CODES, 2)
    assert next(layer.name for layer in network.layers if layer.weights).startswith(part)
    assert np.allclose(network(arrays), EfficientNet(size=32).transform(X.image), atol=1e-3)


def test_every_part_can_be_the_first():
    whole = [layer.name for layer in shared_efficientnet().layers]
    assert len(finetune.BELOW) == 18
    for part, below in finetune.BELOW.items():
        assert whole[whole.index(below) + 1].startswith("rescale" if part == "stem" else part)


# Where training begins


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_softmax_begins_as_the_logistic_regression(n_classes):
    codes = np.arange(24) % n_classes
    features = EfficientNet(size=64).transform(X.image)
    features = features[:, features.std(axis=0) > finetune.LEAST]
    regression = make_pipeline(StandardScaler(), LogisticRegression(C=finetune.C, max_iter=1000))
    by_hand = regression.fit(features, codes).predict_proba(features)
    kernel, bias = finetune._logistic_start(features, codes)
    assert kernel.shape == (features.shape[1], n_classes) and bias.shape == (n_classes,)
    assert np.allclose(softmax(features @ kernel + bias), by_hand, atol=1e-4)


def test_a_feature_that_hardly_varies_gets_no_large_weight():
    features = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32) * [1, 1e-4, 0] + 2
    kernel, bias = finetune._logistic_start(features, (features[:, 1] > 2).astype(int))
    assert np.abs(kernel).max() < 1 and np.isfinite(bias).all()


def test_training_begins_with_the_accuracy_and_loss_of_the_frozen_network():
    still = clone(TUNED).set_params(learning_rate=STILL).fit(X.image, y)
    features = EfficientNet(size=32).transform(X.image)
    assert np.allclose(still.transform(X.image), features, atol=1e-3)
    kernel, bias = finetune._logistic_start(features, CODES)
    p = softmax(features @ kernel + bias)
    assert still.history_.accuracy[1] == pytest.approx((p.argmax(axis=1) == CODES).mean(), abs=1e-6)
    assert still.history_.loss[1] == pytest.approx(-np.log(p[np.arange(24), CODES]).mean(), abs=1e-3)
    assert still.history_.accuracy[1] > 0.8


def test_fine_tuning_fits_the_training_rows_better_and_better(tuned):
    assert list(tuned.history_.index) == [1, 2, 3, 4] and set(tuned.history_) == {"loss", "accuracy"}
    assert tuned.history_.loss[4] < tuned.history_.loss[1] / 2


# The contract


def test_features_are_the_same_in_halves_from_a_list_and_after_pickling(tuned):
    whole = keep_encoder_contract(tuned, X.image, rounding=1e-4)
    assert whole.shape == (24, 1280) and whole.dtype == np.float32
    assert tuned.transform([]).shape == (0, 1280)
    assert tuned.get_feature_names_out()[1279] == "finetunedefficientnet1279"


def test_a_pickle_holds_the_tuned_part_alone(tuned, scratch):
    for encoder in (tuned, scratch):
        again = pickle.loads(pickle.dumps(encoder))
        assert np.allclose(again.transform(X.image), encoder.transform(X.image), atol=1e-5)
        assert len(again.network_.trainable_weights) == len(encoder.network_.trainable_weights)
    assert len(pickle.dumps(tuned)) < 1.1 * 4 * count_parameters(tuned) < 5_000_000
    assert len(pickle.dumps(clone(tuned).adapt(X.image))) < 300


def test_what_was_trained_is_counted(tuned):
    statistics = 4 * (1152 + 1152 + 320 + 1280)
    assert tuned.n_trained_ == BLOCK15 == 1_009_792
    assert count_parameters(tuned) == BLOCK15 + statistics


def test_from_scratch_the_seed_decides_the_first_weights():
    arrays, kernels = SCRATCH.prepare(X.image[:2]), []
    for seed in (0, 0, 1):
        with _seeded(np.random.default_rng(seed)):
            kernels.append(SCRATCH.network(arrays).get_layer("head").kernel.numpy())
    assert np.array_equal(kernels[0], kernels[1]) and not np.allclose(kernels[0], kernels[2], atol=1e-2)


@each_check
def test_scikit_learns_own_checks_pass(check):
    pass_check(TUNED, check)


def test_it_is_an_encoder_of_early_fusion():
    model = early_fusion({"image": TUNED}, make_pipeline(StandardScaler(), LogisticRegression(C=0.01)))
    assert model.fit(X, y).score(X, y) > 0.9


# As a branch


def test_a_joint_network_tunes_the_branch_of_pictures_with_that_of_texts():
    encoders = {"image": TUNED, "text": TextLSTM(length=4, embedding=4, n_units=4, n_features=4)}
    model = KerasFusionClassifier(encoders, n_hidden=16, epochs=2, learning_rate=3e-4, batch_size=8)
    model.fit(X, y)
    branch = model.model_.get_layer("image_encoder")
    dense = branch.layers[-1]
    assert branch.output_shape == (None, 32) and isinstance(dense, import_keras().layers.Dense)
    moved = changes(import_keras().Model(branch.input, dense.input), shared_efficientnet())
    kernels = {name for name in moved if "_bn/" not in name}
    assert len(kernels) == 4 and min(moved[name] for name in kernels) > 1e-4
    assert max(moved[name] for name in moved.keys() - kernels) == 0
    p = model.predict_proba(X)
    assert np.allclose(pickle.loads(pickle.dumps(model)).predict_proba(X), p, atol=1e-6)
    assert count_parameters(model) == model.model_.count_params()


def test_a_branch_learns_without_its_missing_pictures():
    holes = X.copy()
    holes.loc[X.index[3], "image"] = None
    model = KerasFusionClassifier({"image": TUNED}, n_hidden=4, epochs=1, modality_dropout=0.0).fit(holes, y)
    assert np.isfinite(model.predict_proba(holes)).all()


# Refusals


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"size": 31}, r"\(size=31\): not a whole number of 32 or more"),
        ({"size": 96.0}, r"\(size=96.0\): not a whole number"),
        ({"first_tuned": "block16"}, r"\(first_tuned='block16'\): no part of the network; choose 'stem', "),
        ({"weights": "noisy"}, r"\(weights='noisy'\): unknown; choose 'imagenet' or None"),
        (
            {"weights": None},
            r"first_tuned='block15'\): random weights would stay frozen; from scratch, choose",
        ),
        ({"epochs": 0}, r"\(epochs=0\): not a whole number of 1 or more"),
        ({"learning_rate": 0}, r"\(learning_rate=0\): not a number above 0"),
    ],
)
def test_parameters_out_of_their_range_are_refused(params, message):
    with pytest.raises(ValueError, match=r"FineTunedEfficientNet.*" + message):
        clone(TUNED).set_params(**params).fit(X.image, y)


def test_a_bad_picture_a_missing_label_and_one_class_are_refused():
    column = X.image.copy()
    row = column.index[7]
    column.loc[row] = None
    with pytest.raises(ValueError, match=rf"row {row}, column 'image': missing"):
        clone(TUNED).fit(column, y)
    with pytest.raises(ValueError, match=r"FineTunedEfficientNet learns from labels: call fit\(X, y\)"):
        clone(TUNED).fit(X.image)
    with pytest.raises(ValueError, match="y has one class, 'a'"):
        clone(TUNED).fit(X.image, ["a"] * 24)
