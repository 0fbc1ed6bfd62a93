"""Sphinx extension: the directive `results-tables` shows each file of notebooks/results and its origin.

`make experiments` writes these files: comment lines (`# script: …`, `# date: …`, `# versions: …`), then
the table.
"""

from pathlib import Path

import pandas as pd
from sphinx.util.docutils import SphinxDirective


class ResultsTables(SphinxDirective):
    def run(self):
        folder = Path(self.env.srcdir, "notebooks", "results")
        self.env.note_reread()  # a new file must be found, not only a changed one
        lines = [line for path in sorted(folder.glob("*.csv")) for line in section(path)]
        lines = lines or ["No long experiment has been run yet."]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def section(path: Path) -> list[str]:
    """A file as Markdown: heading, origin, table."""
    chapter, _, name = path.stem.partition("_")
    origin = dict(comments(path))
    script = origin.get("script", "").partition(" sha256")[0]
    table = pd.read_csv(path, comment="#", keep_default_na=False, dtype=str)
    return [
        f"## Chapter {int(chapter)}: {name.replace('_', ' ')}",
        "",
        f"Computed by `{script}` on {origin.get('date')} with {origin.get('versions')}.",
        "",
        *markdown(table),
        "",
    ]


def comments(path: Path):
    """Yield name and value of each leading comment line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            return
        name, _, value = line[1:].partition(":")
        yield name.strip(), value.strip()


def markdown(table: pd.DataFrame) -> list[str]:
    def row(cells):
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

    return [row(table.columns), row("---" for _ in table.columns), *map(row, table.to_numpy())]


def setup(app):
    app.add_directive("results-tables", ResultsTables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
