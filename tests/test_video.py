"""What a user may rely on when videos are read, written and sampled."""

import cv2
import numpy as np
import pandas as pd
import pytest

from mmtutor import audio, video
from mmtutor.table import cells


@pytest.fixture(scope="module")
def frames():
    """Twelve frames, 32 x 48 pixels: a red square goes to the right over blue."""
    frames = np.zeros((12, 32, 48, 3), np.uint8)
    frames[...] = (10, 60, 200)
    for number, frame in enumerate(frames):
        frame[8:20, 3 * number : 3 * number + 12] = (220, 40, 20)
    return frames


@pytest.fixture
def saved(tmp_path, frames):
    video.write(tmp_path / "clip.avi", frames, 8)
    return tmp_path / "clip.avi"


def test_avi_gives_the_same_frames_back_red_as_red(saved, frames):
    clip = video.read(saved)
    assert np.array_equal(clip.frames, frames) and clip.frames.dtype == np.uint8
    assert clip.fps == 8 and clip.times.tolist() == [number / 8 for number in range(12)]


def test_mp4_is_close_and_smaller(tmp_path, saved, frames):
    video.write(tmp_path / "clip.mp4", frames, 25)
    clip = video.read(tmp_path / "clip.mp4")
    assert clip.frames.shape == frames.shape and clip.fps == 25
    assert np.abs(clip.frames.astype(int) - frames).mean() < 8
    red, green, blue = clip.frames[0, 12:16, 4:8].reshape(-1, 3).mean(0)
    assert red > 150 > blue and red > 150 > green
    assert (tmp_path / "clip.mp4").stat().st_size < saved.stat().st_size / 1.3


@pytest.mark.parametrize("ending", [".avi", ".mp4"])
@pytest.mark.parametrize("fps", [1, 7.5, 29.97, 60])
def test_frames_a_second_are_kept(tmp_path, frames, ending, fps):
    video.write(tmp_path / f"clip{ending}", frames, fps)
    clip = video.read(tmp_path / f"clip{ending}")
    assert len(clip.frames) == 12 and clip.fps == pytest.approx(fps, rel=1e-3)


def test_one_frame_is_a_video(tmp_path, frames):
    video.write(tmp_path / "still.avi", frames[:1], 8)
    assert np.array_equal(video.read(tmp_path / "still.avi").frames, frames[:1])


def test_a_part_of_the_picture_or_a_view_of_it_can_be_written(tmp_path, frames):
    turned = frames[:, 2:30, 4:40][..., ::-1]
    video.write(tmp_path / "part.avi", turned, 8)
    assert np.array_equal(video.read(tmp_path / "part.avi").frames, turned)


def test_evenly_spaced_frames_are_read_with_their_times(saved, frames):
    clip = video.read(saved, n_frames=4)
    assert np.array_equal(clip.frames, frames[[0, 4, 7, 11]])
    assert clip.fps == 8 and np.allclose(clip.times, [0, 4 / 8, 7 / 8, 11 / 8])


def test_a_path_may_be_a_str(saved, frames):
    assert len(video.read(str(saved)).frames) == 12


@pytest.mark.parametrize("ending", [".webm", ".mkv", ".gif"])
def test_other_formats_are_read(tmp_path, frames, ending):
    from PIL import Image

    path = tmp_path / f"clip{ending}"
    if ending == ".gif":
        pictures = [Image.fromarray(frame) for frame in frames]
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)
    else:
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"VP80"), 10, (48, 32))
        for frame in frames:
            writer.write(frame[..., ::-1].copy())
        writer.release()
    clip = video.read(path)
    assert clip.frames.shape == frames.shape and clip.fps == 10
    assert clip.frames[0, 14, 6, 0] > 150 > clip.frames[0, 14, 6, 2]


def test_sound_lies_beside_the_video_and_is_as_it_was(tmp_path, frames):
    sound = np.random.default_rng(0).uniform(-1, 1, 24_000).astype(np.float32)  # 1.5 s, as the frames
    video.write(tmp_path / "clip.mp4", frames, 8, sound)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "clip.wav"]
    assert np.array_equal(audio.read(tmp_path / "clip.wav"), sound)


