"""Execute notebooks in cold kernels and write their outputs back in normal form (`make notebooks`).

    python tools/execute.py notebooks/02_features.ipynb    one, or several, or none for all
    python tools/execute.py --check                        run nothing, say what is not in normal form

A second run changes no byte. Seconds, shown as `1.23 s`, never come twice: a cell whose outputs differ
from the committed ones in nothing else keeps those. The first cell that raises or writes to stderr stops
everything, and its notebook stays as it was.
"""

import argparse
import copy
import json
import re
import sys
from pathlib import Path

from kernels import NOTEBOOKS, CellFailed, read, run, text_of, write
from normalize import normalize

SECONDS = re.compile(r" *\b\d+\.\d+ s\b")


def execute(path: Path) -> None:
    """Run one notebook and write it back; raises CellFailed, and then writes nothing."""
    old = normalize(read(path))
    new = copy.deepcopy(old)
    run(new, path)
    new = normalize(new)
    _keep_seconds(new, old)
    write(new, path)


def _keep_seconds(new, old) -> None:
    """Where a cell shows what it showed before, give it its old outputs back; only `1.23 s` may differ."""
    for cell, before in zip(new.cells, old.cells, strict=True):
        if cell.cell_type == "code" and _without_seconds(cell) == _without_seconds(before):
            cell.outputs = before.outputs


def _without_seconds(cell) -> str:
    return SECONDS.sub("SECONDS", json.dumps(cell.outputs, sort_keys=True))


def differences(path: Path) -> list[str]:
    """What of a notebook's file is not in normal form; empty when all is."""
    nb = read(path)
    normal = normalize(nb)
    found = [
        f"{path.name}, cell {number + 1} is not in normal form"
        for number, (cell, wanted) in enumerate(zip(nb.cells, normal.cells, strict=True))
        if cell != wanted
    ]
    if not found and path.read_bytes() != text_of(normal).encode():
        found.append(f"{path.name}: its metadata or layout is not in normal form")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all")
    parser.add_argument("--check", action="store_true", help="run nothing, say what is not in normal form")
    arguments = parser.parse_args()
    paths = arguments.notebooks or sorted(NOTEBOOKS.glob("*.ipynb"))
    if arguments.check:
        found = [line for path in paths for line in differences(path)]
        print("\n".join(found or ["all in normal form"]))
        return bool(found)
    for path in paths:
        print(path.name, flush=True)
        try:
            execute(path)
        except CellFailed as failure:
            print(f"{failure}\nnothing written to {path.name}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
