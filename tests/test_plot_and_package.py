"""What a user may rely on in figures, in the installation check, and in the package as a whole."""

import ast
import importlib
import inspect
import io
import pkgutil
import subprocess
import sys
import tokenize
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

import mmtutor
from mmtutor import fusion, installation
from mmtutor.installation import check_installation
from mmtutor.keras_quietly import import_keras
from mmtutor.progress import Progress

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from mmtutor import plot

PACKAGE = Path(mmtutor.__file__).parent
MODULES = [importlib.import_module(f"mmtutor.{m.name}") for m in pkgutil.iter_modules([str(PACKAGE)])]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_a_modality_has_one_color_and_fusions_share_one():
    assert plot.color_of("image") == plot.COLORS["image"]
    assert plot.color_of("image + text, late") == plot.COLORS["fused"]
    assert plot.color_of("always the largest class") == plot.COLORS["none"]
    assert len(set(plot.COLORS.values())) == len(plot.COLORS)


def test_scores_draws_each_model_with_its_error():
    table = pd.DataFrame({"accuracy": [0.5, 0.7], "se": [0.1, 0.02]}, index=["image", "image + text"])
    ax = plot.scores(table, "A finding", chance=0.2)
    assert [bar.get_width() for bar in ax.patches] == [0.7, 0.5]  # drawn from below
    assert ax.get_title() == "A finding" and ax.get_xlabel().startswith("accuracy")
    assert ax.get_legend() is not None


def test_confusion_counts_truth_in_rows_and_answers_in_columns():
    counts = plot.confusion(["a", "a", "b"], ["a", "b", "b"])
    assert counts.to_numpy().tolist() == [[1, 1], [0, 1]]
    change = plot.confusion(["a", "a", "b"], ["a", "a", "b"], against=["a", "b", "b"])
    assert change.to_numpy().tolist() == [[1, -1], [0, 0]]


def test_gallery_needs_a_caption_for_each_picture():
    pictures = [np.zeros((4, 4, 3), np.uint8)] * 3
    assert len(plot.gallery(pictures, ["a", "b", "c"], columns=2)) == 3
    with pytest.raises(ValueError, match="3 images and 1 captions"):
        plot.gallery(pictures, ["a"])


def test_edges_are_drawn_along_the_edge():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 32:] = 255  # one upright edge
    ax = plot.orientations(picture, plt.subplots()[1])
    (lines,) = ax.collections
    strongest = np.argsort(lines.get_alpha())[-8:]
    for (x0, y0), (x1, y1) in np.array(lines.get_segments())[strongest]:
        assert abs(y1 - y0) > 5 * abs(x1 - x0)


def test_whiskers_are_one_standard_error():
    table = pd.DataFrame({"accuracy": [0.5], "se": [0.1]}, index=["image"])
    ax = plot.scores(table, "A finding")
    (whisker,) = ax.containers[0].lines[2][0].get_segments()
    assert np.allclose(whisker[:, 0], [0.4, 0.6])


def test_a_slanting_edge_is_drawn_where_and_how_it_slants():
    picture = np.zeros((64, 64, 3), np.uint8)
    for row in range(32):
        picture[row, : 31 - row] = 255  # the corner above and to the left
    ax = plot.orientations(picture, plt.subplots()[1])
    (lines,) = ax.collections
    for (x0, y0), (x1, y1) in np.array(lines.get_segments())[np.argsort(lines.get_alpha())[-3:]]:
        assert (x1 - x0) * (y1 - y0) < 0  # upwards to the right; y grows downwards
        assert abs((x0 + x1) / 2 + (y0 + y1) / 2 - 31) < 8


def test_words_that_contain_a_modality_name_none():
    assert plot.color_of("context") == plot.COLORS["none"]
    assert plot.color_of("image texture") == plot.COLORS["image"]


def test_answers_that_are_no_class_are_shown_too():
    counts = plot.confusion(["a", "a", "b"], ["a", "z", "b"])
    assert counts.to_numpy().sum() == 3 and counts.loc["a", "z"] == 1


def test_a_grey_picture_keeps_its_brightness():
    (ax,) = plot.gallery([np.full((4, 4), 200, np.uint8)], ["grey"])
    assert ax.images[0].get_clim() == (0, 255)