@pytest.mark.parametrize("sound", [np.zeros((2, 5), np.float32), np.array([0, 2.5], np.float32), "clip.wav"])
def test_a_sound_that_is_none_is_refused_before_anything_is_written(tmp_path, frames, sound):
    with pytest.raises(ValueError, match=r"clip.avi: .*; a sound is a float32 array"):
        video.write(tmp_path / "clip.avi", frames, 8, sound)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seconds", [0, 1.3, 1.7, 4])
def test_a_sound_that_lasts_longer_or_shorter_than_the_frames_is_refused(tmp_path, frames, seconds):
    sound = np.zeros(round(seconds * audio.RATE) or 1, np.float32)
    with pytest.raises(ValueError, match=r"clip.avi: sound lasts .* s, frames 1.5 s; cut or pad the sound"):
        video.write(tmp_path / "clip.avi", frames, 8, sound)
    assert not list(tmp_path.iterdir())


def test_lengths_may_differ_by_the_time_of_a_frame_and_the_ending_may_be_in_capitals(tmp_path, frames):
    sound = np.zeros(round(1.4 * audio.RATE), np.float32)
    video.write(tmp_path / "clip.AVI", frames, 8, sound)
    assert np.array_equal(video.read(tmp_path / "clip.AVI").frames, frames)


def test_a_table_whose_tracks_differ_in_length_is_refused_by_row_and_column(frames):
    sounds = [np.zeros(24_000, np.float32), np.zeros(48_000, np.float32)]
    table = pd.DataFrame({"clip": [frames, frames], "noise": sounds}, index=[3, 17], dtype=object)
    with pytest.raises(ValueError, match=r"row 17, column 'noise': sound lasts 3 s, frames 1.5 s; cut"):
        video.check_lengths(table["clip"], table.noise, 8)
    with pytest.raises(ValueError, match="2 clips and 1 sounds"):
        video.check_lengths(table["clip"], sounds[:1], 8)
    with pytest.raises(ValueError, match="row 0, column 'video': a str, not an array"):
        video.check_lengths(["clip.avi"], sounds[:1], 8)
    video.check_lengths([frames, None, frames], [sounds[0], sounds[1], None], 8)


# What is refused


def test_a_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"^nowhere.mp4: no such file"):
        video.read("nowhere.mp4")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip, not frames" * 40])
def test_what_is_no_video_is_refused_quietly(tmp_path, content, capfd):
    (tmp_path / "x.mp4").write_bytes(content)
    with pytest.raises(ValueError, match=r"x.mp4: no video that can be read"):
        video.read(tmp_path / "x.mp4")
    assert capfd.readouterr().err == ""


def test_a_folder_or_a_picture_is_no_video(tmp_path, frames):
    cv2.imwrite(str(tmp_path / "x.png"), frames[0])
    with pytest.raises(ValueError, match=r"x.png: 1 frames at 25 a second are no video; is it a picture"):
        video.read(tmp_path / "x.png")
    with pytest.raises(FileNotFoundError, match="a folder; name a file in it"):
        video.read(tmp_path)


def test_a_file_without_frames_says_why(tmp_path, frames):
    codec = cv2.VideoWriter_fourcc(*"FFV1")
    writer = cv2.VideoWriter(str(tmp_path / "x.avi"), cv2.CAP_FFMPEG, codec, 8, (32, 48))  # the wrong way
    for frame in frames:
        writer.write(frame)
    writer.release()
    with pytest.raises(ValueError, match=r"x.avi: holds no frame; write it again, .* another size than"):
        video.read(tmp_path / "x.avi")


def test_a_video_that_is_cut_off_is_refused_and_says_where(saved, capfd):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: whole.index(b"movi") + (len(whole) - whole.index(b"movi")) // 2])
    with pytest.raises(ValueError, match=r"clip.avi: cut off after [1-9]\d* of 12 frames"):
        video.read(saved)
    assert capfd.readouterr().err == ""


def test_an_mp4_without_its_end_is_refused_quietly(tmp_path, frames, capfd):
    video.write(tmp_path / "clip.mp4", frames, 8)
    whole = (tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "clip.mp4").write_bytes(whole[:-300])
    with pytest.raises(ValueError, match=r"clip.mp4: no video that can be read, or cut off"):
        video.read(tmp_path / "clip.mp4")
    assert capfd.readouterr().err == ""


