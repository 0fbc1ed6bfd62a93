"""Motion: what changes from frame to frame of a clip, how loud it is meanwhile, and networks that read both.

A clip of n frames has n - 1 steps, one from each frame to the next. Frame k is on the screen from k / fps to
(k + 1) / fps seconds, so that step k happens at (k + 1) / fps.
"""

from dataclasses import dataclass
from numbers import Real

import cv2
import numpy as np

from mmtutor import audio, video
from mmtutor.encoder import Encoder
from mmtutor.keras_quietly import import_keras
from mmtutor.networks import KerasFusionClassifier, NetworkEncoder
from mmtutor.table import cells

STEADY = 1e-4  # added to the squared gradients: without an edge to go by, nothing moves


class FrameDifferences(Encoder):
    """Describe each step of a clip by three numbers: how far things went right, went down, and turned.

    Parameters
    ----------
    n_frames : int, default=16
        Frames taken of each clip, evenly spaced, the first and the last among them: 2 or more.
    blur : float, default=0.7
        Standard deviation in pixels of the Gaussian that smooths each frame first.

    Notes
    -----
    (n_frames - 1) x 3 features, step by step: pixels to the right, pixels down, degrees clockwise. They are
    the least-squares solution of Lucas and Kanade (1981) over a whole frame: brightness that changes where
    there is an edge has moved across the edge. It holds for steps of a pixel or two, and falls short of
    larger ones. The center of the turn is where brightness changes most; distances to it are taken the short
    way round the border, across which objects of `mmtutor.scenes.make_videos` go. Nothing is learned from the
    clips. Taught in chapter 8.

    Examples
    --------
    >>> from mmtutor.scenes import make_videos
    >>> FrameDifferences().fit_transform(make_videos(2, size=32).X.video).shape
    (2, 45)
    """

    def __init__(self, n_frames=16, blur=0.7):
        self.n_frames = n_frames
        self.blur = blur

    def fit(self, X, y=None):
        """Check the parameters; there is nothing to learn. X: n_samples clips."""
        if not _is_whole(self.n_frames, 2):
            raise ValueError(f"{self}: n_frames is no whole number of 2 or more; the default works")
        if not isinstance(self.blur, Real) or not self.blur > 0:
            raise ValueError(f"{self}: blur is not above 0; the default works")
        return self

    def transform(self, X) -> np.ndarray:
        """Describe the steps: n_samples clips -> float32 (n_samples, (n_frames - 1) * 3).

        Raises
        ------
        ValueError
            For a cell that is no clip, or one of fewer frames, of another size than the first or of a single
            row or column of pixels; the message names its row and column.
        """
        self.fit(X)
        clips = cells(X, _fewer_than(self.n_frames, one_size=True), video.CURE)
        steps = [self._steps(video.sample(clip, self.n_frames)).ravel() for clip in clips]
        return np.array(steps, np.float32).reshape(-1, (self.n_frames - 1) * 3)

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Name the features: step0_right, step0_down, step0_turn, step1_right, …"""
        ways, steps = ("right", "down", "turn"), range(self.n_frames - 1)
        return np.array([f"step{step}_{way}" for step in steps for way in ways], dtype=object)

    def _steps(self, frames: np.ndarray) -> np.ndarray:
        """Solve for each step: uint8 (n, height, width, 3) -> float (n - 1, 3)."""
        gray = [cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in frames]
        smooth = [cv2.GaussianBlur(each.astype(np.float32) / 255, (0, 0), self.blur) for each in gray]
        before, after = np.array(smooth[:-1]), np.array(smooth[1:])
        change = after - before
        down, right = np.gradient((before + after) / 2, axis=(1, 2))
        y, x = _from_center(change**2)
        edges = np.stack([right, down, down * x - right * y], -1).reshape(len(change), -1, 3)
        squares = edges.swapaxes(1, 2) @ edges + np.diag([STEADY, STEADY, STEADY * x.shape[2] ** 2])
        steps = np.linalg.solve(squares, -edges.swapaxes(1, 2) @ change.reshape(len(change), -1, 1))
        return steps[..., 0] * [1, 1, 180 / np.pi]


class Loudness(Encoder):
    """Describe a sound by how loud it is in equal slots of its time, such as the time of one frame.

    Parameters
    ----------
    n_slots : int, default=16
        As many as the clip beside it has frames.

    Notes
    -----
    n_slots features from 0 to 1: the power (mean square) of each slot, relative to the loudest; zeros for
    silence. Slots are aligned with frames if sound and clip begin together and last equally long, which an
    encoder of one column cannot see: `mmtutor.video.check_lengths` does. Nothing is learned from the sounds.
    Taught in chapter 8.

    Examples
    --------
    >>> Loudness(4).fit_transform([np.repeat([0.0, 0.5, 0.0, 0.25], 4000)]).tolist()
    [[0.0, 1.0, 0.0, 0.25]]
    """

    def __init__(self, n_slots=16):
        self.n_slots = n_slots

    def fit(self, X, y=None):
        """Check the parameter; there is nothing to learn. X: n_samples sounds."""
        if not _is_whole(self.n_slots, 1):
            raise ValueError(f"{self}: n_slots is no whole number of 1 or more; the default works")
        return self

    def transform(self, X) -> np.ndarray:
        """Measure the slots: n_samples sounds -> float32 (n_samples, n_slots)."""
        self.fit(X)
        sounds = cells(X, audio.problem, audio.CURE)
        power = [[np.square(part).mean() if len(part) else 0 for part in self._cut(s)] for s in sounds]
        power = np.array(power, np.float32).reshape(-1, self.n_slots)
        loudest = power.max(axis=1, keepdims=True)
        return np.divide(power, loudest, out=np.zeros_like(power), where=loudest > 0)

    @property
    def _n_features_out(self) -> int:
        return self.n_slots

    def _cut(self, sound: np.ndarray) -> list[np.ndarray]:
        return np.split(sound, np.arange(1, self.n_slots) * len(sound) // self.n_slots)


@dataclass(eq=False, repr=False, kw_only=True)
class VideoLSTM(NetworkEncoder):
    """Encode clips: one small CNN for every step, an LSTM that reads step by step, a dense layer on its end.

    Parameters
    ----------
    size : int, default=16
        Frames are resized to size x size pixels, in gray, first.
    n_frames : int, default=16
        Frames taken of each clip, evenly spaced: 2 or more.
    differences : bool, default=True
        Whether the CNN sees each frame beside its difference from the frame before, so that it sees motion.
        Else it sees one frame at a time, n_frames instead of n_frames - 1, and the LSTM has to find motion.
    filters : tuple of int, default=(16, 32)
        Filters of each 3 x 3 convolution, which halves the frame; after the last, the mean over places.
    n_units : int, default=32
        Width of the LSTM's state.
    each_step : bool, default=False
        Whether the network gives features for each step, without the LSTM, as `FusedInTime` needs them; then
        it cannot be fitted alone.
    n_features, epochs, batch_size, learning_rate, progress, random_state
        See `NetworkEncoder`.

    Notes
    -----
    The same CNN for all steps is what Keras calls TimeDistributed; here steps are laid out as rows of one
    large batch, which gives the same numbers in half the time. Donahue et al. (2015); pictures beside motion:
    Simonyan and Zisserman (2014). Taught in chapter 8.
    """

    size: int = 16
    n_frames: int = 16
    differences: bool = True
    filters: tuple = (16, 32)
    n_units: int = 32
    each_step: bool = False

    def adapt(self, X, y=None) -> "VideoLSTM":
        """Check the parameters; there is nothing to learn. X: n_samples clips."""
        super().adapt(X)
        if self.n_frames < 2:
            raise ValueError(f"VideoLSTM(n_frames={self.n_frames!r}): one frame has no motion; 2 or more")
        return self

    def prepare(self, X) -> np.ndarray:
        """Resize in gray: n_samples clips -> uint8 array (n_samples, n_frames, size, size, 1), 0-255."""
        clips = cells(X, _fewer_than(self.n_frames), video.CURE)
        found = [[self._small(frame) for frame in video.sample(clip, self.n_frames)] for clip in clips]
        return np.array(found, np.uint8).reshape(-1, self.n_frames, self.size, self.size, 1)

    def _small(self, frame: np.ndarray) -> np.ndarray:
        gray = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
        return cv2.resize(gray, (self.size, self.size), interpolation=cv2.INTER_AREA)

    def layers(self, keras, x):
        """From the input tensor to the one below the features."""
        x = keras.layers.Rescaling(1 / 40)(x)  # a standard deviation of about 1
        x = x - keras.ops.mean(x, axis=(1, 2, 3), keepdims=True)  # however light the background
        if self.differences:
            x = keras.layers.Concatenate()([x[:, 1:], 2 * (x[:, 1:] - x[:, :-1])])
        steps = x.shape[1]
        x = keras.ops.reshape(x, (-1, *x.shape[2:]))
        for n in self.filters:
            x = keras.layers.Conv2D(n, 3, 2, padding="same", activation="relu")(x)
        x = keras.layers.GlobalAveragePooling2D()(x)
        x = keras.ops.reshape(x, (-1, steps, x.shape[-1]))
        return x if self.each_step else keras.layers.LSTM(self.n_units)(x)

    def fit(self, X, y=None) -> "VideoLSTM":
        """Train the network, with a softmax on top. X: n_samples clips; y: array of labels, (n_samples,)."""
        if self.each_step:
            raise ValueError("VideoLSTM(each_step=True) is a branch of FusedInTime; alone, leave it out")
        return super().fit(X, y)


@dataclass(eq=False, repr=False, kw_only=True)
class FusedInTime(KerasFusionClassifier):
    """Fuse modalities step by step: side by side at each step, and an LSTM that reads the steps.

    Parameters
    ----------
    encoders : dict of column -> encoder
        Each gives features for each step: a `VideoLSTM` with ``each_step=True``; or a transformer with one
        feature a step, such as `Loudness`. Where one has one step more than another (frames and the steps
        between them), neighbors are averaged.
    n_units : int, default=32
        Width of the LSTM's state.
    n_hidden, dropout, class_weight, epochs, batch_size, learning_rate, progress, random_state
        See `KerasFusionClassifier`.

    Notes
    -----
    y = h(LSTM([z_1(t); …; z_n(t)])), t = 1, …, T: the fusion g sees what happens at the same time, which is
    lost where each modality becomes one vector first. Taught in chapter 8.
    """

    n_units: int = 32

    def fit(self, X, y) -> "FusedInTime":
        """Fit as `KerasFusionClassifier` does. Raises ValueError with `modality_dropout`, which hides whole
        objects, not steps, with a `VideoLSTM` that gives no steps, and for steps that do not match.
        """
        if self.modality_dropout is not None:
            raise ValueError(
                f"FusedInTime(modality_dropout={self.modality_dropout!r}): it fuses steps, with no flag for "
                "a gap; leave it None, and fill or drop missing clips first"
            )
        for column, encoder in self.encoders.items():
            if isinstance(encoder, VideoLSTM) and not encoder.each_step:
                raise ValueError(f"column {column!r}: VideoLSTM gives one vector a clip; set each_step=True")
        return super().fit(X, y)

    def fuse(self, features: list):
        """The fusion g: Keras tensors (n, steps, d_i) or (n, steps) to one (n, n_units)."""
        return import_keras().layers.LSTM(self.n_units)(self.side_by_side(features))

    def side_by_side(self, features: list):
        """Join columns at each step: Keras tensors (n, steps, d_i) or (n, steps) to one (n, steps, d).

        Raises
        ------
        ValueError
            If one column has more steps than another by two or more.
        """
        layers = import_keras().layers
        steps = {c: z.shape[1] for c, z in zip(sorted(self.encoders), features, strict=True)}
        least = min(steps.values())
        if max(steps.values()) > least + 1:
            found = ", ".join(f"column {column!r} has {n}" for column, n in steps.items())
            raise ValueError(f"steps do not match: {found}; for VideoLSTM(n_frames=8) take Loudness(8)")
        columns = [z if len(z.shape) == 3 else layers.Reshape((-1, 1))(z) for z in features]
        columns = [z if z.shape[1] == least else (z[:, 1:] + z[:, :-1]) / 2 for z in columns]
        return layers.Concatenate()(columns) if len(columns) > 1 else columns[0]


def _from_center(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far down and right of a weight's center each pixel lies: two arrays (n, height, width)."""
    found = []
    for axis in (1, 2):
        size = weight.shape[axis]
        place = np.arange(size).reshape([-1 if a == axis else 1 for a in range(3)])
        around = (weight * np.exp(2j * np.pi * place / size)).sum(axis=(1, 2), keepdims=True)
        center = np.angle(around) * size / (2 * np.pi)
        found.append((place - center + size / 2) % size - size / 2 + np.zeros_like(weight))
    return found[0], found[1]


def _is_whole(value, least: int) -> bool:
    return isinstance(value, (int, np.integer)) and value >= least


def _fewer_than(n_frames: int, one_size: bool = False):
    first = []

    def problem(clip):
        if found := video.problem(clip):
            return found
        if len(clip) < n_frames:
            return f"{len(clip)} frames, fewer than n_frames={n_frames}"
        height, width = clip.shape[1:3]
        first.append(f"{width} x {height} pixels")
        if one_size and (min(height, width) < 2 or first[-1] != first[0]):
            return first[-1] + (f", other clips {first[0]}" if first[-1] != first[0] else ", no picture")
        return None

    return problem
