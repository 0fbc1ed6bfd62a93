"""Fusions as Keras layers: equal to NumPy, saved and read back, trained to the last weight."""

import numpy as np
import pytest

from mmtutor.fusion_layers import ConvolutionalFusion, Gate, WeightedSum, keras

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in Keras

RNG = np.random.default_rng(0)
Z = [RNG.normal(size=(7, 5)).astype("float32") for _ in range(3)]
LAYERS = {
    "fixed": lambda **how: WeightedSum([0.2, 0.3, 0.5], **how),
    "learned": WeightedSum,
    "gate": Gate,
    "convolution": lambda **how: ConvolutionalFusion(4, 3, **how),
}
each_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def network(layer):
    inputs = [keras.Input((5,), name=name) for name in "abc"]
    return keras.Model(inputs, layer(inputs))


def shaken(layer):
    """The layer after a build, with weights that are no longer at their start."""
    model = network(layer)
    layer.set_weights([RNG.normal(size=weight.shape) for weight in layer.weights])
    return model


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def test_fixed_weights_give_the_weighted_sum():
    found = WeightedSum([0.2, 0.3, 0.5])(Z)
    assert np.allclose(found, 0.2 * Z[0] + 0.3 * Z[1] + 0.5 * Z[2], atol=1e-6)


def test_learned_weights_start_even_and_are_a_softmax():
    layer = WeightedSum()
    assert np.allclose(layer(Z), np.mean(Z, axis=0), atol=1e-6)
    layer.set_weights([np.array([1.0, 0.0, -1.0])])
    alpha = softmax(np.array([1.0, 0.0, -1.0]))
    assert np.allclose(layer.weights_of(), alpha, atol=1e-6)
    assert np.allclose(layer(Z), sum(a * z for a, z in zip(alpha, Z, strict=True)), atol=1e-5)


def test_a_gate_equals_five_lines_of_numpy_and_its_weights_sum_to_one():
    layer = Gate()
    shaken(layer)
    kernel, bias = layer.get_weights()
    alpha = softmax(np.hstack(Z) @ kernel + bias)
    assert np.allclose(layer.weights_of(Z), alpha, atol=1e-5)
    assert np.allclose(alpha.sum(axis=1), 1) and alpha.std(axis=0).min() > 0.01
    by_hand = sum(alpha[:, [place]] * z for place, z in enumerate(Z))
    assert np.allclose(layer(Z), by_hand, atol=1e-5)


def test_convolution_of_size_one_equals_numpy():
    layer = ConvolutionalFusion(filters=2)
    shaken(layer)
    kernel, bias = layer.get_weights()
    by_hand = np.maximum(np.stack(Z, -1) @ kernel[0] + bias, 0).reshape(7, 10)
    assert np.allclose(layer(Z), by_hand, atol=1e-5)


@each_layer
def test_a_saved_network_predicts_the_same(make, tmp_path):
    model = shaken(make())
    model.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    assert np.array_equal(again(Z), model(Z))
    assert again.layers[-1].get_config() == model.layers[-1].get_config()


@each_layer
def test_rows_do_not_see_each_other_whatever_the_batch(make):
    model = shaken(make())
    whole = np.asarray(model(Z))
    for rows in (slice(0, 1), slice(2, 7), [5, 0, 3]):
        assert np.allclose(model([z[rows] for z in Z]), whole[rows], atol=1e-5)
    assert model([z[:0] for z in Z]).shape[0] == 0


@each_layer
def test_the_gradient_reaches_every_weight_and_every_modality(make):
    import tensorflow as tf

    model = shaken(make())
    inputs = [tf.Variable(z) for z in Z]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(inputs) ** 2)
    gradients = tape.gradient(loss, [*model.trainable_weights, *inputs])
    assert all(gradient is not None and np.abs(gradient).max() > 1e-4 for gradient in gradients)


@each_layer
def test_half_precision_gives_nearly_the_same(make):
    layer, half = make(), make(dtype="mixed_float16")
    shaken(layer)
    network(half)
    half.set_weights(layer.get_weights())
    found = half(Z)
    assert keras.backend.standardize_dtype(found.dtype) == "float16"
    assert np.allclose(found, layer(Z), atol=0.03, rtol=0.01)


@each_layer
def test_features_of_several_widths_are_refused_with_the_cure(make):
    with pytest.raises(ValueError, match=r"widths 5, 4, 5 .* project each to the same width"):
        make()([Z[0], Z[1][:, :4], Z[2]])


@each_layer
@pytest.mark.parametrize("wrong", [Z[0], [Z[0]], [np.ones((7, 2, 2))] * 3], ids=["one", "alone", "maps"])
def test_what_is_no_list_of_features_is_refused(make, wrong):
    with pytest.raises(ValueError, match="list of two or more features"):
        make()(wrong)


@pytest.mark.parametrize("alpha", [[0.5, 0.6], [1.5, -0.5]])
def test_weights_that_do_not_add_up_to_one_are_refused(alpha):
    with pytest.raises(ValueError, match="add up to 1"):
        WeightedSum(alpha)


def test_as_many_weights_as_modalities():
    with pytest.raises(ValueError, match="was given 3 modalities"):
        WeightedSum([0.5, 0.5])(Z)
