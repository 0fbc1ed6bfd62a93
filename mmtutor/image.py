"""Pictures: read one, check a column of them, describe their shapes.

An image is a uint8 RGB array of shape (height, width, 3), values 0-255.
"""

import io
import warnings
from pathlib import Path

import cv2
import numpy as np

from mmtutor.encoder import Encoder
from mmtutor.table import cells

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what is wrong is raised, in one sentence

WHITE = (255, 255, 255)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")  # what Pillow and OpenCV both read


def read(path: str | Path, background: tuple[int, int, int] | None = WHITE) -> np.ndarray:
    """Read a picture file.

    Parameters
    ----------
    path : str or Path
        A PNG, JPEG, WebP, GIF, BMP, TIFF or PPM file, whatever its name says.
    background : (red, green, blue) or None
        What shows through transparent pixels, 0-255 each. None keeps transparency as a fourth channel.

    Returns
    -------
    uint8 array, shape (height, width, 3), RGB, values 0-255; with ``background=None`` shape
    (height, width, 4), the last channel being alpha. Gray, palette and 16-bit pictures are converted, and
    a photograph is turned as its camera says.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, no picture, cut off, animated, or larger than Pillow's limit of pixels.

    Notes
    -----
    OpenCV stores blue before red; `turn_round` sets that right. Taught in chapters 1 and 2.
    """
    path = Path(path)
    data = path.read_bytes()
    transparent = _check_with_pillow(path.name, data)
    if transparent is not None:
        return transparent if background is None else flatten(transparent, background)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{path.name}: OpenCV cannot read this picture; save it again as PNG")
    pixels = turn_round(pixels)
    return pixels if background is not None else cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)


