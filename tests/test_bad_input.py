"""Every odd input is decided once: accepted, converted as documented, or refused with words that help.

One table, a row a case. Whatever the decision: no file is changed, nothing outside a folder is read, and
nothing hangs.
"""
# ruff: noqa: E501 - the table below is read along its rows

import hashlib
import io
import os
import threading
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Bunch

from mmtutor import audio, image, text, video
from mmtutor.audio import MFCC
from mmtutor.evaluate import make_folds
from mmtutor.folder import load_folder
from mmtutor.fusion import early_fusion
from mmtutor.image import HOG
from mmtutor.table import make_table
from mmtutor.text import Word2Vec

RATE = audio.RATE
PIXELS = np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3)
TONE = (0.5 * np.sin(np.arange(RATE // 2) / 8)).astype(np.float32)


# How the files of the cases are written; each function gives a function of a folder that returns a path.


def bytes_of(name, content):
    def make(folder):
        (folder / name).write_bytes(content)
        return folder / name

    return make


def picture(name="x.png", mode="RGB", size=(10, 12), **options):
    def make(folder):
        Image.new(mode, size).save(folder / name, **options)
        return folder / name

    return make


def encoded(extension, pixels=PIXELS):
    return cv2.imencode(extension, pixels)[1].tobytes()


def sound(name="x.wav", samples=TONE, rate=RATE, **options):
    def make(folder):
        soundfile.write(folder / name, samples, rate, **options)
        return folder / name

    return make


def film(n_frames, name="x.avi"):
    def make(folder):
        writer = cv2.VideoWriter(str(folder / name), cv2.VideoWriter.fourcc(*"MJPG"), 8, (32, 32))
        for frame in range(n_frames):
            writer.write(np.full((32, 32, 3), 20 * frame, np.uint8))
        writer.release()
        return folder / name

    return make


def folder_of(files):
    """A folder with files, sub-folders too: name -> content."""

    def make(folder):
        for name, content in files.items():
            path = folder / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / "data"

    return make


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "a")
    return buffer.getvalue()


def animation(name, kind):
    def make(folder):
        frames = [Image.new("RGB", (9, 9), color) for color in ("red", "blue")]
        frames[0].save(folder / name, kind, save_all=True, append_images=frames[1:])
        return folder / name

    return make


def link(name, target):
    """A folder with a good picture and a link; outside of it lies a file that must not be read."""

    def make(folder):
        (folder / "secret.txt").write_bytes(b"outside")
        inside = folder_of({"good.png": encoded(".png")})(folder)
        (inside / name).symlink_to(target)
        return inside

    return make


def pipe(folder):
    inside = folder_of({"a.png": encoded(".png")})(folder)
    os.mkfifo(inside / "b.png")  # whoever opens it waits for ever
    return inside


def report_of(folder, **options):
    """Problem and file of each row of the report, the samples that are left, and no error."""
    data = load_folder(folder, on_error="report", **options)
    rows = [f"{row.file}: {row.problem}" for row in data.report.itertuples()]
    return "\n".join([*rows, f"left: {', '.join(data.name)}"])


def with_labels(folder):
    return load_folder(folder, labels="labels.csv")


def hog(cell):
    return HOG(size=16).fit_transform(pd.Series([PIXELS, cell], name="image"))


def mfcc(cell):
    return MFCC().fit_transform(pd.Series([TONE, cell], dtype=object, name="sound"))


def tfidf(texts):
    return TfidfVectorizer(token_pattern=r"\S+").fit_transform(texts).toarray()


def chinese(cell):
    return text.chinese_words(cell)


def folds(counts):
    """Folds of a data set with so many samples a class."""
    y = [label for label, n in counts.items() for _ in range(n)]
    return make_folds(Bunch(X=make_table({"text": ["a"] * len(y)}), y=y))


def given(value):
    """An object in memory, no file."""
    return lambda folder: value


ACCEPTED, CONVERTED, REFUSED = "accepted", "converted", "refused"
PNG, TALE = encoded(".png"), b"a cat"
MODEL = early_fusion({"text": TfidfVectorizer()}, LogisticRegression())

# case | how it is made | what reads it | decision | what must hold of the result, or the exception and its words
# fmt: off
CASES = [
    # Pictures in files
    ("no such picture", given(Path("no.png")), image.read, REFUSED, (FileNotFoundError, "no.png")),
    ("an empty file named .png", bytes_of("x.png", b""), image.read, REFUSED, (ValueError, "x.png: the file is empty (0 bytes); copy it again")),
    ("a text file named .png", bytes_of("x.png", b"hello"), image.read, REFUSED, (ValueError, "x.png: not a picture, whatever its name says")),
    ("a zip file named .png", bytes_of("x.png", zipped()), image.read, REFUSED, (ValueError, "x.png: not a picture")),
    ("a program for a printer (EPS) named .png", bytes_of("x.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), image.read, REFUSED, (ValueError, "x.png: not a picture")),
    ("a cut-off PNG", bytes_of("x.png", PNG[:-40]), image.read, REFUSED, (ValueError, "x.png: cut off or damaged")),
    ("a cut-off JPEG", bytes_of("x.jpg", encoded(".jpg")[:-40]), image.read, REFUSED, (ValueError, "x.jpg: cut off or damaged")),
    ("a gray PNG", picture(mode="L"), image.read, CONVERTED, lambda x: x.shape == (12, 10, 3)),
    ("a palette picture", picture("x.gif", mode="P"), image.read, CONVERTED, lambda x: x.shape == (12, 10, 3)),
    ("a CMYK photograph", picture("x.jpg", mode="CMYK"), image.read, CONVERTED, lambda x: x.shape == (12, 10, 3) and x.min() > 250),
    ("a 16-bit picture", bytes_of("x.png", encoded(".png", np.full((3, 4), 65535, np.uint16))), image.read, CONVERTED, lambda x: x.dtype == np.uint8 and x.min() == 255),
    ("a picture with transparency", picture(mode="RGBA"), image.read, CONVERTED, lambda x: x.shape == (12, 10, 3) and x.min() == 255),
    ("an animated GIF", animation("x.gif", "GIF"), image.read, REFUSED, (ValueError, "x.gif: 2 pictures in one file; save the one that is meant")),
    ("an animated WebP named .png", animation("x.png", "WEBP"), image.read, REFUSED, (ValueError, "x.png: 2 pictures in one file")),
    ("an animated PNG", animation("x.png", "PNG"), image.read, REFUSED, (ValueError, "x.png: 2 pictures in one file")),
    ("a picture 30,000 pixels wide", picture(size=(30_000, 2)), image.read, ACCEPTED, lambda x: x.shape == (2, 30_000, 3)),
    ("a picture of 100 million pixels", picture(mode="1", size=(10_000, 10_000)), image.read, REFUSED, (ValueError, "x.png: more than 89,478,485 pixels; scale it down")),
    ("one pixel", picture(size=(1, 1)), image.read, ACCEPTED, lambda x: x.shape == (1, 1, 3)),
    # Pictures in a table
    ("a gray array", given(PIXELS[:, :, 0]), hog, REFUSED, (ValueError, "row 1, column 'image': an array of shape (12, 10)")),
    ("an array with alpha", given(np.zeros((9, 9, 4), np.uint8)), hog, REFUSED, (ValueError, "row 1, column 'image': an array of shape (9, 9, 4)")),
    ("a 16-bit array", given(PIXELS.astype(np.uint16)), hog, REFUSED, (ValueError, "row 1, column 'image': values of type uint16")),
    ("a picture without pixels", given(np.zeros((0, 9, 3), np.uint8)), hog, REFUSED, (ValueError, "row 1, column 'image': 9 x 0 pixels")),
    ("a file name in place of a picture", given("x.png"), hog, REFUSED, (ValueError, "row 1, column 'image': a str, not an array of pixels")),
    ("a missing picture in a table", given(None), hog, REFUSED, (ValueError, "row 1, column 'image': missing; drop the row")),
    ("a very wide picture in a table", given(np.zeros((2, 30_000, 3), np.uint8)), hog, CONVERTED, lambda z: z.shape == (2, 36)),
    # Texts
    ("UTF-8 with a byte-order mark", bytes_of("x.txt", b"\xef\xbb\xbfcat"), text.read, CONVERTED, lambda x: x == "cat"),
    ("UTF-16 text", bytes_of("x.txt", "cat".encode("utf-16")), text.read, REFUSED, (ValueError, "x.txt: UTF-16")),
    ("broken UTF-8", bytes_of("x.txt", b"caf\xe9"), text.read, REFUSED, (ValueError, "x.txt: not UTF-8 (byte 0xe9 at 3)")),
    ("an empty text file", bytes_of("x.txt", b""), text.read, ACCEPTED, lambda x: x == ""),
    ("a blank text", given(["  ", "cat"]), tfidf, ACCEPTED, lambda z: z[0].sum() == 0),
    ("a text of emoji only", given("😀🚗"), text.words, ACCEPTED, lambda x: x == []),
    ("right-to-left text", bytes_of("x.txt", "שלום עולם".encode()), text.read, ACCEPTED, lambda x: x == "שלום עולם"),
    ("words of right-to-left text", given("שלום עולם"), text.words, ACCEPTED, lambda x: x == ["שלום", "עולם"]),
    ("English where Chinese was promised", given("two cats"), chinese, ACCEPTED, lambda x: x == ["two", "cats"]),
    ("a number in place of a text", given(["cat", 7]), lambda cells: Word2Vec().fit(cells), REFUSED, (ValueError, "row 1, column 'X': a int")),
    ("a missing text in a table", given(["cat", None]), lambda cells: Word2Vec().fit(cells), REFUSED, (ValueError, "row 1, column 'X': missing; drop the row")),
    # Sounds in files
    ("no such sound", given(Path("no.wav")), audio.read, REFUSED, (FileNotFoundError, "no.wav")),
    ("a text file named .wav", bytes_of("x.wav", b"hello"), audio.read, REFUSED, (ValueError, "x.wav: no sound file that can be read")),
    ("a cut-off WAV", bytes_of("x.wav", (lambda b: (soundfile.write(b, TONE, RATE, format="WAV"), b.getvalue()[:-4000])[1])(io.BytesIO())), audio.read, REFUSED, (ValueError, "x.wav: cut off; copy it again")),
    ("stereo", sound(samples=np.stack([TONE, 0 * TONE], 1)), audio.read, CONVERTED, lambda x: x.shape == (RATE // 2,) and abs(x.max() - 0.25) < 0.01),
    ("5.1 sound", sound(samples=np.tile(TONE[:, None], 6)), audio.read, CONVERTED, lambda x: x.shape == (RATE // 2,) and abs(x.max() - 0.5) < 0.01),
    ("48 kHz", sound(rate=48_000), audio.read, CONVERTED, lambda x: x.shape == (2667,)),
    ("24 bits", sound("x.flac", subtype="PCM_24"), audio.read, CONVERTED, lambda x: x.dtype == np.float32 and np.allclose(x, TONE, atol=1e-6)),
    ("8 kHz", sound(rate=8_000), audio.read, CONVERTED, lambda x: x.shape == (RATE,)),
    ("one sample", sound(samples=TONE[:1]), audio.read, ACCEPTED, lambda x: x.shape == (1,)),
    ("no samples", sound(samples=TONE[:0]), audio.read, REFUSED, (ValueError, "x.wav: no samples")),
    ("silence", sound(samples=0 * TONE), audio.read, ACCEPTED, lambda x: (x == 0).all()),
    ("clipping", sound(samples=np.sign(TONE)), audio.read, ACCEPTED, lambda x: np.abs(x).max() == 1),
    ("infinite values", sound(samples=np.full(9, np.inf), subtype="FLOAT"), audio.read, REFUSED, (ValueError, "x.wav: holds NaN or infinite samples")),
    ("NaN", sound(samples=np.full(9, np.nan), subtype="FLOAT"), audio.read, REFUSED, (ValueError, "x.wav: holds NaN or infinite samples")),
    ("samples from -32768 to 32767 as floats", sound(samples=TONE * 32767, subtype="FLOAT"), audio.read, REFUSED, (ValueError, "x.wav: samples up to 16383")),
    ("eleven minutes", sound(samples=np.zeros(11 * 60 * 1000), rate=1000), audio.read, REFUSED, (ValueError, "x.wav: 11.0 minutes long")),
    # Sounds in a table
    ("a loader's pair of samples and rate", given((TONE, RATE)), mfcc, REFUSED, (ValueError, "row 1, column 'sound': a tuple, not an array of samples (a loader's pair of samples and rate?)")),
    ("a stereo array", given(np.zeros((9, 2), np.float32)), mfcc, REFUSED, (ValueError, "row 1, column 'sound': an array of shape (9, 2)")),
    ("a 16-bit array of samples", given((TONE * 32767).astype(np.int16)), mfcc, REFUSED, (ValueError, "row 1, column 'sound': values of type int16")),
    ("an array with NaN", given(np.full(9, np.nan, np.float32)), mfcc, REFUSED, (ValueError, "row 1, column 'sound': holds NaN or infinite samples")),
    ("silence in a table", given(0 * TONE), mfcc, ACCEPTED, lambda z: np.isfinite(z).all()),
    ("a sound shorter than a frame", given(TONE[:1]), mfcc, CONVERTED, lambda z: np.isfinite(z).all()),
    ("a missing sound in a table", given(None), mfcc, REFUSED, (ValueError, "row 1, column 'sound': missing; drop the row")),
    # Videos
    ("no such video", given(Path("no.mp4")), video.read, REFUSED, (FileNotFoundError, "no.mp4: no such file")),
    ("a text file named .avi", bytes_of("x.avi", b"hello"), video.read, REFUSED, (ValueError, "x.avi: ")),
    ("a video of zero frames", film(0), video.read, REFUSED, (ValueError, "x.avi: ")),
    ("a picture named .avi", bytes_of("x.avi", PNG), video.read, REFUSED, (ValueError, "no video")),
    ("a video with fewer frames than asked for", film(3), lambda path: video.read(path, n_frames=9), REFUSED, (ValueError, "x.avi: ")),
    ("a video of three frames", film(3), video.read, ACCEPTED, lambda x: x.frames.shape == (3, 32, 32, 3)),
    # Tables
    ("columns of unequal length", given({"image": [PIXELS], "text": ["a", "b"]}), make_table, REFUSED, (ValueError, "row 1, column 'image': no object: the columns are of unequal length ('image' has 1, 'text' has 2); pair the samples by name")),
    ("a class with fewer samples than folds", given({"cat": 9, "dog": 3}), folds, REFUSED, (ValueError, "class 'dog' has 3 samples (rows 9, 10, 11), fewer than 5 folds; use fewer folds")),
    ("y left out of fit", given(["cat", "dog"]), lambda texts: MODEL.fit(make_table({"text": texts})), REFUSED, (ValueError, "requires y to be passed")),
    # Folders
    ("no such folder", given(Path("nowhere")), load_folder, REFUSED, (FileNotFoundError, "nowhere: no such folder; give the folder that holds the samples")),
    ("a file in place of a folder", bytes_of("x.png", PNG), load_folder, REFUSED, (NotADirectoryError, "no such folder")),
    ("an empty folder", folder_of({"sub/.gitkeep": b""}), load_folder, REFUSED, (ValueError, "empty")),
    ("two files for one modality", folder_of({"a.png": PNG, "a.jpg": PNG}), load_folder, REFUSED, (ValueError, "duplicated")),
    ("stems that differ in capitals", folder_of({"tom.png": PNG, "Tom.txt": TALE}), load_folder, REFUSED, (ValueError, "spelling")),
    ("a label without a file", folder_of({"a.txt": TALE, "labels.csv": b"name,label\na,cat\nb,dog\n"}), with_labels, REFUSED, (ValueError, "label")),
    ("a file without a label", folder_of({"a.txt": TALE, "b.txt": TALE, "labels.csv": b"name,label\na,cat\n"}), with_labels, REFUSED, (ValueError, "label")),
    ("a stem that leaves the folder", folder_of({"a.txt": TALE, "../outside.txt": TALE, "labels.csv": b"name,label\na,cat\n../outside,dog\n"}), with_labels, REFUSED, (ValueError, "label")),
    ("a list of labels with other columns", folder_of({"a.txt": TALE, "labels.csv": b"file;class\na;cat\n"}), with_labels, REFUSED, (ValueError, "labels.csv")),
    ("a link out of the folder", link("evil.txt", "../secret.txt"), load_folder, REFUSED, (ValueError, "link")),
    ("a link out of the folder, reported", link("evil.txt", "../secret.txt"), report_of, ACCEPTED, lambda x: "evil.txt: link" in x and "left: good" in x),
    ("a loop of links", link("loop", "."), report_of, ACCEPTED, lambda x: "loop: link" in x and "left: good" in x),
    ("a link to itself", link("self.png", "self.png"), report_of, ACCEPTED, lambda x: "self.png: link" in x),
    ("a pipe named .png", pipe, report_of, ACCEPTED, lambda x: "b.png: damaged" in x and "left: a" in x),
    ("a folder named .png", folder_of({"a.png": PNG, "b.png/c.txt": TALE}), report_of, ACCEPTED, lambda x: "b.png" in x and "left: a" in x),
    ("one damaged picture of two", folder_of({"a.png": PNG, "b.png": PNG[:-40]}), report_of, ACCEPTED, lambda x: "b.png: damaged" in x and "left: a" in x),
    ("an unpaired text", folder_of({"a.png": PNG, "a.txt": TALE, "b.txt": TALE}), load_folder, ACCEPTED, lambda d: d.X.image.isna().tolist() == [False, True] and "missing" in d.report.problem[0]),
    ("one picture under two names", folder_of({"a.png": PNG, "b.png": PNG}), report_of, ACCEPTED, lambda x: "identical" in x and "left: a, b" in x),
    ("a text larger than any caption", folder_of({"a.txt": b"a" * 2_000_000}), load_folder, REFUSED, (ValueError, "damaged")),
]
# fmt: on


def state(folder: Path) -> dict:
    """Every plain file below a folder: its content and the time of its last change."""
    return {
        path.as_posix(): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if not path.is_symlink() and path.is_file()
    }


def within(seconds: float, work):
    """Call a function in a thread; fail if it hangs."""
    box = {}

    def run():
        try:
            box["result"] = work()
        except Exception as error:
            box["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), f"no answer within {seconds} s"
    return box


@pytest.mark.parametrize(
    ("make", "use", "decision", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_each_odd_input_is_decided_once(make, use, decision, expected, tmp_path, recwarn):
    given = make(tmp_path)
    before = state(tmp_path)
    box = within(60, lambda: use(given))
    if decision == REFUSED:
        exception, words = expected
        assert type(box.get("error")) is exception, box
        assert words in str(box["error"])
    else:
        assert "error" not in box, box
        assert expected(box["result"]), box["result"]
    assert state(tmp_path) == before
    assert [str(warning.message) for warning in recwarn] == []


def test_there_are_forty_cases_or_more_of_each_modality_and_decision():
    names = [case[0] for case in CASES]
    assert len(names) == len(set(names)) >= 40
    assert {case[3] for case in CASES} == {ACCEPTED, CONVERTED, REFUSED}


def test_nothing_outside_the_folder_is_opened(tmp_path, monkeypatch):
    folder = link("evil.txt", "../secret.txt")(tmp_path)
    (folder / "labels.csv").write_text("name,label\ngood,a\n../secret,b\n")
    opened = []
    monkeypatch.setattr(
        Path, "open", lambda self, *a, o=Path.open, **k: opened.append(self) or o(self, *a, **k)
    )
    data = load_folder(folder, labels="labels.csv", on_error="report")
    assert list(data.name) == ["good"]
    assert opened and all(folder in path.resolve().parents for path in opened)
    assert len(data.report) == 2
