"""Three lists agree: pyproject.toml says which packages, environment.yml what for, the lock which version."""

import importlib
import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from mmtutor.installation import PURPOSES

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NEEDED = {r.name: r for r in map(Requirement, PROJECT["dependencies"])}
EXTRAS = {r.name: r for extra in PROJECT["optional-dependencies"].values() for r in map(Requirement, extra)}
LOCK = (ROOT / "requirements.lock").read_text("utf-8")

# Package -> the name that a program imports it by.
TAUGHT = {
    "jupyterlab": "jupyterlab",
    "nbval": "nbval",
    "numpy": "numpy",
    "pandas": "pandas",
    "matplotlib": "matplotlib.pyplot",
    "scikit-learn": "sklearn",
    "tensorflow": "tensorflow",
    "opencv-python-headless": "cv2",
    "nltk": "nltk",
    "librosa": "librosa",
}


@pytest.fixture(scope="module")
def environment():
    """Requirement -> comment, of each package that environment.yml has pip install."""
    lines = re.findall(
        r"^      - ([^#\n]+?) *(?:# (.*))?$", (ROOT / "environment.yml").read_text("utf-8"), re.M
    )
    return dict(lines)


@pytest.fixture(scope="module")
def pins():
    """Package -> (version, number of files whose hashes are given)."""
    return {
        name: (version, hashes.count("--hash=sha256:"))
        for name, version, hashes in re.findall(r"^([\w.-]+)==([^\s;]+)(.*(?:\n    .*)*)", LOCK, re.M)
    }


def test_environment_yml_has_the_packages_and_bounds_of_pyproject(environment):
    assert [Requirement(text) for text in environment if text != "-e ."] == list(NEEDED.values())
    assert "-e ." in environment


def test_environment_yml_names_one_python_that_pyproject_allows():  # Binder understands no range
    named = re.search(r"- python =([\d.]+) #", (ROOT / "environment.yml").read_text("utf-8"))
    assert SpecifierSet(PROJECT["requires-python"]).contains(named[1])


def test_each_package_says_what_it_is_for_and_chapter_00_says_the_same(environment):
    assert {Requirement(text).name: why for text, why in environment.items() if text != "-e ."} == PURPOSES
    assert all(environment.values())


def test_the_lock_pins_every_package_within_its_bounds(pins):
    for name, wanted in (NEEDED | EXTRAS).items():
        version, _ = pins[canonicalize_name(name)]
        assert wanted.specifier.contains(version), (
            f"{name} {version}: pyproject.toml wants {wanted.specifier}; make lock"
        )


def test_the_lock_has_a_hash_for_every_package_and_no_address(pins):
    assert len(pins) == len(re.findall("^[a-z]", LOCK, re.M))
    assert [name for name, (_, hashes) in pins.items() if not hashes] == []
    assert not re.search(r"://|^-", LOCK, re.M)


def test_the_lock_has_tensorflow_for_each_python_and_platform(pins):
    # A wheel for each of Python 3.11, 3.12, 3.13 on Linux x86-64 and arm64, macOS arm64, Windows x86-64.
    assert pins["tensorflow"][1] >= 3 * 4


@pytest.mark.parametrize("package", TAUGHT)
def test_a_package_that_is_taught_imports_in_the_version_of_the_lock(package, pins):
    importlib.import_module(TAUGHT[package])
    assert metadata.version(package) == pins[package][0]


def test_keras_trains_a_small_network():
    program = """
import json, keras, numpy
keras.utils.set_random_seed(0)
x = numpy.random.default_rng(0).normal(size=(256, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(2, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
before = model.evaluate(x, y, verbose=0)[0]
model.fit(x, y, epochs=1, batch_size=8, verbose=0)
shapes = [list(weight.shape) for weight in model.weights]
print(json.dumps([keras.backend.backend(), shapes, before, model.evaluate(x, y, verbose=0)[0]]))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    backend, shapes, before, after = json.loads(run.stdout.splitlines()[-1])
    assert backend == "tensorflow"
    assert shapes == [[4, 8], [8], [8, 2], [2]]
    assert after < before
