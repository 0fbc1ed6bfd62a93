"""What a user may rely on when a folder is loaded: pairing, labels, the report, safety, memory."""

import os
import pickle
import re
import socket
import tracemalloc
import unicodedata
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from mmtutor import audio, folder, image
from mmtutor.encoder import Cached
from mmtutor.folder import load_folder
from mmtutor.image import HOG
from mmtutor.table import File, cells, check_data

PROBLEM = ["name", "file", "problem", "cure"]


def put(path: Path, i: int = 1) -> None:
    """Write a file of the kind that its ending says, with content number i."""
    path.parent.mkdir(exist_ok=True)
    ending = path.suffix.lower()
    if ending == ".txt":
        path.write_text(f"text {i}", "utf-8")
    elif ending in (".wav", ".ogg", ".flac", ".mp3"):
        soundfile.write(path, 0.5 * np.sin(np.arange(1600) * i / 50), 16_000)
    elif ending not in (".png", ".jpg", ".jpeg", ".webp"):
        path.touch()
    else:
        picture = np.full((8, 8, 3), i, np.uint8)
        path.write_bytes(cv2.imencode(ending, picture)[1].tobytes())


def fill(root: Path, *files: str) -> Path:
    for i, file in enumerate(files):
        put(root / file, 10 + i)
    return root


def problems(data, kind: str = "") -> list[tuple[str, str]]:
    """(name, file) of the report's rows of a kind."""
    rows = data.report[data.report.problem.str.startswith(kind)]
    return list(zip(rows.name, rows.file, strict=True))


def report_of(root: Path, **options):
    return load_folder(root, on_error="report", **options)


@pytest.fixture
def pets(tmp_path):
    return fill(
        tmp_path, *[f"{name}.{kind}" for name in ("tom", "rex", "ada") for kind in ("png", "txt", "wav")]
    )


# Pairing


def test_files_of_one_name_are_one_sample_and_samples_are_sorted(pets):
    data = load_folder(pets)
    assert data.name.tolist() == ["ada", "rex", "tom"] and data.name.dtype.kind == "U"
    assert list(data.X) == ["image", "text", "sound"] and data.X.shape == (3, 3)
    assert data.X.text.tolist() == ["text 17", "text 14", "text 11"]
    assert data.y is None and data.target_names is None and data.rate == 16_000
    assert list(data.report) == PROBLEM and len(data.report) == 0
    assert data.DESCR.endswith("{'image': 3, 'text': 3, 'sound': 3}")


def test_lazy_cells_are_files_that_read_as_the_readers_do(pets):
    lazy, whole = load_folder(pets), load_folder(pets, lazy=False)
    assert all(isinstance(cell, File) for column in ("image", "sound") for cell in lazy.X[column])
    assert np.array_equal(whole.X.image[0], image.read(pets / "ada.png"))
    assert np.array_equal(whole.X.sound[2], audio.read(pets / "tom.wav"))
    for column in ("image", "sound"):
        read = list(cells(lazy.X[column], lambda cell: None, ""))
        assert all(np.array_equal(a, b) for a, b in zip(read, whole.X[column], strict=True))
    assert pickle.loads(pickle.dumps(lazy.X)).image[0] == lazy.X.image[0]


@pytest.mark.parametrize(
    "ending", [".png", ".JPG", ".jpeg", ".WebP", ".txt", ".TXT", ".wav", ".OGG", ".flac", ".mp3"]
)
def test_endings_are_read_in_capitals_or_not(tmp_path, ending):
    put(tmp_path / f"a{ending.lower()}")
    (tmp_path / f"a{ending.lower()}").rename(tmp_path / f"a{ending}")
    data = load_folder(tmp_path, lazy=False)
    assert data.name.tolist() == ["a"] and data.X.notna().all(axis=None)


def test_names_have_blanks_dots_and_any_script(tmp_path):
    fill(
        tmp_path,
        "a.b.png",
        "a.b.txt",
        "my cat.png",
        "my cat.txt",
        "球 1.png",
        "球 1.txt",
        "a;b.png",
        "a;b.txt",
    )
    assert load_folder(tmp_path).name.tolist() == ["a.b", "a;b", "my cat", "球 1"]


