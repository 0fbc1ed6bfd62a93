"""What a user may rely on when texts and sounds are read, prepared and encoded."""

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from contract import each_check, keep_encoder_contract, pass_check
from mmtutor import audio, text
from mmtutor.audio import MFCC, MelStatistics
from mmtutor.datasets import load_emoji, shipped
from mmtutor.table import make_table
from mmtutor.text import Word2Vec


def test_words_are_lower_case_without_punctuation():
    assert text.words("Red Apple, 2 balls!") == ["red", "apple", "2", "balls"]
    assert text.words("") == [] == text.words("!!! …")


def test_endings_do_not_matter_to_stems():
    assert text.stem("faces") == text.stem("face") and text.stem("smiling") == text.stem("smiles")


def test_text_is_utf_8_with_or_without_a_mark(tmp_path):
    for content in ("球 ball\n".encode(), "球 ball\r\n".encode(), "\ufeff球 ball".encode()):
        (tmp_path / "t.txt").write_bytes(content)
        assert text.read(tmp_path / "t.txt") == "球 ball"


def test_text_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "t.txt").write_bytes("naïve".encode("latin-1"))
    with pytest.raises(ValueError, match=r"t.txt: not UTF-8 \(byte 0xef at 2\); save it"):
        text.read(tmp_path / "t.txt")


def test_utf_16_is_named(tmp_path):
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        (tmp_path / "t.txt").write_bytes("球 ball".encode(encoding))
        with pytest.raises(ValueError, match=r"t.txt: UTF-16, or no text at all; save it as UTF-8"):
            text.read(tmp_path / "t.txt")


def test_zero_bytes_are_no_text(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"ball\0")
    with pytest.raises(ValueError, match=r"t.txt: .*no text at all"):
        text.read(tmp_path / "t.txt")


def test_letters_are_composed(tmp_path):
    (tmp_path / "t.txt").write_text("cafe\u0301", encoding="utf-8")
    assert text.read(tmp_path / "t.txt") == "café"


def test_a_text_of_emoji_only_has_no_words():
    assert text.words("😀🎈") == [] == text.chinese_words("😀🎈") == text.tags("😀🎈")


def test_chinese_is_cut_into_words_of_the_dictionary():
    assert text.chinese_words("我爱自然语言处理，Red 2个！") == [
        "我",
        "爱",
        "自然语言",
        "处理",
        "red",
        "2",
        "个",
    ]
    assert text.chinese_words("") == [] == text.chinese_words("。 …")
    assert len(text.words("我爱自然语言处理")) == 1  # no spaces, no words


def test_tags_say_the_part_of_speech():
    assert text.tags("two red balls fell") == [
        ("two", "CD"),
        ("red", "JJ"),
        ("balls", "NNS"),
        ("fell", "VBD"),
    ]
    assert text.tags("猫喜欢苹果！", "zh") == [("猫", "n"), ("喜欢", "v"), ("苹果", "n")]
    with pytest.raises(ValueError, match=r"language='fr' is unknown; choose 'en' or 'zh'"):
        text.tags("bonjour", "fr")


@pytest.mark.parametrize(("language", "cut"), [("en", text.words), ("zh", text.chinese_words)])
def test_each_word_has_one_tag(language, cut):
    odd = [
        "",
        " ",
        "/",
        "&slash; a/b",
        "Don't (really) stop...",
        "a\u00a0b",
        "שלום",
        "😀 ok",
        "3.5 %",
        "Ｗｉ-Fi。",
    ]
    for each in [*odd, *load_emoji(language=language, text="all keywords").X.text[::20]]:
        assert [word for word, _ in text.tags(each, language)] == cut(each), each


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (b"ball", "a bytes, not a str"),
        (7, "a int, not a str"),
        (["red", "ball"], "a list, not a str"),
        ("a\ud83d", r"half a character \('\\ud83d'\) at 1"),
    ],
)
def test_what_is_no_text_is_refused_with_its_row(cell, found):
    with pytest.raises(ValueError, match=f"row 1, column 'X': {found}; a text is a str: read it with"):
        Word2Vec(epochs=1).fit(["red ball", cell])