def test_too_large_a_video_is_refused_with_the_number_that_fits(saved, monkeypatch):
    monkeypatch.setattr(video, "LARGEST", 5 * 32 * 48 * 3)
    with pytest.raises(ValueError, match=r"clip.avi: 12 frames would fill 0 million bytes; keep n_frames=5"):
        video.read(saved)
    assert len(video.read(saved, n_frames=5).frames) == 5


@pytest.mark.parametrize("n", [0, -1, 13])
def test_more_frames_than_there_are_or_none_are_refused(saved, frames, n):
    with pytest.raises(ValueError, match=f"clip.avi: {n} of 12 frames; choose 1 to 12"):
        video.read(saved, n_frames=n)
    with pytest.raises(ValueError, match=f"sample: {n} of 12 frames; choose 1 to 12"):
        video.sample(frames, n)


@pytest.mark.parametrize("n", [2.5, "3"])
def test_a_part_of_a_frame_is_refused(saved, frames, n):
    with pytest.raises(ValueError, match="12 frames; choose a whole number, 1 to 12"):
        video.read(saved, n_frames=n)
    with pytest.raises(ValueError, match="choose a whole number, 1 to 12"):
        video.sample(frames, n)


@pytest.mark.parametrize("name", ["clip.mpg", "clip", "clip.AVI.txt"])
def test_other_endings_are_not_written(tmp_path, frames, name):
    with pytest.raises(ValueError, match=r"name it .avi \(lossless\) or .mp4 \(small\)"):
        video.write(tmp_path / name, frames, 8)


@pytest.mark.parametrize(("height", "width"), [(31, 48), (32, 47)])
def test_odd_sides_are_not_cut_off_but_refused(tmp_path, frames, height, width):
    with pytest.raises(ValueError, match=f"clip.mp4: {width} x {height} pixels; crop to an even"):
        video.write(tmp_path / "clip.mp4", frames[:, :height, :width], 8)
    assert not list(tmp_path.iterdir())


def test_no_folder_or_impossible_frames_a_second_are_refused(tmp_path, frames, capfd):
    with pytest.raises(ValueError, match="cannot be written, at 8 frames a second; make the folder first"):
        video.write(tmp_path / "nowhere" / "clip.avi", frames, 8)
    for fps in (0, -1, np.nan, np.inf, None, "8", 1001):
        with pytest.raises(ValueError, match=r"clip.avi: fps=.*; a number above 0 and at most 1,000"):
            video.write(tmp_path / "clip.avi", frames, fps)
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (None, "missing"),
        ("clip.mp4", "a str, not an array of frames"),
        (np.zeros((8, 8, 3), np.uint8), r"shape \(8, 8, 3\)"),
        (np.zeros((4, 8, 8, 4), np.uint8), r"shape \(4, 8, 8, 4\)"),
        (np.zeros((4, 8, 8, 3)), "float64"),
        (np.zeros((0, 6, 8, 3), np.uint8), "0 frames of 8 x 6 pixels"),
    ],
)
def test_a_cell_that_is_no_video_is_named_by_row_and_column(frames, cell, words):
    column = pd.Series([frames, cell], index=[3, 17], name="video", dtype=object)
    with pytest.raises(ValueError, match=f"row 17, column 'video': .*{words}"):
        list(cells(column, video.problem, video.CURE))


def test_written_frames_are_checked_too(tmp_path, frames):
    with pytest.raises(ValueError, match=r"clip.avi: values of type float64; a video is a uint8 RGB array"):
        video.write(tmp_path / "clip.avi", frames / 255, 8)


# Sampling


def test_sampled_frames_are_in_order_and_evenly_spaced():
    frames = np.arange(16)
    assert video.sample(frames, 16).tolist() == list(range(16))
    assert video.sample(frames, 4).tolist() == [0, 5, 10, 15]
    assert video.sample(frames, 1).tolist() == [8]
    for n in range(2, 17):
        steps = np.diff(video.sample(frames, n))
        assert steps.min() >= 1 and steps.max() - steps.min() <= 1