def test_columns_are_the_modalities_that_occur_and_what_a_sample_lacks_is_missing(tmp_path):
    data = load_folder(fill(tmp_path, "a.png", "a.txt", "b.txt"))
    assert list(data.X) == ["image", "text"]
    assert data.X.isna().to_numpy().tolist() == [[False, False], [True, False]]
    assert data.report.to_numpy().tolist() == [
        ["b", "", "missing: no image", "add it, or use a fusion that does without (chapter 05)"]
    ]


def test_an_empty_text_is_a_text(tmp_path):
    (tmp_path / "a.txt").touch()
    data = load_folder(tmp_path)
    assert data.X.text.tolist() == [""] and len(data.report) == 0


def test_sounds_come_at_the_rate_asked_for(tmp_path):
    data = load_folder(fill(tmp_path, "a.wav"), rate=8_000)
    assert data.rate == 8_000 and len(data.X.sound[0].read()) == 800


def test_loading_twice_gives_the_same_whatever_the_order_on_disk(tmp_path, monkeypatch):
    fill(tmp_path, "b.png", "a.png", "c.txt", "c.png", "c.jpg", "d.md")
    first = report_of(tmp_path)
    forward = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: sorted(forward(path), reverse=True))
    second = report_of(tmp_path)
    assert first.report.equals(second.report) and first.name.tolist() == second.name.tolist() == [
        "a",
        "b",
        "c",
    ]


def test_nothing_on_disk_is_changed(pets):
    fill(pets, "tom.jpg", "bad.md")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in pets.iterdir()}
    report_of(pets)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in pets.iterdir()} == before


# Labels


def labelled(root: Path, rows: str, encoding="utf-8", name="labels.csv") -> Path:
    (root / name).write_bytes(rows.encode(encoding))
    return root


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_labels_come_from_a_table_by_name_not_by_order(pets, encoding, ends):
    rows = ends.join(["name,label", "tom,chat noir", "ada,NA", "rex,猫", ""])
    data = load_folder(labelled(pets, rows, encoding), labels="labels.csv")
    assert data.y.tolist() == ["NA", "猫", "chat noir"] and data.y.dtype.kind == "U"
    assert data.target_names.tolist() == ["NA", "chat noir", "猫"]
    assert len(data.report) == 0
    check_data(data)


def test_the_table_of_labels_may_have_other_columns_blanks_and_numbers(tmp_path):
    labelled(fill(tmp_path, "007.txt", "8.txt"), "age, label, name\n3, 1 ,007\n4,2,8 \n")
    assert load_folder(tmp_path, labels="labels.csv").y.tolist() == ["1", "2"]


def test_the_table_of_labels_may_lie_elsewhere_by_its_absolute_path(tmp_path):
    labelled(fill(tmp_path / "data", "a.txt"), "")
    (tmp_path / "data" / "labels.csv").unlink()
    labelled(tmp_path, "name,label\na,x\n")
    assert load_folder(tmp_path / "data", labels=tmp_path / "labels.csv").y.tolist() == ["x"]
    with pytest.raises(
        FileNotFoundError, match="no such file in the folder; if elsewhere, give the absolute"
    ):
        load_folder(tmp_path / "data", labels="../labels.csv")


def test_a_sub_folder_is_the_label_of_its_samples(tmp_path):
    data = load_folder(fill(tmp_path, "dogs/rex.png", "cats/tom.png", "cats/tom.txt", "dogs/tom.txt"))
    assert data.name.tolist() == ["cats/tom", "dogs/rex", "dogs/tom"]
    assert data.y.tolist() == ["cats", "dogs", "dogs"] and data.target_names.tolist() == ["cats", "dogs"]


def test_a_table_of_labels_goes_before_sub_folders(tmp_path):
    labelled(fill(tmp_path, "day1/a.txt", "day2/a.txt"), "name,label\nday1/a,cat\nday2/a,dog\n")
    assert load_folder(tmp_path, labels="labels.csv").y.tolist() == ["cat", "dog"]


