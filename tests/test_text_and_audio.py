"""What a user may rely on when texts and sounds are read."""

import numpy as np
import pytest
import soundfile

from mmtutor import audio, text


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
    loud = np.array([0.5, 1.1, -1.1])
    soundfile.write(tmp_path / "loud.wav", loud, 16_000, subtype="FLOAT")
    assert audio.read(tmp_path / "loud.wav").tolist() == [0.5, 1, -1]
    soundfile.write(tmp_path / "scale.wav", loud * 20_000, 16_000, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"scale.wav: samples up to 22000; divide"):
        audio.read(tmp_path / "scale.wav")


def test_silence_is_a_sound(tmp_path):
    soundfile.write(tmp_path / "s.wav", np.zeros(100), 16_000)
    assert not audio.read(tmp_path / "s.wav").any()
