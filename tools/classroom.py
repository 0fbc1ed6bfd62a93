"""Write student copies of all notebooks to classroom/: no solutions, no outputs (`make classroom`).

The pictures and tables that notebooks show are copied beside them. Links to the glossary lead to book/, so
hand out the course's folder with classroom/ in it.
"""

import shutil
import sys
from pathlib import Path

from kernels import NOTEBOOKS, ROOT, read, write
from normalize import normalize

CLASSROOM = ROOT / "classroom"


def student_copy(nb):
    """The notebook as a class gets it: what is to be found out is not there."""
    nb = normalize(nb)
    nb.cells = [cell for cell in nb.cells if "### BEGIN SOLUTION" not in cell.source]
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.metadata.pop("mmtutor", None)
    return nb


def main(source: Path = NOTEBOOKS, target: Path = CLASSROOM) -> int:
    paths = sorted(source.glob("*.ipynb"))
    for path in paths:
        write(student_copy(read(path)), target / path.name)
    for folder in ("images", "results"):
        if (source / folder).is_dir():
            shutil.rmtree(target / folder, ignore_errors=True)
            shutil.copytree(source / folder, target / folder)
    print(f"{len(paths)} notebooks in {target.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
