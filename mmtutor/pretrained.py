"""Encoders trained elsewhere: EfficientNet-Lite0 and VGG16 for pictures, GloVe for words.

EfficientNet-Lite0 and GloVe are shipped with the course; the weights of VGG16 are fetched by Keras.
"""

import contextlib
import io
import os
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from mmtutor import image
from mmtutor.download import time_limit
from mmtutor.encoder import Encoder
from mmtutor.keras_quietly import import_keras
from mmtutor.table import cells
from mmtutor.text import mean_vectors

# The seven stages of EfficientNet-B0: side of the filters, stride of the first block, expansion, channels,
# blocks.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
GLOVE_SIZE = 50


def efficientnet_lite0(size: int | None = 224, include_top: bool = False, weights: str | None = "imagenet"):
    """Build EfficientNet-Lite0 as a Keras model, trained on ImageNet's 1.3 million photographs.

    Parameters
    ----------
    size : int or None, default=224
        Side of the pictures in pixels; None takes any. It was trained at 224.
    include_top : bool, default=False
        True ends in the probabilities of ImageNet's 1,000 classes, False in 1,280 features: the last feature
        maps, averaged over the picture.
    weights : {"imagenet", None}, default="imagenet"
        None leaves the weights at random; ``keras.utils.set_random_seed`` decides which.

    Returns
    -------
    keras.Model
        Takes RGB arrays (n_samples, size, size, 3) with values 0-255; its first layer rescales them. Gives
        float32 (n_samples, 1280), or (n_samples, 1000). The sixteen blocks end in layers ``block00`` to
        ``block15``, and the names of their layers begin with these; then come ``head`` and ``pool``.

    Raises
    ------
    ValueError
        For other `weights`.
    OSError
        If the shipped file is missing or damaged.

    Notes
    -----
    Tan and Le (2019) without squeeze-and-excitation and with ReLU6, for small devices; weights in half
    precision. Taught in chapter 4.
    """
    if weights not in ("imagenet", None):
        raise ValueError(f"weights={weights!r} is unknown; choose 'imagenet' or None")
    keras = import_keras()
    inputs = keras.Input((size, size, 3), name="image")
    x = keras.layers.Rescaling(1 / 128, -127 / 128, name="rescale")(inputs)
    x = _convolve(x, "stem", filters=32, kernel_size=3, strides=2)
    block = 0
    for kernel_size, stride, expansion, channels, n_blocks in STAGES:
        for i in range(n_blocks):
            x = _block(x, f"block{block:02}", kernel_size, stride if i == 0 else 1, expansion, channels)
            block += 1
    x = _convolve(x, "head", filters=1280, kernel_size=1)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    if include_top:
        x = keras.layers.Dense(1000, activation="softmax", name="probabilities")(x)
    model = keras.Model(inputs, x, name="efficientnet_lite0")
    if weights is not None:
        _load(model)
    return model


@cache
def shared_efficientnet():
    """The network with ImageNet's weights, for any size, built once a process: never change it."""
    return efficientnet_lite0(size=None)


def _block(x, name: str, kernel_size: int, stride: int, expansion: int, channels: int):
    """Widen, look around in each channel, narrow; add the input where the shapes agree."""
    layers = import_keras().layers
    y = x if expansion == 1 else _convolve(x, f"{name}_expand", expansion * x.shape[-1], 1)
    y = _convolve(y, f"{name}_depthwise", None, kernel_size, stride)
    y = _convolve(y, f"{name}_project", channels, 1, activate=False)
    if stride == 1 and x.shape[-1] == channels:
        return layers.Add(name=name)([x, y])
    return layers.Identity(name=name)(y)


def _convolve(x, name: str, filters: int | None, kernel_size: int, strides: int = 1, activate: bool = True):
    """Convolve (each channel alone without `filters`), normalize, cut off below 0 and above 6."""
    layers = import_keras().layers
    options = {"strides": strides, "padding": "same", "use_bias": False, "name": name}
    if filters is None:
        x = layers.DepthwiseConv2D(kernel_size, **options)(x)
    else:
        x = layers.Conv2D(filters, kernel_size, **options)(x)
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu6")(x) if activate else x


