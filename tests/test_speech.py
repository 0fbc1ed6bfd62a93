"""Real speech: what a user may rely on when it is loaded, downloaded, cut off, damaged or out of reach.

The downloads are real ones, of a small data set, from a server on this machine. The tests of the recordings
themselves need them: MMTUTOR_FSDD names their folder.
"""

import hashlib
import io
import os
import runpy
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.model_selection import LeaveOneGroupOut

from mmtutor import speech
from mmtutor.speech import load_spoken_digits

ROOT = Path(__file__).parents[1]

SPEAKERS = ("george", "jackson")
NAMES = [f"{digit}_{speaker}_{index}.wav" for digit in (0, 7) for speaker in SPEAKERS for index in (4, 5)]
INSIDE = f"free-spoken-digit-dataset-{speech.COMMIT}/recordings"


def wav(seed: int) -> bytes:
    """Half a second of quiet noise: 8,044 bytes."""
    samples = np.random.default_rng(seed).normal(0, 0.1, 4000)
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, format="WAV", subtype="PCM_16")
    return file.getvalue()


RECORDINGS = {name: wav(seed) for seed, name in enumerate(NAMES)}


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # stored: noise does not get smaller
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


ARCHIVE = packed({f"{INSIDE}/{name}": content for name, content in RECORDINGS.items()})


