"""What a teacher may rely on: no solution leaks, no link is dead, slides work offline, marks are right."""

import ast
import copy
import csv
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell as code
from nbformat.v4 import new_markdown_cell as markdown
from nbformat.v4 import new_notebook, new_output

import classroom
import kernels
import slides
from chapters import PATHS, anchors, links

NAME = "00_tiny"
TALK = "A first sentence. " + "Another one makes the paragraph longer than a slide can show at once. " * 5
FIGURE = new_output("display_data", data={"image/png": "iVBORw0KGgo="})
CHECKS = [
    'check("Exercise 1: Add", answer, {"is the sum": lambda a: a == total})',
    'check("Exercise 2: Double", answer, {"doubles 2": lambda f: of_two(f) == 4})',
]
SOLUTIONS = [
    "answer = numbers[0] + numbers[1] + numbers[2]",
    "def answer(number):\n    return number + number",
]
CELLS = [
    markdown(
        "# Try a chapter\n\nA [modality](../book/glossary.md#modality), see [data](../book/data.md), "
        "[a chapter](01_other.ipynb) and [a paper](https://doi.org/10.1145/3656580).\n\n"
        "![A box](images/box.svg)"
    ),
    code("from mmtutor.exercises import check\n\nnumbers = [1, 2, 3]", id="numbers"),
    markdown(f"## Concepts\n\n{TALK}\n\n### Add\n\n$1 + 2$ is where to begin:"),
    code("total = sum(numbers)\ntotal", id="total", outputs=[new_output("stream", text="6"), FIGURE]),
    markdown("## Exercises\n\n### Exercise 1: Add (5 minutes)"),
    code("answer = ...  # your turn", id="add"),
    code(CHECKS[0], id="add-check"),
    markdown("### Exercise 2: Double (5 minutes)"),
    code(
        "answer = ...  # your turn: answer = double\n\n\n"
        "def of_two(f):  # the check uses it\n    return f(2)",
        id="double",
    ),
    code(CHECKS[1], id="double-check"),
]
for place, answer, check in ((7, SOLUTIONS[0], CHECKS[0]), (11, SOLUTIONS[1], CHECKS[1])):
    source = f"# Solution (click to open)\n### BEGIN SOLUTION\n{answer}\n### END SOLUTION\n{check}"
    CELLS.insert(place, code(source, metadata={"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}))


@pytest.fixture
def source(tmp_path):
    """The notebooks of a small course: one chapter, one picture, two pages of a book."""
    folder = tmp_path / "notebooks"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "box.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "glossary.md").write_text("# Glossary\n\n## Modality\n\nA kind of signal.\n")
    page = "# Data\n\n[The chapter](../notebooks/00_tiny.ipynb), [results](results.md)\n"
    (tmp_path / "book" / "data.md").write_text(page)
    (tmp_path / "book" / "results.md").write_text("# Results\n")
    nbformat.write(new_notebook(cells=copy.deepcopy(CELLS)), folder / f"{NAME}.ipynb")
    return folder


@pytest.fixture
def made(source, tmp_path):
    """The folder that `make classroom` writes for the small course."""
    classroom.main(source, tmp_path / "dist")
    return tmp_path / "dist"


def shown(nb):
    return [cell.source for cell in nb.cells if cell.cell_type == "code"]


def dead_links(folder):
    """The links and pictures in a folder's notebooks and pages that lead to nothing in it, or out of it."""
    dead = []
    for path in [*folder.rglob("*.ipynb"), *folder.rglob("*.md")]:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            text = "\n\n".join(c.source for c in kernels.read(path).cells if c.cell_type == "markdown")
        for target in [*links(text), *re.findall(r"!\[[^\]]*\]\(([^)\s]+)", text)]:
            file, _, heading = target.partition("#")
            aim = (path.parent / file).resolve() if file else path
            if re.match(r"\w+:", target) or (aim.is_dir() and aim.is_relative_to(folder)):
                continue
            found = aim.is_file() and aim.is_relative_to(folder)
            if not found or (heading and heading not in anchors(aim)):
                dead.append(f"{path.name}: {target}")
    return dead


# Students


def test_a_class_gets_no_solution_and_no_output(made):
    nb = kernels.read(made / "students" / f"{NAME}.ipynb")
    assert shown(nb) == [c.source for c in CELLS if c.cell_type == "code" and "SOLUTION" not in c.source]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in nb.cells)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_student_copies_hold_no_line_of_a_solution(path):
    """In the whole file: prose, code, outputs, metadata. Lines that the lesson itself has are no secret."""
    nb = kernels.read(path)
    student = json.dumps(classroom.student_copy(nb), ensure_ascii=False)
    numbers = [n for *_, n in classroom.exercises(nb)]
    lesson = "\n".join(cell.source for n, cell in enumerate(nb.cells) if n not in numbers)
    secret = [line.strip() for n in numbers for line in classroom.solution_of(nb.cells[n]).splitlines()]
    secret = [line for line in secret if len(line) > 12 and line not in lesson]
    assert bool(secret) == bool(numbers)
    assert not [line for line in secret if json.dumps(line, ensure_ascii=False)[1:-1] in student]
    assert "SOLUTION" not in student
    assert "image/png" not in student


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_student_copies_carry_nbgraders_marks(path):
    nb = kernels.read(path)
    cells = [cell for cell in classroom.student_copy(nb).cells if cell.cell_type == "code"]
    marks = [cell.metadata.nbgrader for cell in cells]
    ids = [mark.grade_id for mark in marks]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[\w-]+", name) for name in ids)
    assert [m.grade_id for m in marks if m.solution] == [nb.cells[n].id for n, *_ in classroom.exercises(nb)]
    assert {m.grade_id: m.points for m in marks if m.grade} == {
        nb.cells[n].id: 1 for _, n, _ in classroom.exercises(nb)
    }
    assert all(mark.locked != mark.solution for mark in marks)


# Folders that are handed out


def test_links_lead_to_the_same_things_in_a_folder_that_is_handed_out(made):
    title = kernels.read(made / "students" / f"{NAME}.ipynb").cells[0].source
    assert "[modality](book/glossary.md#modality), see [data](book/data.md)" in title
    assert "[a paper](https://doi.org/10.1145/3656580)" in title
    page = (made / "students" / "book" / "data.md").read_text()
    assert page == "# Data\n\n[The chapter](../00_tiny.ipynb), results\n"
    assert (made / "students" / "images" / "box.svg").is_file()
    assert (made / "students" / "LICENSE").is_file()


def test_no_link_of_the_course_is_dead_in_what_is_handed_out(tmp_path):
    notebooks = {path: classroom.student_copy(kernels.read(path)) for path in PATHS}
    classroom.hand_out(notebooks, kernels.NOTEBOOKS, tmp_path / "students")
    assert dead_links(tmp_path / "students") == []
    alone = {PATHS[1]: classroom.assignment(kernels.read(PATHS[1]))}
    classroom.hand_out(alone, kernels.NOTEBOOKS, tmp_path / "assignment")
    assert dead_links(tmp_path / "assignment") == []


def test_a_teacher_gets_outputs_and_open_solutions(made):
    nb = kernels.read(made / "teachers" / f"{NAME}.ipynb")
    assert nb.cells[3].outputs[0].text == "6"
    for *_, n in classroom.exercises(nb):
        assert nb.cells[n].source.startswith("# Solution\n")
        assert not nb.cells[n].metadata.get("jupyter") and not nb.cells[n].metadata.get("tags")


def test_making_the_material_again_keeps_submissions_and_marks(source, made):
    kept = [made / "nbgrader" / name for name in ("gradebook.db", "submitted/ann/00_tiny/00_tiny.ipynb")]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a term's work")
    (made / "students" / "05_old_name.ipynb").write_text("{}")
    classroom.main(source, made)
    assert all(path.read_text() == "a term's work" for path in kept)
    assert not (made / "students" / "05_old_name.ipynb").exists()


# Slides


def test_slides_load_nothing_from_another_host(made):
    folder = made / "slides"
    (page,) = folder.glob("*.html")
    text = page.read_text(encoding="utf-8")
    loaded = re.findall(r"<(?:script|link|img|audio|iframe)[^>]*?(?:src|href)=\"([^\"]+)\"", text)
    assert len(loaded) >= 6
    for target in loaded:
        assert target.startswith("data:") or (folder / target).is_file(), target
    styles = "\n".join(path.read_text(encoding="utf-8") for path in (folder / "assets").glob("*.css"))
    assert not re.search(r"@import|url\(\s*['\"]?(?!data:)", styles + text)


@pytest.mark.parametrize("path", PATHS[:2], ids=lambda path: path.stem)
def test_a_chapters_slides_hold_its_figures_and_no_solution(path):
    nb = kernels.read(path)
    page = slides.deck(nb, classroom.exercises(nb))
    figures = sum(
        "image/png" in output.get("data", {}) for cell in nb.cells for output in cell.get("outputs", [])
    )
    assert page.count("data:image/png") == figures > 0
    alts = re.findall(r"<img[^>]*?alt=\"([^\"]*)\"", page)
    assert len(alts) == page.count("<img") and all(len(alt) > 30 for alt in alts)
    assert "SOLUTION" not in page
    assert "Traceback" not in page
    assert not re.search(r"<(?:script|link|img)[^>]*?(?:src|href)=\"https?:", page)


def on_slides(nb, solutions=False):
    """The text of each slide, in order."""
    page = slides.deck(nb, classroom.exercises(nb), solutions)
    parts = re.split(r"<section[^>]*>", page[page.index("<body") : page.rindex("</section>")])
    words = [re.sub(r"<[^>]+>", "", part) for part in parts]
    return [text for text in words if text.strip()][1:] if not words[0].strip() else words


@pytest.fixture
def tiny():
    return new_notebook(cells=copy.deepcopy(CELLS))


def test_headings_start_slides_and_a_sentence_stays_with_its_code(tiny):
    add = next(text for text in on_slides(tiny) if "where to begin" in text)
    assert "Concepts" not in add
    assert "total" in add


def test_a_slide_shows_the_beginning_of_a_long_paragraph_and_folds_the_rest():
    shown, _, folded = slides.shortened(TALK).partition("<details")
    assert shown.startswith("A first sentence.") and len(shown) <= slides.SHORT + 2
    assert folded.count("Another one") + shown.count("Another one") == 5
    assert slides.shortened("Short. Whole.") == "Short. Whole."


@pytest.mark.parametrize("inside", ["$a. B$", "`a. B`", "[a. B](c)", "*a. B*"])
def test_a_paragraph_is_not_cut_within_a_formula_code_link_or_emphasis(inside):
    text = f"It starts with {inside} in it. " + "And it goes on and on. " * 20
    assert slides.shortened(text).startswith(f"It starts with {inside} in it.")


def test_a_full_slide_goes_on_under_the_same_title(tiny):
    many = "\n\n".join(f"Paragraph {n} says little." for n in range(40))
    tiny.cells.insert(1, markdown(f"## Long\n\n{many}"))
    full = [text for text in on_slides(tiny) if "says little" in text]
    assert len(full) > 2
    assert all("Long" in text for text in full)


def test_solutions_stand_at_the_end_of_the_slides_on_request_only(tiny):
    assert not any("numbers[1]" in text for text in on_slides(tiny))
    assert "number + number" in on_slides(tiny, solutions=True)[-1]
    assert not any("is the sum" in text for text in on_slides(tiny))


# Marking


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_an_assignment_without_its_solutions_is_what_a_class_gets(path):
    nb = kernels.read(path)
    region = re.compile(r"\n### BEGIN SOLUTION\n.*?\n### END SOLUTION", re.DOTALL)
    sources = shown(classroom.assignment(nb))
    assert [region.sub("", text) for text in sources] == shown(classroom.student_copy(nb))
    assert sum(bool(region.search(text)) for text in sources) == len(classroom.exercises(nb))


def names_set(source):
    """All names that a cell gives a value: variables, functions and their parameters, imports."""
    nodes = list(ast.walk(ast.parse(source)))
    found = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    found |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    found |= {node.asname or node.name for node in nodes if isinstance(node, ast.alias)}
    return found | {node.arg for node in nodes if isinstance(node, ast.arg)}


def names_used(source):
    nodes = ast.walk(ast.parse(source))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_solution_needs_nothing_that_only_its_check_defines(path):
    """In an assignment the solution stands in the stub, before the check."""
    nb = kernels.read(path)
    for _, check, solution in classroom.exercises(nb):
        before = [c.source for c in nb.cells[:check] if c.cell_type == "code"]
        answer = classroom.solution_of(nb.cells[solution])
        known = set().union(*map(names_set, [*before, answer]))
        missing = (names_used(answer) & names_set(nb.cells[check].source)) - known
        assert not missing, f"{kernels.place(path, solution, nb.cells[solution])}: {missing}"


def submit(course, student, change, start=None):
    """Hand in the released chapter, or the one in another folder, as a student who has changed it."""
    folder = course / "submitted" / student / NAME
    shutil.copytree(start or course / "release" / NAME, folder)
    nb = kernels.read(folder / f"{NAME}.ipynb")
    change(nb, {cell.id: cell for cell in nb.cells})
    nbformat.write(nb, folder / f"{NAME}.ipynb")


def answers(*sources):
    """A change that writes these answers under the two stubs."""

    def change(nb, cells):
        for name, text in zip(("add", "double"), sources, strict=True):
            cells[name].source += "\n" + text

    return change


def meddle(nb, cells):
    """Make the checks and the lesson say that all is well."""
    cells["add-check"].source = "1"
    cells["total"].source = "total = ..."
    nb.cells.remove(cells["double-check"])


def break_lesson(nb, cells):
    nb.cells.insert(nb.cells.index(cells["total"]), code("del numbers"))


@pytest.mark.skipif(
    importlib.util.find_spec("nbgrader") is None,
    reason="nbgrader is not installed: python -m pip install nbgrader==0.9.6",
)
def test_nbgrader_gives_all_points_to_right_answers_and_none_to_wrong_or_missing_ones(made):
    course = made / "nbgrader"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # nbgrader calls alembic

    def nbgrader(*command):
        command = [sys.executable, "-m", "nbgrader", *command]
        env = os.environ | {"PATH": path}
        return subprocess.run(command, cwd=course, env=env, capture_output=True, text=True, timeout=300)

    released = nbgrader("generate_assignment", NAME)
    assert released.returncode == 0, released.stderr
    nb = kernels.read(course / "release" / NAME / f"{NAME}.ipynb")
    student = kernels.read(made / "students" / f"{NAME}.ipynb")
    assert [text.rstrip() for text in shown(nb)] == shown(student)

    submit(course, "right", answers(*SOLUTIONS))
    submit(course, "half", answers(SOLUTIONS[0], "answer = abs"), start=made / "students")
    submit(course, "wrong", answers("answer = 5", "answer = abs"))
    submit(course, "empty", lambda nb, cells: None)
    submit(course, "meddled", meddle)
    marked = nbgrader("autograde", NAME)
    assert marked.returncode == 0, marked.stderr
    submit(course, "broken", break_lesson)
    refused = nbgrader("autograde", NAME, "--student=broken")
    assert refused.returncode != 0
    assert "cell total of the lesson failed: NameError" in refused.stderr

    assert nbgrader("export").returncode == 0
    rows = csv.DictReader((course / "grades.csv").read_text().splitlines())
    points = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in rows}
    points.pop("broken", None)
    assert points == {
        "right": (2, 2),
        "half": (1, 2),
        "wrong": (0, 2),
        "empty": (0, 2),
        "meddled": (0, 2),
    }
