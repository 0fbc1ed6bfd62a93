"""Fixtures that the tests of the notebooks share: each chapter in turn."""

import pytest

from chapters import PATHS, TOUR, Chapter


@pytest.fixture(scope="session", params=PATHS, ids=lambda path: path.stem)
def chapter(request):
    return Chapter(request.param)


@pytest.fixture
def lesson(chapter):
    """A chapter with the full list of sections: any but the tour."""
    if chapter.number == TOUR:
        pytest.skip("the tour has sections of its own")
    return chapter