class Answer(BaseHTTPRequestHandler):
    """Sends `server.archive`: whole, its rest, cut off, too late or not at all, as the test says."""

    def do_GET(self):
        told = self.server
        told.asked.append(dict(self.headers))
        told.together.wait(timeout=10)
        if told.silent and told.silent.wait(timeout=3):  # the test is over; else it answers after all
            return
        if told.status != 200:
            self.send_error(told.status)
            return
        first = 0
        if told.ranges and self.headers.get("If-Range", told.tag) == told.tag:
            first = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        body = told.archive[first:]
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", told.tag)
        self.end_headers()
        self.wfile.write(body[: told.cut])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server with the small data set, an empty cache, and no recordings named by the environment."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.archive, server.tag, server.ranges, server.status = ARCHIVE, '"mark"', True, 200
        server.cut, server.silent, server.asked = None, None, []
        server.together = threading.Barrier(1)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        monkeypatch.setattr(speech, "URL", f"http://127.0.0.1:{server.server_port}/archive.zip")
        monkeypatch.setattr(
            speech, "_sums", lambda: {n: hashlib.sha256(r).hexdigest() for n, r in RECORDINGS.items()}
        )
        monkeypatch.setenv("MMTUTOR_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("MMTUTOR_FSDD", raising=False)
        yield server
        if server.silent:
            server.silent.set()
        server.shutdown()


@pytest.fixture
def cache(server, tmp_path):
    return tmp_path / "cache" / "fsdd"


@pytest.fixture
def folder(server, tmp_path):
    """The unzipped archive, as someone has it who got it by hand."""
    folder = tmp_path / "by hand"
    (folder / "recordings").mkdir(parents=True)
    for name, content in RECORDINGS.items():
        (folder / "recordings" / name).write_bytes(content)
    return folder


def left_in(cache: Path) -> list[str]:
    return sorted(path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file())


WHOLE = sorted(f"recordings/{name}" for name in NAMES)


# The download


def test_the_first_call_downloads_and_the_second_asks_nobody(server, cache):
    first = load_spoken_digits()
    assert left_in(cache) == WHOLE  # neither archive nor temporary folder is left
    second = load_spoken_digits()
    assert len(server.asked) == 1
    assert all(np.array_equal(a, b) for a, b in zip(first.X.sound, second.X.sound, strict=True))


def test_what_is_said_by_whom_comes_from_the_name(server):
    data = load_spoken_digits()
    assert data.y.tolist() == [0, 0, 0, 0, 7, 7, 7, 7]
    assert data.speaker.tolist() == data.groups.tolist() == ["george", "george", "jackson", "jackson"] * 2
    assert data.index.tolist() == [4, 5] * 4
    assert data.official.tolist() == ["test", "train"] * 4
    assert data.DESCR.startswith("# Real speech")


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_sound_is_at_the_rate_that_is_asked_for(folder, rate):
    data = load_spoken_digits(folder, rate=rate)
    assert data.rate == rate
    assert {(len(sound), sound.dtype.name) for sound in data.X.sound} == {(rate // 2, "float32")}
    if rate == 8000:
        written, _ = soundfile.read(io.BytesIO(RECORDINGS[NAMES[0]]), dtype="float32")
        assert np.array_equal(data.X.sound[0], written)


def test_a_download_that_is_cut_off_goes_on_where_it_stopped(server, cache):
    server.cut = 50_000
    with pytest.raises(OSError, match=r"could not be downloaded: there is no connection, or it was cut off;"):
        load_spoken_digits()
    (kept,) = cache.iterdir()
    n_kept = kept.stat().st_size
    assert 45_000 < n_kept <= 50_000
    assert kept.read_bytes() == ARCHIVE[:n_kept]
    server.cut = None
    load_spoken_digits()
    assert server.asked[1]["Range"] == f"bytes={n_kept - 1}-"
    assert server.asked[1]["If-Range"] == '"mark"'
    assert left_in(cache) == WHOLE


def test_a_download_may_be_cut_off_again_and_again(server, cache):
    server.cut = 30_000  # of 65,000: three attempts
    for _ in range(2):
        with pytest.raises(OSError, match="cut off"):
            load_spoken_digits()
    load_spoken_digits()
    assert left_in(cache) == WHOLE


def test_a_download_that_was_stopped_at_its_last_byte_is_finished(server, cache):
    cache.mkdir(parents=True)
    (cache / "%22mark%22.part").write_bytes(ARCHIVE)
    load_spoken_digits()
    assert server.asked[0]["Range"] == f"bytes={len(ARCHIVE) - 1}-"
    assert left_in(cache) == WHOLE


def test_a_server_that_cannot_go_on_sends_all_again(server, cache):
    server.cut = 50_000
    with pytest.raises(OSError, match="cut off"):
        load_spoken_digits()
    server.cut, server.ranges = 20_000, False
    with pytest.raises(OSError, match="cut off"):
        load_spoken_digits()
    (kept,) = cache.iterdir()
    assert 0 < kept.stat().st_size <= 20_000 and ARCHIVE.startswith(kept.read_bytes())
    server.cut = None
    load_spoken_digits()
    assert left_in(cache) == WHOLE


def test_the_rest_of_another_archive_is_not_put_to_the_beginning_of_this_one(server, cache):
    server.cut = 50_000
    with pytest.raises(OSError, match="cut off"):
        load_spoken_digits()
    server.cut, server.tag = None, '"another"'
    server.archive = packed({f"{INSIDE}/{name}": RECORDINGS[name] for name in reversed(NAMES)})
    load_spoken_digits()
    assert left_in(cache) == WHOLE


def test_what_has_come_under_a_weak_mark_is_not_kept(server, cache):
    server.cut, server.tag = 50_000, 'W/"mark"'
    with pytest.raises(OSError, match="cut off"):
        load_spoken_digits()
    assert left_in(cache) == []


def test_an_interrupted_kernel_loses_nothing(server, cache, monkeypatch):
    class Interrupted(speech.Progress):
        def __enter__(self):
            raise KeyboardInterrupt

    server.cut = 50_000
    with pytest.raises(OSError, match="cut off"):
        load_spoken_digits()
    server.cut = None
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(speech, "Progress", Interrupted)
        load_spoken_digits()
    assert left_in(cache) == ["%22mark%22.part"]
    load_spoken_digits()
    assert left_in(cache) == WHOLE


def test_two_processes_may_download_at_once(server, cache):
    server.together = threading.Barrier(2)  # nobody is answered before both have asked
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(load_spoken_digits) for _ in range(2)]
        assert [len(each.result().y) for each in both] == [8, 8]
    assert left_in(cache) == WHOLE


def test_two_processes_do_not_write_to_the_same_rest(server, cache):
    server.cut = 50_000
    with pytest.raises(OSError, match="cut off"):
        load_spoken_digits()
    server.cut, server.together = None, threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(load_spoken_digits) for _ in range(2)]
        assert [len(each.result().y) for each in both] == [8, 8]
    assert [asked["Range"] == "bytes=0-" for asked in server.asked[1:]].count(True) == 1
    assert left_in(cache) == WHOLE


# What a bad archive cannot do


def test_a_recording_that_is_not_as_on_the_list_is_named_and_nothing_is_kept(server, cache):
    changed = RECORDINGS | {NAMES[3]: wav(99)}
    server.archive = packed({f"{INSIDE}/{name}": content for name, content in changed.items()})
    with pytest.raises(OSError, match=rf"the archive: 1 recordings not as on the list \({NAMES[3]} …\)"):
        load_spoken_digits()
    assert left_in(cache) == []


def test_an_archive_that_is_not_complete_is_refused(server, cache):
    server.archive = packed({f"{INSIDE}/{name}": RECORDINGS[name] for name in NAMES[2:]})
    with pytest.raises(OSError, match=rf"2 recordings missing \({NAMES[0]}, {NAMES[1]} …\)"):
        load_spoken_digits()
    assert left_in(cache) == []


def test_only_what_is_on_the_list_leaves_the_archive(server, cache, tmp_path):
    bad = (
        "../../../evil.wav",
        "/evil.wav",
        f"{INSIDE}/../../../../evil.wav",
        f"{INSIDE}/evil.wav",
        "README.md",
    )
    server.archive = packed(
        dict.fromkeys(bad, b"evil") | {f"{INSIDE}/{name}": RECORDINGS[name] for name in NAMES}
    )
    load_spoken_digits()
    assert left_in(cache) == WHOLE
    assert not list(tmp_path.rglob("*evil*")) and not Path("/evil.wav").exists()


def test_a_recording_that_unpacks_to_far_too_much_is_cut_short(server, cache):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in NAMES:
            archive.writestr(f"{INSIDE}/{name}", bytes(5_000_000))
    server.archive = file.getvalue()
    seen = []
    write = Path.write_bytes
    with pytest.MonkeyPatch.context() as patched, pytest.raises(OSError, match="8 recordings not as on"):
        patched.setattr(Path, "write_bytes", lambda path, data: seen.append(len(data)) or write(path, data))
        load_spoken_digits()
    assert set(seen) == {100_000}


@pytest.mark.parametrize(
    "page", [b"", b"<html>Please log in</html>", ARCHIVE[:-30]], ids=["0", "page", "end"]
)
def test_what_is_no_archive_is_refused(server, cache, page):
    server.archive = page
    with pytest.raises(OSError, match="could not be downloaded: File is not a zip file; get http"):
        load_spoken_digits()
    assert left_in(cache) == []


# No network


def test_without_a_network_one_sentence_says_what_where_and_what_instead(server, cache, monkeypatch):
    monkeypatch.setattr(speech, "URL", "http://127.0.0.1:9/archive.zip")  # nobody listens: refused
    with pytest.raises(OSError) as refused:
        load_spoken_digits()
    assert str(refused.value) == (
        "the Free Spoken Digit Dataset (real speech) is not here, and could not be downloaded: there is no "
        "connection, or it was cut off; get http://127.0.0.1:9/archive.zip in a browser, unzip it, and set "
        "MMTUTOR_FSDD to its folder; without it, the chapters show the tables in notebooks/results that were "
        "computed from it"
    )
    assert left_in(cache) == []


def test_a_host_without_a_name_is_no_network_too(server, monkeypatch):
    monkeypatch.setattr(speech, "URL", "https://example.com/archive.zip")  # the offline guard refuses it
    with pytest.raises(OSError, match="could not be downloaded: there is no connection"):
        load_spoken_digits()


def test_a_server_that_never_answers_is_given_up(server, cache):
    server.silent = threading.Event()
    with pytest.raises(OSError, match=r"could not be downloaded: no answer within 0\.2 s;"):
        load_spoken_digits(timeout=0.2)
    assert left_in(cache) == []


def test_a_server_that_stops_answering_is_given_up_and_what_came_is_kept(server, cache, monkeypatch):
    def stall(answer):
        server.asked.append(dict(answer.headers))
        answer.send_response(200)
        answer.send_header("Content-Length", str(len(ARCHIVE)))
        answer.send_header("ETag", server.tag)
        answer.end_headers()
        answer.wfile.write(ARCHIVE[:50_000])
        if not server.silent.wait(timeout=3):
            answer.wfile.write(ARCHIVE[50_000:])

    server.silent = threading.Event()
    with monkeypatch.context() as patched, pytest.raises(OSError, match=r"no answer within 0\.2 s"):
        patched.setattr(Answer, "do_GET", stall)
        load_spoken_digits(timeout=0.2)
    server.silent.set()
    server.silent = None
    load_spoken_digits()
    assert server.asked[1]["Range"] != "bytes=0-"
    assert left_in(cache) == WHOLE


@pytest.mark.parametrize("status", [404, 429, 503])
def test_a_server_that_refuses_is_quoted_and_what_had_come_is_kept(server, cache, status):
    server.cut = 50_000
    with pytest.raises(OSError, match="cut off"):
        load_spoken_digits()
    server.status = status
    with pytest.raises(OSError, match=f"could not be downloaded: {status} "):
        load_spoken_digits()
    assert left_in(cache) == ["%22mark%22.part"]


@pytest.mark.skipif(os.name == "nt", reason="folders are made read-only in another way there")
def test_a_cache_that_cannot_be_written_is_one_sentence_too(server, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MMTUTOR_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        OSError, match=r"could not be downloaded: \[Errno 20\] Not a directory.*set MMTUTOR_FSDD"
    ):
        load_spoken_digits()


def test_nothing_is_printed(server, capfd):
    load_spoken_digits()
    assert capfd.readouterr() == ("", "")


# A folder of one's own


def test_a_folder_is_taken_as_it_is_named(folder, server, monkeypatch):
    for path in (folder, str(folder), folder / "recordings"):
        assert len(load_spoken_digits(path).X) == 8
    monkeypatch.setenv("MMTUTOR_FSDD", str(folder))
    assert len(load_spoken_digits().X) == 8
    assert server.asked == []


def test_the_parameter_goes_before_the_environment(folder, monkeypatch):
    monkeypatch.setenv("MMTUTOR_FSDD", "nowhere")
    assert len(load_spoken_digits(folder).X) == 8
    with pytest.raises(
        FileNotFoundError, match=r"^nowhere: no such folder; set MMTUTOR_FSDD to the unzipped"
    ):
        load_spoken_digits()


def test_a_folder_that_is_not_there_is_named(server, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"typo: no such folder; set path to the unzipped folder of http"
    ):
        load_spoken_digits(tmp_path / "typo")
    assert server.asked == []


def test_a_folder_without_recordings_is_refused(server, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"8 recordings missing \(0_george_4.wav, 0_george_5.wav, 0_j"
    ):
        load_spoken_digits(tmp_path)


def test_missing_recordings_are_counted_and_the_first_named(folder):
    for name in NAMES[4:]:
        (folder / "recordings" / name).unlink()
    with pytest.raises(FileNotFoundError) as refused:
        load_spoken_digits(folder)
    found = f"4 recordings missing ({NAMES[4]}, {NAMES[5]}, {NAMES[6]} …)"
    assert str(refused.value) == (
        f"{folder / 'recordings'}: {found}; set path to the unzipped folder of {speech.URL}"
    )


def test_a_damaged_recording_is_named(folder):
    (folder / "recordings" / NAMES[2]).write_bytes(RECORDINGS[NAMES[2]][:-1])
    with pytest.raises(OSError, match=rf"1 recordings not as on the list \({NAMES[2]} …\); set path"):
        load_spoken_digits(folder)


def test_a_damaged_cache_says_how_to_mend_it(server, cache):
    load_spoken_digits()
    (cache / "recordings" / NAMES[0]).write_bytes(b"")
    with pytest.raises(OSError, match=rf"\({NAMES[0]} …\); delete this folder and call again"):
        load_spoken_digits()


def test_other_files_in_the_folder_are_ignored(folder):
    (folder / "recordings" / "8_newcomer_0.wav").write_bytes(wav(8))
    (folder / "recordings" / ".DS_Store").touch()
    assert len(load_spoken_digits(folder).X) == 8


@pytest.mark.parametrize("rate", [0, -8000, float("nan")])
def test_a_rate_is_above_zero(folder, rate):
    with pytest.raises(ValueError, match="is no number of samples a second"):
        load_spoken_digits(folder, rate=rate)


# The list


def test_the_list_has_each_recording_once_and_in_order():
    names = [name.removesuffix(".wav").split("_") for name in speech._sums()]
    keys = [(int(digit), speaker, int(index)) for digit, speaker, index in names]
    speakers = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
    assert keys == [(d, s, i) for d in range(10) for s in speakers for i in range(50)]
    assert len(set(speech._sums().values())) == 3000


def test_the_readme_names_the_archive():
    readme = (Path(speech.__file__).parent / "data" / "fsdd" / "README.md").read_text("utf-8")
    assert f"<{speech.URL}>" in readme


# The recordings themselves


@pytest.fixture(scope="module")
def real():
    if not os.environ.get("MMTUTOR_FSDD"):
        pytest.skip("needs the recordings (CC BY-SA, not shipped); set MMTUTOR_FSDD to their folder")
    return load_spoken_digits()  # every recording is compared with the list


def test_six_people_say_ten_digits_fifty_times(real):
    assert real.X.shape == (3000, 1) and real.y.dtype.kind == "i"
    said = set(zip(real.speaker, real.y, strict=True))
    assert len(said) == 60
    assert all(((real.speaker == who) & (real.y == what)).sum() == 50 for who, what in said)
    assert sorted(set(real.index)) == list(range(50))


def test_the_official_split_has_300_and_2700(real):
    assert ((real.official == "test") == (real.index <= 4)).all()
    assert ((real.official == "test").sum(), (real.official == "train").sum()) == (300, 2700)


def test_leaving_one_group_out_leaves_one_speaker_out(real):
    folds = list(LeaveOneGroupOut().split(real.X, real.y, real.groups))
    assert [len(test) for _, test in folds] == [500] * 6
    for train, test in folds:
        assert not set(real.speaker[train]) & set(real.speaker[test])


def test_sounds_are_in_range_and_as_long_as_the_readme_says(real):
    assert all(sound.dtype == np.float32 and sound.ndim == 1 for sound in real.X.sound)
    assert all(np.isfinite(sound).all() and 0.01 < np.abs(sound).max() <= 1 for sound in real.X.sound)
    seconds = np.array([len(sound) for sound in real.X.sound]) / real.rate
    numbers = [seconds.min(), np.median(seconds), seconds.max(), seconds.sum() / 60]
    assert np.round(numbers, 2).tolist() == [0.14, 0.42, 2.28, 21.87]


def test_nothing_is_left_above_four_kilohertz(real):
    sound = np.concatenate(list(real.X.sound[::100]))
    power = np.abs(np.fft.rfft(sound)) ** 2
    assert power[len(power) // 2 :].sum() < 1e-3 * power.sum()


def test_the_committed_table_of_real_speech_comes_out_again(real):
    committed = pd.read_csv(ROOT / "notebooks" / "results" / "06_real_speech.csv", comment="#")
    again = runpy.run_path(str(ROOT / "tools" / "experiments" / "06_real_speech.py"))["run"]()
    words = ["preparation", "trained_on", "tested_on"]
    assert (again[words] == committed[words]).all(axis=None)
    assert np.allclose(again.accuracy, committed.accuracy, atol=0.02)  # other versions may differ a little
