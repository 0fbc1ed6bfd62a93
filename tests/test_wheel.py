"""What people install: a wheel, built from this folder, used from another place."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# The unit tests that read shipped data and never look into this folder's mmtutor/.
UNIT_TESTS = (
    "test_datasets.py",
    "test_encoder.py",
    "test_image.py",
    "test_table.py",
    "test_text_and_audio.py",
)


def run(command: list, folder: Path, site: Path | None = None) -> str:
    """Run Python elsewhere, with the installed wheel in place of this folder's package."""
    env = {**os.environ, "MMTUTOR_CACHE": str(folder / "cache")}
    if site is not None:
        env["PYTHONPATH"] = os.pathsep.join([str(site), *filter(None, [env.get("PYTHONPATH")])])
    done = subprocess.run([sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy: setuptools leaves folders behind."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE", "DATA_LICENSES.md"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "mmtutor", source / "mmtutor", ignore=shutil.ignore_patterns("__pycache__"))
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet"]
    run(["-m", "pip", "wheel", *offline, "--wheel-dir", target, source], target)
    [wheel] = target.glob("mmtutor-*.whl")
    return wheel


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    run(["-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", site, wheel], site)
    return site


def test_the_wheel_holds_every_module_every_shipped_file_and_the_licenses(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    files = [path for path in (ROOT / "mmtutor").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {path.relative_to(ROOT).as_posix() for path in files} <= inside
    assert any(name.endswith("licenses/DATA_LICENSES.md") for name in inside)
    assert wheel.stat().st_size < 25e6


def test_the_wheel_works_from_an_empty_folder(site, tmp_path):
    program = """
import pathlib, mmtutor
from mmtutor.datasets import load_emoji, load_spoken_digit, load_trimodal_digits
print(pathlib.Path(mmtutor.__file__).parent.parent)
print(load_emoji(vendor="twemoji", language="zh").X.shape)
print(load_spoken_digit(3).sound.dtype)
print(load_trimodal_digits("test", n_samples=20).X.shape)
"""
    where, *rest = run(["-c", program], tmp_path, site).splitlines()
    assert Path(where) == site
    assert rest == ["(1378, 2)", "float32", "(20, 3)"]
    assert [path for path in tmp_path.iterdir() if path.name != "cache"] == []


def test_the_unit_tests_pass_against_the_installed_wheel(site, tmp_path):
    for name in ("tests", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    tests = [f"tests/{name}" for name in UNIT_TESTS]
    output = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", *tests], tmp_path, site)
    assert "passed" in output and "failed" not in output
