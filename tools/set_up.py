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

import contextlib
import hashlib
import os
import re
import shutil
import struct
import subprocess
import sysconfig
import threading
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
librosa.istft(librosa.stft(sound))
"""

# JupyterLab asks about news and updates in a box over the first notebook; the course has no use for either.
LAB_SETTINGS = (
    '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}\n'
)

# What pip says, and what it means; the first pattern that is found counts.
CAUSES = [
    (
        "No space left on device|Disk quota exceeded|not enough space on the disk",
        "The disk is full. Free some space (the course needs about %d GB) and run this again." % GIGABYTES,
    ),
    (
        "DO NOT MATCH THE HASHES",
        "A package was not installed because its file is not the one that requirements.lock names: it was "
        "damaged on its way, or the package index offers another. Empty pip's cache (python -m pip cache "
        "purge) and run this again; if that does not help, use another network or index.",
    ),
    (
        "Permission denied|Operation not permitted|Access is denied|used by another process",
        "A file in .venv could not be changed. Close JupyterLab and whatever else uses it, and run this "
        "again; if that does not help, delete the folder .venv first.",
    ),
    (
        "Windows Long Path",
        "The path of this folder is too long for Windows. Move the folder nearer to the drive's root, "
        "C:\\mmtutor for instance, and run this again.",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "The package index has a certificate that is not known here. If you are behind a proxy that opens "
        "connections, name the proxy's certificate: python -m pip config set global.cert FILE.",
    ),
    (
        "connection broken by|Failed to establish a new connection|Connection(Reset|Aborted|Refused)?Error"
        "|[Tt]imed out|Incomplete(Read|Download)|ProxyError|Network is unreachable",
        "The package index could not be reached. Look at the network connection (or the proxy: the variable "
        "HTTPS_PROXY) and run this again; what pip has in its cache is not downloaded twice.",
    ),
    (
        r"No matching distribution found for (\S+)",
        "The package index offers no <package> for this computer. If pip is set to use a mirror (python -m "
        "pip config list), the mirror may be out of date; otherwise see README.md, Other ways in.",
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
        "writable": os.access(VENV if VENV.exists() else ROOT, os.W_OK),
        "missing": 1 - installed() / len(pins()),
    }


def obstacle(system, processor, bits, musl, modules, writable, free, missing):
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
            "TensorFlow has no package for this computer (%s), only for Linux with glibc, Apple silicon and "
            "64-bit Windows. Use a hosted Jupyter, or read the book: README.md, Other ways in." % found
        )
    if len(modules) < 2:
        return (
            "This Python cannot make environments: its module venv or ensurepip is missing. "
            "On Debian and Ubuntu: sudo apt install python%d.%d-venv; then run this again."
            % sys.version_info[:2]
        )
    if not writable:
        return "You may not write to %s. Copy the course to a folder of your own and run this there." % ROOT
    if free < missing * GIGABYTES * 1e9:
        return "The course needs about %d GB of disk while it is set up; %s has only %.1f GB free." % (
            GIGABYTES,
            ROOT,
            free / 1e9,
        )
    return None


def set_up():
    print("Setting up the course in .venv: once, a few minutes.", flush=True)
    STAMP.unlink(missing_ok=True)
    # As Python's own venv does: the Python that .venv is made from, also where .venv's Python runs this.
    make = [sys._base_executable, "-m", "venv", VENV]
    if has_working_pip():
        make.append("--without-pip")  # only write anew what names the folder's place
        forget_half_installed()
    else:
        shutil.rmtree(VENV, ignore_errors=True)
    shutil.rmtree(VENV / "tmp", ignore_errors=True)
    run("environment", make)
    run(
        "packages",
        pip("--require-hashes", "--only-binary=:all:", "--progress-bar=off", "-r", LOCK),
        count_packages,
    )
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


def forget_half_installed():
    """Let pip install again what it was stopped in: a package without RECORD, which pip writes last."""
    for package in PACKAGES.glob("*.dist-info"):
        if not (package / "RECORD").exists():
            shutil.rmtree(package)


def pip(*arguments):
    command = [PYTHON, "-m", "pip", "--no-input", "--disable-pip-version-check", "install", "--no-deps"]
    return command + list(arguments)


def environment():
    """The environment of every process started here: the user's, without what would lead pip out of .venv."""
    env = dict(os.environ)
    for name in (
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_REQUIRE_VIRTUALENV",
    ):
        env.pop(name, None)
    env["PIP_USER"] = "0"  # not only absent: pip's configuration file may say otherwise
    env["PYTHONUNBUFFERED"] = "1"
    env["TF_CPP_MIN_LOG_LEVEL"] = "2"
    env.setdefault("PIP_RETRIES", "2")  # without a network, say so in seconds rather than minutes
    env.setdefault("PIP_DEFAULT_TIMEOUT", "15")
    for name in ("TMPDIR", "TEMP", "TMP"):  # a small /tmp does not hold the downloads
        env[name] = str(VENV / "tmp")
    return env


def run(what, command, progress=lambda said: ""):
    """Run a step, show how it gets on, and turn a failure into CannotSetUp."""
    (VENV / "tmp").mkdir(parents=True, exist_ok=True)
    shown, said = Progress(what), ["== %s ==\n" % what]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    listener = threading.Thread(target=listen, args=(process.stdout, said), daemon=True)
    listener.start()
    try:
        while listener.is_alive():
            shown.update(progress("".join(said)))
            listener.join(0.2)
    except KeyboardInterrupt:
        process.terminate()
        raise
    finally:
        shown.end()
    if process.wait():
        words = explain("".join(said)) or "%s: %s" % (what, said[-1].strip())
        raise CannotSetUp("%s\n(More in %s)" % (words, LOG))


def listen(stream, said):
    """Collect the lines of a stream, and keep them in the log as long as the disk has room for it."""
    with LOG.open("ab", buffering=0) as log:
        log.write(said[0].encode())
        for line in stream:
            said.append(line)
            with contextlib.suppress(OSError):
                log.write(line.encode())


def explain(said):
    """Say in words what made pip fail, or return None where this is something new."""
    for pattern, words in CAUSES:
        found = re.search(pattern, said)
        if found:
            return words.replace("<package>", found.group(found.lastindex or 0))
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
    """One line that changes, on a terminal; elsewhere a line every 15 seconds."""

    def __init__(self, what):
        self.what, self.began, self.line, self.shown = what, time.monotonic(), "", 0
        self.terminal = sys.stdout.isatty()

    def update(self, detail):
        seconds = int(time.monotonic() - self.began)
        line = "  %s %d:%02d  %s" % ((self.what,) + divmod(seconds, 60) + (detail,))
        if self.terminal and line != self.line:
            width = shutil.get_terminal_size().columns - 1
            print("\r" + line[:width].ljust(width), end="", flush=True)
            self.line = line
        elif not self.terminal and seconds >= self.shown + 15:
            print(line, flush=True)
            self.shown = seconds

    def end(self):
        if self.terminal:
            print()


if __name__ == "__main__":
    main()