def turn_round(pixels: np.ndarray) -> np.ndarray:
    """Put red first where OpenCV has blue first, or the reverse: the one place where this is done.

    Parameters
    ----------
    pixels : uint8 array, shape (height, width, 3), BGR or RGB

    Returns
    -------
    uint8 array of the same shape, RGB or BGR

    Notes
    -----
    Used by the readers of pictures and videos. Taught in chapter 2.
    """
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _check_with_pillow(name: str, data: bytes) -> np.ndarray | None:
    """Refuse what is no whole picture; give the RGBA pixels of one with transparency, else None.

    OpenCV may fill the missing part of a cut-off picture and say nothing: Pillow tells. It also knows every
    kind of transparency, which OpenCV does not.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise ValueError(f"{name}: the file is empty (0 bytes); copy it again from its source")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                picture.load()
                n_frames = getattr(picture, "n_frames", 1) if picture.format != "MPO" else 1  # some phones
                rgba = None
                if n_frames == 1 and picture.has_transparency_data:
                    rgba = np.array(ImageOps.exif_transpose(picture).convert("RGBA"))
    except UnidentifiedImageError:
        raise ValueError(f"{name}: not a picture, whatever its name says; look at it in an editor") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        most = f"{Image.MAX_IMAGE_PIXELS:,}"
        raise ValueError(f"{name}: more than {most} pixels; scale it down first") from None
    except (OSError, SyntaxError, EOFError, ValueError) as error:
        raise ValueError(f"{name}: cut off or damaged ({error}); copy it again from its source") from None
    if n_frames > 1:
        raise ValueError(f"{name}: {n_frames} pictures in one file; save the one that is meant as PNG")
    return rgba


def flatten(pixels: np.ndarray, background: tuple[int, int, int] = WHITE) -> np.ndarray:
    """Lay a picture with transparency on one color.

    Parameters
    ----------
    pixels : uint8 array, shape (..., 4), red, green, blue, alpha
    background : (red, green, blue), 0-255 each

    Returns
    -------
    uint8 array, shape (..., 3), RGB

    Notes
    -----
    Taught in chapter 2.
    """
    color, alpha = pixels[..., :3].astype(np.uint16), pixels[..., 3:].astype(np.uint16)
    mixed = color * alpha + np.array(background, np.uint16) * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def problem(picture) -> str | None:
    """Say in a few words why an object is no image, or None if it is one. Taught in chapter 2."""
    if not isinstance(picture, np.ndarray):
        return f"a {type(picture).__name__}, not an array of pixels"
    if picture.ndim != 3 or picture.shape[2] != 3:
        return f"an array of shape {picture.shape}"
    if picture.shape[0] == 0 or picture.shape[1] == 0:
        return f"{picture.shape[1]} x {picture.shape[0]} pixels"
    if picture.dtype != np.uint8:
        return f"values of type {picture.dtype}"
    return None


def resize(picture: np.ndarray, size: int) -> np.ndarray:
    """Resize a picture to a square by averaging what falls into a pixel.

    Parameters
    ----------
    picture : uint8 array, shape (height, width, 3)
    size : int
        Side of the square in pixels. What is not square is squeezed.

    Returns
    -------
    uint8 array, shape (size, size, 3)

    Notes
    -----
    OpenCV wants (width, height) where arrays have (height, width). Taught in chapter 2.
    """
    if picture.shape[:2] == (size, size):
        return picture
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


CURE = "an image is a uint8 RGB array (height, width, 3): read it with mmtutor.image.read"


class Pixels(Encoder):
    """Describe a picture by its pixels: made small, gray unless in color, and flattened.

    Parameters
    ----------
    size : int, default=8
        Pictures are resized to size x size pixels.
    color : bool, default=False
        Whether red, green and blue stay apart: three times as many features.

    Notes
    -----
    Nothing is learned from the pictures. Gray is OpenCV's .299 red + .587 green + .114 blue.
    Taught in chapter 2.

    Examples
    --------
    >>> import numpy as np
    >>> Pixels().fit_transform([np.full((64, 64, 3), 255, np.uint8)]).shape
    (1, 64)
    """

    def __init__(self, size=8, color=False):
        self.size = size
        self.color = color

    def transform(self, X) -> np.ndarray:
        """Flatten each picture.

        Parameters
        ----------
        X : n_samples images, uint8 arrays of shape (height, width, 3)

        Returns
        -------
        float array, shape (n_samples, size * size), or three times as many in color; values 0-1

        Raises
        ------
        ValueError
            For a cell that is no image; the message names its row and column.
        """
        rows = [resize(picture, self.size) for picture in cells(X, problem, CURE)]
        if not self.color:
            rows = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in rows]
        return np.array(rows, float).reshape(len(rows), self._n_features_out) / 255

    @property
    def _n_features_out(self) -> int:
        return self.size * self.size * (3 if self.color else 1)


class HOG(Encoder):
    """Describe shapes: a histogram of oriented gradients for each cell of a picture.

    Parameters
    ----------
    size : int, default=64
        Pictures are resized to size x size pixels first; a multiple of `cell`.
    cell : int, default=8
        Side of a cell in pixels. A block of 2 x 2 cells is normalized together.
    stride : int, default=16
        Step from block to block in pixels, a multiple of `cell`: 8 lets blocks of 8-pixel cells overlap.
    n_orientations : int, default=9
        Bins of a histogram, from 0 to 180 degrees.

    Notes
    -----
    A description has blocks x 4 cells x orientations numbers, 576 by default. Nothing is learned from the
    pictures. Dalal and Triggs (2005), by OpenCV. In color pictures each pixel's gradient is that of the
    channel where it is steepest. Taught in chapters 1 (used) and 2 (by hand).

    Examples
    --------
    >>> import numpy as np
    >>> HOG().fit_transform([np.zeros((64, 64, 3), np.uint8)]).shape
    (1, 576)
    """

    def __init__(self, size=64, cell=8, stride=16, n_orientations=9):
        self.size = size
        self.cell = cell
        self.stride = stride
        self.n_orientations = n_orientations

    def fit(self, X, y=None):
        """Check the parameters; there is nothing to learn. X: n_samples images."""
        self._descriptor()
        return self

    def transform(self, X) -> np.ndarray:
        """Describe each picture.

        Parameters
        ----------
        X : n_samples images, uint8 arrays of shape (height, width, 3)

        Returns
        -------
        float array, shape (n_samples, n_features), values 0-1

        Raises
        ------
        ValueError
            For a cell that is no image; the message names its row and column.
        """
        descriptor = self._descriptor()
        rows = [descriptor.compute(resize(picture, self.size)).ravel() for picture in cells(X, problem, CURE)]
        return np.array(rows, float).reshape(len(rows), descriptor.getDescriptorSize())

    @property
    def _n_features_out(self) -> int:
        return self._descriptor().getDescriptorSize()

    def _descriptor(self):
        cell, stride, size = self.cell, self.stride, self.size
        for name, value in self.get_params().items():
            if not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"HOG({name}={value!r}): not a whole number of 1 or more; the default works")
        if size % cell or stride % cell or (size - 2 * cell) % stride or size < 2 * cell:
            raise ValueError(
                f"HOG(size={size}, cell={cell}, stride={stride}): blocks of {2 * cell} pixels do not tile "
                "the picture; size and stride must be multiples of cell, stride must divide size - 2 * cell"
            )
        return cv2.HOGDescriptor(
            (size,) * 2, (2 * cell,) * 2, (stride,) * 2, (cell,) * 2, self.n_orientations
        )
