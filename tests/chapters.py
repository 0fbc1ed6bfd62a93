"""What the tests of the notebooks need to know of a chapter: prose, headings, links, figures, exercises."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import kernels

ROOT = kernels.ROOT
PATHS = sorted(kernels.NOTEBOOKS.glob("*.ipynb"))
TOUR = "00"  # the chapter that opens the course, with sections of its own
HEADING = re.compile(r"(#{1,6}) +(.+?) *#*$")
TARGET = r"((?:[^()\s]|\([^()\s]*\))+)[^()]*"  # of a link; some DOIs contain a pair of parentheses
LINK = re.compile(rf"(?<!!)\[[^\]]*\]\({TARGET}\)|<a [^>]*href=\"([^\"]+)\"")
HABITS = re.compile(r"\b(?:simply|obviously|just)\b|\w *!(?=[\s\"')*_]|$)", re.IGNORECASE | re.MULTILINE)
BRITISH = re.compile(
    r"\b\w*(?:colour|favour|behaviour|neighbour|centre)\w*"
    r"|\b\w*(?:normal|general|optim|recogn|visual|regular|initial|organ|token|quant|real)"
    r"is(?:e[drs]?|ing|ations?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Heading:
    level: int
    text: str
    cell: int


@dataclass(frozen=True)
class Exercise:
    """The numbers of an exercise's four cells."""

    prompt: int
    stub: int
    check: int
    solution: int


class Chapter:
    """One notebook, read once."""

    def __init__(self, path: Path):
        self.path = path
        self.number = path.name[:2]
        self.nb = kernels.read(path)
        self.cells = self.nb.cells

    def place(self, number: int) -> str:
        return kernels.place(self.path, number, self.cells[number])

    def code(self) -> Iterator[tuple[int, dict]]:
        return ((n, cell) for n, cell in enumerate(self.cells) if cell.cell_type == "code")

    def prose(self) -> Iterator[tuple[int, str]]:
        return ((n, cell.source) for n, cell in enumerate(self.cells) if cell.cell_type == "markdown")

    def links(self) -> Iterator[tuple[int, str]]:
        for number, text in self.prose():
            for target in links(text):
                yield number, target

    @cached_property
    def headings(self) -> list[Heading]:
        return [Heading(level, text, n) for n, source in self.prose() for level, text in headings(source)]

    def section(self, title: str) -> str:
        """The prose between a heading and the next one of its level or above; empty when there is none."""
        level, kept = 0, []
        for line in "\n\n".join(without_fences(source) for _, source in self.prose()).splitlines():
            heading = HEADING.match(line)
            if heading and level and len(heading[1]) <= level:
                break
            if level:
                kept.append(line)
            elif heading and heading[2] == title:
                level = len(heading[1])
        return "\n".join(kept)

    @cached_property
    def exercises(self) -> list[Exercise]:
        """Found by their stubs: a code cell in which some name is set to `...`."""
        stubs = [n for n, cell in self.code() if re.search(r"^\w+ = \.\.\.", cell.source, re.MULTILINE)]
        return [Exercise(n - 1, n, n + 1, n + 2) for n in stubs if n + 2 < len(self.cells)]

    @cached_property
    def aside(self) -> set[int]:
        """The numbers of the code cells that belong to an exercise."""
        return {n for e in self.exercises for n in (e.stub, e.check, e.solution)}


def without_fences(markdown: str) -> str:
    return re.sub(r"^(```|~~~).*?^\1[^\n]*$", "", markdown, flags=re.DOTALL | re.MULTILINE)


def words_only(markdown: str) -> str:
    """What is read as prose: no code, no formulas, no HTML tags, no link targets."""
    text = without_fences(markdown)
    text = re.sub(r"`[^`]*`|\$\$.*?\$\$|\$[^$\n]+\$", " ", text, flags=re.DOTALL)
    text = re.sub(rf"(!?\[[^\]]*\])\({TARGET}\)", r"\1", text)
    return re.sub(r"<[^>]+>", " ", text)


def misplaced_words(markdown: str) -> list[str]:
    """Words that make a hard thing sound easy, exclamation marks, British spellings."""
    text = words_only(markdown)
    return [match[0] for pattern in (HABITS, BRITISH) for match in pattern.finditer(text)]


def headings(markdown: str) -> Iterator[tuple[int, str]]:
    for line in without_fences(markdown).splitlines():
        if match := HEADING.match(line):
            yield len(match[1]), match[2]


def links(markdown: str) -> Iterator[str]:
    text = re.sub(r"`[^`\n]*`", "", without_fences(markdown))
    for match in LINK.finditer(text):
        yield match[1] or match[2]


def anchor(heading: str) -> str:
    """The address of a heading on its page, made as code-hosting pages and the book make it."""
    text = re.sub(r"\]\([^)]*\)|[`*\[\]]", "", heading)
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """All addresses within a notebook or a Markdown page."""
    if path.suffix == ".ipynb":
        return {anchor(heading.text) for heading in Chapter(path).headings}
    return {anchor(text) for _, text in headings(path.read_text(encoding="utf-8"))}


def images(cell) -> list[str]:
    """The media types of a code cell's pictures."""
    return [kind for output in cell.outputs for kind in output.get("data", {}) if kind.startswith("image/")]


def shown_text(cell) -> str:
    """All text that a code cell shows, without the bytes of pictures and sounds."""
    parts = [output.get("text", "") for output in cell.outputs]
    for output in cell.outputs:
        parts += [data for kind, data in output.get("data", {}).items() if kind.startswith("text/")]
    return re.sub(r"data:[\w/+.-]+;base64,[\w+/=\s]*", "", "\n".join(parts))


def references() -> dict[str, dict[str, str]]:
    """The entries of the bibliography: key -> field -> value."""
    bib = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    entries = re.findall(r"^@\w+\{([^,\s]+),\n(.*?)^\}", bib, flags=re.DOTALL | re.MULTILINE)
    field = re.compile(r"^\s*(\w+)\s*=\s*\{(.*?)\},?$", re.MULTILINE)
    return {key: {name.lower(): value for name, value in field.findall(body)} for key, body in entries}


def reference_addresses() -> set[str]:
    """Every address under which the bibliography knows a work, in lower case."""
    found = set()
    for fields in references().values():
        if "doi" in fields:
            found.add(f"https://doi.org/{fields['doi']}".lower())
        if "url" in fields:
            found.add(fields["url"].lower().rstrip("/"))
    return found


def assert_none(problems: Iterable[str]) -> None:
    problems = list(problems)
    assert not problems, "\n" + "\n".join(problems)