def test_a_sample_beside_the_sub_folders_has_no_label(tmp_path):
    fill(tmp_path, "cats/tom.txt", "rex.txt")
    with pytest.raises(ValueError, match=r"rex: label: none; add it to the CSV file, or use a sub-folder"):
        load_folder(tmp_path)
    data = report_of(tmp_path)
    assert data.name.tolist() == ["cats/tom"] and data.y.tolist() == ["cats"]


@pytest.mark.parametrize(
    ("rows", "kind", "names"),
    [
        ("tom,cat\nrex,dog\n", "label: none", ["ada"]),
        ("tom,cat\nrex,dog\nada,\n", "label: none", ["ada"]),
        ("tom,cat\nrex,dog\nada\n", "label: none", ["ada"]),
        ("tom,cat\nrex,dog\nada,cat\nzoe,cat\n", "label: no file of this name", ["zoe"]),
        ("tom,cat\nrex,dog\nada,cat\n../secret,cat\n", "label: no file of this name", ["../secret"]),
        ("tom,cat\nrex,dog\nada,cat\n/etc/passwd,cat\n", "label: no file of this name", ["/etc/passwd"]),
        ("tom,cat\nrex,dog\nada,cat\ntom.png,cat\n", "label: no file of this name", ["tom.png"]),
        ("tom,cat\nrex,dog\nada,cat\nada,dog\n", "label: 'cat', and another one", ["ada"]),
        ("tom,cat\nrex,dog\nada,cat\nada,\n", "label: '', and another one", ["ada"]),
        ("tom,cat\nrex,dog\nada,cat\n,dog\n", "label: no file of this name", [""]),
    ],
)  # fmt: skip
def test_each_sample_needs_exactly_one_label(pets, rows, kind, names):
    labelled(pets, "name,label\n" + rows)
    with pytest.raises(ValueError, match="problem"):
        load_folder(pets, labels="labels.csv")
    data = report_of(pets, labels="labels.csv")
    assert [name for name, _ in problems(data, kind)] == names
    good = [name for name in ("ada", "rex", "tom") if name not in names]
    assert data.name.tolist() == good and len(data.y) == len(data.X) == len(good)


