"""What a maintainer may rely on: notebooks and tables change only when something in them has changed."""

import re

import nbformat
import pandas as pd
import pytest

import bench
import execute
import experiments
import kernels
from chapters import PATHS
from normalize import WIDGET, normalize

code, markdown = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell


@pytest.fixture
def save(tmp_path):
    """A function that writes cells as a notebook and returns its path."""

    def save(*cells, name="00_tiny.ipynb"):
        path = tmp_path / name
        nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
        return path

    return save


# execute


def test_executing_twice_changes_no_byte(save):
    path = save(
        markdown("# Try"),
        code("class Thing: pass\nprint(Thing())\nThing"),
        code("import time\nprint(f'score 0.68, {time.perf_counter() % 10:.6f} s')"),
        code("import warnings, os\nprint(warnings.__file__); print(os.getcwd() != '')"),
        code("from IPython.display import HTML, display\nline = display(HTML('x'), display_id=True)"),
        code("line.update(HTML(''))"),
    )
    execute.execute(path)
    first = path.read_bytes()
    execute.execute(path)
    assert path.read_bytes() == first
    assert execute.differences(path) == []


def test_a_number_that_changed_is_never_kept_with_old_seconds(save):
    path = save(code("import time\nprint(f'score 0.68, {time.perf_counter() % 10:.6f} s')"))
    execute.execute(path)
    before = kernels.read(path).cells[0].outputs[0].text
    nb = kernels.read(path)
    nb.cells[0].source = nb.cells[0].source.replace("0.68", "0.70")
    kernels.write(nb, path)
    execute.execute(path)
    after = kernels.read(path).cells[0].outputs[0].text
    assert after.startswith("score 0.70") and after[11:] != before[11:]


FAILURES = {
    "an error": "1 / 0",
    "a warning": "import warnings\nwarnings.warn('oh')",
    "a dead kernel": "import os\nos._exit(1)",
}


@pytest.mark.parametrize("source", FAILURES.values(), ids=FAILURES)
def test_a_cell_that_fails_leaves_the_file_as_it_was(save, source):
    path = save(code("1"), markdown("Prose"), code(source))
    before = path.read_bytes()
    with pytest.raises(kernels.CellFailed, match=r"00_tiny\.ipynb, cell 3 \("):
        execute.execute(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_notebook_runs_in_its_own_folder(save):
    path = save(code("from pathlib import Path\nprint([p.name for p in Path().glob('*.ipynb')])"))
    execute.execute(path)
    assert kernels.read(path).cells[0].outputs[0].text == "['00_tiny.ipynb']\n"


# normalize


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_normalizing_again_changes_nothing(path):
    once = normalize(kernels.read(path))
    assert normalize(once) == once


def test_chosen_ids_stay_and_random_ones_become_stable():
    def ids():
        nb = nbformat.v4.new_notebook(cells=[code("1", id="my-name"), code("1"), code("1")])
        return [cell.id for cell in normalize(nb).cells]

    assert ids() == ids()
    assert ids()[0] == "my-name"
    assert len(set(ids())) == 3


def test_what_differs_between_runs_and_machines_is_left_out():
    data = {WIDGET: {"model_id": "x"}, "text/plain": "interactive()"}
    root, home = kernels.ROOT, kernels.Path.home()
    text = f"<Thing at 0x7f12ab34cd56> {root}/mmtutor/data {home}/x /tmp/ipykernel_12/34.py:5: T_a1b2c_row0"
    cell = code(
        "x",
        metadata={"execution": {"iopub.execute_input": "now"}, "collapsed": True, "tags": ["hide-input"]},
        execution_count=17,
        outputs=[
            nbformat.v4.new_output("display_data", data=data),
            nbformat.v4.new_output("display_data", data={"text/html": "", "text/plain": "<HTML>"}),
            nbformat.v4.new_output("stream", text=text),
        ],
    )
    nb = nbformat.v4.new_notebook(cells=[cell])
    nb.metadata = nbformat.from_dict(
        {"widgets": {}, "language_info": {"name": "python", "version": "3.11.7"}}
    )
    normal = normalize(nb)
    assert "widgets" not in normal.metadata
    assert "version" not in normal.metadata.language_info
    assert normal.cells[0].metadata == {"tags": ["hide-input"]}
    assert normal.cells[0].execution_count == 1
    (output,) = normal.cells[0].outputs
    assert output.text == "<Thing> mmtutor/data ~/x <cell>:5: T_00000_row0"


# bench


def test_bench_prints_a_row_a_notebook_and_judges_no_clock(save, capsys):
    paths = [save(code("import time\ntime.sleep(0.3)\nx = bytearray(50_000_000)"), name="99_tiny.ipynb")]
    assert bench.main(paths) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in rows] == ["99_tiny", "median", "total"]
    seconds, megabytes = re.search(r"(\d+\.\d) s .* (\d+) MB", rows[0]).groups()
    assert float(seconds) >= 0.3
    assert int(megabytes) >= 50


def test_bench_fails_where_a_notebook_fails(save, capsys):
    assert bench.main([save(code("1 / 0"))]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out


# experiments

SCRIPT = """
import pandas as pd
import time

def run():
    seconds = time.perf_counter()
    return pd.DataFrame({"method": ["image", "text"], "accuracy": [1 / 3, 0.5], "seconds": seconds})
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "01_toy.py"
    path.write_text(SCRIPT)
    return path


def test_a_table_says_where_it_comes_from(script, tmp_path):
    experiments.compute(script, tmp_path)
    path = tmp_path / "01_toy.csv"
    lines = path.read_text().splitlines()
    assert lines[0] == f"# script: tools/experiments/01_toy.py sha256={experiments.sha256(script)}"
    assert re.fullmatch(r"# date: \d{4}-\d\d-\d\d", lines[1])
    assert re.match(r"# versions: python 3\.\d+\.\d+, .*pandas \d", lines[2])
    table = pd.read_csv(path, comment="#")
    assert table["accuracy"].tolist() == [0.3333, 0.5]


def test_an_unchanged_experiment_leaves_its_table_alone(script, tmp_path):
    experiments.compute(script, tmp_path)
    path = tmp_path / "01_toy.csv"
    path.write_text(re.sub(r"# date: \S+", "# date: 2001-01-01", path.read_text()))
    before = path.read_text()
    assert experiments.compute(script, tmp_path) == "01_toy.csv: unchanged"
    assert path.read_text() == before


@pytest.mark.parametrize("change", [("0.5", "0.6"), ("import time", "import time  # same numbers")])
def test_a_changed_script_makes_its_table_stale_until_it_is_run(script, tmp_path, change):
    experiments.compute(script, tmp_path)
    path = tmp_path / "01_toy.csv"
    assert not experiments.stale(path, scripts=tmp_path)
    script.write_text(SCRIPT.replace(*change))
    assert experiments.stale(path, scripts=tmp_path)
    assert experiments.compute(script, tmp_path) == "01_toy.csv: written"
    assert not experiments.stale(path, scripts=tmp_path)


@pytest.mark.parametrize("path", sorted(experiments.RESULTS.glob("*.csv")), ids=lambda path: path.stem)
def test_no_committed_table_is_older_than_its_script(path):
    assert not experiments.stale(path), f"run: make experiments ({path.stem})"


@pytest.mark.parametrize("script", sorted(experiments.SCRIPTS.glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_every_experiment_has_its_table(script):
    assert (experiments.RESULTS / f"{script.stem}.csv").exists(), f"run: make experiments ({script.stem})"
