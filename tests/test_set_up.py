"""Set-up answers every usual trouble with one message that says what is wrong and how to cure it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import set_up

ROOT = Path(__file__).parents[1]
SET_UP = ROOT / "tools" / "set_up.py"
GOOD = {
    "system": "Linux",
    "processor": "x86_64",
    "bits": 64,
    "musl": False,
    "modules": ["venv", "ensurepip"],
    "writable": True,
    "free": 10e9,
    "missing": 1,
}


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)


def old_pythons():
    """Pythons on the PATH that the course does not support; more may be named in MMTUTOR_OLD_PYTHONS."""
    names = os.environ.get("MMTUTOR_OLD_PYTHONS", "").split(os.pathsep)
    names += ["python2.7", "python3.6", "python3.8", "python3.9", "python3.10", "python3.14"]
    question = "import sys; sys.exit((3, 11) <= sys.version_info[:2] < (3, 14))"
    found = [path for path in map(shutil.which, filter(None, names)) if path]
    return [path for path in found if run(path, "-c", question).returncode == 0]


def test_an_unsupported_python_is_told_which_is_needed():
    pythons = old_pythons()
    if not pythons:
        pytest.skip("no unsupported Python here; name some in MMTUTOR_OLD_PYTHONS")
    for python in pythons:
        said = run(python, "-E", SET_UP)  # without the settings of the tests, which are for this Python
        assert said.returncode == 1
        assert said.stdout == ""
        assert said.stderr.startswith("The course needs Python 3.11, 3.12 or 3.13, but this is Python ")
        assert said.stderr.count("\n") == 1


def test_set_up_has_only_syntax_that_old_pythons_have():
    ascii_only = SET_UP.read_bytes()
    assert ascii_only.isascii()
    assert not any(new in ascii_only for new in (b' f"', b'(f"', b" -> ", b":=", b"nonlocal"))


@pytest.mark.skipif(not shutil.which("make") or os.name == "nt", reason="needs make and a shell")
def test_without_any_python_make_says_so(tmp_path):
    course = tmp_path / "a folder with spaces"
    (course / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", course)
    empty = tmp_path / "empty"
    empty.mkdir()
    said = run(shutil.which("make"), "setup", cwd=course, env={"PATH": str(empty)})
    assert said.returncode
    assert "No Python was found. Install Python 3.12" in said.stderr


@pytest.mark.skipif(not shutil.which("make") or os.name == "nt", reason="needs make and a shell")
def test_make_alone_lists_the_commands():
    said = run(shutil.which("make"), cwd=ROOT)
    assert said.returncode == 0
    commands = [line.split()[1] for line in said.stdout.splitlines()]
    assert {"lab", "test", "lint", "book", "notebooks", "experiments", "bench", "classroom", "clean"} < set(
        commands
    )


def test_nothing_stands_in_the_way_on_a_good_computer():
    assert set_up.obstacle(**GOOD) is None
    assert set_up.obstacle(**GOOD | {"system": "Darwin", "processor": "arm64"}) is None
    assert set_up.obstacle(**GOOD | {"system": "Windows", "processor": "AMD64"}) is None


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"bits": 32}, "Install 64-bit Python"),
        ({"musl": True}, "Linux on x86_64 with musl"),
        ({"system": "Darwin"}, "an Intel Mac"),
        ({"system": "Windows", "processor": "ARM64"}, "Windows on ARM64"),
        ({"modules": ["venv"]}, f"python3.{sys.version_info[1]}-venv"),
        ({"writable": False}, "You may not write to"),
        ({"free": 1.2e9}, "has only 1.2 GB free"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_what_stands_in_the_way_is_said_before_any_download(trouble, words):
    assert words in set_up.obstacle(**GOOD | trouble)


def test_little_disk_is_enough_when_little_is_missing():
    assert set_up.obstacle(**GOOD | {"free": 1.2e9, "missing": 0.01}) is None


# What pip says in each of these situations, shortened.
NOTHING_FOUND = "ERROR: No matching distribution found for tensorflow==2.21.0"
SAID = {
    "The disk is full": (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    ),
    "A package was not installed because its file": (
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated\n"
        "    absl-py==2.5.1 from https://example.org/absl_py-2.5.1-py3-none-any.whl:\n"
        "        Expected sha256 0000"
    ),
    "The package index could not be reached": (
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<pip"
        "._vendor.urllib3.connection.HTTPSConnection object at 0x7fa4>: Failed to establish a new "
        "connection: [Errno -3] Temporary failure in name resolution')': /simple/tensorflow/\n"
        + NOTHING_FOUND
    ),
    "The package index offers no tensorflow==2.21.0 for this computer": (
        "ERROR: Could not find a version that satisfies the requirement tensorflow==2.21.0 (from versions: "
        "2.19.0)\n" + NOTHING_FOUND
    ),
    "The package index has a certificate that is not known here": (
        "Could not fetch URL https://example.org/simple/tensorflow/: There was a problem confirming the ssl "
        "certificate: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed - skipping\n" + NOTHING_FOUND
    ),
    "A file in .venv could not be changed": (
        "ERROR: Could not install packages due to an OSError: [WinError 5] Access is denied: 'C:\\.venv'"
    ),
}


@pytest.mark.parametrize("words", SAID)
def test_what_pip_says_is_explained(words):
    assert set_up.explain(SAID[words]).startswith(words)


def test_what_is_not_known_is_not_explained():
    assert set_up.explain("ERROR: something new") is None


def test_the_log_tells_how_far_pip_is(monkeypatch):
    monkeypatch.setattr(set_up, "pins", lambda: ["a==1", "b==1", "c==1", "d==1"])
    said = "== packages ==\nIgnoring d: markers don't match\nCollecting a==1\n  Downloading a-1.whl (12 kB)\n"
    assert set_up.count_packages(said) == "fetched 1 of 3 a (12 kB)"
    monkeypatch.setattr(set_up, "installed", lambda: 2)
    assert set_up.count_packages(said + "Installing collected packages: a, b\n") == "unpacked 2 of 3"


def test_what_is_ready_is_left_alone(tmp_path, monkeypatch):
    stamp = tmp_path / "mmtutor-ready"
    monkeypatch.setattr(set_up, "STAMP", stamp)
    assert not set_up.is_ready()
    stamp.write_text(set_up.fingerprint(), "utf-8")
    assert set_up.is_ready()
    monkeypatch.setattr(set_up, "ROOT", tmp_path)  # the folder was moved
    (tmp_path / "pyproject.toml").write_text("")
    assert not set_up.is_ready()


def test_a_package_that_was_half_installed_is_installed_again(tmp_path, monkeypatch):
    monkeypatch.setattr(set_up, "PACKAGES", tmp_path)
    for name in ("whole-1", "half-1"):
        (tmp_path / f"{name}.dist-info").mkdir()
    (tmp_path / "whole-1.dist-info" / "RECORD").touch()
    set_up.forget_half_installed()
    assert [path.name for path in tmp_path.iterdir()] == ["whole-1.dist-info"]


def test_a_step_that_fails_says_why_and_keeps_its_words(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(set_up, "VENV", tmp_path)
    monkeypatch.setattr(set_up, "LOG", tmp_path / "set_up.log")
    program = "print('ERROR: [Errno 28] No space left on device'); raise SystemExit(1)"
    with pytest.raises(set_up.CannotSetUp, match=r"The disk is full[^\n]*\n\(More in .*set_up.log\)"):
        set_up.run("packages", [sys.executable, "-c", program])
    assert "Errno 28" in (tmp_path / "set_up.log").read_text("utf-8")


def test_what_leads_pip_elsewhere_is_kept_from_it(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("PIP_TARGET", "elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "the user's own")
    environment = set_up.environment()
    assert not {"PYTHONPATH", "PIP_TARGET"} & set(environment)
    assert environment["PIP_INDEX_URL"] == "the user's own"