def test_the_same_row_twice_counts_once(pets):
    labelled(pets, "name,label\ntom,cat\nrex,dog\nada,cat\ntom,cat\n")
    data = load_folder(pets, labels="labels.csv")
    assert data.y.tolist() == ["cat", "dog", "cat"] and problems(data) == [("tom", "")]
    assert data.report.problem[0] == "repeated: the same name and label once more"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("", "labels.csv: No columns.*; save it as CSV in UTF-8"),
        ("tom,cat\n", r"labels.csv: its columns are \['tom', 'cat'\]; the first line must be name,label"),
        ("name;label\ntom;cat\n", r"its columns are \['name;label'\]"),
        ("Name,Label\ntom,cat\n", "the first line must be name,label"),
        ("name,label\ntom,cat, black\n", "the first line must be name,label"),
        ("name,label\ntom,cat\nrex,dog, brown\n", "Expected 2 fields in line 3, saw 3"),
        ('name,label\ntom,"cat\n', "EOF inside string"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("on_error", ["raise", "report"])
def test_a_table_that_is_none_is_refused(pets, rows, words, on_error):
    with pytest.raises(ValueError, match=words):
        load_folder(labelled(pets, rows), labels="labels.csv", on_error=on_error)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_table_in_another_encoding_is_refused(pets, encoding):
    labelled(pets, "name,label\ntom,é\n", encoding)
    with pytest.raises(
        ValueError, match=r"labels.csv: 'utf-8' codec can't decode.*; save it as CSV in UTF-8"
    ):
        load_folder(pets, labels="labels.csv")


@pytest.mark.parametrize("labels", ["nowhere.csv", "", ["cat", "dog"], "pipe.csv", "/nowhere.csv"])
def test_a_table_that_is_not_there_is_named(pets, labels):
    os.mkfifo(pets / "pipe.csv")
    with pytest.raises(FileNotFoundError, match="no such file in the folder"):
        load_folder(pets, labels=labels)


# The report: what raises, what does not


def damaged(root: Path) -> dict[str, str]:
    """Write a damaged file of each kind; return file -> words of its problem."""
    whole = {}
    for ending in ("png", "jpg", "webp", "wav", "flac", "ogg"):
        put(root / f"whole.{ending}")
        content = (root / f"whole.{ending}").read_bytes()
        whole[ending] = content[: len(content) // 2]
        (root / f"whole.{ending}").unlink()
    contents = {
        "zero1.png": (b"", "empty"),
        "zero2.wav": (b"", ""),
        "zero3.mp3": (b"", ""),
        "text1.png": (b"hello", "not a picture"),
        "text2.ogg": (b"hello", "no sound file"),
        "picture.wav": (whole["png"], "no sound file"),
        "utf16.txt": ("héllo".encode("utf-16"), "UTF"),
        "latin.txt": ("héllo".encode("latin-1"), "not UTF-8"),
        "cut1.png": (whole["png"], "cut off"),
        "cut2.jpg": (whole["jpg"], "cut off|not a picture"),
        "cut3.webp": (whole["webp"], "cut off|not a picture"),
        "cut4.wav": (whole["wav"], "cut off"),
        "cut5.flac": (whole["flac"], ""),
        "cut6.ogg": (whole["ogg"], ""),
    }
    for file, (content, _) in contents.items():
        (root / file).write_bytes(content)
    with zipfile.ZipFile(root / "zip.png", "w") as archive:
        archive.writestr("a.txt", "a")
    soundfile.write(root / "nan.wav", np.array([0.1, np.nan]), 16_000, subtype="FLOAT")
    soundfile.write(root / "none.wav", np.zeros(0), 16_000)
    found = {file: words for file, (_, words) in contents.items()}
    return found | {"zip.png": "not a picture", "nan.wav": "NaN", "none.wav": "no samples"}


def test_each_damaged_file_is_in_the_report_and_its_cell_missing(tmp_path):
    expected = damaged(tmp_path)
    fill(tmp_path, "text1.txt", "good.png", "good.txt")
    data = report_of(tmp_path)
    rows = data.report[data.report.problem.str.startswith("damaged: ")].set_index("file")
    assert set(rows.index) == set(expected)
    for file, words in expected.items():
        row = rows.loc[file]
        assert re.search(words, row.problem) and row["name"] == Path(file).stem and row.cure
        assert not row.problem.startswith(f"damaged: {file}")  # the file stands in its own column
    assert data.name.tolist() == ["good", "text1"]  # of the others nothing is left
    assert data.X.isna().to_numpy().tolist() == [[False, False], [True, False]]


def test_odd_files_that_the_readers_take_are_no_problem(tmp_path):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "green")]
    frames[0].save(tmp_path / "jpeg.png", format="JPEG")
    soundfile.write(tmp_path / "surround.wav", np.full((1600, 6), 0.1), 48_000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(100), 16_000)
    data = load_folder(tmp_path, lazy=False)
    assert data.name.tolist() == ["jpeg", "silent", "surround"]
    assert problems(data, "damaged") == []


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
@pytest.mark.parametrize("file", ["moving.png", "moving.webp"])
def test_a_moving_picture_is_one_picture_or_in_the_report(tmp_path, kind, file):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "green")]
    frames[0].save(tmp_path / file, format=kind, save_all=True, append_images=frames[1:])
    data = report_of(tmp_path, lazy=False)
    assert problems(data, "damaged") == [("moving", file)] or data.X.image[0].shape == (8, 8, 3)


def test_an_error_names_the_first_five_problems_counts_all_and_says_what_to_do(tmp_path):
    for i in range(9):
        (tmp_path / f"{i}.png").touch()
    put(tmp_path / "whole.png")
    with pytest.raises(ValueError) as error:
        load_folder(tmp_path)
    first, *shown = str(error.value).splitlines()
    assert first.endswith(
        '9 problem(s); mend them, or load the rest with on_error="report" and look at its report'
    )
    assert shown[0] == "  0.png: damaged: the file is empty (0 bytes); copy it again from its source"
    assert len(shown) == 6 and shown[-1] == "  … and 4 more"


