"""What the chapters draw more than once, in one palette: a color a modality, the same in every chapter.

Importing this module makes figures in notebooks sharp on dense screens.
"""

import re
import sys
from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from sklearn.metrics import confusion_matrix
from sklearn.pipeline import Pipeline

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
        ax.set_title(caption, fontsize=8, y=-0.02, va="top", pad=0)
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


def data_flow(model, title: str = "", ax: Axes | None = None) -> dict[str, tuple[str, list[str]]]:
    """Draw how data flows through a fitted fusion, by the names and widths that the model itself holds.

    Parameters
    ----------
    model : fitted `early_fusion`, `late_fusion` or `stacked_fusion`, or a Keras functional model
    title : str
        States what there is to see.
    ax : Axes, optional

    Returns
    -------
    dict of name -> (text of its box, names of the boxes before it)

    Notes
    -----
    Boxes that see one modality have its color, the others that of a fusion. Taught in chapter 3.
    """
    flow = _network_flow(model) if hasattr(model, "layers") else _fusion_flow(model)
    depth, color = {}, {}
    for name, (_, before) in flow.items():  # a box comes after those before it
        depth[name] = max((depth[b] + 1 for b in before), default=0)
        seen = {color[b] for b in before} or {COLORS.get(name, COLORS["none"])}
        color[name] = seen.pop() if len(seen) == 1 else COLORS["fused"]
    rows = {d: [n for n in flow if depth[n] == d] for d in range(max(depth.values()) + 1)}
    place = {n: (d, -k + (len(ns) - 1) / 2) for d, ns in rows.items() for k, n in enumerate(ns)}
    most = max(map(len, rows.values()))
    ax = ax or plt.subplots(figsize=(1.75 * len(rows), 0.85 * most + 0.4), layout="constrained")[1]
    box = {}
    for name, (text, before) in flow.items():
        edge = {"boxstyle": "round", "facecolor": "white", "edgecolor": color[name], "linewidth": 2}
        drawn = ax.text(*place[name], text, ha="center", va="center", fontsize=8, bbox=edge, zorder=1)
        box[name] = drawn.get_bbox_patch()
        for b in before:  # drawn after the boxes, whose size is known by then
            ends = {"patchA": box[b], "patchB": box[name], "shrinkA": 2, "shrinkB": 2}
            line = {"arrowstyle": "->", "color": color[b], **ends}
            ax.annotate("", place[name], place[b], arrowprops=line, zorder=2)
    ax.set(xlim=(-0.5, len(rows) - 0.5), ylim=(-most / 2, most / 2), title=title)
    ax.axis("off")
    return flow


def _fusion_flow(model) -> dict:
    """Of an estimator from mmtutor.fusion."""
    if isinstance(model, Pipeline):
        return _pipeline_flow(model)
    flow, heads = {}, []
    for (column, _), each in zip(model.estimators, model.estimators_, strict=True):
        flow |= _pipeline_flow(each.model_)
        heads.append(f"p {column}")
    rule, n_classes = getattr(model, "rule", None), len(model.classes_)
    if rule is not None:
        return flow | {"fusion": (f"{type(model).__name__}\n{rule}\nn x {n_classes}", heads)}
    flow["side by side"] = (f"side by side\nn x {len(heads) * n_classes}", heads)
    final = type(model.final_estimator_).__name__
    return flow | {"final": (f"{_broken(final)}\nn x {n_classes}", ["side by side"])}


def _pipeline_flow(pipeline: Pipeline) -> dict:
    features, head = pipeline["features"], pipeline["head"]
    flow, width = {}, 0
    columns = [(name, each) for name, each, _ in features.transformers_ if name != "remainder"]
    for name, encoder in columns:
        where = features.output_indices_[name]
        width += where.stop - where.start
        steps = [type(step).__name__ for _, step in getattr(encoder, "steps", [("", encoder)])]
        flow[name] = (name, [])
        flow[f"z {name}"] = ("\n".join(map(_broken, [*steps, f"n x {where.stop - where.start}"])), [name])
    before = [f"z {name}" for name, _ in columns]
    if len(columns) > 1:
        flow["z"] = (f"side by side\nn x {width}", before)
        before = ["z"]
    head_text = f"{_broken(type(head).__name__)}\nn x {len(head.classes_)}"
    return flow | {"p " + " + ".join(name for name, _ in columns): (head_text, before)}


def _network_flow(network) -> dict:
    """Of a Keras functional model, layer by layer; a model inside it is one box."""
    flow = {}
    for layer, saved in zip(network.layers, network.get_config()["layers"], strict=True):
        is_input = type(layer).__name__ == "InputLayer"
        what = layer.name if is_input else type(layer).__name__
        shape = " x ".join(map(str, ["n", *layer.output.shape[1:]]))
        flow[layer.name] = (f"{what}\n{shape}", list(_layers_before(saved["inbound_nodes"])))
    return flow


def _layers_before(saved) -> Iterator[str]:
    """The names of the layers that a saved layer was called on: Keras notes them as `keras_history`."""
    if isinstance(saved, dict):
        if "keras_history" in saved:
            yield saved["keras_history"][0]
        saved = list(saved.values())
    if isinstance(saved, (list, tuple)):
        for each in saved:
            yield from _layers_before(each)


def _broken(name: str) -> str:
    """A long class name in two lines: LogisticRegression, FunctionTransformer."""
    return re.sub(r"(?<=[a-z]{6})(?=[A-Z])", "\n", name) if len(name) > 15 else name


def folds(folds, groups, title: str = "", ax: Axes | None = None, group: str = "group") -> Axes:
    """Draw which rows each fold tests, rows sorted by group, a line where a group ends.

    Parameters
    ----------
    folds : list of (train rows, test rows)
    groups : array-like, shape (n_samples,)
    title : str
        States the finding.
    ax : Axes, optional
    group : str, default="group"
        What a group is, for the label of the axis: ``"voice"``.

    Returns
    -------
    Axes

    Notes
    -----
    Taught in chapter 3.
    """
    order = np.argsort(groups, kind="stable")
    is_test = np.zeros((len(folds), len(order)))
    for row, (_, test) in zip(is_test, folds, strict=True):
        row[test] = 1
    ax = ax or plt.subplots(figsize=(7, 0.3 * len(folds) + 0.8), layout="constrained")[1]
    ax.imshow(is_test[:, order], aspect="auto", cmap="Oranges", vmax=1.2, interpolation="nearest")
    ends = np.flatnonzero(np.diff(np.unique(groups, return_inverse=True)[1][order])) + 0.5
    ax.vlines(ends, -0.5, len(folds) - 0.5, color="black", linewidth=0.5)
    ax.set_yticks(range(len(folds)), range(1, len(folds) + 1))
    ax.set(xlabel=f"rows, sorted by {group} (dark: tested, pale: trained on)", ylabel="fold", title=title)
    return ax
