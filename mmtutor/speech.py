"""Real speech: the Free Spoken Digit Dataset, which is not shipped but downloaded once.

Its license asks that copies are shared alike, so the course ships only the checksums of its recordings.
"""

import os
import tempfile
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
from sklearn.utils import Bunch

from mmtutor import audio
from mmtutor.encoder import cache_folder
from mmtutor.progress import Progress
from mmtutor.table import make_table

COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"  # of 2024-05-02
URL = f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/{COMMIT}.zip"


def load_spoken_digits(path: str | Path | None = None, rate: int = audio.RATE, timeout: float = 30) -> Bunch:
    """Load 3,000 recordings of the ten English digits by six people.

    Parameters
    ----------
    path : str or Path, optional
        A folder with the recordings, or one that holds them in ``recordings``. By default the folder that the
        environment variable MMTUTOR_FSDD names; without it ``fsdd`` in the user's cache folder, which is
        filled by the first call (a download of 17 MB).
    rate : int, default=16000
        Samples a second; the recordings have 8,000 and are resampled. What lies above 4 kHz stays empty.
    timeout : float, default=30
        Seconds that the download waits for an answer, or for the next piece of it, before it gives up.

    Returns
    -------
    Bunch
        X : pd.DataFrame, shape (3000, 1)
            Column ``sound``: float32 arrays in [-1, 1], mono, 0.14 to 2.28 s long; 84 MB at 16 kHz.
        y : int array, shape (3000,)
            The digit, 0-9; 300 recordings each.
        groups, speaker : array of str, shape (3000,)
            Who speaks: george, jackson, lucas, nicolas, theo or yweweler; 500 recordings each.
        index : int array, shape (3000,)
            0-49: which of the speaker's recordings of this digit.
        official : array of str, shape (3000,)
            The authors' split: ``"test"`` for index 0-4 (300 recordings), ``"train"`` for 5-49 (2,700).
        rate : int
        DESCR : str

        Rows are in order of digit, speaker, index.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist or recordings are missing in it; the message counts them.
    OSError
        If recordings are not the ones on the list of checksums; or if there is no copy yet and the download
        fails: the message says from where to where it can be copied by hand.
    ValueError
        If `rate` is not above 0.

    Notes
    -----
    Two splits answer two questions. New recordings of known voices, the official one::

        train, test = speech.official == "train", speech.official == "test"

    New voices, the stricter one, six folds: ``LeaveOneGroupOut().split(speech.X, speech.y, speech.groups)``.

    Every recording is checked by its SHA-256 at each call; other files in the folder are ignored. A download
    that is cut off goes on where it stopped if the server can do that, and shows in the cache folder only
    when it is whole.

    Free Spoken Digit Dataset by Zohar Jackson and others, CC BY-SA 4.0, DOI 10.5281/zenodo.1342401.
    Taught in chapters 7 and 13, used in chapter 6.
    """
    if not rate > 0:
        raise ValueError(f"rate={rate!r} is no number of samples a second; choose 8000 or {audio.RATE}")
    folder, cure = _find(path, timeout)
    _check(folder, str(folder), cure)
    files = [folder / name for name in _sums()]
    digit, speaker, index = np.array([file.stem.split("_") for file in files]).T
    return Bunch(
        X=make_table({"sound": [audio.read(file, rate) for file in files]}),
        y=digit.astype(int),
        groups=speaker,
        speaker=speaker,
        index=index.astype(int),
        official=np.where(index.astype(int) < 5, "test", "train"),
        rate=rate,
        DESCR=(Path(__file__).parent / "data" / "fsdd" / "README.md").read_text("utf-8"),
    )


def _sums() -> dict[str, str]:
    """Name of a recording -> its SHA-256, in order of digit, speaker, index."""
    from mmtutor.datasets import shipped  # which offers this module's loader

    lines = shipped("fsdd", "recordings.sha256").read_text("utf-8").splitlines()
    return {name: found for found, name in map(str.split, lines)}


