"""What a reader may rely on in exercises and quizzes: their form, and that their checks judge rightly."""

import copy
import re
import runpy
import textwrap

import pytest

import kernels
from chapters import PATHS, ROOT, TOUR, Chapter, assert_none

# What a derived cell says first: whether the check, in marking mode, lets the answer through.
MARK = """
import os
os.environ["MMTUTOR_GRADE"] = "1"
try:
{check}
    print("let through")
except AssertionError:
    print("refused")
finally:
    del os.environ["MMTUTOR_GRADE"]
"""

SOLUTION = re.compile(
    r"# Solution \(click to open\)\n### BEGIN SOLUTION\n.+\n### END SOLUTION\n+check\(.+", re.DOTALL
)


def check_call(cell):
    """The call of `check` that ends a cell; empty when none does."""
    match = re.search(r"^check\(.*\Z", cell.source, re.DOTALL | re.MULTILINE)
    return match[0].strip() if match else ""


# Form


def test_exercises_have_their_four_cells(chapter):
    """A prompt with a folded hint, a stub, a check, a folded solution that ends with the same check."""
    for e in chapter.exercises:
        prompt, stub, check, solution = (chapter.cells[n] for n in (e.prompt, e.stub, e.check, e.solution))
        assert prompt.cell_type == "markdown", f"{chapter.place(e.stub)}: no prompt before it"
        assert "<details>" in prompt.source, f"{chapter.place(e.prompt)}: no hint in <details>"
        assert "#" in stub.source, f"{chapter.place(e.stub)}: no comment says that it is the reader's turn"
        assert check_call(check), f"{chapter.place(e.check)}: its last statement is no check"
        assert SOLUTION.fullmatch(solution.source), f"{chapter.place(e.solution)}: not {SOLUTION.pattern}"
        assert check_call(solution) == check_call(check), f"{chapter.place(e.solution)}: another check"


def test_solutions_are_folded(chapter):
    for n in (e.solution for e in chapter.exercises):
        metadata = chapter.cells[n].metadata
        assert metadata.get("jupyter", {}).get("source_hidden") is True, f"{chapter.place(n)}: open in Lab"
        assert "hide-input" in metadata.get("tags", []), f"{chapter.place(n)}: open in the book"


def test_checks_and_solutions_belong_to_an_exercise(chapter):
    calls = re.compile(r"^check\(|### (BEGIN|END) SOLUTION", re.MULTILINE)
    assert_none(
        f"{chapter.place(n)} belongs to no exercise: is its stub missing?"
        for n, cell in chapter.code()
        if calls.search(cell.source) and n not in chapter.aside
    )


def test_chapter_has_two_to_five_exercises(lesson):
    assert 2 <= len(lesson.exercises) <= 5, f"{lesson.path.name}: {len(lesson.exercises)} exercises"


def test_quiz_explains_every_answer(chapter):
    """Three to five questions, each with two answers or more that unfold to an explanation."""
    _, *parts = re.split(
        r"^(?:\d+\. )?(\*\*.+?\*\*)", chapter.section("Quiz"), flags=re.MULTILINE | re.DOTALL
    )
    questions = dict(zip(parts[::2], parts[1::2], strict=True))
    least = 1 if chapter.number == TOUR else 3
    assert least <= len(questions) <= 5, f"{chapter.path.name}: {len(questions)} questions in the quiz"
    for question, text in questions.items():
        answers = re.findall(r"<details>\s*<summary>(.+?)</summary>(.+?)</details>", text, re.DOTALL)
        assert len(answers) >= 2, f"{chapter.path.name}, quiz {question}: {len(answers)} answers"
        assert_none(
            f"{chapter.path.name}, quiz {question}: {answer!r} is not explained"
            for answer, explanation in answers
            if len(explanation.split()) < 4
        )


# Judgment: each chapter runs once, with the wrong answers of tests/answers between check and solution


@pytest.fixture(scope="module", params=PATHS, ids=lambda path: path.stem)
def judged(request):
    """What came of each exercise: its name -> outcomes of no answer, of each wrong one, of the solution."""
    chapter = Chapter(request.param)
    if not chapter.exercises:
        pytest.skip("no exercises")
    nb = copy.deepcopy(chapter.nb)
    nb.cells, places = derive(chapter, wrong_answers(chapter))
    kernels.run(nb, chapter.path)
    return {name: [outcome(nb.cells[n]) for n in numbers] for name, numbers in places.items()}


def derive(chapter, wrong):
    """The chapter's cells, the check repeated after each wrong answer; and where the outcomes will stand."""
    cells, places = [], {}
    exercise_of = {n: e for e in chapter.exercises for n in (e.check, e.solution)}
    for n, cell in enumerate(chapter.cells):
        if n not in exercise_of:
            cells.append(copy.deepcopy(cell))
            continue
        call = check_call(cell)
        name = exercise_name(call)
        answers = wrong.get(name, []) if n == exercise_of[n].check else []
        for answer in [cell.source.strip().removesuffix(call), *answers]:
            places.setdefault(name, []).append(len(cells))
            cells.append(marked_cell(cell, answer, call))
    return cells, places


def wrong_answers(chapter):
    path = ROOT / "tests" / "answers" / f"{chapter.number}.py"
    return runpy.run_path(str(path))["WRONG"] if path.exists() else {}


def exercise_name(call):
    return re.match(r"check\(\s*([\"'])(.+?)\1", call)[2]


def marked_cell(cell, answer, call):
    """The answer; its marking; and, as the last statement, the check as a learner sees it."""
    cell = copy.deepcopy(cell)
    cell.source = "\n".join([answer, MARK.format(check=textwrap.indent(call, "    ")), call])
    return cell


def outcome(cell):
    """Whether the marking refused the answer, and the report as text."""
    marking = "".join(output.get("text", "") for output in cell.outputs)
    report = "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
    return ("refused" in marking, report)


def test_an_unanswered_exercise_says_so_and_fails_only_when_marked(judged):
    for name, ((refused, report), *_) in judged.items():
        assert "… not answered yet" in report, f"{name}: {report}"
        assert refused, f"{name}: a missing answer passes the marking"


def test_a_wrong_answer_is_refused_with_a_reason(judged):
    for name, (_, *wrong, _) in judged.items():
        assert wrong, f"{name}: tests/answers has no wrong answer for it"
        for number, (refused, report) in enumerate(wrong):
            assert re.search(r"✗ \S+", report), f"{name}, wrong answer {number}: {report}"
            assert refused, f"{name}: wrong answer {number} passes the marking"


def test_the_solution_passes(judged):
    for name, (*_, (refused, report)) in judged.items():
        assert "✓" in report and "✗" not in report and "…" not in report, f"{name}: {report}"
        assert not refused, f"{name}: the solution does not pass the marking"


def test_wrong_answers_belong_to_exercises(chapter):
    names = {exercise_name(check_call(chapter.cells[exercise.check])) for exercise in chapter.exercises}
    assert set(wrong_answers(chapter)) == names
