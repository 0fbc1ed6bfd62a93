"""Sphinx extension: MathJax is part of the built book, so that formulas need no network.

It comes from the Python package sphinx-mathjax-offline, and only the part that pages use (1.6 of 24 MB).
"""

from importlib.util import find_spec
from pathlib import Path
from shutil import copy, copytree

FONTS = "output/chtml/fonts/woff-v2"


def copy_mathjax(app, error):
    if error is None and app.builder.format == "html":
        source = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
        target = Path(app.outdir, "_static", "mathjax")
        target.mkdir(parents=True, exist_ok=True)
        copy(source / "tex-mml-chtml.js", target)
        copytree(source / FONTS, target / FONTS, dirs_exist_ok=True)


def setup(app):
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
