"""What a learner may rely on in a check."""

import pytest

from mmtutor.exercises import check

PROPERTIES = {
    "is even Hint: divide by two": lambda a: a % 2 == 0,
    "is more than ten": lambda a: a > 10,
}


@pytest.mark.parametrize("nothing", [..., None])
def test_no_answer_is_no_failure(nothing):
    report = check("Exercise", nothing, PROPERTIES)
    assert repr(report) == "Exercise\n  … not answered yet" and not report.passed


def test_a_right_answer_passes():
    report = check("Exercise", 12, PROPERTIES)
    assert repr(report) == "Exercise\n  ✓ is even\n  ✓ is more than ten" and report.passed


def test_a_wrong_answer_says_what_holds_and_hints_at_what_does_not():
    report = check("Exercise", 13, PROPERTIES)
    assert repr(report) == "Exercise\n  ✓ is more than ten\n  ✗ is even Hint: divide by two"


def test_an_answer_of_another_kind_raises_nothing_and_quotes_the_error():
    report = check("Exercise", "twelve", PROPERTIES)
    assert not report.passed and "(TypeError: " in repr(report)


def test_html_says_the_same_and_cannot_be_injected():
    shown = check("<b>", 13, {"a < b": lambda a: False})._repr_html_()
    assert "a &lt; b" in shown and "&lt;b&gt;" in shown and "✗" in shown


@pytest.mark.parametrize("answer", [..., None, 13])
def test_marking_raises_for_a_wrong_and_for_a_missing_answer(monkeypatch, answer):
    monkeypatch.setenv("MMTUTOR_GRADE", "1")
    with pytest.raises(AssertionError, match="Exercise"):
        check("Exercise", answer, PROPERTIES)
    assert check("Exercise", 12, PROPERTIES).passed


def test_a_check_without_properties_is_refused():
    with pytest.raises(ValueError, match="no property to test"):
        check("Exercise", 1, {})