def test_mean_vectors_are_the_mean_of_known_words():
    vectors = {"red": np.array([1.0, 0]), "ball": np.array([0, 1.0])}
    found = text.mean_vectors(["Red ball", "red red ball, please", "blue", ""], vectors, 2)
    assert np.allclose(found, [[1 / 2, 1 / 2], [2 / 3, 1 / 3], [0, 0], [0, 0]]) and found.dtype == float
    assert text.mean_vectors([], vectors, 2).shape == (0, 2)
    assert text.mean_vectors(["r b"], {"r b": np.ones(1)}, 1, tokenize=lambda cell: [cell]) == 1


PETS = ["cat dog pet", "dog cat animal", "pet animal cat dog"] * 10
FRUIT = ["apple pear fruit", "pear apple sweet", "fruit sweet pear apple"] * 10


def test_words_that_stand_together_get_similar_vectors():
    near = Word2Vec(vector_size=8, window=2).fit(PETS + FRUIT).word_vectors_.similarity
    assert near("cat", "pet") > 0.5 > 0.3 > near("cat", "apple")


def test_word2vec_knows_only_what_it_was_fitted_on():
    encoder = Word2Vec(vector_size=8).fit(PETS)
    assert not encoder.transform(["apple", "", "pear!"]).any()
    assert np.allclose(encoder.transform(["Cat apple"])[0], encoder.word_vectors_["cat"])
    assert "animal" not in Word2Vec(min_count=25).fit(PETS).word_vectors_


def test_word2vec_repeats_itself_under_random_state():
    a, b, c = (Word2Vec(epochs=2, random_state=seed).fit_transform(PETS) for seed in (3, 3, 4))
    assert np.array_equal(a, b) and not np.allclose(a, c)


def test_word2vec_needs_words():
    for texts, count in ((["", "!"], 1), (["cat dog"], 2)):
        with pytest.raises(ValueError, match=f"no word occurs {count} times; fit on texts with words"):
            Word2Vec(min_count=count).fit(texts)
    with pytest.raises(NotFittedError):
        Word2Vec().transform(["cat"])


def test_word2vec_takes_chinese_words():
    encoder = Word2Vec(tokenizer=text.chinese_words, epochs=1).fit(["红色苹果", "绿色苹果"])
    assert set(encoder.word_vectors_.key_to_index) == {"红色", "绿色", "苹果"}


def tone(rate, channels=1, seconds=0.5):
    samples = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)
    return np.repeat(samples[:, None], channels, axis=1)


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (48_000, 2), (8_000, 1)])
def test_sound_is_mono_at_one_rate(tmp_path, rate, channels):
    soundfile.write(tmp_path / "s.wav", tone(rate, channels), rate)
    sound = audio.read(tmp_path / "s.wav")
    assert sound.dtype == np.float32 and sound.shape == (8_000,)
    spectrum = np.abs(np.fft.rfft(sound))
    assert spectrum.argmax() * 2 == 440  # bins of two hertz: the pitch is kept
    assert 0.45 < np.abs(sound).max() < 0.55


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "no sound file"), (b"RIFF....WAVEjunk", "no sound file|no samples")]
)
def test_what_is_no_sound_is_refused(tmp_path, content, words):
    (tmp_path / "s.wav").write_bytes(content)
    with pytest.raises(ValueError, match=f"s.wav: .*({words})"):
        audio.read(tmp_path / "s.wav")


def test_a_sound_without_samples_or_with_nan_is_refused(tmp_path):
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16_000)
    with pytest.raises(ValueError, match=r"none.wav: no samples"):
        audio.read(tmp_path / "none.wav")
    soundfile.write(tmp_path / "nan.wav", np.array([0.1, np.nan]), 16_000, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"nan.wav: holds NaN"):
        audio.read(tmp_path / "nan.wav")


def test_a_missing_sound_is_named():
    with pytest.raises(FileNotFoundError, match=r"nowhere.wav"):
        audio.read("nowhere.wav")


def test_text_keeps_its_blanks_and_its_direction(tmp_path):
    (tmp_path / "t.txt").write_text("  שלום עולם \n", encoding="utf-8")
    assert text.read(tmp_path / "t.txt") == "  שלום עולם "
    assert text.words("שלום עולם!") == ["שלום", "עולם"]


