"""Fusions as Keras layers, for features that lie in one shared space: weighted sum, gate, convolution.

Importing this module loads Keras. A saved network that has one of these layers is read back by
`keras.models.load_model` once this module has been imported.
"""

import numpy as np

from mmtutor.keras_quietly import import_keras

keras = import_keras()


class _Fusion(keras.layers.Layer):
    """Base: several features of one width go in, as a list."""

    def build(self, input_shape):
        shapes = [shape for shape in input_shape if isinstance(shape, list | tuple)]
        if len(shapes) < 2 or any(len(shape) != 2 for shape in shapes):
            raise ValueError(
                f"{type(self).__name__} takes a list of two or more features, each (n, d); "
                f"found {input_shape}"
            )
        if len({shape[-1] for shape in shapes}) > 1:
            widths = ", ".join(str(shape[-1]) for shape in shapes)
            raise ValueError(
                f"{type(self).__name__}: features of widths {widths} do not lie in one space; project each "
                "to the same width first, by a Dense layer of its own"
            )
        self._make(len(shapes), shapes[0][-1])
        super().build(input_shape)


@keras.saving.register_keras_serializable("mmtutor")
class WeightedSum(_Fusion):
    """Add features with one weight a modality, the same for all samples: F = Σ α_i z_i, Σ α_i = 1.

    Parameters
    ----------
    alpha : sequence of n_modalities floats, 0 or more, that add up to 1, optional
        Fixed weights. By default they are learned: α = softmax(w), w of n_modalities numbers that start at 0.
    **kwargs
        Those of every Keras layer, such as ``name``.

    Notes
    -----
    Call: list of n_modalities tensors (n_samples, d) -> (n_samples, d). With two modalities a learned α_1 is
    sigmoid(w_1 - w_2). Behind dense layers α can be moved into their weights, so it is no measure of a
    modality's importance. Taught in chapter 9.
    """

    def __init__(self, alpha=None, **kwargs):
        super().__init__(**kwargs)
        self.alpha = None if alpha is None else [float(each) for each in alpha]
        if alpha is not None and (min(self.alpha) < 0 or not np.isclose(sum(self.alpha), 1)):
            raise ValueError(f"WeightedSum(alpha={self.alpha}): weights are 0 or more and add up to 1")

    def _make(self, n_modalities: int, width: int) -> None:
        if self.alpha is None:
            self.w = self.add_weight(shape=(n_modalities,), initializer="zeros", name="w")
        elif len(self.alpha) != n_modalities:
            raise ValueError(f"WeightedSum(alpha={self.alpha}) was given {n_modalities} modalities")

    def weights_of(self, inputs=None):
        """The weights α, shape (n_modalities,)."""
        if self.alpha is None:
            return keras.ops.softmax(keras.ops.convert_to_tensor(self.w))
        return keras.ops.convert_to_tensor(self.alpha, self.compute_dtype)

    def call(self, inputs):
        alpha = keras.ops.cast(self.weights_of(), self.compute_dtype)
        return sum(alpha[place] * z for place, z in enumerate(inputs))

    def get_config(self):
        return super().get_config() | {"alpha": self.alpha}


@keras.saving.register_keras_serializable("mmtutor")
class Gate(_Fusion):
    """Add features with weights that are predicted for each sample: F = Σ α_i(x) z_i, Σ α_i(x) = 1.

    Parameters
    ----------
    **kwargs
        Those of every Keras layer, such as ``name``.

    Notes
    -----
    Call: list of n_modalities tensors (n_samples, d) -> (n_samples, d). α(x) = softmax(W [z_1; …; z_n] + b),
    with n_modalities · (n_modalities · d + 1) numbers. Arevalo et al. (2017) gate each feature; here each
    modality has one gate, so that it can be read. Taught in chapter 9.
    """

    def _make(self, n_modalities: int, width: int) -> None:
        self.score = keras.layers.Dense(n_modalities, name="score", dtype=self.dtype_policy)
        self.score.build((None, n_modalities * width))

    def weights_of(self, inputs):
        """The weights α(x), shape (n_samples, n_modalities)."""
        return keras.ops.softmax(self.score(keras.ops.concatenate(inputs, axis=-1)))

    def call(self, inputs):
        alpha = self.weights_of(inputs)
        return sum(alpha[:, place : place + 1] * z for place, z in enumerate(inputs))


@keras.saving.register_keras_serializable("mmtutor")
class ConvolutionalFusion(_Fusion):
    """Stack features, one channel a modality, and slide small filters along them.

    Parameters
    ----------
    filters : int, default=4
    kernel_size : int, default=1
        How many neighboring features a filter sees at once. Neighbors mean nothing after a dense layer.
    **kwargs
        Those of every Keras layer, such as ``name``.

    Notes
    -----
    Call: list of n_modalities tensors (n_samples, d) -> (n_samples, d · filters), 0 or more (ReLU). With one
    filter of size 1 and without ReLU and bias it is a weighted sum whose weights need not add up to 1. Taught
    in chapter 9.
    """

    def __init__(self, filters: int = 4, kernel_size: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size = filters, kernel_size

    def _make(self, n_modalities: int, width: int) -> None:
        settings = {"padding": "same", "activation": "relu", "name": "slide", "dtype": self.dtype_policy}
        self.slide = keras.layers.Conv1D(self.filters, self.kernel_size, **settings)
        self.slide.build((None, width, n_modalities))

    def call(self, inputs):
        maps = self.slide(keras.ops.stack(inputs, axis=-1))
        return keras.ops.reshape(maps, (-1, maps.shape[1] * maps.shape[2]))

    def get_config(self):
        return super().get_config() | {"filters": self.filters, "kernel_size": self.kernel_size}