def _load(model) -> None:
    from mmtutor.datasets import shipped

    with np.load(shipped("efficientnet_lite0", "efficientnet_lite0.npz")) as stored:
        for layer in model.layers:
            for weight in layer.weights:
                weight.assign(stored[f"{layer.name}/{weight.name}"].astype(np.float32))


def vgg16(
    size: int = 224, weights: str | None = "imagenet", pooling: str | None = None, timeout: float = 20.0
):
    """Build VGG16 without its top as a Keras model, with weights that Keras fetches once (59 MB).

    Parameters
    ----------
    size : int or None, default=224
        Side of the pictures in pixels, 32 or more; None takes any.
    weights : {"imagenet", None} or str, default="imagenet"
        None leaves them at random, without a network; ``keras.utils.set_random_seed`` decides which. Or the
        path of a file of weights.
    pooling : {None, "avg", "max"}, default=None
        None gives feature maps, (7, 7, 512) for pictures of 224 pixels; else their mean or maximum over the
        picture, 512 features.
    timeout : float, default=20.0
        Seconds to wait for an answer from the network.

    Returns
    -------
    keras.Model
        Takes RGB arrays (n_samples, size, size, 3) with values 0-255; its first layers turn them into BGR and
        subtract ImageNet's mean. Gives float32 (n_samples, size // 32, size // 32, 512) or (n_samples, 512).

    Raises
    ------
    OSError
        If the weights are not on this computer and cannot be fetched; the message says what else to do.
    ValueError
        For another `size` or `pooling`, or for a `timeout` that is not above 0.

    Notes
    -----
    Simonyan and Zisserman (2015), by ``keras.applications``. Taught in chapter 4.
    """
    if pooling not in (None, "avg", "max") or (size is not None and size < 32):
        raise ValueError(f"size={size!r}, pooling={pooling!r}: give 32 or more, and None, 'avg' or 'max'")
    keras = import_keras()
    network = keras.applications.vgg16
    inputs = keras.Input((size, size, 3), name="image")
    with _download(VGG16_FILE, timeout) if weights == "imagenet" else contextlib.nullcontext():
        model = network.VGG16(
            include_top=False, weights=weights, pooling=pooling, input_tensor=network.preprocess_input(inputs)
        )
    return keras.Model(inputs, model.output, name="vgg16")


