"""The shipped data is whole, licensed file by file, and what its README says."""

import hashlib
import os
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import soundfile
from packaging.licenses import canonicalize_license_expression

from mmtutor import image

ROOT = Path(__file__).parents[1]
DATA = ROOT / "mmtutor" / "data"
FOLDERS = sorted(path for path in DATA.iterdir() if path.is_dir())
in_each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)

# License -> what its text begins and ends with.
TEXTS = {
    "Apache-2.0": ("Apache License", "limitations under the License."),
    "CC-BY-4.0": ("Attribution 4.0 International", "may be contacted at creativecommons.org."),
    "MIT": ("MIT License", "SOFTWARE."),
    "PDDL-1.0": ("Public Domain Dedication and License (PDDL)", "to meet the intent of this Document."),
    "Unicode-3.0": ("UNICODE LICENSE V3", "SPDX-License-Identifier: Unicode-3.0"),
}


def is_data(path: Path) -> bool:
    """Not a file about data: README, license text, sums."""
    about = path.name in ("README.md", "SHA256SUMS") or path.name.startswith(("LICENSE-", "."))
    return path.is_file() and not about


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def license_rows() -> pd.DataFrame:
    """The table of DATA_LICENSES.md."""
    lines = (ROOT / "DATA_LICENSES.md").read_text("utf-8").splitlines()
    header, _, *rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    table = pd.DataFrame(rows, columns=header)
    return table.assign(path=table.path.str.strip("`"))


def licenses_of(folder: Path) -> set[str]:
    rows = license_rows()
    inside = rows.path.str.startswith(f"mmtutor/data/{folder.name}/")
    return {each for expression in rows.license[inside] for each in expression.split(" AND ")}


# Every file: licensed, whole, described


def test_every_file_has_exactly_one_row_in_the_license_table():
    paths = license_rows().path
    for file in filter(is_data, DATA.rglob("*")):
        name = file.relative_to(ROOT).as_posix()
        rows = [path for path in paths if fnmatchcase(name, path)]
        assert len(rows) == 1, f"{name} is covered by {rows}"


def test_every_row_of_the_license_table_is_about_a_file():
    unused = [path for path in license_rows().path if not list(ROOT.glob(path))]
    assert unused == []


def test_every_row_of_the_license_table_is_filled_in():
    rows = license_rows()
    assert rows.notna().all(axis=None)
    assert rows.apply(lambda column: column.str.strip() != "").all(axis=None)


def test_licenses_are_spdx_expressions():
    for expression in license_rows().license:
        assert canonicalize_license_expression(expression) == expression


@in_each_folder
def test_a_folder_holds_the_text_of_each_of_its_licenses_and_no_other(folder):
    texts = {path.name for path in folder.glob("LICENSE*")}
    assert texts == {f"LICENSE-{license}.txt" for license in licenses_of(folder)}


@in_each_folder
def test_license_texts_are_complete(folder):
    for path in folder.glob("LICENSE-*.txt"):
        begins, ends = TEXTS[path.name.removeprefix("LICENSE-").removesuffix(".txt")]
        text = path.read_text("utf-8").strip()
        assert begins in text.splitlines()[0], path
        assert text.endswith(ends), path


@in_each_folder
def test_the_sums_of_a_folder_cover_its_files_and_are_right(folder):
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    listed = dict(reversed(line.split("  ", 1)) for line in lines)
    files = [path for path in folder.rglob("*") if is_data(path)]
    assert listed == {path.relative_to(folder).as_posix(): sha256(path) for path in files}


@in_each_folder
def test_a_folder_is_described(folder):
    assert (folder / "README.md").read_text("utf-8").startswith("# ")
    assert f"({folder.name}/README.md)" in (DATA / "README.md").read_text("utf-8")


def test_shipped_data_is_below_25_megabytes():
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 25e6


# Emoji

GROUPS = {
    "Objects": 263,
    "Travel & Places": 218,
    "Symbols": 211,
    "Smileys & Emotion": 161,
    "People & Body": 157,
    "Animals & Nature": 154,
    "Food & Drink": 129,
    "Activities": 85,
}
TILE, COLUMNS = 64, 40
VENDORS = ("noto", "twemoji")
for_each_vendor = pytest.mark.parametrize("vendor", VENDORS)


