"""What a reader may rely on before running anything: described figures, clean and current outputs."""

import re
from pathlib import Path

import execute
import kernels
from chapters import assert_none, images, shown_text, without_fences

MOST_BYTES = 1_500_000
MACHINE_PATH = re.compile(r"(?<![\w.~/:-])/(home|root|work|tmp|Users|mnt)/|\b[A-Z]:\\\\?\w")

# Figures


def test_every_figure_is_described(chapter):
    """One figure a cell, since a cell has one alternative text; it says what the figure shows."""
    seen = {}
    for n, cell in chapter.code():
        count = len(images(cell))
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").strip()
        assert count <= 1, f"{chapter.place(n)}: {count} figures in one cell"
        assert not count or says_something(alt), f"{chapter.place(n)}: alternative text {alt!r}"
        assert not count or alt not in seen, f"{chapter.place(n)}: described like {seen.get(alt)}"
        seen[alt] = chapter.place(n)


def says_something(alt):
    empty = re.match(r"(an? |the )?(figure|plot of|image of|picture of|screenshot)\b", alt, re.IGNORECASE)
    return len(alt) >= 40 and not empty


def test_every_picture_in_prose_exists_and_is_described(chapter):
    for n, source in chapter.prose():
        for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)", without_fences(source)):
            assert says_something(alt), f"{chapter.place(n)}: alternative text {alt!r}"
            assert (chapter.path.parent / target).is_file(), f"{chapter.place(n)}: no file {target}"


def test_every_picture_in_html_is_described(chapter):
    html = [(n, shown_text(cell)) for n, cell in chapter.code()] + list(chapter.prose())
    assert_none(
        f"{chapter.place(n)}: {tag[:80]} has no alternative text"
        for n, text in html
        for tag in re.findall(r"<img\b[^>]*>", text)
        if not re.search(r"\balt=(\"[^\"]+\"|'[^']+')", tag)
    )


# Outputs


def test_outputs_are_as_the_normalizer_leaves_them(chapter):
    """And so without execution times, widget state or random names; `make notebooks` repairs it."""
    assert_none(execute.differences(chapter.path))


def test_every_code_cell_was_run_without_error_or_warning(chapter):
    warning = re.compile(r"\b\w*Warning: ")
    for n, cell in chapter.code():
        assert cell.execution_count or not cell.source.strip(), f"{chapter.place(n)} was not run"
        assert not kernels.problems(cell), f"{chapter.place(n)}: {kernels.problems(cell)}"
        caught = "arning" in cell.source  # a trap may catch a warning and show it
        assert caught or not warning.search(shown_text(cell)), f"{chapter.place(n)} shows a warning"
    assert any(cell.outputs for _, cell in chapter.code()), f"{chapter.path.name} has no outputs"


def test_nothing_tells_whose_machine_it_was(chapter):
    texts = [(n, cell.source) for n, cell in enumerate(chapter.cells)]
    texts += [(n, shown_text(cell)) for n, cell in chapter.code()]
    folders = "|".join(re.escape(str(folder)) for folder in (kernels.ROOT, Path.home()) if folder.name)
    here = re.compile(rf"(?<![\w./])(?:{folders})\b")
    assert_none(
        f"{chapter.place(n)}: {match[0]!r}"
        for n, text in texts
        for match in [MACHINE_PATH.search(text) or here.search(text)]
        if match
    )


def test_notebook_is_small_enough_to_be_shown_by_code_hosts(chapter):
    size = chapter.path.stat().st_size
    assert size <= MOST_BYTES, f"{chapter.path.name}: {size:,} bytes"


def test_figures_need_no_show_and_packages_no_install(chapter):
    habit = re.compile(r"\bplt\.show\(|^\s*[!%]\s*(pip|conda)\b", re.MULTILINE)
    assert_none(f"{chapter.place(n)}: {m[0]}" for n, c in chapter.code() for m in habit.finditer(c.source))