def test_both_channels_count(tmp_path):
    left, right = tone(16_000), np.zeros((8_000, 1))
    soundfile.write(tmp_path / "s.wav", np.hstack([left, right]), 16_000)
    assert np.allclose(audio.read(tmp_path / "s.wav"), left[:, 0] / 2, atol=1e-4)


def test_a_recording_that_is_cut_off_is_refused(tmp_path):
    soundfile.write(tmp_path / "s.wav", tone(16_000), 16_000)
    whole = (tmp_path / "s.wav").read_bytes()
    (tmp_path / "s.wav").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"s.wav: cut off; copy it again"):
        audio.read(tmp_path / "s.wav")


def test_a_small_overshoot_is_cut_and_another_scale_refused(tmp_path):
    loud = np.array([0.5, 1.1, -2.1])
    soundfile.write(tmp_path / "loud.wav", loud, 16_000, subtype="FLOAT")
    assert audio.read(tmp_path / "loud.wav").tolist() == [0.5, 1, -1]
    soundfile.write(tmp_path / "scale.wav", loud * 20_000, 16_000, subtype="FLOAT")
    with pytest.raises(
        ValueError, match=r"scale.wav: samples up to 42000, not within -1 and 1; .*normalize it"
    ):
        audio.read(tmp_path / "scale.wav")


def test_silence_is_a_sound(tmp_path):
    soundfile.write(tmp_path / "s.wav", np.zeros(100), 16_000)
    assert not audio.read(tmp_path / "s.wav").any()


def test_24_bits_and_six_channels_are_converted(tmp_path):
    channels = np.repeat([[0.6, 0, 0, 0, 0, 0.6]], 480, axis=0)
    soundfile.write(tmp_path / "s.wav", channels, 48_000, subtype="PCM_24")
    sound = audio.read(tmp_path / "s.wav")
    assert sound.shape == (160,) and np.allclose(sound[40:-40], 0.2, atol=0.01)


def test_infinite_samples_are_refused(tmp_path):
    for value in (np.inf, -np.inf):
        soundfile.write(tmp_path / "s.wav", np.array([0.1, value]), 16_000, subtype="FLOAT")
        with pytest.raises(ValueError, match=r"s.wav: holds NaN or infinite samples; record it again"):
            audio.read(tmp_path / "s.wav")


def test_a_clipped_recording_and_one_sample_are_sounds(tmp_path):
    for samples in (np.sign(tone(16_000)), np.array([[0.5]])):
        soundfile.write(tmp_path / "s.wav", samples, 16_000, subtype="FLOAT")
        assert audio.read(tmp_path / "s.wav").tolist() == samples[:, 0].tolist()


def test_a_recording_of_hours_is_refused_before_it_is_read(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "s.wav", np.zeros(1_000 * 660), 1_000, subtype="PCM_U8")
    monkeypatch.setattr(soundfile, "read", None)
    with pytest.raises(ValueError, match=r"s.wav: 11.0 minutes long; cut out a piece of 10 or less"):
        audio.read(tmp_path / "s.wav")


SOUND = tone(16_000)[:, 0].astype(np.float32)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ((SOUND, 16_000), r"a tuple, not an array of samples \(a loader's pair of samples and rate\?\)"),
        ([0.1, 0.2], "a list, not an array of samples"),
        ("a.wav", "a str, not an array of samples"),
        (np.stack([SOUND, SOUND]), r"an array of shape \(2, 8000\)"),
        (SOUND[:0], "no samples"),
        ((SOUND * 32_767).astype(np.int16), "values of type int16"),
        (np.array([0, np.nan], np.float32), "holds NaN or infinite samples"),
        (np.array([0, -np.inf], np.float32), "holds NaN or infinite samples"),
        (SOUND * 32_767, r"samples up to 16383.*, not within -1 and 1"),
    ],
    ids=lambda found: found if isinstance(found, str) else "",
)
def test_what_is_no_sound_is_refused_with_its_row(cell, found):
    column = make_table({"voice": [SOUND, cell]}).voice
    for encoder in (MFCC(), MelStatistics()):
        with pytest.raises(ValueError, match=f"row 1, column 'voice': {found}; a sound is a float32 array"):
            encoder.fit_transform(column)
    for function in (audio.log_mel, audio.denoise, lambda sound: audio.fit_length(sound, 1)):
        with pytest.raises(ValueError, match=f"^{found}; a sound is a float32 array"):
            function(cell)


