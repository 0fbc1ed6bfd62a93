"""Sphinx extension: the directive `traps-index` lists the traps of all chapters, each with a link to it."""

import json
import re
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

TRAP = re.compile(r"^> \*\*Trap: ([^*]+?)\.?\*\*", re.MULTILINE)
HEADING = re.compile(r"^(#{1,6}) +(.+)$")


class TrapsIndex(SphinxDirective):
    def run(self):
        self.env.note_reread()
        folder = Path(self.env.srcdir, "notebooks")
        lines = [line for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")) for line in entries(path)]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def entries(path: Path) -> list[str]:
    """The chapter's traps as a Markdown list under its title; nothing for a chapter without any."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    title, heading, items = "", "", []
    for line in prose.splitlines():
        if match := HEADING.match(line):
            heading = match[2]
            title = title or heading
        elif match := TRAP.match(line):
            text = match[1][0].upper() + match[1][1:]
            items.append(f"- [{text}](../notebooks/{path.name}#{anchor(heading)})")
    return [f"## Chapter {int(path.name[:2])}: {title}", "", *items, ""] if items else []


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def setup(app):
    app.add_directive("traps-index", TrapsIndex)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
