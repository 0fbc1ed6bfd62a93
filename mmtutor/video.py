"""Video: read frames, write them, pick a few, check a column of clips.

A video is a uint8 RGB array of shape (frames, height, width, 3), values 0-255. It is silent: its sound is a
column of its own, and lies in a file beside it, `clip.avi` and `clip.wav`.
"""

import os
from numbers import Integral, Real
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from mmtutor import audio, image
from mmtutor.table import refuse

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what is wrong with a file is raised, in one sentence

CODECS = {".mp4": "mp4v", ".avi": "FFV1"}  # small and lossy; lossless
LARGEST = 500_000_000  # bytes that `read` loads at once


def read(path: str | Path, n_frames: int | None = None) -> Bunch:
    """Read a video file.

    Parameters
    ----------
    path : str or Path
        An MP4, AVI, WebM, MKV, GIF or other file that OpenCV's FFmpeg can read.
    n_frames : int, optional
        Keep so many frames, evenly spaced from the first to the last. By default all of them.

    Returns
    -------
    Bunch
        frames : uint8 array, shape (n_frames, height, width, 3), RGB, values 0-255
        fps : float, frames a second of the file, also where only some are kept
        times : float array, shape (n_frames,), seconds from the start of the file at which each frame begins

    Raises
    ------
    FileNotFoundError
        If there is no such file, or a folder of that name.
    ValueError
        If the file is no video, holds no frame, is cut off, has fewer than `n_frames` frames, or would fill
        more than 500 million bytes.

    Notes
    -----
    A track of sound inside the file is not read: OpenCV knows pictures only. Frames are taken to be equally
    long. Taught in chapter 8.
    """
    path = Path(path)
    if not path.is_file():
        found = "a folder; name a file in it" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"{path.name}: {found}")
    video = _open(path)
    n = n_promised = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    if n_promised < 1:  # a format whose header does not count: we do
        n = sum(1 for _ in iter(video.grab, False))
        video = _open(path)
    fps = video.get(cv2.CAP_PROP_FPS)
    if n == 0:
        reason = "its frames had another size than the (width, height) it was opened with"
        raise ValueError(f"{path.name}: holds no frame; write it again, perhaps {reason}")
    if n == 1 > n_promised or not fps > 0:
        raise ValueError(f"{path.name}: {n} frames at {fps:g} a second are no video; is it a picture?")
    chosen = _evenly(path.name, n, n if n_frames is None else n_frames)
    size = video.get(cv2.CAP_PROP_FRAME_WIDTH) * video.get(cv2.CAP_PROP_FRAME_HEIGHT) * 3
    if len(chosen) * size > LARGEST:
        raise ValueError(
            f"{path.name}: {len(chosen)} frames would fill {len(chosen) * size / 1e6:,.0f} million bytes; "
            f"keep n_frames={int(LARGEST // size)} or fewer, or scale the video down first"
        )
    frames = []
    for number in range(n):
        if not video.grab():
            raise ValueError(f"{path.name}: cut off after {number} of {n} frames; copy it again")
        if number in chosen:
            frames.append(image.turn_round(video.retrieve()[1]))
    return Bunch(frames=np.array(frames), fps=fps, times=chosen / fps)


def write(path: str | Path, frames: np.ndarray, fps: float, sound: np.ndarray | None = None) -> None:
    """Write a video file, and its sound beside it.

    Parameters
    ----------
    path : str or Path
        Ends in ``.avi``: lossless (FFV1), `read` gives the same frames back. Ends in ``.mp4``: MPEG-4, much
        smaller, with errors. An older file is overwritten.
    frames : uint8 array, shape (n_frames, height, width, 3), RGB, even height and width
    fps : float
        Frames a second, above 0 and at most 1,000.
    sound : float32 array, shape (n_samples,), in [-1, 1], optional
        At `mmtutor.audio.RATE`, as long as the frames (within the time of one frame); written to the same
        name with ``.wav``, where `mmtutor.audio.read` finds it.

    Raises
    ------
    ValueError
        For another ending, a folder that does not exist, frames that are no video, a sound that is none or
        lasts longer or shorter than the frames, an odd height or width (the writer would cut off a row or a
        column and say nothing), or a number of frames a second that cannot be written.

    Notes
    -----
    Browsers play neither: in a notebook, show frames side by side, or as an animation. Taught in chapter 8.
    """
    path = Path(path)
    if path.suffix.lower() not in CODECS:
        raise ValueError(f"{path.name}: ends in {path.suffix!r}; name it .avi (lossless) or .mp4 (small)")
    if problem(frames):
        raise ValueError(f"{path.name}: {problem(frames)}; {CURE}")
    if not isinstance(fps, Real) or not 0 < fps <= 1000:
        raise ValueError(f"{path.name}: fps={fps!r}; a number above 0 and at most 1,000 frames a second")
    if sound is not None and audio.problem(sound):
        raise ValueError(f"{path.name}: {audio.problem(sound)}; {audio.CURE}")
    if sound is not None and (found := _lengths(frames, sound, fps)):
        raise ValueError(f"{path.name}: {found}; {ONE_CLOCK}")
    height, width = frames.shape[1:3]
    if height % 2 or width % 2:
        raise ValueError(f"{path.name}: {width} x {height} pixels; crop to an even width and height")
    codec = cv2.VideoWriter_fourcc(*CODECS[path.suffix.lower()])
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, fps, (width, height))
    if not writer.isOpened():
        raise ValueError(f"{path}: cannot be written, at {fps:g} frames a second; make the folder first")
    for frame in frames:
        writer.write(image.turn_round(np.ascontiguousarray(frame)))
    writer.release()
    if sound is not None:
        import soundfile

        soundfile.write(path.with_suffix(".wav"), sound, audio.RATE, subtype="FLOAT")  # loses nothing


