"""Sphinx extension: a block quote that opens with **Trap: …** or **Note: …** becomes a box of that class.

Chapters are plain Markdown, which cannot name a class; course.css gives the boxes color and icon.
"""

from docutils import nodes


def add_classes(app, doctree):
    for quote in doctree.findall(nodes.block_quote):
        opening = quote.next_node(nodes.strong)
        word = opening.astext().partition(":")[0].lower() if opening else ""
        if word in ("trap", "note") and quote.astext().startswith(opening.astext()):
            quote["classes"].append(word)


def setup(app):
    app.connect("doctree-read", add_classes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