@pytest.fixture(scope="module")
def emoji():
    return pd.read_csv(DATA / "emoji" / "emoji.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def tiles():
    """Vendor -> RGBA tiles, shape (rows x 40, 64, 64, 4), by the layout that the README gives."""
    sheets = {vendor: image.read(DATA / "emoji" / f"{vendor}_64.webp", background=None) for vendor in VENDORS}
    return {
        vendor: sheet.reshape(-1, TILE, COLUMNS, TILE, 4).swapaxes(1, 2).reshape(-1, TILE, TILE, 4)
        for vendor, sheet in sheets.items()
    }


def test_the_emoji_table_has_the_known_groups(emoji):
    assert emoji.group.value_counts().to_dict() == GROUPS
    assert len(emoji) == 1378


def test_the_readme_gives_the_counts_of_the_groups():
    readme = (DATA / "emoji" / "README.md").read_text("utf-8")
    assert all(f"| {group} | {count} |" in readme for group, count in GROUPS.items())


def test_code_points_are_unique_and_in_order(emoji):
    numbers = emoji.codepoint.map(lambda point: int(point, 16))
    assert numbers.is_monotonic_increasing
    assert numbers.is_unique


def test_every_emoji_has_names_and_keywords(emoji):
    assert (emoji != "").all(axis=None)
    assert all(emoji[column].equals(emoji[column].str.strip()) for column in emoji)
    for language in ("en", "zh"):
        assert all(all(keywords) for keywords in emoji[f"keywords_{language}"].str.split("|"))


@for_each_vendor
def test_every_emoji_has_a_picture_and_no_tile_is_left_over(emoji, tiles, vendor):
    visible = (tiles[vendor][..., 3] > 0).any(axis=(1, 2))
    assert visible[: len(emoji)].all()
    assert not visible[len(emoji) :].any()
    assert len(visible) - len(emoji) < COLUMNS


def test_the_sheets_of_both_vendors_are_aligned(emoji, tiles):
    """Both draw the same thing: no row of a sheet fits better when it is shifted, by up to a row."""
    noto, twemoji = (sketches(tiles[vendor][: len(emoji)]) for vendor in VENDORS)
    similarity = noto @ twemoji.T
    shifts = range(-COLUMNS, COLUMNS + 1)
    for first in range(0, len(emoji), COLUMNS):
        row = np.arange(first, min(first + COLUMNS, len(emoji)))
        fit = [similarity[row, (row + shift) % len(emoji)].mean() for shift in shifts]
        assert shifts[int(np.argmax(fit))] == 0, f"sheet row {first // COLUMNS}"


def sketches(pictures: np.ndarray) -> np.ndarray:
    """8 x 8 pixels a picture, as unit vectors: their products are correlations."""
    on_white = image.flatten(pictures)
    small = np.array([cv2.resize(each, (8, 8), interpolation=cv2.INTER_AREA).ravel() for each in on_white])
    centered = small - small.mean(axis=1, keepdims=True)
    return centered / np.linalg.norm(centered, axis=1, keepdims=True)


@for_each_vendor
@pytest.mark.parametrize("shape", ["circle", "square", "heart"])
def test_pictures_have_the_color_that_their_name_says(emoji, tiles, vendor, shape):
    """Three shapes in three colors stand far apart in the table: a slip of names against pictures shows."""
    for channel, color in enumerate(("red", "green", "blue")):
        [row] = emoji.index[emoji.name_en == f"{color} {shape}"]
        tile = tiles[vendor][row]
        assert tile[tile[..., 3] > 200, :3].mean(axis=0).argmax() == channel


# Spoken digits


@pytest.fixture(scope="module")
def clips():
    return pd.read_csv(DATA / "spoken_digits" / "index.csv")


@pytest.fixture(scope="module")
def recordings(clips):
    """Voice -> (samples, rate); samples of more than one channel would have two axes."""
    return {voice: soundfile.read(DATA / "spoken_digits" / f"{voice}.ogg") for voice in clips.voice.unique()}


def test_every_voice_says_every_digit_at_every_speed(clips):
    assert (len(clips), clips.voice.nunique()) == (840, 28)
    assert not clips.duplicated(["voice", "digit", "speed"]).any()
    assert sorted(clips.digit.unique()) == list(range(10))
    assert sorted(clips.speed.unique()) == [0.85, 1.0, 1.2]


def test_the_faster_a_voice_speaks_the_shorter_its_clips(clips):
    length = clips.pivot_table(
        index="voice", columns="speed", values="n_samples"
    )  # means: some digits differ
    assert (length.diff(axis=1).iloc[:, 1:] < 0).all(axis=None)


def test_the_names_of_voices_tell_accent_and_gender(clips):
    assert (clips.voice.str[0].map({"a": "us", "b": "gb"}) == clips.accent).all()
    assert (clips.voice.str[1] == clips.gender).all()


def test_recordings_are_mono_at_16_kilohertz_and_not_clipped(recordings):
    for voice, (sound, rate) in recordings.items():
        assert rate == 16_000, voice
        assert sound.ndim == 1, voice
        assert np.abs(sound).max() < 1, voice


def test_every_clip_lies_inside_its_recording_and_is_heard(clips, recordings):
    for clip in clips.itertuples():
        sound, _ = recordings[clip.voice]
        piece = sound[clip.start_sample : clip.start_sample + clip.n_samples]
        assert len(piece) == clip.n_samples > 0, clip
        assert 0.08 < np.sqrt(np.mean(piece**2)) < 0.11, clip


def test_between_clips_there_is_silence(clips, recordings):
    for voice, rows in clips.groupby("voice"):
        between = recordings[voice][0].copy()
        for clip in rows.itertuples():
            between[clip.start_sample : clip.start_sample + clip.n_samples] = 0
        assert np.sqrt(np.mean(between**2)) < 0.0005, voice


# How it was built


WANTED = os.environ.get("MMTUTOR_REBUILD") == "1"


@pytest.mark.skipif(not WANTED, reason="needs npm, a network and a minute; set MMTUTOR_REBUILD=1")
def test_the_emoji_folder_can_be_built_again():
    command = [sys.executable, str(ROOT / "tools" / "build_emoji.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
