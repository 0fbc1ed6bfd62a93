"""OpenML: what a user may rely on when a data set is loaded, kept, cut off or out of reach.

The downloads are real ones, of a small data set, from a server on this machine that answers as OpenML does.
"""

import gzip
import hashlib
import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

import pandas as pd
import pytest

from mmtutor.openml import load_openml, small_digits

ARFF = b"""@RELATION optdigits
@ATTRIBUTE input1 INTEGER
@ATTRIBUTE input2 INTEGER
@ATTRIBUTE class {0,1}
@DATA
0,16,0
3,12,1
5,0,1
"""
FILE = "/data/v1/download/28/optdigits.arff"


def feature(index: int, name: str, kind: str, is_target: bool) -> dict:
    return {
        "index": str(index),
        "name": name,
        "data_type": kind,
        "is_target": str(is_target).lower(),
        "is_ignore": "false",
        "is_row_identifier": "false",
        "number_of_missing_values": "0",
    }


FEATURES = [
    feature(0, "input1", "numeric", False),
    feature(1, "input2", "numeric", False),
    feature(2, "class", "nominal", True),
]
ANSWERS = {
    "/list/data_name/optdigits/": {"data": {"dataset": [{"did": 28, "version": 1, "status": "active"}]}},
    "/data/features/28": {"data_features": {"feature": FEATURES}},
    "/data/qualities/28": {
        "data_qualities": {"quality": [{"name": "NumberOfInstances", "value": "3"}]},
    },
    "/json/data/28": {
        "data_set_description": {
            "id": "28",
            "name": "optdigits",
            "version": "1",
            "status": "active",
            "format": "ARFF",
            "description": "Scans of digits.",
            "url": f"https://www.openml.org{FILE}",
            "md5_checksum": hashlib.md5(ARFF).hexdigest(),
        }
    },
}


