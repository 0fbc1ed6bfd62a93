"""What a user may rely on in the data sets and their loaders."""

import shutil

import numpy as np
import pytest

from mmtutor import datasets
from mmtutor.datasets import fair_keywords, load_emoji, load_spoken_digit
from mmtutor.text import stem, words


@pytest.fixture(scope="module")
def emoji():
    return load_emoji()


def test_emoji_are_a_table_of_raw_objects(emoji):
    assert emoji.X.shape == (1378, 2) and list(emoji.X) == ["image", "text"]
    assert all(p.shape == (64, 64, 3) and p.dtype == np.uint8 for p in emoji.X.image)
    assert all(isinstance(t, str) for t in emoji.X.text)
    assert len(emoji.y) == len(emoji.groups) == len(emoji.name) == len(emoji.codepoint) == 1378
    assert len(emoji.target_names) == 8 and set(emoji.y) == set(emoji.target_names)
    assert "Apache" in emoji.DESCR


def test_pictures_are_on_white_and_belong_to_their_names(emoji):
    red = emoji.X.image[list(emoji.name).index("red circle")]
    blue = emoji.X.image[list(emoji.name).index("blue circle")]
    assert red[0, 0].tolist() == [255, 255, 255] == blue[0, 0].tolist()
    assert red[32, 32, 0] > 180 > red[32, 32, 2] and blue[32, 32, 2] > 180 > blue[32, 32, 0]


def test_the_same_seed_draws_the_same_words_and_another_seed_others(emoji):
    assert (load_emoji().X.text == emoji.X.text).all()
    assert (load_emoji(random_state=1).X.text != emoji.X.text).mean() > 0.3


def test_changing_a_loaded_picture_changes_no_later_one(emoji):
    load_emoji().X.image[0][:] = 0
    assert (load_emoji().X.image[0] == emoji.X.image[0]).all() and emoji.X.image[0].any()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_keywords_share_no_word_with_name_or_group(language):
    emoji = load_emoji(language=language, n_keywords=99)
    for text, name, group in zip(emoji.X.text, emoji.name, emoji.y, strict=True):
        if language == "en":
            banned = {stem(word) for word in words(f"{name} {group} face animal food person")}
            assert not banned & {stem(word) for word in words(text)}, (name, text)
        else:
            assert not any(k in name or name in k or "动物" in k for k in text.split()), (name, text)


def test_leaving_out_keywords_keeps_their_order():
    keywords = ["fast", "red vehicles", "vehicle", "racing", "objects"]
    assert fair_keywords(keywords, "red car", "Travel & Places", "en") == ["fast", "vehicle", "racing"]


def test_two_words_unless_told_otherwise(emoji):
    keywords = load_emoji(n_keywords=1).X.text
    everything = load_emoji(text="all keywords").X.text
    assert all(t in every for t, every in zip(keywords, everything, strict=True))
    assert everything.str.len().mean() > 2 * emoji.X.text.str.len().mean()
    assert load_emoji(text="name").X.text[0] == "copyright"


def test_empty_texts_are_texts_unless_asked_to_be_missing(emoji):
    missing = load_emoji(empty_as_missing=True)
    assert not emoji.X.text.isna().any()
    assert (missing.X.text.isna() == (emoji.X.text == "")).all() and missing.X.text.isna().sum() == 124


def test_groups_are_the_last_word_of_the_name(emoji):
    by_name = dict(zip(emoji.name, emoji.groups, strict=True))
    assert by_name["red apple"] == by_name["green apple"] == "apple"
    assert by_name["five-thirty"] == by_name["six-thirty"] == "thirty"
    assert (load_emoji(language="zh", vendor="twemoji").groups == emoji.groups).all()
    assert len(set(emoji.groups)) == 860


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vendor": "apple"}, "vendor='apple' is unknown; choose one of 'noto', 'twemoji'"),
        ({"language": "fr"}, "language='fr' is unknown; choose one of 'en', 'zh'"),
        ({"text": "tags"}, "text='tags' is unknown"),
    ],
)
def test_unknown_options_are_refused_by_name(options, words):
    with pytest.raises(ValueError, match=words):
        load_emoji(**options)


def test_a_spoken_digit_is_mono_sound_at_16_khz():
    digit = load_spoken_digit(7)
    assert digit.rate == 16_000 and digit.sound.dtype == np.float32 and digit.sound.ndim == 1
    assert 0.25 < len(digit.sound) / digit.rate < 1.2 and 0.1 < np.abs(digit.sound).max() <= 1
    assert not np.array_equal(digit.sound, load_spoken_digit(3).sound)
    assert "synthetic" in digit.DESCR.lower()


@pytest.mark.parametrize(("option", "value"), [("digit", 10), ("voice", "nobody"), ("speed", 2.0)])
def test_what_was_not_recorded_is_refused(option, value):
    with pytest.raises(ValueError, match=f"{option}={value!r} is unknown"):
        load_spoken_digit(**{option: value})


@pytest.fixture
def copied_data(tmp_path, monkeypatch):
    shutil.copytree(datasets.DATA / "emoji", tmp_path / "emoji")
    monkeypatch.setattr(datasets, "DATA", tmp_path)
    datasets._emoji_table.cache_clear()
    datasets._emoji_pictures.cache_clear()
    yield tmp_path / "emoji"
    datasets._emoji_table.cache_clear()
    datasets._emoji_pictures.cache_clear()


@pytest.mark.parametrize("name", ["emoji.csv", "noto_64.webp"])
def test_a_damaged_file_says_so_and_how_to_restore_it(copied_data, name):
    content = bytearray((copied_data / name).read_bytes())
    content[1000] ^= 1
    (copied_data / name).write_bytes(content)
    with pytest.raises(OSError, match=rf"{name} is damaged.*git checkout -- mmtutor/data/emoji/{name}"):
        load_emoji()


def test_a_missing_file_says_so_and_how_to_restore_it(copied_data):
    (copied_data / "noto_64.webp").unlink()
    with pytest.raises(FileNotFoundError, match=r"noto_64.webp is missing; restore it with"):
        load_emoji()


def test_a_file_that_differs_in_its_last_byte_is_noticed(copied_data):
    content = (copied_data / "emoji.csv").read_bytes()
    (copied_data / "emoji.csv").write_bytes(content[:-1] + b" ")
    with pytest.raises(OSError, match=r"emoji.csv is damaged"):
        load_emoji()
    with pytest.raises(FileNotFoundError, match=r"nothing.txt is missing"):
        datasets.shipped("emoji", "nothing.txt")
