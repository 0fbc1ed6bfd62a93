"""Make the folder .venv and install everything that the course needs into it; `make lab` calls this first.

    python tools/set_up.py        on Windows: py tools\\set_up.py

What is ready is left alone, at once and without a word. What is half-made, moved or out of date is brought in
order. Whatever goes wrong ends in one message that says what and how to cure it; pip's own words are kept in
.venv/set_up.log.

Every Python since 2.7 can read this file, so that an old one can say which is needed.
"""

from __future__ import print_function

import sys

if not (3, 11) <= sys.version_info[:2] < (3, 14):
    sys.exit(
        "The course needs Python 3.11, 3.12 or 3.13, but this is Python %d.%d.%d (%s). "
        "Install one of them (python.org/downloads) and name it: make lab PYTHON=python3.12 "
        "(on Windows: py -3.12 tools\\set_up.py)." % (tuple(sys.version_info[:3]) + (sys.executable,))
    )

import hashlib
import os
import re
import shutil
import struct
import subprocess
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PACKAGES = Path(sysconfig.get_path("purelib", "venv", {"base": str(VENV)}))
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "mmtutor-ready"
LOG = VENV / "set_up.log"

GIGABYTES = 5  # at the worst moment: the packages, the downloads they come from, and pip's cache of these

# TensorFlow has wheels for these: (operating system, processor) as `platform` names them.
SUPPORTED = {
    ("Linux", "x86_64"),
    ("Linux", "aarch64"),
    ("Darwin", "arm64"),
    ("Windows", "AMD64"),
}

# What compiles or collects something at its first use does it now rather than in the first chapter.
WARM_UP = """
import librosa, matplotlib.pyplot, numpy, tensorflow
noise = numpy.random.default_rng(0).normal(size=16000).astype("float32")
sound, _ = librosa.effects.trim(librosa.resample(noise, orig_sr=16000, target_sr=8000))
librosa.feature.melspectrogram(y=sound, sr=8000)
librosa.feature.mfcc(y=sound, sr=8000)
"""

# JupyterLab asks about news and updates in a box over the first notebook; the course has no use for either.
LAB_SETTINGS = (
    '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}\n'
)

# The first pattern that is found in what pip said tells what happened.
CAUSES = [
    (
        "No space left on device|Disk quota exceeded|not enough space on the disk",
        "The disk is full. Free some space (about %d GB in all) and run this again." % GIGABYTES,
    ),
    (
        "DO NOT MATCH THE HASHES",
        "A downloaded package is not the one that requirements.lock names, so it was not installed: it was "
        "damaged on its way, or the package index offers another file. Empty pip's cache (python -m pip cache "
        "purge) and run this again; if that does not help, use another network or index.",
    ),
    (
        "Permission denied|Read-only file system|Operation not permitted|Access is denied",
        "A file could not be written. Close every program that uses the course's folder, copy the folder to "
        "a place of your own if it is not yours, and run this again.",
    ),
    (
        "Windows Long Path",
        "The path of this folder is too long for Windows. Move the folder nearer to the drive's root (C:\\mmtutor) "
        "and run this again.",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "The package index could not be trusted: its certificate is not known here. Behind a proxy that opens "
        "connections, tell pip about its certificate (python -m pip config set global.cert FILE).",
    ),
    (
        "connection broken by|Failed to establish a new connection|Connection(Reset|Aborted|Refused)?Error"
        "|[Tt]imed out|Incomplete(Read|Download)|ProxyError|Network is unreachable",
        "The package index could not be reached. Look at the network connection (and the proxy, if you need one: "
        "the variable HTTPS_PROXY) and run this again; what has been downloaded is not downloaded twice.",
    ),
    (
        r"No matching distribution found for (\S+)",
        r"The package index offers no \1 for this computer. If pip is set to use a mirror (python -m pip config "
        "list), it may lack a recent package or be out of date; otherwise see README.md, Other ways in.",
    ),
]


class CannotSetUp(Exception):
    """Says in words what is wrong and what to do."""


def main():
    if is_ready():
        return
    try:
        wrong = obstacle(**this_computer())
        if wrong:
            raise CannotSetUp(wrong)
        set_up()
    except CannotSetUp as problem:
        sys.exit("\n%s" % problem)
    except OSError as error:
        sys.exit("\n%s" % (explain(str(error)) or error))
    except KeyboardInterrupt:
        sys.exit("\nStopped. The next run goes on where this one stopped.")


def is_ready():
    return PYTHON.exists() and STAMP.is_file() and STAMP.read_text("utf-8") == fingerprint()


def fingerprint():
    """Changes with what is to be installed, with how, with the folder's place and with Python's version."""
    content = [path.read_bytes() for path in (LOCK, ROOT / "pyproject.toml", Path(__file__))]
    return hashlib.sha256(b"\0".join(content) + repr((str(ROOT), sys.version_info[:2])).encode()).hexdigest()


def this_computer():
    """Look up what `obstacle` judges."""
    import importlib.util
    import platform

    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "bits": 8 * struct.calcsize("P"),
        "musl": "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or ""),
        "modules": [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name)],
        "free": shutil.disk_usage(ROOT).free,
        "missing": 1 - installed() / len(pins()),
    }