class Answer(BaseHTTPRequestHandler):
    """Answers as OpenML does; 412 where there is no such data set; nothing, or half, as the test says."""

    def do_GET(self):
        told = self.server
        told.asked.append(self.path)
        if told.page is not None:
            self.reply(told.page)
            return
        if told.silent and told.silent.wait(timeout=5):
            return
        found = [json.dumps(a).encode() for start, a in ANSWERS.items() if start in self.path]
        if "/data_version/2" in self.path or not (found or self.path == FILE):
            self.send_error(412)
            return
        body = ARFF if self.path == FILE else found[0]
        self.reply(body, told.cut if self.path == FILE else None)

    def reply(self, body, cut=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    """What is asked of openml.org goes to this machine; the cache is empty."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.asked, server.silent, server.cut, server.up, server.page = [], None, None, True, None
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        port = {True: server.server_port, False: 9}  # nobody listens at 9

        def urlopen(request):
            path = urlparse(request.full_url).path
            return urllib.request.urlopen(f"http://127.0.0.1:{port[server.up]}{path}")

        monkeypatch.setattr("sklearn.datasets._openml.urlopen", urlopen)
        monkeypatch.setenv("MMTUTOR_CACHE", str(tmp_path))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server
        if server.silent:
            server.silent.set()
        server.shutdown()


def test_a_data_set_comes_by_name_and_version(server):
    found = load_openml("optdigits", version=1)
    assert found.data.to_dict("list") == {"input1": [0, 3, 5], "input2": [16, 12, 0]}
    assert list(found.target) == ["0", "1", "1"]
    assert found.origin == "openml.org, optdigits, version 1"


def test_a_second_call_needs_no_network(server):
    first = load_openml("optdigits")
    server.up, asked = False, len(server.asked)
    second = load_openml("optdigits", stand_in=small_digits)
    pd.testing.assert_frame_equal(first.data, second.data)
    assert second.origin == first.origin
    assert len(server.asked) == asked


def test_copies_can_be_kept_elsewhere(server, tmp_path):
    load_openml("optdigits", folder=tmp_path / "mine")
    assert list((tmp_path / "mine").rglob("*.arff.gz"))
    assert not (tmp_path / "openml").exists()


def test_without_a_network_the_error_says_what_to_do(server, tmp_path, recwarn):
    server.up = False
    with pytest.raises(
        OSError, match=r"'optdigits', version 1, is not on this computer .* stand_in"
    ) as caught:
        load_openml("optdigits")
    assert str(tmp_path) in str(caught.value)
    assert not recwarn.list


def test_without_a_network_the_stand_in_comes_and_says_so(server):
    server.up = False
    found = load_openml("optdigits", stand_in=small_digits)
    assert found.data.shape == (1797, 64)
    assert found.origin.startswith("stand-in: 'optdigits', version 1, is not on this computer")


def test_a_server_that_stays_silent_is_given_up(server):
    server.silent = threading.Event()
    with pytest.raises(OSError, match=r"no answer within 0.2 s"):
        load_openml("optdigits", timeout=0.2)


def test_a_download_that_is_cut_off_leaves_no_data_set(server, recwarn):
    server.cut = 40
    found = load_openml("optdigits", stand_in=small_digits)
    assert found.origin.startswith("stand-in")
    assert not recwarn.list
    server.cut = None
    assert load_openml("optdigits").origin.startswith("openml.org")


PAGES = [b"<html>Log in to the network of the hotel</html>", b"\xff\xfe", b"{}", b"[]", b'{"data": 1}']


@pytest.mark.parametrize("page", PAGES, ids=["HTML", "bytes", "{}", "[]", "other JSON"])
def test_a_page_that_is_no_answer_is_not_taken_for_one(server, recwarn, page):
    server.page = page
    with pytest.raises(OSError, match=r"what came was no answer of OpenML; a log-in page .* stand_in"):
        load_openml("optdigits")
    found = load_openml("optdigits", stand_in=small_digits)
    assert found.origin.startswith("stand-in: 'optdigits', version 1, is not on this computer")
    assert not recwarn.list


@pytest.mark.parametrize("page", PAGES[:4], ids=["HTML", "bytes", "{}", "[]"])
def test_what_such_a_page_left_is_forgotten_when_openml_answers_again(server, page):
    server.page = page
    load_openml("optdigits", stand_in=small_digits)
    server.page = None
    assert load_openml("optdigits").origin.startswith("openml.org")


@pytest.mark.parametrize("content", [b"hello", gzip.compress(b"{}", mtime=0)], ids=["text", "{}"])
def test_a_damaged_copy_is_fetched_anew_or_stood_in_for(server, tmp_path, content):
    load_openml("optdigits")
    for path in tmp_path.rglob("*.gz"):
        whole = path.read_bytes()
        path.write_bytes(content)
        server.up = False
        found = load_openml("optdigits", stand_in=small_digits)  # of the qualities nothing is needed
        assert found.origin.startswith("stand-in") or "qualities" in str(path)
        path.write_bytes(content)
        server.up = True
        assert load_openml("optdigits").data.shape == (3, 2)
        path.write_bytes(whole)


def test_without_a_network_nobody_can_tell_a_misspelled_name(server):
    server.up = False
    assert load_openml("optdigitz", version=77, stand_in=small_digits).data.shape == (1797, 64)


@pytest.mark.parametrize("version", ["one", 0, 1.5])
def test_a_version_that_is_none_is_an_error_even_with_a_stand_in(server, version):
    with pytest.raises(ValueError, match="version"):
        load_openml("optdigits", version=version, stand_in=small_digits)


def test_the_time_limit_of_others_stays(server):
    import socket

    socket.setdefaulttimeout(123)
    try:
        load_openml("optdigits", timeout=5)
        assert socket.getdefaulttimeout() == 123
    finally:
        socket.setdefaulttimeout(None)


def test_an_unknown_version_is_an_error_even_with_a_stand_in(server):
    with pytest.raises(ValueError, match="optdigits with version 2 not found"):
        load_openml("optdigits", version=2, stand_in=small_digits)


@pytest.mark.parametrize("timeout", [0, -1])
def test_a_time_limit_is_above_zero(timeout):
    with pytest.raises(ValueError, match="timeout"):
        load_openml("optdigits", timeout=timeout)


def test_the_stand_in_has_the_form_of_the_data_set(server):
    found, stand_in = load_openml("optdigits"), small_digits()
    assert list(stand_in.data)[:2] == list(found.data)
    assert set(stand_in.data.dtypes) == set(found.data.dtypes)
    assert stand_in.target.name == found.target.name
    assert stand_in.target.dtype.name == found.target.dtype.name == "category"
    assert set(stand_in.target) == set("0123456789")
    assert stand_in.data.min().min() == 0
    assert stand_in.data.max().max() == 16