def _find(path: str | Path | None, timeout: float) -> tuple[Path, str]:
    """The folder with the recordings, filled if it is the cache's, and what to do if it is not in order."""
    named = os.environ.get("MMTUTOR_FSDD") if path is None else path
    if not named:
        folder = cache_folder() / "fsdd"
        if not (folder / "recordings").is_dir():
            _download(folder, timeout)
        return folder / "recordings", "delete this folder and call again: it is downloaded anew"
    folder = Path(named).expanduser()
    cure = f"set {'MMTUTOR_FSDD' if path is None else 'path'} to the unzipped folder of {URL}"
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; {cure}")
    return (folder / "recordings" if (folder / "recordings").is_dir() else folder), cure


def _check(folder: Path, where: str, cure: str) -> None:
    """Compare the recordings of a folder with the list; refuse what is missing or different."""
    import pooch

    sums = _sums()
    missing = [name for name in sums if not (folder / name).is_file()]
    wrong = missing or [name for name in sums if pooch.file_hash(folder / name) != sums[name]]
    if wrong:
        kind, what = (FileNotFoundError, "missing") if missing else (OSError, "not as on the list")
        raise kind(f"{where}: {len(wrong)} recordings {what} ({', '.join(wrong[:3])} …); {cure}")


def _download(folder: Path, timeout: float) -> None:
    """Fill ``folder/recordings``, whole or not at all; several processes may do so at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as own:
            archive, recordings = Path(own) / "archive.zip", Path(own) / "recordings"
            _fetch(archive, folder, timeout)
            _unpack(archive, recordings)
            _check(recordings, "the archive", "nothing of it is kept")
            with suppress(OSError):  # another process was first
                recordings.rename(folder / "recordings")
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise OSError(
            "the Free Spoken Digit Dataset (real speech) is not here, and could not be downloaded: "
            f"{_why(error, timeout)}; get {URL} in a browser, unzip it, and set MMTUTOR_FSDD to its folder; "
            "without it, the chapters show the tables in notebooks/results that were computed from it"
        ) from error


def _fetch(archive: Path, folder: Path, timeout: float) -> None:
    """Download the archive. What has come when that fails is kept in `folder`, and the next call goes on.

    Its name is the server's mark (ETag) for this very file: of another one, a rest would not fit.
    """
    import requests

    tag, start = "", 0
    for kept in folder.glob("*.part"):
        with suppress(FileNotFoundError):  # another process goes on with it
            kept.replace(archive)
            tag, start = unquote(kept.stem), max(archive.stat().st_size - 1, 0)  # a rest of 0 is refused
    headers = {"Accept-Encoding": "identity", "Range": f"bytes={start}-", "If-Range": tag or None}
    try:
        with (
            requests.get(URL, headers=headers, timeout=timeout, stream=True) as response,
            archive.open("ab") as file,
            Progress(17) as progress,  # megabytes: GitHub does not say
        ):
            response.raise_for_status()
            tag = response.headers.get("ETag", "")
            file.truncate(start if response.status_code == 206 else 0)  # 206: the rest follows, 200: all
            for piece in response.iter_content(2**12):
                file.write(piece)
                for _ in range(progress.done, file.tell() // 10**6):
                    progress.step("megabytes of real speech")
    except BaseException:  # an interrupted kernel too
        if tag.startswith('"'):  # a weak mark, W/"…", does not promise the same bytes
            archive.replace(folder / f"{quote(tag, safe='')}.part")
        raise


def _unpack(archive: Path, folder: Path) -> None:
    """Take from the archive what is on the list, by the list's names, and nothing else."""
    folder.mkdir()
    with zipfile.ZipFile(archive) as members:
        for name in _sums():
            inside = f"free-spoken-digit-dataset-{COMMIT}/recordings/{name}"
            with suppress(KeyError), members.open(inside) as member:
                (folder / name).write_bytes(member.read(100_000))  # the longest has 36,568 bytes


def _why(error: Exception, timeout: float) -> str:
    import requests

    if "timed out" in str(error):
        return f"no answer within {timeout:g} s"
    cut = isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError)
    return "there is no connection, or it was cut off" if cut else str(error)