def test_whatever_a_reader_raises_is_in_the_report(pets, monkeypatch):
    def fail(path):
        raise MemoryError if path.stem == "tom" else PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(image, "read", fail)
    rows = report_of(pets).report
    assert rows.problem.tolist()[2] == "damaged: MemoryError" and "Permission denied" in rows.problem[0]
    assert rows.cure.tolist() == ["copy it again from its source"] * 3


def test_two_files_for_one_modality_are_refused_and_none_is_taken(pets):
    fill(pets, "tom.jpg", "tom.WEBP", "rex.flac")
    with pytest.raises(ValueError, match=r"rex.flac: duplicated: two files for one modality"):
        load_folder(pets)
    data = report_of(pets)
    assert problems(data, "duplicated") == [
        ("rex", "rex.flac"), ("rex", "rex.wav"), ("tom", "tom.WEBP"), ("tom", "tom.jpg"), ("tom", "tom.png"),
    ]  # fmt: skip
    assert data.X.isna().to_numpy().tolist() == [[False] * 3, [False, False, True], [True, False, False]]


@pytest.mark.parametrize("other", ["Tom.txt", "TOM.jpg"])
def test_names_that_differ_in_capitals_are_never_paired_by_guessing(tmp_path, other):
    fill(tmp_path, "tom.png", other, "rex.png", "rex.txt")
    with pytest.raises(ValueError, match=r"spelling: capitals or Unicode differ in .*; name them alike"):
        load_folder(tmp_path)
    data = report_of(tmp_path)
    assert data.name.tolist() == ["rex"]
    assert sorted(problems(data, "spelling")) == sorted([("tom", "tom.png"), (Path(other).stem, other)])


