"""How the course's tools read, run and write notebooks: cold kernels of this Python, quiet and offline."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

# JupyterLab installs rfc3987_syntax; jsonschema, when it finds it, spends a second or more on grammars for a
# string format that no notebook has. None makes the import fail at once, which jsonschema expects.
sys.modules.setdefault("rfc3987_syntax", None)

import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: E402
from nbclient.output_widget import OutputWidget  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"

# What a kernel finds in its environment: the same hashes in each run, and no chatter of libraries.
QUIET = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "JUPYTER_PREFER_ENV_PATH": "1",  # this Python's kernel, even where the user has another of the same name
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTRAOP_THREADS": "2",  # as in mmtutor.keras_quietly, whatever the shell says
}


class CellFailed(RuntimeError):
    """A cell raised, wrote to stderr, ran out of time or lost its kernel; the message says where."""


def prepare_environment() -> None:
    """Make every kernel started from here quiet and offline, with this mmtutor and no marking."""
    first = [str(ROOT / "tests" / "offline"), str(ROOT)]
    rest = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path not in first]
    os.environ.update(QUIET, PYTHONPATH=os.pathsep.join(first + rest))
    for name in ("MMTUTOR_GRADE", "MPLBACKEND"):  # a reader's kernel has neither
        os.environ.pop(name, None)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def text_of(nb: nbformat.NotebookNode) -> str:
    """The notebook as it stands in its file."""
    return nbformat.writes(nb, version=4) + "\n"


def write(nb: nbformat.NotebookNode, path: Path) -> None:
    """Write the notebook whole or not at all; an unchanged file is left alone."""
    content = text_of(nb).encode()
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def place(path: Path, number: int, cell: nbformat.NotebookNode) -> str:
    """Say where a cell is, for a message: notebook, number (from 1, prose counted too) and first line."""
    first_line = (cell.source.strip().splitlines() or ["(empty)"])[0]
    return f"{path.name}, cell {number + 1} ({first_line[:60]})"


class SilentOutputWidget(OutputWidget):
    """Takes the outputs of a slider's function, which no notebook keeps, and does not tell the kernel.

    nbclient would tell it on the asynchronous socket on which it waits for the end of the cell. ZeroMQ
    reports an answer once: if it comes in just then, it goes unnoticed, and the cell never ends.
    """

    def send(self, *message, **details):
        """Send nothing."""


def run(nb: nbformat.NotebookNode, path: Path, started: Callable = lambda client: None) -> None:
    """Execute the notebook's cells in place, in a new kernel that works in the notebook's folder.

    `started` is called with the nbclient client once its kernel runs. Raises CellFailed at the first cell
    that does not end well.
    """
    prepare_environment()
    client = NotebookClient(
        nb,
        kernel_name="python3",
        timeout=600,
        allow_errors=True,  # _run_cell reports them, with those that wrote to stderr
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=40"],  # else each kernel says that it talks TCP
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.widget_registry = {"@jupyter-widgets/output": {"OutputModel": SilentOutputWidget}}
    client.reset_execution_trackers()
    with client.setup_kernel():
        started(client)
        for number, cell in enumerate(nb.cells):
            _run_cell(client, cell, number, path)


def _run_cell(client: NotebookClient, cell: nbformat.NotebookNode, number: int, path: Path) -> None:
    try:
        client.execute_cell(cell, number)
    except (CellTimeoutError, DeadKernelError) as error:
        raise CellFailed(f"{place(path, number, cell)}: {type(error).__name__}: {error}") from error
    for problem in problems(cell):
        raise CellFailed(f"{place(path, number, cell)}: {problem}")


def problems(cell: nbformat.NotebookNode) -> list[str]:
    """What went wrong in an executed cell: an error, or text on stderr, where warnings go."""
    found = []
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            found.append(re.sub(r"\x1b\[[0-9;]*m", "", f"{output.ename}: {output.evalue}"))
        elif output.get("name") == "stderr":
            found.append(f"wrote to stderr: {output.text.strip()}")
    return found
