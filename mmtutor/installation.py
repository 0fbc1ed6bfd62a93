"""Look whether everything that the course needs is there, and say in words what is wrong."""

import os
import sys
from importlib import metadata

from mmtutor.exercises import Report

# What each package is for; environment.yml says the same.
PURPOSES = {
    "gensim": "training word vectors",
    "imbalanced-learn": "drawing rows so that classes are of one size",
    "ipywidgets": "sliders in the notebooks",
    "joblib": "running experiments on several cores",
    "jupyterlab": "the place where you read and run the notebooks",
    "keras": "neural networks, layer by layer",
    "librosa": "sound: loading, resampling, spectrograms, mel and MFCC features",
    "matplotlib": "figures",
    "nbval": "testing that every notebook runs",
    "nltk": "text: words, stems, n-grams",
    "numpy": "arrays, the form that every feature takes",
    "opencv-python-headless": "pictures: reading, resizing, HOG features",
    "packaging": "comparing version numbers when the installation is checked",
    "pandas": "the table: one row a sample, one column a modality",
    "pillow": "telling whether a picture file is whole",
    "pooch": "downloading a data set once, and checking it",
    "rjieba": "cutting Chinese text into words",
    "scikit-learn": "pipelines, classifiers, folds and scores",
    "soundfile": "reading sound files",
    "tensorflow": "what Keras computes with",
    "textblob": "telling nouns from verbs without a download",
    "threadpoolctl": "one thread a model, so that small models stay fast",
}


def check_installation() -> Report:
    """Check Python, the packages of the course and the shipped data, one line each.

    Returns
    -------
    Report: ``✓`` for what is in order; ``✗`` for what is not, with the cure. It never raises.

    Notes
    -----
    TensorFlow is looked up, not imported: that takes seconds. Taught in chapter 0.
    """
    lines = [_python(), *map(_package, _requirements()), *_conflicts(), _data()]
    return Report("Your installation", sorted(lines, key=lambda line: line[0] == "✗"))


def _python() -> tuple[str, str]:
    if (3, 11) <= sys.version_info < (3, 14):
        return "✓", "Python: a version that the course supports (3.11 to 3.13)"
    found = ".".join(map(str, sys.version_info[:2]))
    return "✗", f"Python {found}: the course needs 3.11 to 3.13; install one of them and run `make lab` again"


def _requirements() -> list:
    from packaging.requirements import Requirement

    wanted = map(Requirement, metadata.requires("mmtutor") or [])
    return [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]


def _package(wanted) -> tuple[str, str]:
    purpose = PURPOSES.get(wanted.name, "needed by the course")
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return (
            "✗",
            f"{wanted.name} is missing ({purpose}); close Jupyter and run `make lab`, which installs it",
        )
    if not wanted.specifier.contains(found, prereleases=True):
        return (
            "✗",
            f"{wanted.name} {found} does not fit ({wanted.specifier}); run `make lab`, which mends it",
        )
    return "✓", f"{wanted.name} {found}: {purpose}"


def _conflicts() -> list[tuple[str, str]]:
    lines = []
    for other in ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"):
        try:
            metadata.version(other)
            lines.append(
                (
                    "✗",
                    f"{other} is installed beside opencv-python-headless and hides it: pip uninstall {other}",
                )
            )
        except metadata.PackageNotFoundError:
            pass
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        lines.append(
            ("✗", f"KERAS_BACKEND is {backend}; the course uses tensorflow: unset it and restart Jupyter")
        )
    return lines


def _data() -> tuple[str, str]:
    """Read every shipped file once, and decode a picture and a sound."""
    try:
        from mmtutor.datasets import DATA, load_emoji, load_spoken_digit, shipped

        for sums in sorted(DATA.glob("*/SHA256SUMS")):
            for line in sums.read_text("utf-8").splitlines():
                shipped(sums.parent.name, line.split(maxsplit=1)[1])
        load_emoji()
        load_spoken_digit()
    except Exception as error:  # whatever is broken, the learner is to read one line about it
        return "✗", f"the shipped data: {error}"
    return "✓", "the shipped data: every file is whole, a picture and a sound can be decoded"