def test_names_in_two_forms_of_unicode_are_never_paired_by_guessing(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    fill(tmp_path, f"{composed}.png", f"{decomposed}.txt", "a.png")
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("this disk has one form only")
    data = report_of(tmp_path)
    assert data.name.tolist() == ["a"]
    assert data.report.problem[1] == r"spelling: capitals or Unicode differ in ['e\u0301.txt', '\xe9.png']"


def test_names_on_disk_and_in_the_table_meet_in_whatever_form_of_unicode(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    labelled(fill(tmp_path, f"{decomposed}.txt", f"{decomposed}.png"), f"name,label\n{composed},x\n")
    data = load_folder(tmp_path, labels="labels.csv")
    assert data.name.tolist() == [composed] and data.y.tolist() == ["x"] and data.X.notna().all(axis=None)


def test_a_name_that_is_no_unicode_is_in_the_report(pets):
    try:
        (pets / os.fsdecode(b"caf\xe9.txt")).touch()
    except OSError:
        pytest.skip("this disk takes no such name")
    data = report_of(pets)
    assert problems(data) == [(r"caf\udce9", r"caf\udce9.txt")]
    assert str(data.report).encode("utf-8") and len(data.X) == 3


def test_identical_pictures_and_sounds_are_found_and_equal_texts_are_not(tmp_path):
    for file in ("a.png", "b.webp", "c.png", "a.txt", "b.txt", "a.wav", "c.wav"):
        put(tmp_path / file, 200 if file != "c.png" else 3)
    Image.fromarray(image.read(tmp_path / "a.png")).save(tmp_path / "b.webp", lossless=True)
    data = load_folder(tmp_path)
    assert data.report.problem[data.report.problem.str.startswith("identical")].tolist() == [
        "identical: the same image as a.png",
        "identical: the same sound as a.wav",
    ]
    assert problems(data, "identical") == [("b", "b.webp"), ("c", "c.wav")] and len(data.X) == 3


def test_other_files_are_listed_and_what_desktops_leave_is_not(pets):
    for file in ("notes.md", "README", ".hidden.png", ".DS_Store", "Thumbs.db", "desktop.ini", "labels.csv"):
        (pets / file).touch()
    (pets / ".git").mkdir()
    data = load_folder(pets)
    assert {file for _, file in problems(data)} == {"notes.md", "README", ".hidden.png", ".git", "labels.csv"}
    assert data.report.problem.str.startswith("ignored: ").all() and len(data.X) == 3


def test_folders_in_sub_folders_are_listed_and_not_read(tmp_path):
    fill(tmp_path, "cats/tom.png")
    fill(tmp_path / "cats" / "old", "kim.png")
    data = load_folder(tmp_path)
    assert problems(data) == [("", "cats/old")] and data.name.tolist() == ["cats/tom"]


@pytest.mark.parametrize("fill_with", [(), ("notes.md",), ("cats/",)])
def test_a_folder_without_samples_is_refused_and_in_the_report(tmp_path, fill_with):
    for file in fill_with:
        (tmp_path / file).mkdir() if file.endswith("/") else (tmp_path / file).touch()
    with pytest.raises(ValueError, match=r"empty: no usable sample; a.png with a.txt would be one"):
        load_folder(tmp_path)
    data = report_of(tmp_path)
    assert len(data.X) == len(data.name) == 0 and "empty" in data.report.problem[0]


# Safety


def test_links_are_followed_inside_the_folder_only(tmp_path):
    fill(tmp_path / "secret", "key.txt", "key.png")
    root = fill(tmp_path / "data", "a.png", "a.txt")
    (root / "out.txt").symlink_to(tmp_path / "secret" / "key.txt")
    (root / "etc").symlink_to(tmp_path / "secret")
    (root / "here").symlink_to(root)
    (root / "loop.png").symlink_to("loop.png")
    (root / "gone.png").symlink_to("nothing.png")
    (root / "in.png").symlink_to("a.png")
    with pytest.raises(ValueError, match="link: it leads out of the folder"):
        load_folder(root)
    data = report_of(root, lazy=False)
    assert {file for _, file in problems(data, "link")} == {"out.txt", "etc", "here", "loop.png", "gone.png"}
    assert data.name.tolist() == ["a", "in"] and problems(data, "identical") == [("in", "in.png")]


def test_a_table_of_labels_that_links_out_of_the_folder_is_not_read(tmp_path):
    labelled(tmp_path, "name,label\na,x\n", name="secret.csv")
    root = fill(tmp_path / "data", "a.txt")
    (root / "labels.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(FileNotFoundError, match=r"labels.csv: no such file in the folder"):
        load_folder(root, labels="labels.csv")


def test_pipes_sockets_and_folders_with_the_name_of_a_file_are_never_opened(pets):
    os.mkfifo(pets / "pipe.wav")
    (pets / "folder.png").mkdir()
    put(pets / "folder.png" / "inside.png")
    os.mkfifo(pets / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(pets / "socket.txt"))
    with pytest.raises(ValueError, match=r"folder.png: damaged: no regular file"):
        load_folder(pets)
    data = report_of(pets)
    found = [("folder", "folder.png"), ("pipe", "pipe.wav"), ("socket", "socket.txt")]
    assert problems(data, "damaged") == found
    assert problems(data, "ignored") == [("", "pipe")] and len(data.X) == 3


def test_a_sub_folder_that_may_not_be_read_is_in_the_report(tmp_path, monkeypatch):
    fill(tmp_path, "cats/tom.txt", "dogs/rex.txt")
    allowed = Path.iterdir

    def refuse(path):
        if path.name == "dogs":
            raise PermissionError(13, "Permission denied", str(path))
        return allowed(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    data = report_of(tmp_path)
    assert data.report.to_numpy().tolist() == [
        ["", "dogs", "damaged: Permission denied", "allow yourself to read it"]
    ]
    assert data.name.tolist() == ["cats/tom"]


def test_a_file_too_large_for_one_sample_is_not_opened(pets):
    (pets / "b.txt").write_bytes(b"b" * 1_000_000)
    for file, size in {"a.txt": 1_000_001, "c.wav": 10**12, "d.png": 100_000_001}.items():
        with (pets / file).open("wb") as sparse:
            sparse.truncate(size)
    data = report_of(pets)
    assert problems(data, "damaged") == [("a", "a.txt"), ("c", "c.wav"), ("d", "d.png")]
    assert data.report.problem[0] == "damaged: 1,000,001 bytes, more than one sample has"
    assert data.name.tolist() == ["ada", "b", "rex", "tom"]


# Memory, reading once


def test_check_reads_each_file_once_and_no_check_reads_none(pets, monkeypatch):
    opened = []
    for module in (image, audio):
        read = module.read
        monkeypatch.setattr(
            module, "read", lambda path, read=read, **options: opened.append(path.name) or read(path)
        )
    load_folder(pets)
    assert sorted(opened) == sorted(f"{n}.{e}" for n in ("ada", "rex", "tom") for e in ("png", "wav"))
    opened.clear()
    load_folder(pets, lazy=False)
    assert len(opened) == 6
    opened.clear()
    (pets / "tom.png").write_bytes(b"")
    data = load_folder(pets, check=False)
    assert opened == []
    with pytest.raises(ValueError, match=r"row 2, column 'image': tom.png: the file is empty"):
        HOG().fit_transform(data.X.image)


def test_a_frozen_encoder_with_a_cache_reads_each_picture_once_in_two_passes(
    pets, monkeypatch, tmp_path_factory
):
    opened = []
    read = image.read
    monkeypatch.setattr(image, "read", lambda path: opened.append(path.name) or read(path))
    X = load_folder(pets, check=False).X
    cached = Cached(HOG(), tmp_path_factory.mktemp("features"))
    first, second = cached.fit_transform(X.image), cached.fit_transform(X.image)
    assert opened == ["ada.png", "rex.png", "tom.png"]
    assert np.array_equal(first, second) and np.array_equal(first, HOG().transform(X.image))


def test_memory_while_reading_does_not_grow_with_the_pictures(tmp_path):
    peaks = {}
    for n_samples in (100, 400):
        root = tmp_path / str(n_samples)
        root.mkdir()
        for i in range(n_samples):
            picture = np.full((128, 128, 3), 0, np.uint8)
            picture[: i % 128, i // 128 :] = 255
            Image.fromarray(picture).save(root / f"{i}.png", compress_level=1)
        tracemalloc.start()
        for _ in cells(load_folder(root).X.image, image.problem, image.CURE):
            pass
        peaks[n_samples] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    more = (peaks[400] - peaks[100]) / 300
    assert more < 5_000 < 128 * 128 * 3 / 9, f"{more:.0f} bytes a sample"


# Parameters


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on_error": "ignore"}, "on_error='ignore' is unknown; choose one of 'raise', 'report'"),
        ({"rate": 0}, "rate=0: not a whole number"),
        ({"rate": 16e3}, "rate=16000.0: not a whole number"),
        ({"rate": True}, "rate=True: not a whole number"),
    ],
)
def test_unknown_options_are_refused(pets, options, words):
    with pytest.raises(ValueError, match=words):
        load_folder(pets, **options)


def test_what_is_no_folder_is_refused(pets):
    for path, error in ((pets / "nowhere", FileNotFoundError), (pets / "tom.png", NotADirectoryError)):
        with pytest.raises(error, match=f"{path.name}: no such folder; give the folder"):
            load_folder(path)


def test_a_folder_may_be_named_by_str_relative_or_by_a_link(pets, monkeypatch):
    (pets.parent / "link").symlink_to(pets)
    monkeypatch.chdir(pets.parent)
    for path in (str(pets), pets.name, "link"):
        data = load_folder(path)
        monkeypatch.chdir("/")
        assert data.X.image[0].read().shape == (8, 8, 3)
        monkeypatch.chdir(pets.parent)


def test_the_docstring_lists_each_kind_of_problem_and_whether_it_raises():
    kinds = {}
    for line in load_folder.__doc__.splitlines():
        words = line.split()
        if len(words) > 4 and line.startswith("    ") and not line.startswith("     ") and line[16] != " ":
            kinds |= {words[0]: "no" if "  no  " in line else "yes" if "  yes  " in line else None}
    kinds = {kind: raises for kind, raises in kinds.items() if raises}
    assert {kind for kind, raises in kinds.items() if raises == "no"} == set(folder.HARMLESS)
    assert len(kinds) == 10


def test_a_report_is_a_table_of_texts(pets):
    report = pd.concat([load_folder(pets).report, report_of(fill(pets, "x.txt")).report])
    assert report.notna().all(axis=None) and report.map(type).eq(str).all(axis=None)