def obstacle(system, processor, bits, musl, modules, free, missing):
    """Say what stands in the way of an installation, if anything does, before anything is downloaded.

    `free` is in bytes; `missing` is the share of the packages that are not installed yet.
    """
    if bits != 64:
        return "This Python is a 32-bit one; TensorFlow exists only for 64 bits. Install 64-bit Python 3.12."
    if (system, processor) not in SUPPORTED or musl:
        found = "%s on %s%s" % (system, processor, " with musl" if musl else "")
        if (system, processor) == ("Darwin", "x86_64"):
            found = "an Intel Mac, or a Python for one"
        return (
            "TensorFlow has no package for this computer (%s), only for Linux with glibc, for Apple silicon and for "
            "64-bit Windows. Read the book, or use a hosted Jupyter: README.md, Other ways in." % found
        )
    if len(modules) < 2:
        return (
            "This Python cannot make environments: its module venv or ensurepip is missing. On Debian and Ubuntu: "
            "sudo apt install python%d.%d-venv; then run this again." % sys.version_info[:2]
        )
    if free < missing * GIGABYTES * 1e9:
        return "The course needs about %d GB of disk while it is set up; %s has only %.1f GB free." % (
            GIGABYTES,
            ROOT,
            free / 1e9,
        )
    return None


def set_up():
    print("Setting up the course in .venv; this is done once and takes some minutes, most of it download.")
    STAMP.unlink(missing_ok=True)
    # `_base_executable`, as in Python's own venv: where this Python is that of .venv, the one it was made from.
    make = [sys._base_executable, "-m", "venv", VENV]
    if has_working_pip():
        make.append("--without-pip")  # only write anew what names the folder's place
    else:
        shutil.rmtree(VENV, ignore_errors=True)
    run("environment", make)
    run("packages", pip("--require-hashes", "--only-binary=:all:", "--progress-bar=off", "-r", LOCK), count_packages)
    run("the course's own package", pip("--no-build-isolation", "--editable", ROOT))
    run("first start of the larger packages", [PYTHON, "-c", WARM_UP])
    settings = VENV / "share/jupyter/lab/settings/overrides.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(LAB_SETTINGS, "utf-8")
    shutil.rmtree(VENV / "tmp")
    STAMP.write_text(fingerprint(), "utf-8")
    print("Ready.")


def has_working_pip():
    """Tell whether .venv has a pip that runs, with the version of Python that is asked for."""
    ask = "import pip, sys; sys.exit(sys.version_info[:2] != %r)" % (sys.version_info[:2],)
    try:
        return subprocess.run([PYTHON, "-c", ask], env=environment(), capture_output=True).returncode == 0
    except OSError:
        return False


def pip(*arguments):
    return [PYTHON, "-m", "pip", "--no-input", "--disable-pip-version-check", "install", "--no-deps"] + list(arguments)


def environment():
    """The environment of every process started here: the user's, without what would lead pip out of .venv."""
    env = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV"):
        env.pop(name, None)
    env["PIP_USER"] = "0"  # not only absent: pip's configuration file may say otherwise
    env["PYTHONUNBUFFERED"] = "1"
    env["TF_CPP_MIN_LOG_LEVEL"] = "2"
    env.setdefault("PIP_RETRIES", "2")  # without a network, say so in seconds rather than minutes
    env.setdefault("PIP_DEFAULT_TIMEOUT", "15")
    for name in ("TMPDIR", "TEMP", "TMP"):  # a small /tmp does not hold the downloads
        env[name] = str(VENV / "tmp")
    return env


def run(what, command, progress=lambda log: ""):
    """Run a step, show how it gets on, and turn a failure into CannotSetUp. Its output goes to the log."""
    (VENV / "tmp").mkdir(parents=True, exist_ok=True)
    with LOG.open("a+b") as log:
        log.write(("\n== %s ==\n" % what).encode())
        log.flush()
        start, shown = log.tell(), Progress(what)
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                shown.update(progress(said_since(start)))
                time.sleep(0.2)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        shown.end()
    if process.returncode:
        said = said_since(start)
        last = (said.strip().splitlines() or ["it said nothing"])[-1]
        raise CannotSetUp("%s\n(More in %s)" % (explain(said) or "%s: %s" % (what, last), LOG))


def said_since(start):
    with LOG.open("rb") as log:
        log.seek(start)
        return log.read().decode("utf-8", "replace")


def explain(said):
    """Say in words what made pip fail, or return None where this is something new."""
    for pattern, words in CAUSES:
        found = re.search(pattern, said)
        if found:
            return found.expand(words) if found.groups() and r"\1" in words else words
    return None


def pins():
    """The lock's lines that name a package."""
    return re.findall(r"^\S+==\S+", LOCK.read_text("utf-8"), re.M)


def installed():
    return sum(1 for _ in PACKAGES.glob("*.dist-info"))


def count_packages(log):
    """Say how far pip is, from what it has said."""
    total = len(pins()) - log.count("\nIgnoring ")
    if "\nInstalling collected packages" in log:
        return "unpacked %d of %d" % (min(installed(), total), total)
    done = len(re.findall("^(Collecting|Requirement already satisfied)", log, re.M))
    name = re.findall(r"^Collecting ([\w.-]+)", log, re.M)[-1:]
    size = re.findall(r"^  Downloading .* (\(.*\))$", log, re.M)[-1:]
    return " ".join(["fetched %d of %d" % (done, total)] + name + size)


class Progress:
    """One line that changes on a terminal; elsewhere a line now and then."""

    def __init__(self, what):
        self.what, self.began, self.shown = what, time.monotonic(), 0
        self.every = 0 if sys.stdout.isatty() else 15

    def update(self, detail):
        seconds = int(time.monotonic() - self.began)
        line = "  %s %d:%02d  %s" % ((self.what,) + divmod(seconds, 60) + (detail,))
        if not self.every:
            width = shutil.get_terminal_size().columns - 1
            print("\r%s" % line[:width].ljust(width), end="", flush=True)
        elif seconds - self.shown >= self.every:
            self.shown = seconds
            print(line, flush=True)

    def end(self):
        if not self.every:
            print()


if __name__ == "__main__":
    main()
