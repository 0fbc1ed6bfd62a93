"""Print each notebook's cold seconds and peak memory beside its budget (`make bench`).

    python tools/bench.py [NOTEBOOK…]      default: all

Cold means a new kernel; the time runs from its start to the last cell's end. Memory is that of the kernel and
of the processes it starts, sampled ten times a second. No clock fails: budgets are printed, to be judged.
"""

import argparse
import statistics
import sys
import threading
import time
from pathlib import Path

import psutil

from kernels import NOTEBOOKS, CellFailed, read, run

SECONDS = {"00": 10, "01": 30}  # a chapter's budget, where it is not the general one
MOST, MEDIAN, TOTAL = 60, 15, 300


class Memory(threading.Thread):
    """The largest resident memory of a process and its children, in bytes, while it runs."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.peak = 0

    def run(self):
        while psutil.pid_exists(self.process.pid):
            self.peak = max(self.peak, resident(self.process))
            time.sleep(0.1)


def resident(process: psutil.Process) -> int:
    """Bytes in memory now; a process that ends meanwhile counts as nothing."""
    try:
        return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)])
    except psutil.NoSuchProcess:
        return 0


def measure(path: Path) -> tuple[float, int]:
    """Run a notebook in a new kernel; return its seconds and peak bytes."""
    watched = []

    def watch(client):
        watched.append(Memory(client.km.provisioner.pid))
        watched[0].start()

    nb = read(path)
    start = time.perf_counter()
    run(nb, path, started=watch)
    return time.perf_counter() - start, watched[0].peak


def row(name: str, seconds: float, budget: float, peak: int | None = None) -> str:
    """A line of the report; peak is in bytes."""
    memory = f"{peak / 2**20:8.0f} MB" if peak is not None else ""
    over = "over" if seconds > budget else ""
    return f"{name:<34} {seconds:7.1f} s   budget {budget:>3} s {over:<4} {memory}".rstrip()


def main(paths: list[Path]) -> int:
    """Print a row a notebook, the median and the total; fail only where a notebook does."""
    times, failed = [], False
    for path in paths:
        try:
            seconds, peak = measure(path)
        except CellFailed as failure:
            failed = True
            print(failure)
            continue
        times.append(seconds)
        print(row(path.stem, seconds, SECONDS.get(path.name[:2], MOST), peak), flush=True)
    if times:
        print(row("median", statistics.median(times), MEDIAN))
        print(row("total", sum(times), TOTAL))
    return int(failed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    sys.exit(main(parser.parse_args().notebooks or sorted(NOTEBOOKS.glob("*.ipynb"))))
