"""Chapters as slides: nbconvert's reveal.js slides with the course's own template, for a browser offline.

Where a slide begins is a rule, so that a chapter needs no marks for it: at each heading, trap and question of
the quiz, and where a slide is full. What belongs together stays together: code with the sentence before it, a
figure with the sentence after it, where they fit. Of a long paragraph a slide shows the beginning; the rest
unfolds. Checks stay out; solutions stand at the end, or not at all.
"""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import copy

from nbconvert import SlidesExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from pygments.formatters import HtmlFormatter

HERE = Path(__file__).parent
FULL = 620  # pixels of a slide's height, without its margins and the line that says where one is
SHORT = 170  # characters of a paragraph that a slide shows
FIGURE = 480
WHOLE = {"Exercises", "Quiz", "Solutions"}  # sections whose prose is not shortened


@dataclass
class Block:
    """What stands on a slide as one thing: a cell, how high it is, and whether a slide begins with it."""

    cell: dict
    height: float
    starts: str = ""  # "slide": a new chapter section; "subslide": a new slide
    heading: str = ""

    @property
    def leads_on(self) -> bool:
        """Whether the block makes no sense at the foot of a slide."""
        return bool(self.heading) or self.cell.source.rstrip().endswith((":", ":**"))


def deck(nb, exercises: list[tuple[int, int, int]], solutions: bool = False) -> str:
    """A chapter as an HTML page of slides; `exercises` gives the numbers of stubs, checks and solutions."""
    left_out = {n for _, *aside in exercises for n in aside}
    kept = [cell for n, cell in enumerate(nb.cells) if n not in left_out]
    if solutions:
        kept += [new_markdown_cell("## Solutions")]
        kept += [nb.cells[n] for *_, n in exercises]
    blocks = list(cut(kept))
    exporter = SlidesExporter(
        template_name="course",
        extra_template_basedirs=[str(HERE)],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    title = next(block.heading for block in blocks if block.heading)
    page, _ = exporter.from_notebook_node(new_notebook(cells=on_slides(blocks)), resources={"title": title})
    return page


def write_assets(folder: Path) -> None:
    """Write the scripts and styles that all pages of slides share."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (HERE / "course.css", *(HERE / "reveal").iterdir()):
        copy(path, folder)
    (folder / "code.css").write_text(HtmlFormatter(style="default").get_style_defs(".highlight"), "utf-8")
    package = find_spec("sphinx-mathjax-offline")
    if package is None:
        raise SystemExit("The slides need MathJax: python -m pip install sphinx-mathjax-offline==0.0.2")
    copy(Path(package.origin).parent / "static" / "mathjax" / "tex-svg.js", folder)


def cut(cells):
    """Cut cells into blocks: prose at blank lines, code from what it shows."""
    section = ""
    for cell in cells:
        if cell.cell_type == "markdown":
            for text in paragraphs(cell.source):
                block = prose(text, section in WHOLE)
                section = block.heading if block.starts == "slide" else section
                yield block
        elif cell.cell_type == "code":
            yield Block(new_code_cell(cell.source), 30 + 24 * len(cell.source.splitlines()))
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            for output in cell.outputs:
                metadata = {"transient": {"remove_source": True}, "alt": alt}
                yield Block(new_code_cell(outputs=[output], metadata=metadata), height_of(output))


def paragraphs(markdown: str) -> list[str]:
    """Cut Markdown at blank lines, but not within code, formulas or what unfolds; and a list at its items."""
    found, part = [], ""
    for text in re.split(r"\n\s*\n", markdown.strip()):
        part = f"{part}\n\n{text}" if part else text
        fences = part.count("```") % 2 or part.count("$$") % 2
        if not fences and part.count("<details") == part.count("</details>"):
            found += re.split(r"\n(?=- )", part) if part.startswith("- ") else [part]
            part = ""
    return [*found, part] if part else found


def prose(text: str, whole: bool) -> Block:
    """A block of Markdown: where it begins a slide, and how much of the height it takes."""
    heading = re.match(r"(#+) +([^\n]+)", text)
    if heading:
        starts = "slide" if len(heading[1]) <= 2 else "subslide"
        return Block(new_markdown_cell(text), 60, starts, heading[2].strip())
    starts = "subslide" if re.match(r"> \*\*Trap|\*\*\d+\. ", text) else ""
    if not whole and not re.match(r"[|>\-*<$!`]|\d+\. ", text):
        text = shortened(text)
    return Block(new_markdown_cell(text), height_of_prose(text), starts)


def shortened(paragraph: str) -> str:
    """The first sentences of a paragraph; the others unfold."""
    ends = [m.start() for m in re.finditer(r"(?<=[.?])\s+(?=[A-Z*`$\[])", paragraph)]
    ends = [end for end in ends if _is_whole(paragraph[:end])]
    if len(paragraph) <= 1.5 * SHORT or not ends:
        return paragraph
    end = max([e for e in ends if e <= SHORT], default=ends[0])
    rest = paragraph[end:].strip()
    return f'{paragraph[:end]}\n\n<details class="rest"><summary>more</summary>\n\n{rest}\n\n</details>'


def _is_whole(text: str) -> bool:
    """Whether a text ends outside of formulas, code, emphasis, links and parentheses."""
    pairs = text.count("(") == text.count(")") and text.count("[") == text.count("]")
    return pairs and not any(text.count(mark) % 2 for mark in "$`*")


def height_of_prose(text: str) -> float:
    """About how many pixels a block of Markdown takes, unfolded parts left out."""
    folds = text.count("<details")
    text = re.sub(r"<details.*?</details>", "", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    if text.startswith("!["):
        return 360
    if text.startswith("```"):
        return 20 + 27 * text.count("\n")
    if text.startswith("$$"):
        return 50 + 30 * max(text.count("\n") - 1, text.count(r"\\") + 1)
    if text.startswith("|"):
        return 20 + sum(36 + 27 * (len(row) // 150) for row in text.splitlines() if "| --- " not in row)
    space = 5 if text.startswith("- ") else 15
    return space + sum(34 * (1 + len(line) // 105) for line in text.strip().splitlines()) + 44 * folds


def height_of(output) -> float:
    """About how many pixels an output takes."""
    data = output.get("data", {})
    for kind in ("image/png", "image/jpeg", "image/svg+xml"):
        if kind in data:
            return FIGURE
    if "<audio" in data.get("text/html", ""):
        return 70 * data["text/html"].count("<audio")
    if "<tr" in data.get("text/html", ""):
        return 20 + 37 * data["text/html"].count("<tr")
    if "text/html" in data:
        return 20 + 30 * (1 + len(re.findall("<li|<br|<p", data["text/html"])))
    text = output.get("text") or data.get("text/plain", "")
    return min(490, 20 + sum(24 * (1 + len(line) // 112) for line in text.splitlines()))


def on_slides(blocks: list[Block]) -> list[dict]:
    """The blocks' cells, each marked where a slide begins; a slide that goes on says what it goes on with."""
    slides: list[list[Block]] = [[]]
    for block in blocks:
        slide = slides[-1]
        only_headings = all(b.heading for b in slide)
        used = sum(b.height for b in slide)
        if block.starts == "slide" or (block.starts and not only_headings):
            slides.append([block])
        elif used + block.height <= FULL or only_headings:
            slide.append(block)
        else:
            slides.append([*taken_along(slide, block), block])
    return list(_marked(slides))


def taken_along(slide: list[Block], block: Block) -> list[Block]:
    """What leaves a full slide with the block that found no room: what leads on to it."""
    along = []
    while len(slide) > 1 and _leads_to(slide[-1], along[0] if along else block):
        along.insert(0, slide.pop())
    fits = sum(b.height for b in [*along, block]) <= FULL
    if not fits or all(b.heading for b in slide):
        slide.extend(along)
        return []
    return along


def _leads_to(block: Block, following: Block) -> bool:
    is_sentence = block.cell.cell_type == "markdown" and not block.heading and not block.starts
    is_shown_next = following.cell.source.startswith("$$")
    if following.cell.cell_type == "code":
        is_shown_next = following.cell.source != ""  # code itself, not what it prints or draws
    return block.leads_on or (is_sentence and is_shown_next)


def _marked(slides: list[list[Block]]):
    titles = []
    for slide in filter(None, slides):
        first = slide[0]
        first.cell.metadata["slideshow"] = {"slide_type": "slide" if first.starts == "slide" else "subslide"}
        headings = [block.heading for block in slide if block.heading]
        if not headings and titles:
            where = new_markdown_cell(f'<p class="where">{titles[-1]}</p>')
            where.metadata["slideshow"] = first.cell.metadata.pop("slideshow")
            yield where
        titles = [*titles, *headings]
        yield from (block.cell for block in slide)