@pytest.mark.parametrize(
    ("n_samples", "wanted"), [(2, [0, 1, 2, 0]), (3, [0, 1, 2, 3]), (4, [1, 2, 3, 4]), (7, [2, 3, 4, 5])]
)
def test_the_middle_of_a_sound_stays_when_its_length_changes(n_samples, wanted):
    sound = np.arange(1, n_samples + 1, dtype=np.float32) / 10
    fitted = audio.fit_length(sound, seconds=0.25, rate=16)
    assert fitted.dtype == np.float32 and (fitted * 10).round().tolist() == wanted


def test_a_length_of_no_sample_is_refused():
    with pytest.raises(ValueError, match=r"seconds=0 at rate=16000 is less than one sample"):
        audio.fit_length(SOUND, 0)


def test_rows_of_log_mel_are_moments_and_columns_pitches():
    high = np.sin(2 * np.pi * 4_000 * np.arange(8_000) / 16_000).astype(np.float32)
    mel = audio.log_mel(np.concatenate([SOUND, high / 10, SOUND / 10]))
    assert mel.shape == (151, 40) and mel.dtype == np.float32
    centers = librosa.mel_frequencies(n_mels=42, fmax=8_000)[1:-1]
    for row, hertz in ((25, 440), (75, 4_000)):  # a quarter of a second, three quarters
        assert abs(centers[mel[row].argmax()] / hertz - 1) < 0.1
    assert mel.max() == 0 and mel.min() == pytest.approx(-80)
    assert mel[125].max() == pytest.approx(mel[25].max() - 20, abs=0.1)  # a tenth of the amplitude: 20 dB


def test_log_mel_is_librosas_in_decibels_below_the_loudest():
    power = librosa.feature.melspectrogram(
        y=SOUND, sr=16_000, n_fft=512, win_length=400, hop_length=160, n_mels=40
    )
    assert np.allclose(audio.log_mel(SOUND), librosa.power_to_db(power, ref=np.max, top_db=80).T, atol=1e-3)


def test_loudness_of_the_recording_does_not_matter_and_its_floor_does():
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    for encoder in (MFCC(), MelStatistics()):
        assert np.allclose(encoder.transform([noise]), encoder.transform([noise / 100]), atol=1e-3)
    assert audio.log_mel(SOUND, floor_db=30).min() == pytest.approx(-30)


def test_silence_is_encoded_as_the_floor_and_never_as_nan():
    silence = np.zeros(16_000, np.float32)
    assert np.allclose(audio.log_mel(silence, floor_db=60), -60)
    statistics = MelStatistics().transform([silence])[0]
    assert np.allclose(statistics, np.repeat([-80, 0, -80], 40), atol=1e-3)
    for sound in (silence, silence[:1], SOUND[:1], SOUND[:5], SOUND * np.float32(1e-37)):
        for encoder in (MFCC(), MFCC(n_segments=50), MelStatistics()):
            assert np.isfinite(encoder.transform([sound])).all()
        assert audio.denoise(sound).shape == sound.shape


def test_segments_of_mfcc_are_means_in_time_order():
    frames = librosa.feature.mfcc(S=audio.log_mel(SOUND).T, n_mfcc=13).T
    assert np.allclose(MFCC(n_segments=1).transform([SOUND])[0], frames.mean(axis=0), atol=1e-3)
    halves = [part.mean(axis=0) for part in np.array_split(frames, 2)]
    encoder = MFCC(n_segments=2)
    assert np.allclose(encoder.transform([SOUND])[0], np.concatenate(halves), atol=1e-3)
    names = encoder.get_feature_names_out()
    assert [names[0], names[12], names[13]] == ["segment0_mfcc0", "segment0_mfcc12", "segment1_mfcc0"]


