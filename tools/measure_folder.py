"""Measure the peak memory and the seconds of reading a folder, for a small one and a large one.

    python tools/measure_folder.py [N_SAMPLES…]      default: 2000 20000

Makes triples (a picture of 64 x 64 pixels, a text, half a second of sound) in a temporary folder and reads
them in a new process: once by `load_folder`, which checks each file, once as encoders do, cell by cell,
keeping a sum of the features. MB is the most memory that the process has held so far.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import cv2
import numpy as np

RATE = 16_000
CHUNK = 500  # pictures whose features are held at once


def make_triples(folder: Path, n_samples: int) -> None:
    """Write n_samples of NAME.png, NAME.txt, NAME.wav, all different; with labels in labels.csv."""
    y, x = np.mgrid[:64, :64, :1][:2]
    seconds = np.arange(RATE // 2) / RATE
    for i in range(n_samples):
        stripes = (i % 31 + 1) * x + (i // 31 % 31 + 1) * y + np.array([0, i // 961, 128])
        cv2.imwrite(str(folder / f"{i:06}.png"), (stripes % 256).astype(np.uint8))
        (folder / f"{i:06}.txt").write_text(f"stripes number {i}", "utf-8")
        with wave.open(str(folder / f"{i:06}.wav"), "wb") as sound:
            sound.setparams((1, 2, RATE, 0, "NONE", ""))
            sound.writeframes((8000 * np.sin((600 + i) * seconds)).astype("<i2").tobytes())
    rows = "".join(f"{i:06},{i % 2}\n" for i in range(n_samples))
    (folder / "labels.csv").write_text("name,label\n" + rows, "utf-8")


def read(folder: Path) -> dict[str, float]:
    """Load and go through a folder; return seconds and peak megabytes after each step."""
    from mmtutor.folder import load_folder
    from mmtutor.image import HOG
    from mmtutor.table import cells

    HOG().fit_transform([np.zeros((64, 64, 3), np.uint8)])
    steps, start = {"start MB": peak()}, time.perf_counter()
    data = load_folder(folder, labels="labels.csv")
    assert len(data.report) == 0, data.report
    steps |= {"load s": time.perf_counter() - start, "load MB": peak()}
    start, total = time.perf_counter(), 0
    for first in range(0, len(data.X), CHUNK):
        total = total + HOG().transform(data.X.image[first : first + CHUNK]).sum(axis=0)
    energy = sum(float(sound @ sound) for sound in cells(data.X.sound, lambda sound: None, ""))
    assert np.isfinite(total).all() and energy > 0
    return steps | {"read s": time.perf_counter() - start, "read MB": peak()}


def peak() -> float:
    """Most megabytes that this process has held so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main(sizes: list[int]) -> None:
    """Print a row a size."""
    for row, n_samples in enumerate(sizes):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            make_triples(Path(folder), n_samples)
            made = {"samples": n_samples, "make s": time.perf_counter() - start}
            command = [sys.executable, __file__, "--read", folder]
            found = made | json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        if row == 0:
            print("".join(f"{name:>10}" for name in found))
        print(
            "".join(f"{value:>10.{1 if name.endswith(' s') else 0}f}" for name, value in found.items()),
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", type=int, metavar="N_SAMPLES")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)  # what the new process does
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read(options.read)))
    else:
        main(options.sizes or [2_000, 20_000])
