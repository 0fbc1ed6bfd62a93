"""Tell a learner which properties of an answer hold."""

import html
import os
from collections.abc import Callable

COLORS = {"✓": "#1a7f37", "✗": "#b35900", "…": "#6a6a6a"}  # legible on white; the mark says it without color


class Report:
    """What `check` found: HTML in notebooks and in the book, text elsewhere. Taught in chapter 0.

    Attributes
    ----------
    name : str
        The exercise.
    lines : list of (mark, text)
        ``✓`` holds, ``✗`` does not hold (with a hint), ``…`` not answered yet. What fails comes last.
    passed : bool
        True when every property holds.
    """

    def __init__(self, name: str, lines: list[tuple[str, str]]):
        self.name = name
        self.lines = lines
        self.passed = all(mark == "✓" for mark, _ in lines)

    def __repr__(self):
        return "\n".join([self.name, *(f"  {mark} {text}" for mark, text in self.lines)])

    def _repr_html_(self):
        items = "".join(
            f'<li style="list-style:none"><b style="color:{COLORS[mark]}">{mark}</b> {_in_html(text)}</li>'
            for mark, text in self.lines
        )
        return (
            f'<div class="mmtutor-check" style="border-left:4px solid {COLORS[self.lines[-1][0]]};'
            f'padding:.2em .8em"><b>{html.escape(self.name)}</b>'
            f'<ul style="margin:.2em 0;padding:0">{items}</ul></div>'
        )


def _in_html(text: str) -> str:
    what, _, hint = text.partition(" Hint: ")
    return html.escape(what) + (f"<br><i>Hint: {html.escape(hint)}</i>" if hint else "")


def check(name: str, answer, properties: dict[str, Callable]) -> Report:
    """Say property by property what holds of an answer. Taught in chapter 0.

    Parameters
    ----------
    name : str
        The exercise, as its heading names it.
    answer : object
        The learner's answer; ``...`` and None mean *not answered yet*.
    properties : dict of str -> function of the answer
        What must hold, with a hint after `` Hint: ``, and the function that says whether it does.

    Returns
    -------
    Report, to be the last line of its cell. A property that raises does not hold; the error is quoted.

    Raises
    ------
    AssertionError
        Only when the environment variable MMTUTOR_GRADE is 1 (for marking): a wrong or missing answer.
    ValueError
        If there is no property to test.
    """
    if not properties:
        raise ValueError(f"check({name!r}): no property to test; give at least one")
    if answer is None or answer is ...:
        report = Report(name, [("…", "not answered yet")])
    else:
        lines = [_line(text, holds, answer) for text, holds in properties.items()]
        report = Report(name, sorted(lines, key=lambda line: line[0] == "✗"))
    if os.environ.get("MMTUTOR_GRADE") == "1" and not report.passed:
        raise AssertionError(repr(report))
    return report


def _line(text: str, holds: Callable, answer) -> tuple[str, str]:
    what, _, hint = text.partition(" Hint: ")
    try:
        if bool(holds(answer)):
            return "✓", what
        why = ""
    except Exception as error:  # an answer may be anything, and the learner should read why it fails
        why = f" ({type(error).__name__}: {error})"
    return "✗", what + why + (f" Hint: {hint}" if hint else "")