def test_progress_counts_in_a_terminal_and_leaves_nothing(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with Progress(2) as progress:
        progress.step("one")
        progress.step("two")
    shown = capsys.readouterr().err
    assert "1 of 2 done: one" in shown and "2 of 2 done: two" in shown and shown.endswith("\r\033[K")


def test_progress_writes_nothing_into_a_log(capsys):
    with Progress(1) as progress:
        progress.step("one")
    assert capsys.readouterr().err == ""


def test_a_sound_installation_passes():
    report = check_installation()
    assert report.passed, report
    assert any(text.startswith("tensorflow ") for _, text in report.lines)


def test_the_installation_check_says_what_is_wrong_in_words(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setattr(
        installation.metadata,
        "requires",
        lambda name: ["no-such-package>=1", "numpy<1", "dask; extra == 'scale'"],
    )
    wrong = [text for mark, text in check_installation().lines if mark == "✗"]
    assert any(text.startswith("no-such-package is missing") for text in wrong)
    assert any("numpy" in text and "does not fit (<1)" in text for text in wrong)
    assert any(text.startswith("KERAS_BACKEND is torch") for text in wrong)
    assert len(wrong) == 3


def test_damaged_data_is_one_line_of_the_installation_check(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "mmtutor.datasets.shipped", lambda *name: (_ for _ in ()).throw(OSError("x is damaged"))
    )
    assert ("✗", "the shipped data: x is damaged") in check_installation().lines


def toy_table():
    X = pd.DataFrame({"image": [[0.0, 1], [1, 0]] * 6, "text": ["a b", "c"] * 6})
    return X, np.array([0, 1] * 6)


def toy_encoders():
    return {"image": FunctionTransformer(np.vstack), "text": CountVectorizer(token_pattern=".")}


def test_the_flow_of_an_early_fusion_names_encoders_and_widths():
    flow = plot.data_flow(fusion.early_fusion(toy_encoders(), LogisticRegression()).fit(*toy_table()))
    assert flow["image"] == ("image", [])
    assert flow["z text"] == ("CountVectorizer\nn x 4", ["text"])
    assert flow["z"] == ("side by side\nn x 6", ["z image", "z text"])
    assert flow["p image + text"][1] == ["z"]


def test_the_flow_of_a_late_fusion_has_a_head_a_modality():
    late = fusion.late_fusion(toy_encoders(), LogisticRegression(), rule="product").fit(*toy_table())
    flow = plot.data_flow(late)
    assert flow["fusion"] == ("LateFusion\nproduct\nn x 2", ["p image", "p text"])
    stacked = fusion.stacked_fusion(toy_encoders(), LogisticRegression(), LogisticRegression(), cv=2)
    flow = plot.data_flow(stacked.fit(*toy_table()))
    assert flow["side by side"] == ("side by side\nn x 4", ["p image", "p text"])
    assert flow["final"][1] == ["side by side"]


def test_the_flow_of_a_network_follows_its_layers():
    keras = import_keras()
    inputs = [keras.Input((3,), name="image"), keras.Input((5,), name="text")]
    z = keras.layers.Concatenate(name="joint")([keras.layers.Dense(2)(each) for each in inputs])
    flow = plot.data_flow(keras.Model(inputs, keras.layers.Dense(4, name="head")(z)))
    assert flow["text"] == ("text\nn x 5", [])
    assert flow["joint"][0] == "Concatenate\nn x 4" and len(flow["joint"][1]) == 2
    assert flow["head"] == ("Dense\nn x 4", ["joint"])


def test_data_flow_shows_a_network_inside_a_network_as_one_box():
    keras = import_keras()
    inside = keras.Input((5,))
    encoder = keras.Model(inside, keras.layers.Dense(3)(inside), name="encoder")
    one, two = keras.Input((5,), name="one"), keras.Input((5,), name="two")
    z = keras.layers.Concatenate(name="side")([encoder(one), encoder(two)])
    flow = plot.data_flow(keras.Model([one, two], z))
    assert flow["encoder"] == ("Functional\nn x 3", ["one", "two"])
    assert flow["side"] == ("Concatenate\nn x 6", ["encoder", "encoder"])


def test_arrows_of_a_flow_run_from_box_to_box():
    flow = plot.data_flow(fusion.early_fusion(toy_encoders(), LogisticRegression()).fit(*toy_table()))
    ax = plt.gca()
    ax.figure.canvas.draw()
    boxes = [text for text in ax.texts if text.get_text()]
    arrows = [text for text in ax.texts if not text.get_text()]
    drawn = {text.get_text(): text.get_bbox_patch().get_window_extent() for text in boxes}
    ways = [(drawn[flow[b][0]], drawn[text]) for text, before in flow.values() for b in before]
    assert len(arrows) == len(ways) == 5
    for arrow, (start, end) in zip(arrows, ways, strict=True):
        seen = arrow.arrow_patch.get_window_extent()
        assert abs(seen.x0 - start.x1) < 12 and abs(end.x0 - seen.x1) < 12


def test_folds_are_drawn_by_group():
    ax = plot.folds([([0, 2], [1, 3]), ([1, 3], [0, 2])], ["b", "a", "b", "a"], group="voice")
    assert ax.get_xlabel() == "rows, sorted by voice (dark: tested, pale: trained on)"
    assert ax.images[0].get_array().tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]
    assert len(ax.collections[0].get_segments()) == 1  # one line between the two groups


# The package as a whole


def test_importing_the_package_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys, time; start = time.perf_counter(); import mmtutor; "
        "print(time.perf_counter() - start, *sys.modules)"
    )
    seconds, *modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert float(seconds) < 0.3
    assert not {"numpy", "pandas", "sklearn", "tensorflow", "cv2", "librosa"} & set(modules)


def test_the_package_stays_thin():
    lines = {path: code_lines(path) for path in PACKAGE.rglob("*.py")}
    assert sum(lines.values()) < 3500
    assert max(lines.values()) <= 300, max(lines, key=lines.get)


def code_lines(path: Path) -> int:
    """Lines with code on them: no blank lines, comments or docstrings."""
    source = path.read_text("utf-8")
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    nothing = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return len(
        {n for t in tokens if t.type not in nothing for n in range(t.start[0], t.end[0] + 1)} - docstrings
    )


def public():
    for module in MODULES:
        for name, thing in vars(module).items():
            ours = not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
            if ours and (inspect.isfunction(thing) or inspect.isclass(thing)):
                yield pytest.param(thing, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize("thing", list(public()))
def test_everything_public_says_what_it_does(thing):
    assert inspect.getdoc(thing), f"{thing} has no docstring"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_in_docstrings_are_right(module):
    import doctest

    assert doctest.testmod(module).failed == 0
