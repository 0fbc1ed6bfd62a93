"""What a user may rely on in the trimodal digits: nothing leaks, each knob does what it says and no more."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from mmtutor import audio
from mmtutor.datasets import DATA, _record, _side, load_spoken_digit, load_trimodal_digits

ROOT = Path(__file__).parents[1]
FEW = 200
COLUMNS = ["image", "sound", "text"]


@pytest.fixture(scope="module")
def train():
    return load_trimodal_digits()


@pytest.fixture(scope="module")
def test():
    return load_trimodal_digits("test")


@pytest.fixture(scope="module")
def few():
    return load_trimodal_digits(n_samples=FEW)


@pytest.fixture(scope="module")
def clean():
    """The same samples as `few`, without noise and errors."""
    return load_trimodal_digits(n_samples=FEW, image_noise=0, snr_db=np.inf, typo_rate=0)


@pytest.fixture(scope="module")
def clean_train():
    """The same samples as `train`, without noise and errors."""
    return load_trimodal_digits(image_noise=0, snr_db=np.inf, typo_rate=0)


def stack(column: pd.Series) -> np.ndarray:
    return np.stack(list(column)).astype(float)


def same(column: str, a, b) -> bool:
    cells = zip(a.X[column], b.X[column], strict=True)
    return all(np.array_equal(left, right) for left, right in cells)


# The table


def test_trimodal_digits_are_a_table_of_raw_objects(train, test):
    for data, n in ((train, 1500), (test, 750)):
        assert data.X.shape == (n, 3) and list(data.X) == COLUMNS
        assert all(cell.shape == (8, 8, 3) and cell.dtype == np.uint8 for cell in data.X.image)
        assert all(cell.shape == (16_000,) and cell.dtype == np.float32 for cell in data.X.sound)
        assert all(np.abs(cell).max() <= 1 and cell.any() for cell in data.X.sound)
        assert all(isinstance(cell, str) for cell in data.X.text)
        assert data.y.dtype == np.int64 and data.y.shape == (n,)
        arrays = (data.groups, data.voice, data.language, data.scan, data.quality, data.shown)
        assert all(len(each) == n for each in arrays)
        assert data.rate == 16_000 and data.target_names.tolist() == list(range(10))


def test_digits_are_balanced_and_shuffled(train, few):
    assert np.bincount(train.y).tolist() == [150] * 10
    assert np.bincount(few.y).tolist() == [20] * 10
    assert len(set(train.y[:10])) < 10
    assert np.bincount(load_trimodal_digits(n_samples=13).y, minlength=10).tolist() == [2] * 3 + [1] * 7


def test_the_description_says_what_is_synthetic_and_what_is_shared(train):
    for words in ("pairs are synthetic", "speech is synthetic", "writers\nare in training and test set"):
        assert words in train.DESCR
    assert "one test text in five is also a training text" in train.DESCR


def test_what_the_description_says_about_texts_is_so(train, test):
    assert 0.17 < np.isin(test.X.text, train.X.text).mean() < 0.25
    assert 3 <= (train.X.text == "").sum() <= 25


# Nothing leaks


@pytest.mark.parametrize("split", range(5))
def test_no_voice_or_scan_of_a_test_set_is_in_any_training_set_of_its_split(split):
    train = [load_trimodal_digits(n_samples=FEW, split=split, random_state=seed) for seed in range(3)]
    test = [load_trimodal_digits("test", FEW, split=split, random_state=seed) for seed in range(3)]
    for what in ("voice", "scan"):
        in_train = set(np.concatenate([data[what] for data in train]))
        in_test = set(np.concatenate([data[what] for data in test]))
        assert not in_train & in_test
    assert len({*np.concatenate([data.voice for data in train])}) == 20
    in_test = {*np.concatenate([data.voice for data in test])}
    assert len(in_test) == 8 and {voice[:2] for voice in in_test} == {"af", "am", "bf", "bm"}


def test_a_misread_digit_is_taken_from_the_voices_and_scans_of_its_own_subset():
    train = load_trimodal_digits(n_samples=FEW, dependence=1)
    test = load_trimodal_digits("test", FEW, dependence=1)
    assert not set(train.voice) & set(test.voice) and not set(train.scan) & set(test.scan)


def test_another_split_tests_on_other_voices_and_scans(test):
    other = load_trimodal_digits("test", split=1)
    assert set(other.voice) != set(test.voice) and set(other.scan) != set(test.scan)


def test_folds_by_group_share_no_voice_and_no_scan(train):
    assert (train.groups == train.voice).all() and len(np.unique(train.scan)) < len(train.scan)
    assert pd.Series(train.groups).groupby(train.scan).nunique().max() == 1


def test_a_third_of_the_scans_of_each_digit_is_for_testing():
    (train, _), (test, _) = _side("train", 0), _side("test", 0)
    assert sorted([*train.index, *test.index]) == list(range(1797))
    assert np.allclose(np.bincount(test.digit) / np.bincount(load_digits().target), 1 / 3, atol=0.01)


# Each sample shows what it says


def test_without_noise_an_image_is_its_scan_on_the_scale_of_bytes(clean):
    scans = load_digits().images[clean.scan]
    assert np.array_equal(stack(clean.X.image), np.rint(scans * 255 / 16)[..., None].repeat(3, axis=-1))
    assert (load_digits().target[clean.scan] == clean.y).all()


def test_without_noise_a_sound_is_a_clip_of_its_voice_and_digit_in_the_middle_of_a_second(clean):
    index = pd.read_csv(DATA / "spoken_digits" / "index.csv")
    for row in range(20):
        sound, voice, digit = clean.X.sound[row], clean.voice[row], clean.y[row]
        lengths = index[(index.voice == voice) & (index.digit == digit)].n_samples
        clips = [load_spoken_digit(digit, voice, speed).sound for speed in (0.85, 1.0, 1.2)]
        assert any(np.allclose(sound, centered(clip), atol=1e-6) for clip in clips), (voice, digit)
        assert sorted(map(len, clips)) == sorted(lengths)


def centered(clip: np.ndarray) -> np.ndarray:
    spare = audio.RATE - len(clip)
    if spare < 0:
        return clip[-spare // 2 :][: audio.RATE]
    return np.pad(clip, (spare // 2, spare - spare // 2))


def test_clips_longer_than_a_second_are_cut_on_both_sides():
    index = pd.read_csv(DATA / "spoken_digits" / "index.csv")
    long = index[index.n_samples > audio.RATE]
    assert len(long) == 3
    clip = next(long.itertuples())
    spoken = load_spoken_digit(clip.digit, clip.voice, clip.speed).sound
    assert np.allclose(_record(np.random.default_rng(0), clip, np.inf), centered(spoken), atol=1e-6)


def test_without_errors_a_text_is_the_word_of_its_language(clean):
    words = json.loads((DATA / "number_words" / "number_words.json").read_text("utf-8"))
    expected = [words[language][digit] for language, digit in zip(clean.language, clean.y, strict=True)]
    assert clean.X.text.tolist() == expected


def test_every_language_has_ten_words_and_no_word_means_two_digits():
    words = json.loads((DATA / "number_words" / "number_words.json").read_text("utf-8"))
    table = pd.DataFrame(words).stack().reset_index(name="word")
    assert table.level_0.value_counts().to_dict() == dict.fromkeys(range(10), 47)
    assert table.groupby("word").level_0.nunique().max() == 1 and table.word.nunique() == 398
    assert (words["zh"][7], words["zh-Latn-pinyin"][7], words["fr"][7]) == ("七", "qī", "sept")


def test_all_languages_voices_and_speeds_take_part(train):
    assert len(set(train.language)) == 47 and len(set(train.voice)) == 20
    assert np.bincount(np.unique(train.language, return_inverse=True)[1]).min() > 10


# Determinism, and knobs that do not touch one another


@pytest.mark.parametrize("subset", ["train", "test"])
def test_the_same_arguments_give_the_same_samples(subset):
    a, b = (load_trimodal_digits(subset, FEW, uneven=1, dependence=0.3, missing=0.2) for _ in range(2))
    assert same("image", a, b) and same("sound", a, b) and a.X.text.equals(b.X.text)
    assert a.quality.equals(b.quality) and a.shown.equals(b.shown)
    assert (a.y == b.y).all() and (a.scan == b.scan).all() and (a.voice == b.voice).all()


def test_another_seed_or_subset_draws_other_samples(few):
    for other in (load_trimodal_digits(n_samples=FEW, random_state=1), load_trimodal_digits("test", FEW)):
        assert 0.05 < (other.y == few.y).mean() < 0.2 and not same("sound", other, few)


def test_changing_a_loaded_sound_changes_no_later_one(few):
    load_trimodal_digits(n_samples=FEW).X.sound[0][:] = 0
    load_spoken_digit().sound[:] = 0
    assert np.array_equal(load_trimodal_digits(n_samples=FEW).X.sound[0], few.X.sound[0])
    assert load_spoken_digit().sound.any()


@pytest.mark.parametrize(
    ("knob", "changed"),
    [
        ({"image_noise": 4}, ["image"]),
        ({"snr_db": 0}, ["sound"]),
        ({"typo_rate": 0.2}, ["text"]),
        ({"uneven": 1}, COLUMNS),
        ({"dependence": 0.3}, ["image", "sound"]),
        ({"missing": {"text": 0.3}}, ["text"]),
        ({"missing": {"sound": 0.3}, "missing_by_class": True}, ["sound"]),
    ],
)
def test_a_knob_leaves_everything_else_as_it_was(few, knob, changed):
    data = load_trimodal_digits(n_samples=FEW, **knob)
    assert [column for column in COLUMNS if not same(column, data, few)] == changed
    assert (data.y == few.y).all() and (data.language == few.language).all()
    if "dependence" not in knob:
        assert (data.scan == few.scan).all() and (data.voice == few.voice).all()


def test_dependence_leaves_the_samples_that_are_not_misread_as_they_were(few):
    data = load_trimodal_digits(n_samples=FEW, dependence=0.3)
    for row in np.flatnonzero(data.shown.image == data.y):
        assert np.array_equal(data.X.image[row], few.X.image[row]), row
        assert data.voice[row] == few.voice[row]


def test_a_higher_typing_error_rate_keeps_the_words_that_it_does_not_reach(clean):
    rates = [load_trimodal_digits(n_samples=FEW, typo_rate=rate).X.text for rate in (0.1, 0.3, 0.6)]
    intact = [set(np.flatnonzero(texts == clean.X.text)) for texts in rates]
    assert intact[0] > intact[1] > intact[2]


# What each knob does, measured


@pytest.mark.parametrize("level", [1, 8])
def test_image_noise_has_the_standard_deviation_that_is_asked_for(level):
    data = load_trimodal_digits(n_samples=1000, image_noise=level)
    scans = load_digits().images[data.scan]
    noise = stack(data.X.image)[..., 0] * 16 / 255 - scans
    middle = scans == 8  # clipping begins 8 away
    expected = {1: 1, 8: 8 * np.sqrt(0.516)}[level]  # a normal variable, clipped at one standard deviation
    assert np.std(noise[middle]) == pytest.approx(expected, rel=0.06)
    assert abs(noise[middle].mean()) < 0.1 * level
    assert (data.quality.image_noise == level).all()


def test_clipping_keeps_grey_images_on_the_scale(train):
    pixels = stack(train.X.image)
    assert pixels.min() == 0 and pixels.max() == 255
    assert (pixels == pixels[..., :1]).all()


@pytest.mark.parametrize("snr_db", [-20, 5, 20])
def test_sound_has_the_signal_to_noise_ratio_that_is_asked_for(clean, snr_db):
    found = snr(clean, load_trimodal_digits(n_samples=FEW, snr_db=snr_db))
    assert np.median(found) == pytest.approx(snr_db, abs=0.25)
    assert np.abs(found - snr_db).max() < 4  # a sound that was made quieter is measured less exactly


def snr(clean, noisy) -> np.ndarray:
    """In decibels, a sound each; its noise is what is left after subtracting the word."""
    found = []
    for word, sound in zip(stack(clean.X.sound), stack(noisy.X.sound), strict=True):
        gain = (sound @ word) / (word @ word)  # below 1 where the sound was made quieter
        spoken = np.trim_zeros(gain * word)
        found.append(10 * np.log10(np.mean(spoken**2) / np.var(sound - gain * word)))
    return np.array(found)


def test_sounds_are_made_quieter_only_where_they_would_pass_one():
    loud = load_trimodal_digits(n_samples=FEW, snr_db=-20)
    peaks = np.abs(stack(loud.X.sound)).max(axis=1)
    assert (peaks == 1).all()
    assert (np.abs(stack(load_trimodal_digits(n_samples=FEW, snr_db=20).X.sound)).max(axis=1) < 1).all()


def test_the_error_rate_of_characters_is_the_one_that_is_asked_for(train, clean_train):
    words = clean_train.X.text
    assert (train.X.text == words).mean() == pytest.approx((0.6 ** words.str.len()).mean(), abs=0.03)
    every = load_trimodal_digits(n_samples=FEW, typo_rate=1)
    assert (every.X.text == load_trimodal_digits(n_samples=FEW, typo_rate=0).X.text).mean() < 0.03


def test_the_four_kinds_of_typing_error_are_equally_frequent(clean_train):
    words, texts = clean_train.X.text, load_trimodal_digits(typo_rate=0.08, snr_db=np.inf).X.text
    wrong = [(w, t) for w, t in zip(words, texts, strict=True) if w != t]
    dropped = sum(len(t) == len(w) - 1 for w, t in wrong) / len(wrong)
    doubled = sum(len(t) == len(w) + 1 for w, t in wrong) / len(wrong)
    swapped = sum(len(t) == len(w) and sorted(t) == sorted(w) for w, t in wrong) / len(wrong)
    assert len(wrong) > 300
    assert np.allclose([dropped, doubled], 0.25, atol=0.08)
    assert 0.1 < swapped < 0.25  # the first character has no neighbor before it: it is replaced


def test_uneven_zero_means_equal_levels_and_more_means_more_spread(few):
    nominal = {"image_noise": 8.0, "snr_db": 5.0, "typo_rate": 0.4}
    assert (few.quality == pd.Series(nominal)).all(axis=None)
    spread = [load_trimodal_digits(n_samples=600, uneven=u).quality for u in (0.5, 1)]
    for quality, uneven in zip(spread, (0.5, 1), strict=True):
        logs = pd.DataFrame(
            {
                "image_noise": np.log(quality.image_noise / 8) * 2,
                "snr_db": (5 - quality.snr_db) / 10 * np.log(10),
                "typo_rate": np.log(quality.typo_rate / (1 - quality.typo_rate) / (0.4 / 0.6)),
            }
        )
        assert np.allclose(logs.std(), 2 * uneven, rtol=0.1) and np.allclose(logs.mean(), 0, atol=0.2)
        assert np.allclose(logs.corr(), np.eye(3), atol=0.12)  # a modality each


def test_the_levels_in_quality_are_those_of_the_samples(clean):
    data = load_trimodal_digits(n_samples=FEW, uneven=1)
    audible = data.quality.snr_db > -15
    assert np.abs(snr(clean, data) - data.quality.snr_db)[audible].max() < 3
    off = np.abs(stack(data.X.image) - stack(clean.X.image)).mean(axis=(1, 2, 3))
    assert data.quality.image_noise.corr(pd.Series(off), method="spearman") > 0.9
    intact = data.X.text == clean.X.text
    assert data.quality.typo_rate[intact].mean() < data.quality.typo_rate[~intact].mean() - 0.1


def test_typing_errors_never_or_always_stay_so_when_uneven():
    for rate in (0, 1):
        assert (load_trimodal_digits(n_samples=20, typo_rate=rate, uneven=3).quality.typo_rate == rate).all()


@pytest.mark.parametrize("dependence", [0, 0.3, 1])
def test_dependence_is_the_share_of_samples_whose_image_and_sound_show_one_wrong_digit(dependence):
    data = load_trimodal_digits(n_samples=1000, dependence=dependence)
    wrong = data.shown.image != data.y
    assert wrong.mean() == pytest.approx(dependence, abs=0.04)
    assert (data.shown.image == data.shown.sound).all() and (data.shown.text == data.y).all()
    assert (load_digits().target[data.scan] == data.shown.image).all()
    if dependence:
        offset = (data.shown.image - data.y)[wrong] % 10
        assert np.bincount(offset, minlength=10)[1:].min() > 0.5 * wrong.sum() / 9


def test_a_misread_sample_sounds_like_the_digit_that_its_image_shows():
    data = load_trimodal_digits(n_samples=20, dependence=1, snr_db=np.inf)
    for row in range(20):
        clips = [load_spoken_digit(data.shown.sound[row], data.voice[row], s).sound for s in (0.85, 1.0, 1.2)]
        assert any(np.allclose(data.X.sound[row], centered(clip), atol=1e-6) for clip in clips)


# Missing modalities


def test_a_share_of_cells_is_missing_and_missing_is_not_empty():
    X = load_trimodal_digits(n_samples=1000, missing=0.2).X
    assert np.allclose(X.isna().mean(), 0.2 - 0.2**3 / 3, atol=0.04)
    assert (X.text == "").any() and not X.isna().all(axis=1).any()
    assert all(cell is None for cell in X.image[X.image.isna()])


def test_each_modality_may_have_a_share_of_its_own():
    X = load_trimodal_digits(n_samples=1000, missing={"sound": 0.5, "text": 0.1}).X
    assert np.allclose(X.isna().mean(), [0, 0.5, 0.1], atol=0.05)


@pytest.mark.parametrize("missing", [1, {"image": 1.0, "sound": 1, "text": 1}])
def test_a_sample_keeps_at_least_one_modality_by_chance_among_equals(missing):
    X = load_trimodal_digits(n_samples=600, missing=missing).X
    assert (X.notna().sum(axis=1) == 1).all()
    assert np.allclose(X.notna().mean(), 1 / 3, atol=0.07)


def test_a_sample_that_would_lose_all_keeps_the_modality_least_likely_to_be_missing():
    X = load_trimodal_digits(n_samples=FEW, missing={"image": 1, "sound": 1, "text": 0.9}).X
    assert X[["image", "sound"]].isna().all(axis=None) and X.text.notna().all()


def test_a_whole_modality_may_be_missing():
    X = load_trimodal_digits(n_samples=FEW, missing={"text": 1}).X
    assert X.text.isna().all() and X.image.notna().all() and list(X) == COLUMNS


def test_the_share_missing_grows_with_the_class():
    data = load_trimodal_digits(missing={"sound": 0.4}, missing_by_class=True)
    by_class = data.X.sound.isna().groupby(data.y).mean()
    assert by_class[0] == 0 and np.allclose(by_class, 0.8 * np.arange(10) / 9, atol=0.1)


# Bad parameters


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"subset": "valid"}, "subset='valid' is unknown; choose one of 'train', 'test'"),
        ({"n_samples": 0}, "n_samples=0 is not allowed; give an integer from 1 to 1000000"),
        ({"n_samples": 10.5}, "n_samples=10.5 is not allowed; give an integer"),
        ({"n_samples": True}, "n_samples=True is not allowed"),
        ({"image_noise": -1}, "image_noise=-1 is not allowed; give a number from 0 to 100"),
        ({"image_noise": np.nan}, "image_noise=nan is not allowed"),
        ({"image_noise": "8"}, "image_noise='8' is not allowed"),
        ({"snr_db": -np.inf}, "snr_db=-inf is not allowed; give a number from -100 to inf"),
        ({"typo_rate": 40}, "typo_rate=40 is not allowed; give a number from 0 to 1"),
        ({"uneven": -0.1}, "uneven=-0.1 is not allowed; give a number from 0 to 3"),
        ({"dependence": 1.1}, "dependence=1.1 is not allowed; give a number from 0 to 1"),
        ({"missing": 2}, "missing=2 is not allowed; give a number from 0 to 1"),
        ({"missing": None}, "missing=None is not allowed"),
        ({"missing": {"sound": -1}}, "missing=-1 is not allowed"),
        ({"missing": {"video": 0.1}}, "modality='video' is unknown; choose one of 'image', 'sound', 'text'"),
        (
            {"missing": 0.6, "missing_by_class": True},
            "missing=0.6 is not allowed; give a number from 0 to 0.5",
        ),
        ({"split": -1}, "split=-1 is not allowed; give an integer from 0"),
        ({"random_state": None}, "random_state=None is not allowed; give an integer from 0"),
        ({"random_state": 0.5}, "random_state=0.5 is not allowed"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(options, words):
    with pytest.raises(ValueError) as refusal:
        load_trimodal_digits(**options)
    assert words in str(refusal.value)


def test_integers_and_floats_of_numpy_are_numbers(few):
    data = load_trimodal_digits(n_samples=np.int64(FEW), snr_db=np.float32(5), random_state=np.int32(0))
    assert (data.y == few.y).all()


# How it was built


WANTED = os.environ.get("MMTUTOR_REBUILD") == "1"


@pytest.mark.skipif(not WANTED, reason="needs pip, npm, a network and minutes; set MMTUTOR_REBUILD=1")
@pytest.mark.parametrize("tool", ["build_number_words", "build_spoken_digits"])
def test_the_folders_can_be_built_again(tool):
    command = [sys.executable, str(ROOT / "tools" / f"{tool}.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