def check_lengths(clips, sounds, fps: float) -> None:
    """Check that each clip lasts as long as the sound beside it, within the time of one frame.

    Parameters
    ----------
    clips, sounds : columns of a table, or sequences; a row with a missing object is passed over
        Videos, and sounds at `mmtutor.audio.RATE`.
    fps : float
        Frames a second of the clips.

    Raises
    ------
    ValueError
        For two columns of unequal length, and for the first clip whose sound lasts longer or shorter; the
        message names its row and the column of the sound.

    Notes
    -----
    What lasts equally long may still be shifted. Taught in chapter 8.
    """
    if len(clips) != len(sounds):
        raise ValueError(f"{len(clips)} clips and {len(sounds)} sounds; one sound a clip, None if missing")
    column = pd.Series(sounds, dtype=object) if not isinstance(sounds, pd.Series) else sounds
    for row, clip, sound in zip(column.index, clips, column, strict=True):
        if clip is None or sound is None:
            continue
        if found := problem(clip):
            refuse(row, getattr(clips, "name", None) or "video", found, CURE)
        if found := audio.problem(sound):
            refuse(row, column.name or "sound", found, audio.CURE)
        if found := _lengths(clip, sound, fps):
            refuse(row, column.name or "sound", found, ONE_CLOCK)


def sample(frames: np.ndarray, n: int) -> np.ndarray:
    """Pick frames at equal distances, the first and the last among them.

    Parameters
    ----------
    frames : array, shape (n_frames, …)
    n : int
        How many, 1 to n_frames; a single one is the middle frame.

    Returns
    -------
    array, shape (n, …), in the order of time

    Raises
    ------
    ValueError
        For n below 1 or above the number of frames: a frame shown twice looks like standing still.

    Notes
    -----
    Taught in chapter 8.

    Examples
    --------
    >>> sample(np.arange(9), 3).tolist()
    [0, 4, 8]
    """
    return frames[_evenly("sample", len(frames), n)]


def problem(clip) -> str | None:
    """Say in a few words why an object is no video, or None if it is one. Taught in chapter 8."""
    if not isinstance(clip, np.ndarray):
        return f"a {type(clip).__name__}, not an array of frames"
    if clip.ndim != 4 or clip.shape[3] != 3:
        return f"an array of shape {clip.shape}"
    if 0 in clip.shape:
        return f"{len(clip)} frames of {clip.shape[2]} x {clip.shape[1]} pixels"
    if clip.dtype != np.uint8:
        return f"values of type {clip.dtype}"
    return None


ONE_CLOCK = "cut or pad the sound, or mend fps or the rate"
CURE = "a video is a uint8 RGB array (frames, height, width, 3): take the frames of mmtutor.video.read"


def _lengths(frames: np.ndarray, sound: np.ndarray, fps: float) -> str | None:
    seen, heard = len(frames) / fps, len(sound) / audio.RATE
    return f"sound lasts {heard:g} s, frames {seen:g} s" if abs(seen - heard) > 1 / fps else None


def _evenly(name: str, n_frames: int, n: int) -> np.ndarray:
    if not isinstance(n, Integral):
        raise ValueError(f"{name}: {n!r} of {n_frames} frames; choose a whole number, 1 to {n_frames}")
    if not 1 <= n <= n_frames:
        raise ValueError(f"{name}: {n} of {n_frames} frames; choose 1 to {n_frames}")
    return np.linspace(0, n_frames - 1, n).round().astype(int) if n > 1 else np.array([n_frames // 2])


def _open(path: Path):
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not video.isOpened():
        raise ValueError(f"{path.name}: no video that can be read, or cut off; save it as MP4 or AVI")
    return video
