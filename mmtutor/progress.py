"""One line that says how far a long loop is, gone when it ends."""

import sys


class Progress:
    """Show progress in a notebook, or in a terminal; nowhere else: logs stay clean. Used in chapter 1.

    Parameters
    ----------
    total : int
        Number of steps.
    """

    def __init__(self, total: int):
        self.total = total
        self.done = 0
        self._line = None

    def __enter__(self):
        if _in_notebook():
            from IPython.display import HTML, display

            self._line = display(HTML(""), display_id=True)
        return self

    def step(self, what: str) -> None:
        """Count one step as done and say what it was."""
        self.done += 1
        self._write(f"{self.done} of {self.total} done: {what}")

    def __exit__(self, *error):
        self._write("")

    def _write(self, text: str) -> None:
        if self._line is not None:
            import html

            from IPython.display import HTML

            self._line.update(HTML(f"<small>{html.escape(text)}</small>" if text else ""))
        elif sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return bool(shell) and shell.has_trait("kernel")
