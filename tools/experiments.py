"""Compute the long tables that chapters show, notebooks/results/NN_name.csv (`make experiments`).

    python tools/experiments.py [CHAPTER or NAME…]      such as 01 or 01_emoji; default: all

Each script tools/experiments/NN_name.py has a function `run()` that returns a pandas DataFrame. Its file
opens with the script's hash, the date and the versions, as comments: `pd.read_csv(path, comment="#")` skips
them. A table that comes out as it was keeps its file, date included; a column `seconds` may differ.
"""

import argparse
import datetime
import hashlib
import io
import platform
import runpy
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from kernels import NOTEBOOKS, ROOT

SCRIPTS = ROOT / "tools" / "experiments"
RESULTS = NOTEBOOKS / "results"
# Packages whose version may change a number: module -> name under which it is installed.
PACKAGES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
    "imblearn": "imbalanced-learn",
    "cv2": "opencv-python-headless",
    "librosa": "librosa",
    "gensim": "gensim",
    "rjieba": "rjieba",
    "nltk": "nltk",
    "keras": "keras",
    "tensorflow": "tensorflow",
}


def sha256(script: Path) -> str:
    """The hash of a script's text, the same whatever a checkout does to line ends."""
    return hashlib.sha256(script.read_text(encoding="utf-8").encode()).hexdigest()


def origin(script: Path) -> dict[str, str]:
    """What a table came from: call it when the script has run, and so has imported what it uses."""
    used = [f"{name} {version(name)}" for module, name in PACKAGES.items() if module in sys.modules]
    return {
        "script": f"tools/experiments/{script.name} sha256={sha256(script)}",
        "date": datetime.date.today().isoformat(),
        "versions": ", ".join([f"python {platform.python_version()}", *used]),
    }


def render(table: pd.DataFrame, comments: dict[str, str]) -> str:
    """The file's text: comments, then the table with floats of four decimals at most."""
    if not isinstance(table.index, pd.RangeIndex):
        table = table.reset_index()
    rows = table.round(4).to_csv(index=False, lineterminator="\n")
    if "#" in rows:
        raise ValueError("a '#' in the table would be read back as a comment")
    return "".join(f"# {name}: {value}\n" for name, value in comments.items()) + rows


def comments_of(text: str) -> dict[str, str]:
    lines = [line[2:] for line in text.splitlines() if line.startswith("# ")]
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}


def numbers_of(text: str) -> pd.DataFrame:
    """The table as strings, without the seconds, which no two runs share."""
    table = pd.read_csv(io.StringIO(text), comment="#", dtype=str, keep_default_na=False)
    return table.drop(columns="seconds", errors="ignore")


def is_unchanged(old: str, new: str) -> bool:
    """Same script, same versions, same numbers."""
    before, after = comments_of(old), comments_of(new)
    same_origin = all(before.get(name) == after[name] for name in ("script", "versions"))
    return same_origin and numbers_of(old).equals(numbers_of(new))


def stale(path: Path, scripts: Path = SCRIPTS) -> bool:
    """Whether the script behind a table is gone or has changed since it was computed."""
    script = scripts / f"{path.stem}.py"
    recorded = comments_of(path.read_text(encoding="utf-8")).get("script", "").partition("sha256=")[2]
    return not script.exists() or recorded != sha256(script)


def compute(script: Path, results: Path = RESULTS) -> str:
    """Run one script, write its table unless it is as before, and say which."""
    table = runpy.run_path(str(script))["run"]()
    text = render(table, origin(script))
    path = results / f"{script.stem}.csv"
    if path.exists() and is_unchanged(path.read_text(encoding="utf-8"), text):
        return f"{path.name}: unchanged"
    results.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return f"{path.name}: written"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", help="a chapter's number or a script's name; default: all")
    which = [Path(name).stem for name in parser.parse_args().which] or [""]
    scripts = [script for script in sorted(SCRIPTS.glob("[0-9]*.py")) if script.stem.startswith(tuple(which))]
    if not scripts:
        parser.error(f"no script in tools/experiments starts with {' or '.join(which)!r}")
    if len(scripts) == 1:
        print(compute(scripts[0]))
        return 0
    # A process a script: what one imports is not recorded as the next one's, and its memory is given back.
    return max(subprocess.call([sys.executable, __file__, script.stem]) for script in scripts)


if __name__ == "__main__":
    sys.exit(main())
