"""What a reader may rely on in every chapter: its order, its size, its prose, its links, its traps."""

import re
import statistics
from urllib.parse import unquote

import pytest

from chapters import (
    HEADING,
    TOUR,
    anchors,
    assert_none,
    links,
    misplaced_words,
    reference_addresses,
    without_fences,
)

# The file of each chapter, and the verb that its title opens with.
CHAPTERS = {
    "00_start_here": "Take",
    "01_one_task_several_modalities": "See",
    "02_features": "Turn",
    "03_three_levels_of_fusion": "Fuse",
    "04_fine_tuning": "Fine-tune",
    "05_missing_and_unbalanced": "Handle",
    "06_transfer": "Transfer",
    "07_crossing_modalities": "Cross",
    "08_video_and_sound": "Add",
    "09_two_branch_networks": "Build",
    "10_large_models": "Work",
    "11_fusion_inside_networks": "Fuse",
    "12_several_tasks": "Learn",
    "13_explain_and_stress_test": "Explain",
    "14_scale_out": "Scale",
    "15_your_own_data": "Build",
}
OPENING = ["What you'll do", "What you'll learn", "What you'll need"]
SECTIONS = [
    "Concepts",
    "The mathematics of fusion",
    "Code",
    "Challenges",
    "Exercises",
    "Summary",
    "In practice",
    "Further reading",
]
SECTIONS_OF_THE_TOUR = [
    "How to work with a notebook",
    "Is everything in place?",
    "Exercises",
    "Quiz",
    "The map of the course",
    "What each library is for",
    "Summary",
]
CELLS = range(15, 81)
MOST_LINES, MEDIAN_LINES = 15, 8
TRAP = re.compile(r"^> \*\*Trap: [^*]+\*\*")


def test_file_is_named_as_in_the_syllabus(chapter):
    assert chapter.path.stem in CHAPTERS


def test_title_opens_with_a_verb(chapter):
    first, *others = [heading for heading in chapter.headings if heading.level == 1]
    assert first.cell == 0, f"{chapter.path.name}: the title does not stand in the first cell"
    assert not others, f"{chapter.path.name} has several titles: {others}"
    assert first.text.split()[0] == CHAPTERS[chapter.path.stem], f"{chapter.path.name}: {first.text!r}"


def test_opening_says_what_you_will_do_learn_and_need(chapter):
    sections = [h.cell for h in chapter.headings if h.level == 2 and h.text not in OPENING]
    opening = "\n".join(source for n, source in chapter.prose() if n <= sections[0]).replace("’", "'")
    places = [opening.find(phrase) for phrase in OPENING]
    assert -1 not in places, f"{chapter.path.name}: one of {OPENING} is missing before the first section"
    assert places == sorted(places), f"{chapter.path.name}: the opening has another order than {OPENING}"


def test_sections_stand_in_the_order_of_every_chapter(lesson):
    found = [h.text for h in lesson.headings if h.level == 2 and h.text not in [*OPENING, "Quiz"]]
    assert found == SECTIONS, f"{lesson.path.name}: sections {found}"


def test_the_tour_shows_how_to_work_and_where_to_go(chapter):
    if chapter.number != TOUR:
        pytest.skip("a lesson has the sections of every chapter")
    found = [h.text for h in chapter.headings if h.level == 2 and h.text in SECTIONS_OF_THE_TOUR]
    assert found == SECTIONS_OF_THE_TOUR, f"{chapter.path.name}: sections {found}"


def test_chapter_is_neither_a_sketch_nor_a_book(chapter):
    assert len(chapter.cells) in CELLS, f"{chapter.path.name} has {len(chapter.cells)} cells"


def test_code_cells_are_short(chapter):
    lines = {n: len(cell.source.splitlines()) for n, cell in chapter.code()}
    assert_none(f"{chapter.place(n)}: {count} lines" for n, count in lines.items() if count > MOST_LINES)
    median = statistics.median(lines.values())
    assert median <= MEDIAN_LINES, f"{chapter.path.name}: half of the code cells have {median} lines or more"