@contextlib.contextmanager
def _download(name: str, timeout: float):
    """Let Keras fetch a file: within a time limit, without its progress bar, leaving nothing half done."""
    folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
    with time_limit(timeout), contextlib.redirect_stdout(io.StringIO()):
        try:
            yield
        except Exception as error:  # Keras raises no narrower one
            (folder / name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                folder.rmdir()  # where it is empty
            raise OSError(
                f"the weights of VGG16 are not on this computer and could not be fetched ({error}); go on "
                "with EfficientNet, which is shipped with the course, or put the file into "
                f"{folder} by hand: {name}"
            ) from None


class _Pictures(Encoder):
    """Base of encoders for pictures: batches of them through a network that stays as it is."""

    def __init__(self, size=96, batch_size=64):
        self.size = size
        self.batch_size = batch_size

    def fit(self, X, y=None):
        """Check the parameters; there is nothing to learn. X: n_samples images."""
        for name, value, least in (("size", self.size, 32), ("batch_size", self.batch_size, 1)):
            if not isinstance(value, (int, np.integer)) or value < least:
                raise ValueError(
                    f"{type(self).__name__}({name}={value!r}): not a whole number of {least} or more"
                )
        return self

    def transform(self, X) -> np.ndarray:
        """Describe each picture.

        Parameters
        ----------
        X : n_samples images, uint8 arrays of shape (height, width, 3)
            Resized to size x size pixels, whatever their shape.

        Returns
        -------
        float32 array, shape (n_samples, n_features)

        Raises
        ------
        ValueError
            For a cell that is no image; the message names its row and column.
        """
        self.fit(X)
        features = [np.empty((0, self._n_features_out), np.float32)]
        for batch in picture_batches(X, self.size, self.batch_size):
            features.append(self._network()(batch).numpy())
        return np.concatenate(features)


class EfficientNet(_Pictures):
    """Describe pictures by what EfficientNet-Lite0 has learned from ImageNet.

    Parameters
    ----------
    size : int, default=96
        Pictures are resized to size x size pixels first. Larger is slower and better, up to 224.
    batch_size : int, default=64
        How many pictures are in memory at a time; the features do not depend on it, but for rounding.

    Notes
    -----
    1,280 features, averages over the picture of the last feature maps. See `efficientnet_lite0`. The network
    is built once a process and is no part of the estimator, which stays small. Taught in chapter 4.
    """

    _n_features_out = 1280

    @staticmethod
    @cache
    def _network():
        return one_graph(shared_efficientnet())


class VGG16(_Pictures):
    """Describe pictures by what VGG16 has learned from ImageNet, where its weights can be fetched.

    Parameters
    ----------
    size : int, default=96
        Pictures are resized to size x size pixels first. Larger is slower and better, up to 224.
    batch_size : int, default=64
        How many pictures are in memory at a time; the features do not depend on it, but for rounding.

    Notes
    -----
    512 features, averages over the picture of the last feature maps. See `vgg16`, also for the error without
    a network. Taught in chapter 4.
    """

    _n_features_out = 512

    @staticmethod
    @cache
    def _network():
        return one_graph(vgg16(size=None, pooling="avg"))


def one_graph(model):
    """Make one graph for pictures of any size and any number: a new one for each shape would cost seconds."""
    import tensorflow as tf

    pictures = tf.TensorSpec((None, None, None, 3), tf.uint8)
    return tf.function(lambda x: model(tf.cast(x, tf.float32), training=False), input_signature=[pictures])


def picture_batches(X, size: int, batch_size: int) -> Iterator[np.ndarray]:
    """Check and resize n_samples images; uint8 arrays (batch_size, size, size, 3), the last has the rest."""
    pictures = (_resize(each, size) for each in cells(X, image.problem, image.CURE))
    while batch := list(islice(pictures, batch_size)):
        yield np.array(batch)


def _resize(picture: np.ndarray, size: int) -> np.ndarray:
    how = cv2.INTER_AREA if max(picture.shape[:2]) > size else cv2.INTER_CUBIC
    return (
        picture if picture.shape[:2] == (size, size) else cv2.resize(picture, (size, size), interpolation=how)
    )


@cache
def _glove() -> dict[str, np.ndarray]:
    from mmtutor.datasets import shipped

    with np.load(shipped("glove", "glove_50d.npz")) as stored:
        vectors = stored["vectors"].astype(np.float32)
        vectors.flags.writeable = False
        return dict(zip(stored["words"].tolist(), vectors, strict=True))


def glove() -> dict[str, np.ndarray]:
    """Look up the vectors of common English words.

    Returns
    -------
    dict of word -> float32 array, shape (50,), read-only; the most frequent word first

    Raises
    ------
    OSError
        If the shipped file is missing or damaged.

    Notes
    -----
    GloVe (Pennington, Socher and Manning 2014): words that stand near the same words have similar vectors. A
    selection from the 400,000 words of its 6B version, in half precision. Taught in chapter 2.
    """
    return dict(_glove())


class GloVe(Encoder):
    """Describe texts by the mean of their words' GloVe vectors.

    Notes
    -----
    50 features; zeros for a text without a known word. See `glove`. Nothing is learned from the texts.
    Taught in chapter 2.

    Examples
    --------
    >>> GloVe().fit_transform(["red apple", ""]).shape
    (2, 50)
    """

    def transform(self, X) -> np.ndarray:
        """Describe each text.

        Parameters
        ----------
        X : n_samples texts, str

        Returns
        -------
        float array, shape (n_samples, 50)

        Raises
        ------
        ValueError
            For a missing text or one that is no str; the message names its row and column.
        """
        return mean_vectors(X, _glove(), GLOVE_SIZE)

    _n_features_out = GLOVE_SIZE
