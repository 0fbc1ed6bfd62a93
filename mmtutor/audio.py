"""Sound: read a recording, prepare it, describe it by mel bands and MFCC.

A sound is a float32 array in [-1, 1], mono: samples, one after the other. Its rate is how many of them make
a second.
"""

from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from threadpoolctl import ThreadpoolController

from mmtutor.encoder import Encoder
from mmtutor.table import cells

RATE = 16_000  # samples a second, hertz: enough for speech, whose content lies below 8 kHz
LONGEST = 10  # minutes: an hour of stereo at 48 kHz would fill 1.4 GB
FRAME, STEP = 0.025, 0.010  # seconds: a frame is short enough for speech to stand still in it
N_BANDS = 40  # of the mel scale


def read(path: str | Path, rate: int = RATE) -> np.ndarray:
    """Read a sound file, mixed to mono, at one sampling rate.

    Parameters
    ----------
    path : str or Path
        A WAV, FLAC, Ogg or MP3 file of at most ten minutes.
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
        If the file is no sound, is cut off (a WAV file says so), has no samples, is longer than ten
        minutes, or holds values that are not finite, or 3 and more.

    Notes
    -----
    8, 16, 24 and 32 bits come out on the same scale. Loud Ogg and MP3 files decode to values above 1, seldom
    above 2; these are cut off at 1. All channels, those of 5.1 sound too, are averaged; what is opposite in
    left and right cancels. Silence is a sound, one sample too. A recording that was too loud for its
    microphone (samples cut at 1 or -1) is taken as it is: look at ``np.mean(np.abs(sound) > 0.99)``.
    Taught in chapters 0 and 2.
    """
    import soundfile

    path = Path(path)
    path.open("rb").close()  # FileNotFoundError, which soundfile does not raise
    try:
        about = soundfile.info(path, verbose=True)
        if "should be" in about.extra_info:  # the header promises more than there is
            raise ValueError(f"{path.name}: cut off; copy it again from its source")
        minutes = about.duration / 60
        if minutes > LONGEST:
            raise ValueError(f"{path.name}: {minutes:.1f} minutes long; cut out a piece of {LONGEST} or less")
        sound, found_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path.name}: no sound file that can be read ({error}); save it as WAV") from None
    overshoots = np.abs(sound).max(initial=0) < 3  # loud lossy files overshoot 1; another scale is far above
    found = problem((np.clip(sound, -1, 1) if overshoots else sound).ravel())
    if found is not None:
        raise ValueError(f"{path.name}: {found}; record it again, or normalize it in a sound editor")
    sound = sound.mean(axis=1)
    if found_rate != rate:
        import librosa

        sound = librosa.resample(sound, orig_sr=found_rate, target_sr=rate)
    return np.clip(sound, -1, 1).astype(np.float32)


def problem(sound) -> str | None:
    """Say in a few words why an object is no sound, or None if it is one. Taught in chapter 2."""
    if not isinstance(sound, np.ndarray):
        pair = " (a loader's pair of samples and rate?)" if isinstance(sound, tuple) else ""
        return f"a {type(sound).__name__}, not an array of samples{pair}"
    if sound.ndim != 1:
        return f"an array of shape {sound.shape}"
    if len(sound) == 0:
        return "no samples"
    if sound.dtype not in (np.float32, np.float64):
        return f"values of type {sound.dtype}"
    if not np.isfinite(sound).all():
        return "holds NaN or infinite samples"
    loudest = np.abs(sound).max()
    return f"samples up to {loudest:.6g}, not within -1 and 1" if loudest > 1 else None


CURE = "a sound is a float32 array (n_samples,) in [-1, 1]: read it with mmtutor.audio.read"


def fit_length(sound: np.ndarray, seconds: float, rate: int = RATE) -> np.ndarray:
    """Cut a sound, or pad it with silence, at both ends alike.

    Parameters
    ----------
    sound : float array, shape (n_samples,), in [-1, 1]
    seconds : float
        How long the result is.
    rate : int, default=16000
        Samples a second.

    Returns
    -------
    array of the same type, shape (round(seconds * rate),): the middle of the sound, or the sound in the
    middle; where it does not come out even, the start gets one sample more, or the end loses one more.

    Raises
    ------
    ValueError
        If `sound` is no sound, or `seconds` not even one sample.

    Notes
    -----
    Networks need sounds of one length. Taught in chapter 2.
    """
    _check(sound)
    length = round(seconds * rate)
    if length < 1:
        raise ValueError(f"seconds={seconds!r} at rate={rate!r} is less than one sample; give more")
    padded = np.pad(sound, length)
    start = (len(padded) - length) // 2
    return padded[start : start + length]