def test_mel_statistics_are_means_deviations_and_maxima():
    mel = audio.log_mel(SOUND)
    found = MelStatistics().transform([SOUND])[0]
    assert np.allclose(found, np.concatenate([mel.mean(0), mel.std(0), mel.max(0)]), atol=1e-3)
    names = MelStatistics().get_feature_names_out()
    assert [names[0], names[40], names[119]] == ["band0_mean", "band0_std", "band39_max"]


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        (MFCC(n_segments=0), "n_segments is no whole number of 1 or more"),
        (MFCC(n_coefficients=2.5), "n_coefficients is no whole number of 1 or more"),
        (MFCC(n_coefficients=41), "40 mel bands give no more than 40 coefficients"),
        (MFCC(floor_db=-80), "floor_db=-80; the rate is 1000 or more, the floor between 0 and 200"),
        (MelStatistics(rate=44), "rate=44, floor_db=80; the rate is 1000 or more"),
        (MelStatistics(n_bands=0), "n_bands is no whole number of 1 or more"),
    ],
)
def test_impossible_parameters_are_refused(encoder, words):
    with pytest.raises(ValueError, match=words):
        encoder.fit([SOUND])


def test_denoising_brings_a_sound_nearer_to_the_clean_one():
    rng = np.random.default_rng(0)
    clean = audio.fit_length(SOUND, 1)
    noisy = clean + rng.normal(0, 0.05, len(clean)).astype(np.float32)
    error = [np.mean((sound - clean) ** 2) for sound in (noisy, audio.denoise(noisy))]
    assert error[1] < error[0] / 3
    assert np.abs(audio.denoise(noisy)[:1600]).std() < 0.01  # the pause is 20 dB quieter


def test_a_sound_whose_pause_is_digital_silence_comes_back():
    sound = audio.fit_length(SOUND, 1)
    assert np.allclose(audio.denoise(sound), sound, atol=0.01)


@pytest.fixture(scope="module")
def digits():
    """Six voices, digits 0 to 9 at normal speed, one row a clip."""
    index = pd.read_csv(shipped("spoken_digits", "index.csv"))
    index = index[index.voice.isin(index.voice.unique()[::5]) & (index.speed == 1)]
    recordings = {
        voice: audio.read(shipped("spoken_digits", f"{voice}.ogg")) for voice in index.voice.unique()
    }
    sounds = [recordings[c.voice][c.start_sample : c.start_sample + c.n_samples] for c in index.itertuples()]
    return make_table({"sound": sounds}).sound, index.digit.to_numpy(), index.voice.to_numpy()


def test_order_in_time_tells_digits_apart_and_a_plain_mean_hardly(digits):
    sounds, y, voices = digits
    unseen = np.isin(voices, np.unique(voices)[:2])
    accuracy = {}
    for n in (1, 8):
        features = MFCC(n_segments=n).fit_transform(sounds)
        head = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
        accuracy[n] = head.fit(features[~unseen], y[~unseen]).score(features[unseen], y[unseen])
    assert accuracy[8] > 0.7 > 0.5 > accuracy[1]


# The contract of encoders: clone, refit, halves, shuffled index, pickling


def columns():
    order = np.random.default_rng(0).permutation(60)
    sounds = [SOUND[: 200 + 100 * n] * np.float32(1 - n / 100) for n in range(60)]
    table = make_table({"sound": sounds, "text": PETS + FRUIT}).iloc[order]
    return {MFCC: table.sound, MelStatistics: table.sound, Word2Vec: table.text}


COLUMNS = columns()
ENCODERS = [MFCC(n_segments=3), MelStatistics(), Word2Vec(vector_size=8, epochs=2)]


@pytest.mark.parametrize("encoder", ENCODERS, ids=repr)
def test_an_encoder_keeps_the_estimator_contract(encoder):
    column = COLUMNS[type(encoder)]
    whole = clone(encoder).fit_transform(column)
    fitted = clone(encoder).fit(column)
    assert whole.dtype == float and get_tags(encoder).requires_fit == encoder.learns
    assert np.array_equal(keep_encoder_contract(fitted, column), whole)
    assert fitted.transform([]).shape == (0, whole.shape[1])


@pytest.mark.parametrize("encoder", ENCODERS, ids=repr)
def test_a_missing_cell_is_named(encoder):
    column = COLUMNS[type(encoder)].astype(object).copy()
    fitted = clone(encoder).fit(column)
    column.iloc[3] = None
    with pytest.raises(ValueError, match=rf"row {column.index[3]}, column '{column.name}': missing; drop"):
        fitted.transform(column)


@pytest.mark.parametrize("encoder", ENCODERS, ids=repr)
@each_check
def test_scikit_learns_own_checks_pass(encoder, check):
    pass_check(encoder, check)
