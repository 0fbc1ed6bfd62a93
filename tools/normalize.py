"""The one form in which a notebook is committed: two runs of it differ in no byte."""

import copy
import hashlib
import re
from pathlib import Path

from kernels import ROOT

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT_OF_A_CELL = {"tags", "jupyter", "mystnb", "slideshow"}
WIDGET = "application/vnd.jupyter.widget-view+json"
# What nbformat and JupyterLab invent for a new cell: eight hexadecimal digits, or a whole UUID.
RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?")


def normalize(nb):
    """Return a copy in normal form; normalizing that again changes nothing."""
    nb = copy.deepcopy(nb)
    nb.metadata = copy.deepcopy(METADATA)
    nb.nbformat, nb.nbformat_minor = 4, 5
    _name_cells(nb.cells)
    count = 0
    for cell in nb.cells:
        _reduce_metadata(cell)
        if cell.cell_type == "code":
            count += bool(cell.source.strip())
            _normalize_outputs(cell, count if cell.source.strip() else None)
    return nb


def digest(source: str) -> str:
    """Twelve digits that change when a cell's source does."""
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def _name_cells(cells) -> None:
    """Keep the ids that someone chose; replace random and repeated ones by names made from the source."""
    taken = set()
    for cell in cells:
        name = cell.get("id", "")
        if not name or name in taken or RANDOM_ID.fullmatch(name):
            name = base = f"{cell.cell_type}-{digest(cell.source)}"
            number = 2
            while name in taken:
                name, number = f"{base}-{number}", number + 1
        cell.id = name
        taken.add(name)


def _reduce_metadata(cell) -> None:
    cell.metadata = {key: value for key, value in cell.metadata.items() if key in KEPT_OF_A_CELL}
    cell.pop("attachments", None)  # pictures of the prose are files in images/


def _normalize_outputs(cell, count: int | None) -> None:
    cell.execution_count = count
    cell.outputs = [output for output in cell.outputs if not _is_empty(output)]
    for output in cell.outputs:
        if output.output_type == "execute_result":
            output.execution_count = count
        if "text" in output:
            output.text = _stable(output.text)
        data = output.get("data", {})
        for kind in (kind for kind in data if kind.startswith("text/")):
            data[kind] = _stable(data[kind])


def _is_empty(output) -> bool:
    """A slider (a static picture stands beside it), or a progress line that has cleared itself."""
    data = output.get("data", {})
    return WIDGET in data or data.get("text/html", "x").strip() == ""


def _stable(text: str) -> str:
    """Text without what differs between runs (addresses, random names) and machines (paths)."""
    text = re.sub(r"( at )?0x[0-9a-fA-F]{6,}", "", text)
    if "ipykernel_" in text:  # these two patterns take long to find nothing in an encoded sound
        text = re.sub(r"\S*ipykernel_\d+[/\\]+\d+\.py", "<cell>", text)
    if "site-packages" in text:
        text = re.sub(r"[^\s'\"(<]*site-packages[/\\]", "site-packages/", text)
    text = _without(text, ROOT, "")
    if len(Path.home().parts) > 1:  # in some containers the home folder is / itself
        text = _without(text, Path.home(), "~/")
    seen = {}  # pandas' Styler names its tables at random
    return re.sub(r"\bT_[0-9a-f]{5}(?=_|\b)", lambda m: seen.setdefault(m[0], f"T_{len(seen):05d}"), text)


def _without(text: str, folder: Path, replacement: str) -> str:
    return re.sub(rf"(?<![\w./\\]){re.escape(str(folder))}[/\\]+", replacement, text)
