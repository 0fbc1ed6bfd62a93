"""Write what a class needs to dist/ (`make classroom`).

    dist/students/   the notebooks without solutions and outputs, with nbgrader's marks
    dist/teachers/   the notebooks with outputs and open solutions
    dist/slides/     a page a chapter, for a browser; --solutions puts the solutions at its end
    dist/nbgrader/   a course folder for nbgrader: an assignment a chapter

Each folder can be handed out alone: the pictures, tables and pages that its notebooks need are in it,
and a link to anything else becomes plain text. What nbgrader itself writes into its folder is left alone.
"""

import argparse
import copy
import os
import re
import shutil
import sys
from pathlib import Path

from kernels import NOTEBOOKS, ROOT, read, write
from normalize import normalize
from slides import deck, write_assets

DIST = ROOT / "dist"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s#]+)(#[^()\s]*)?\)")


def exercises(nb) -> list[tuple[int, int, int]]:
    """The numbers of each exercise's stub, check and solution; these three cells follow one another."""
    solutions = [n for n, cell in enumerate(nb.cells) if cell.cell_type == "code" and BEGIN in cell.source]
    return [(n - 2, n - 1, n) for n in solutions]


def solution_of(cell) -> str:
    """The lines of a solution cell that answer the exercise, without the check that follows them."""
    return re.search(rf"{BEGIN}\n(.*)\n{END}", cell.source, re.DOTALL)[1]


def student_copy(nb):
    """The notebook as a class gets it: what is to be found out is not there; nbgrader's marks are.

    The lesson's cells are marked as nbgrader's own: a class may change them, marking runs the originals.
    """
    nb = normalize(nb)
    found = exercises(nb)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            _mark(cell, locked=True)
    for stub, check, _ in found:
        _mark(nb.cells[stub], solution=True)
        _mark(nb.cells[check], grade=True, locked=True, points=1)
    without = {solution for *_, solution in found}
    nb.cells = [cell for n, cell in enumerate(nb.cells) if n not in without]
    return nb


def _mark(cell, grade=False, solution=False, locked=False, **points) -> None:
    marks = {"grade": grade, "solution": solution, "locked": locked, "task": False, "schema_version": 3}
    cell.metadata["nbgrader"] = marks | {"grade_id": cell.id} | points


def assignment(nb):
    """The notebook as nbgrader wants it: each solution in its stub, between nbgrader's two comments."""
    marked = student_copy(nb)
    cell_of = {cell.id: cell for cell in marked.cells}
    nb = normalize(nb)
    for stub, _, solution in exercises(nb):
        answer = solution_of(nb.cells[solution])
        cell_of[nb.cells[stub].id].source += f"\n{BEGIN}\n{answer}\n{END}"
    return marked


def teacher_copy(nb):
    """The notebook with its outputs and with every solution open."""
    nb = normalize(nb)
    for *_, solution in exercises(nb):
        cell = nb.cells[solution]
        cell.source = cell.source.replace("# Solution (click to open)", "# Solution", 1)
        cell.metadata.pop("jupyter", None)
        cell.metadata["tags"] = [tag for tag in cell.metadata.get("tags", []) if tag != "hide-input"]
    return nb


def relink(text: str, source: Path, places: dict[Path, Path]) -> str:
    """Let the links of a file's Markdown lead to the same things in a hand-out.

    `places` says where in the hand-out each file lies, `source` itself among them. A link to a file that is
    not handed out becomes plain text.
    """

    def lead(match):
        mark, words, target, anchor = match.groups(default="")
        path = (source.parent / target).resolve()
        if re.match(r"\w+:", target) or not (path in places or path.exists()):
            return match[0]
        if path not in places:
            return words
        return f"{mark}[{words}]({_relative(places[path], places[source])}{anchor})"

    return LINK.sub(lead, text)


def _relative(place: Path, start: Path) -> str:
    return Path(os.path.relpath(place, start.parent)).as_posix()


def needed_files(notebooks: dict[Path, dict], source: Path) -> dict[Path, Path]:
    """Where in a hand-out everything lies that the notebooks read, show or link to."""
    places = {
        path: path.relative_to(source)
        for folder in ("images", "results")
        for path in sorted((source / folder).rglob("*"))
        if path.is_file()
    }
    places |= {ROOT / name: Path(name) for name in ("LICENSE", "DATA_LICENSES.md")}
    prose = "\n".join(cell.source for nb in notebooks.values() for cell in nb.cells)
    for match in LINK.finditer(prose):
        page = (source / match[3]).resolve()
        if page.suffix == ".md" and page.is_file():
            places[page] = Path("book", page.name)
    return places


def hand_out(notebooks: dict[Path, dict], source: Path, target: Path) -> None:
    """Write notebooks to a folder that needs nothing from outside it."""
    shutil.rmtree(target, ignore_errors=True)
    files = needed_files(notebooks, source)
    places = files | {path: Path(path.name) for path in notebooks}
    for path, place in files.items():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            text = relink(path.read_text(encoding="utf-8"), path, places)
            (target / place).write_text(text, encoding="utf-8")
        else:
            shutil.copyfile(path, target / place)
    for path, nb in notebooks.items():
        nb = copy.deepcopy(nb)
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = relink(cell.source, path, places)
        write(nb, target / path.name)


def write_nbgrader(chapters: dict[Path, dict], source: Path, target: Path) -> None:
    """Write nbgrader's configuration and source folder; submissions and marks beside them stay."""
    shutil.rmtree(target / "source", ignore_errors=True)
    for path, nb in chapters.items():
        if exercises(nb):
            hand_out({path: assignment(nb)}, source, target / "source" / path.stem)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "tools" / "nbgrader_config.py", target / "nbgrader_config.py")


def write_slides(chapters: dict[Path, dict], source: Path, target: Path, solutions: bool) -> None:
    """Write each chapter as a page of slides, with the scripts and fonts of all of them in assets/."""
    shutil.rmtree(target, ignore_errors=True)
    write_assets(target / "assets")
    places = {path: Path(path.stem + ".html") for path in chapters}
    for path in sorted((source / "images").glob("*")):
        places[path] = Path("images", path.name)
        (target / "images").mkdir(exist_ok=True)
        shutil.copyfile(path, target / places[path])
    for path, nb in chapters.items():
        nb = normalize(nb)
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = relink(cell.source, path, places)
        (target / places[path]).write_text(deck(nb, exercises(nb), solutions), encoding="utf-8")


def main(source: Path = NOTEBOOKS, target: Path = DIST, solutions: bool = False) -> int:
    source = source.resolve()
    chapters = {path: read(path) for path in sorted(source.glob("*.ipynb"))}
    for name, made in (("students", student_copy), ("teachers", teacher_copy)):
        hand_out({path: made(nb) for path, nb in chapters.items()}, source, target / name)
    write_slides(chapters, source, target / "slides", solutions)
    write_nbgrader(chapters, source, target / "nbgrader")
    print(f"{len(chapters)} chapters in {target.name}/: students, teachers, slides, nbgrader")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--solutions", action="store_true", help="put the solutions at the end of the slides")
    sys.exit(main(solutions=parser.parse_args().solutions))
