"""Keras on TensorFlow, loaded without the lines that TensorFlow prints when it starts."""

import os
from functools import cache


@cache
def import_keras():
    """Import Keras with the TensorFlow backend. Prints nothing; later warnings and errors stay visible.

    Returns
    -------
    module ``keras``

    Raises
    ------
    RuntimeError
        If Keras already runs on another backend.

    Notes
    -----
    The import takes seconds: call this inside the function that needs a network. TensorFlow computes with two
    threads, on any number of cores: how a sum is divided among threads decides its last digits, and training
    makes much of them. Environment variables that are already set stay. Taught in chapter 2.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # C++: errors only
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its sums differ from run to run
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "2")  # otherwise as many as cores
    standard_error, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)  # C++ libraries write to the file descriptor, past sys.stderr
    os.close(nowhere)
    try:
        import keras
        import tensorflow as tf

        tf.config.list_physical_devices("GPU")  # asks for CUDA now, not in the first network
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
    if (found := keras.backend.backend()) != "tensorflow":
        raise RuntimeError(f"Keras runs on {found!r}; set KERAS_BACKEND=tensorflow before importing it")
    return keras