def test_prose_stands_between_any_two_steps(chapter):
    """At most two code cells in a row; an exercise's cells are an aside."""

    def is_step(n):
        return n >= 0 and chapter.cells[n].cell_type == "code" and n not in chapter.aside

    assert_none(
        f"{chapter.place(n)}: the third code cell in a row"
        for n in range(len(chapter.cells))
        if is_step(n) and is_step(n - 1) and is_step(n - 2)
    )


def test_every_chapter_checks_what_its_prose_says(chapter):
    assert any("claim(" in cell.source for _, cell in chapter.code()), f"{chapter.path.name} has no claim"


def test_terms_lead_to_the_glossary(lesson):
    targets = [target for target in links(lesson.section("Concepts")) if "book/glossary.md#" in target]
    assert targets, f"{lesson.path.name}: Concepts links no term to the glossary"


def test_further_reading_says_what_each_work_gives(lesson):
    items = re.findall(r"^[-*] (.+(?:\n +.+)*)", lesson.section("Further reading"), re.MULTILINE)
    assert items, f"{lesson.path.name}: Further reading has no list"
    assert_none(
        f"{lesson.path.name}, Further reading: {item[:60]!r} lacks a link, or what the work gives"
        for item in items
        if not list(links(item)) or len(re.sub(r"\[[^\]]*\]\([^)]*\)", "", item).split()) < 5
    )


# Prose


def test_prose_is_plain_markdown(chapter):
    """Directives, roles and labels look right in the book only, and a chapter is read in many places."""
    special = re.compile(r"^\s*(```|~~~|:::+)\{|\{[\w:+-]+\}`|^\([\w-]+\)=\s*$", re.MULTILINE)
    assert_none(
        f"{chapter.place(n)}: {match[0].strip()!r}"
        for n, source in chapter.prose()
        for match in special.finditer(source)
    )


def test_prose_neither_shouts_nor_belittles_and_is_spelled_the_american_way(chapter):
    assert_none(
        f"{chapter.place(n)}: {word!r}" for n, source in chapter.prose() for word in misplaced_words(source)
    )


def test_local_links_and_their_anchors_exist(chapter):
    def is_broken(target):
        path, _, fragment = unquote(target).partition("#")
        file = (chapter.path.parent / path).resolve() if path else chapter.path
        return not file.exists() or (fragment and fragment not in anchors(file))

    assert_none(
        f"{chapter.place(n)}: {target} leads nowhere"
        for n, target in chapter.links()
        if not target.startswith(("http:", "https:", "mailto:")) and is_broken(target)
    )


def test_every_link_to_the_web_is_a_reference(chapter):
    known = reference_addresses()
    assert_none(
        f"{chapter.place(n)}: {target} is not in book/references.bib"
        for n, target in chapter.links()
        if target.startswith("http") and target.lower().rstrip("/") not in known
    )


# Traps


def test_traps_look_like_traps(chapter):
    """The book's style, and its index of traps, find them by their first words."""
    assert_none(
        f"{chapter.place(n)}: {line[:60]!r} should open with '> **Trap: … **'"
        for n, source in chapter.prose()
        for line in without_fences(source).splitlines()
        if re.match(r">\s*[*_]*trap\b", line, re.IGNORECASE) and not TRAP.match(line)
    )


def test_every_trap_is_run_and_then_cured(chapter):
    """At least two code cells after each, the wrong way and the cure, before the next heading or trap."""
    steps = count_steps_after_traps(chapter)
    assert_none(f"{chapter.place(n)}: {count} code cells" for n, count in steps.items() if count < 2)


def count_steps_after_traps(chapter):
    """Number of the cell with a trap (or several of one cause) -> number of code cells that belong to it."""
    steps, trap = {}, None
    for n, cell in enumerate(chapter.cells):
        if cell.cell_type == "code":
            if trap is not None and n not in chapter.aside:
                steps[trap] += 1
            continue
        for line in without_fences(cell.source).splitlines():
            if HEADING.match(line):
                trap = None
            elif TRAP.match(line):
                trap = n
                steps[n] = 0
    return steps