def denoise(sound: np.ndarray, threshold_db=9, reduction_db=20) -> np.ndarray:
    """Turn down what does not rise above a steady noise (spectral gating).

    Parameters
    ----------
    sound : float array, shape (n_samples,), in [-1, 1]
        The quietest tenth of it must be noise alone: a pause in speech, say.
    threshold_db : float, default=9
        How far a frequency must rise above its noise to pass, in decibels.
    reduction_db : float, default=20
        How far the rest is turned down, in decibels.

    Returns
    -------
    array of the same shape and type, in [-1, 1]

    Raises
    ------
    ValueError
        If `sound` is no sound.

    Notes
    -----
    The noise of a frequency is its mean power in the quietest tenth of the frames of a short-time Fourier
    transform (512 samples a frame, a step of 128). The gate is averaged over 3 x 3 neighbors, which takes the
    edge off. A pause of zeros says that there is no noise: what is heard comes back as it was. A simple
    relative of spectral subtraction, Boll (1979). Taught in chapter 2.
    """
    import librosa
    from scipy.ndimage import uniform_filter

    _check(sound)
    spectrum = librosa.stft(_at_least(sound, 512), n_fft=512)
    power = np.abs(spectrum) ** 2
    loudness = power.sum(axis=0)
    noise = power[:, loudness <= np.quantile(loudness, 0.1)].mean(axis=1, keepdims=True)
    gate = uniform_filter((power > noise * 10 ** (threshold_db / 10)).astype(np.float32), 3)
    gain = gate + (1 - gate) * 10 ** (-reduction_db / 20)
    return np.clip(librosa.istft(spectrum * gain, length=len(sound)), -1, 1)


def log_mel(sound: np.ndarray, n_bands=N_BANDS, floor_db=80, rate: int = RATE) -> np.ndarray:
    """Describe each moment of a sound by its loudness in bands of the mel scale.

    Parameters
    ----------
    sound : float array, shape (n_samples,), in [-1, 1]
        One shorter than a Fourier window (32 ms at 16 kHz) is padded with silence.
    n_bands : int, default=40
        Bands between 0 and rate / 2 hertz, as wide as hearing tells pitches apart.
    floor_db : float, default=80
        What is quieter than this, in decibels below the loudest band of the sound, counts as this quiet. A
        low floor (30 to 40) hides what differs between the silence of one recording and another's.
    rate : int, default=16000
        Samples a second, 1000 or more.

    Returns
    -------
    float32 array, shape (n_frames, n_bands): decibels relative to the loudest value of this sound, from
    -floor_db to 0. Row t is centered at ``t * STEP`` seconds (10 ms) and sees 25 ms around it; there are
    1 + n_samples // (rate / 100) rows. Bands go from low to high. In a silent sound all is -floor_db.

    Raises
    ------
    ValueError
        If `sound` is no sound, or `floor_db` or `rate` is not as described.

    Notes
    -----
    ``librosa.feature.melspectrogram``, in decibels. How loud the whole recording is does not matter. librosa
    warns if there are too many bands for the frequencies of a frame. Taught in chapter 2.
    """
    import librosa

    _check(sound)
    if not (rate >= 1000 and 0 < floor_db < 200):
        raise ValueError(f"{rate=}, {floor_db=}; the rate is 1000 or more, the floor between 0 and 200")
    window, hop = round(FRAME * rate), round(STEP * rate)
    n_fft = 1 << (window - 1).bit_length()  # a power of two
    frames = {"n_fft": n_fft, "win_length": window, "hop_length": hop}
    with _thread_pools().limit(limits=1, user_api="blas"):
        mel = librosa.feature.melspectrogram(y=_at_least(sound, n_fft), sr=rate, n_mels=n_bands, **frames)
    relative = mel / (mel.max() or 1)  # a silent sound has no loudest value
    return librosa.power_to_db(relative, amin=10 ** (-floor_db / 10), top_db=None).T.astype(np.float32)


@cache
def _thread_pools() -> ThreadpoolController:
    """The libraries that multiply matrices. Those of a sound are small: threads that wait for each other on a
    busy computer make them several times slower."""
    return ThreadpoolController()


