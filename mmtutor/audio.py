"""Sound: read a recording at the data set's one sampling rate.

A sound is a float32 array in [-1, 1], mono: samples, one after the other. Its rate is how many of them make
a second.
"""

from pathlib import Path

import numpy as np

RATE = 16_000  # samples a second, hertz: enough for speech, whose content lies below 8 kHz


def read(path: str | Path, rate: int = RATE) -> np.ndarray:
    """Read a sound file, mixed to mono, at one sampling rate.

    Parameters
    ----------
    path : str or Path
        A WAV, FLAC, Ogg or MP3 file.
    rate : int, default=16000
        Samples a second of the result. A recording at another rate is resampled (librosa).

    Returns
    -------
    float32 array, shape (n_samples,), values in [-1, 1]

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no sound, is cut off (a WAV file says so), has no samples, or holds values that are
        not finite or far outside [-1, 1].

    Notes
    -----
    Channels are averaged; what is opposite in left and right cancels. Taught in chapters 0 and 2.
    """
    import soundfile

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path.name}: no such file")
    try:
        sound, found_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path.name}: no sound file that can be read ({error}); save it as WAV") from None
    if "should be" in soundfile.info(path, verbose=True).extra_info:  # the header promises more than there is
        raise ValueError(f"{path.name}: cut off; copy it again from its source")
    if len(sound) == 0:
        raise ValueError(f"{path.name}: no samples; record it again")
    if not np.isfinite(sound).all():
        raise ValueError(f"{path.name}: holds NaN or infinite samples; export it again as 16-bit WAV")
    if np.abs(sound).max() > 1.2:  # lossy files overshoot 1 a little
        raise ValueError(
            f"{path.name}: samples up to {np.abs(sound).max():.0f}; divide by the largest, save again"
        )
    sound = sound.mean(axis=1)
    if found_rate != rate:
        import librosa

        sound = librosa.resample(sound, orig_sr=found_rate, target_sr=rate)
    return np.clip(sound, -1, 1).astype(np.float32)
