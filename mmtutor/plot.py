"""What the chapters draw more than once, in one palette: a color a modality, the same in every chapter.

Importing this module makes figures in notebooks sharp on dense screens.
"""

import re
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from sklearn.metrics import confusion_matrix

from mmtutor.image import HOG

# Okabe and Ito (2008): distinct for color-blind readers, and by lightness in print.
COLORS = {
    "image": "#0072B2",
    "text": "#E69F00",
    "sound": "#009E73",
    "video": "#CC79A7",
    "fused": "#D55E00",
    "none": "#999999",
}

if "ipykernel" in sys.modules:  # in a notebook
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    set_matplotlib_formats("retina")


def color_of(model: str) -> str:
    """Give the color of a model: that of the modality its name names, of *fused* if it names several.

    Taught in chapter 1.

    Examples
    --------
    >>> color_of("text, all keywords") == COLORS["text"], color_of("image + text") == COLORS["fused"]
    (True, True)
    """
    words = re.findall("[a-z]+", model.lower())
    named = [modality for modality in COLORS if modality in words]
    if not named:
        return COLORS["none"]
    return COLORS["fused" if len(named) > 1 else named[0]]


def gallery(images, captions, columns: int = 8, title: str = "") -> np.ndarray:
    """Show pictures side by side with a caption below each.

    Parameters
    ----------
    images : n uint8 arrays, shape (height, width, 3) or (height, width)
    captions : n str; a line break starts a new line
    columns : int, default=8
        Pictures in a row.
    title : str
        States what there is to see.

    Returns
    -------
    array of n Axes

    Notes
    -----
    Taught in chapter 1.
    """
    images, captions = list(images), list(captions)
    if len(images) != len(captions):
        raise ValueError(f"{len(images)} images and {len(captions)} captions; each image needs one")
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(1.15 * columns, 1.5 * rows + 0.3), squeeze=False, layout="constrained"
    )
    figure.suptitle(title, fontsize=11)
    for ax in axes.flat:
        ax.axis("off")
    for ax, picture, caption in zip(axes.flat, images, captions, strict=False):
        ax.imshow(picture, cmap="gray", vmin=0, vmax=255)
        ax.set_title(caption, fontsize=8, y=-0.02, va="top")
    return axes.ravel()[: len(images)]


def scores(table: pd.DataFrame, title: str, chance: float | None = None, ax: Axes | None = None) -> Axes:
    """Draw accuracies as bars with their standard errors. Taught in chapter 1.

    Parameters
    ----------
    table : pd.DataFrame with columns accuracy and se, one row a model (``Comparison.table``)
    title : str
        States the finding.
    chance : float, optional
        Accuracy of the baseline, drawn as a dashed line.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or plt.subplots(figsize=(6, 0.45 * len(table) + 1.1), layout="constrained")[1]
    names = table.index[::-1]
    ax.barh(
        names,
        table.accuracy[names],
        xerr=table.se[names],
        color=[color_of(n) for n in names],
        capsize=3,
        height=0.65,
    )
    for place, name in enumerate(names):
        ink = "black" if color_of(name) == COLORS["text"] else "white"
        ax.text(0.01, place, f"{table.accuracy[name]:.2f}", va="center", color=ink, fontweight="bold")
    if chance is not None:
        ax.axvline(chance, color="black", linestyle="--", linewidth=1, label="always the largest class")
        ax.legend(loc="upper right", fontsize=8)
    ax.set(xlim=(0, 1), xlabel="accuracy (bars: mean over folds, whiskers: one standard error)", title=title)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def confusion(y, predicted, against=None, title: str = "", ax: Axes | None = None) -> pd.DataFrame:
    """Draw how often samples of each class were given each label, or how that changed. Taught in chapter 1.

    Parameters
    ----------
    y, predicted : array-like of labels, shape (n_samples,)
    against : array-like of labels, optional
        Another model's predictions: the picture then shows `predicted` minus `against`.
    title : str
        States the finding.
    ax : Axes, optional

    Returns
    -------
    pd.DataFrame, shape (n_classes, n_classes): true classes in rows, predicted ones in columns
    """
    labels = np.unique(np.concatenate([y, predicted, predicted if against is None else against]))
    counts = confusion_matrix(y, predicted, labels=labels)
    if against is not None:
        counts = counts - confusion_matrix(y, against, labels=labels)
    ax = ax or plt.subplots(figsize=(6, 4.8), layout="constrained")[1]
    limit = max(1, np.abs(counts).max())
    ax.imshow(
        counts, cmap="Blues" if against is None else "RdBu", vmin=0 if against is None else -limit, vmax=limit
    )
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if abs(count) > 0.6 * limit else "black"
            ax.text(
                column,
                row,
                f"{count:d}" if against is None else f"{count:+d}",
                ha="center",
                va="center",
                color=color,
                fontsize=8,
            )
    ax.set_xticks(range(len(labels)), labels, rotation=40, ha="right", fontsize=8)
    ax.set_yticks(range(len(labels)), labels, fontsize=8)
    ax.set(xlabel="the model says", ylabel="the sample is", title=title)
    return pd.DataFrame(counts, index=labels, columns=labels)


def orientations(picture: np.ndarray, ax: Axes) -> Axes:
    """Draw what HOG keeps of a picture: in each cell, lines along its edges, darker where they are stronger.

    Strength is relative to the block of the cell, and squared to be seen. Taught in chapter 1.

    Parameters
    ----------
    picture : uint8 array, shape (height, width, 3)
    ax : Axes

    Returns
    -------
    Axes
    """
    hog = HOG(size=64, cell=8, stride=16)  # with this stride each cell is described exactly once
    histograms = hog.transform([picture]).reshape(
        4, 4, 2, 2, 9
    )  # blocks along x, y; cells along x, y; angles
    histograms = histograms.transpose(1, 3, 0, 2, 4).reshape(8, 8, 9)
    y, x, bin_ = np.indices(histograms.shape)
    angle = np.deg2rad(20 * bin_ + 10)  # an edge runs across the gradient
    center, half = np.stack([8 * x + 4, 8 * y + 4], -1), 3.6 * np.stack([-np.sin(angle), np.cos(angle)], -1)
    lines = np.stack([center - half, center + half], -2).reshape(-1, 2, 2)
    ax.add_collection(
        LineCollection(
            lines, colors="black", alpha=(histograms.ravel().clip(0, 0.4) / 0.4) ** 2, linewidths=1.5
        )
    )
    ax.set(xlim=(0, 64), ylim=(64, 0), aspect="equal")
    ax.axis("off")
    return ax