class _SoundEncoder(Encoder):
    def fit(self, X, y=None):
        """Check the parameters; there is nothing to learn. X: n_samples sounds."""
        for name, value in self.get_params().items():
            if name != "floor_db" and (not isinstance(value, (int, np.integer)) or value < 1):
                raise ValueError(f"{self}: {name} is no whole number of 1 or more; the default works")
        if len(self._describe(np.zeros(1, np.float32))) != len(self.get_feature_names_out()):
            raise ValueError(f"{self}: {N_BANDS} mel bands give no more than {N_BANDS} coefficients")
        return self

    def transform(self, X) -> np.ndarray:
        """Describe each sound.

        Parameters
        ----------
        X : n_samples sounds, float32 arrays of shape (length,) in [-1, 1]

        Returns
        -------
        float array, shape (n_samples, n_features), never NaN

        Raises
        ------
        ValueError
            For a cell that is no sound; the message names its row and column.
        """
        rows = [self._describe(sound) for sound in cells(X, problem, CURE)]
        return np.array(rows, float).reshape(len(rows), len(self.get_feature_names_out()))


class MFCC(_SoundEncoder):
    """Describe how a sound's timbre goes: the mean mel-frequency cepstral coefficients of its segments.

    Parameters
    ----------
    n_coefficients : int, default=13
        Of a frame, up to 40. The first (0) is the frame's mean loudness, the next ones the coarse shape of
        its spectrum.
    n_segments : int, default=8
        Equal parts in time, one mean each. With 1, the order of sounds in a word is lost.
    floor_db : float, default=80
        As in `log_mel`.
    rate : int, default=16000
        Samples a second of all sounds.

    Notes
    -----
    n_segments x n_coefficients features (104 by default), segment by segment. A sound of fewer frames than
    segments is padded with silence at its end. Nothing is learned from the sounds. Davis and Mermelstein
    (1980), by librosa. Taught in chapter 2.

    Examples
    --------
    >>> import numpy as np
    >>> MFCC().fit_transform([np.zeros(16_000, np.float32)]).shape
    (1, 104)
    """

    def __init__(self, n_coefficients=13, n_segments=8, floor_db=80, rate=RATE):
        self.n_coefficients = n_coefficients
        self.n_segments = n_segments
        self.floor_db = floor_db
        self.rate = rate

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Name the features: segment0_mfcc0, segment0_mfcc1, …, segment1_mfcc0, …"""
        each = np.ndindex(self.n_segments, self.n_coefficients)
        return np.array([f"segment{segment}_mfcc{c}" for segment, c in each], dtype=object)

    def _describe(self, sound):
        import librosa

        sound = _at_least(sound, self.n_segments * round(STEP * self.rate))
        bands = log_mel(sound, floor_db=self.floor_db, rate=self.rate)
        coefficients = librosa.feature.mfcc(S=bands.T, n_mfcc=self.n_coefficients).T
        return np.concatenate([part.mean(axis=0) for part in np.array_split(coefficients, self.n_segments)])


class MelStatistics(_SoundEncoder):
    """Describe a sound by each mel band's mean, standard deviation and maximum over time.

    Parameters
    ----------
    n_bands : int, default=40
    floor_db : float, default=80
        As in `log_mel`.
    rate : int, default=16000
        Samples a second of all sounds.

    Notes
    -----
    3 x n_bands features in decibels: the means, the standard deviations, the maxima. They say which pitches a
    sound has and how much they change, but not when. Nothing is learned from the sounds.
    Taught in chapter 2.

    Examples
    --------
    >>> import numpy as np
    >>> MelStatistics().fit_transform([np.zeros(16_000, np.float32)]).shape
    (1, 120)
    """

    def __init__(self, n_bands=N_BANDS, floor_db=80, rate=RATE):
        self.n_bands = n_bands
        self.floor_db = floor_db
        self.rate = rate

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Name the features: band0_mean, band1_mean, …, band0_std, …, band0_max, …"""
        each = product(("mean", "std", "max"), range(self.n_bands))
        return np.array([f"band{band}_{statistic}" for statistic, band in each], dtype=object)

    def _describe(self, sound):
        bands = log_mel(sound, self.n_bands, self.floor_db, self.rate)
        return np.concatenate([bands.mean(axis=0), bands.std(axis=0), bands.max(axis=0)])


def _check(sound) -> None:
    found = problem(sound)
    if found is not None:
        raise ValueError(f"{found}; {CURE}")


def _at_least(sound: np.ndarray, length: int) -> np.ndarray:
    return np.pad(sound, (0, max(length - len(sound), 0)))
