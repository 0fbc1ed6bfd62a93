"""The offline guard itself: tests reach this machine and nothing else."""

import json
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import nbformat
import pytest

import kernels

PUBLIC = "192.0.2.1"  # reserved for documentation (RFC 5737): no host answers there
ATTEMPTS = {
    "a name look-up": "import socket; socket.getaddrinfo('example.com', 443)",
    "an old name look-up": "import socket; socket.gethostbyname('example.com')",
    "a connection": f"import socket; socket.create_connection(('{PUBLIC}', 443), timeout=5)",
    "a datagram": f"import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('{PUBLIC}', 53))",
    "a download": "import urllib.request; urllib.request.urlopen('http://example.com', timeout=5)",
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_this_process_cannot_leave_the_machine(attempt):
    with pytest.raises((OSError, urllib.error.URLError), match="offline: a test tried to reach"):
        exec(attempt, {})


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_python_started_by_a_test_cannot_leave_the_machine(attempt):
    result = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, timeout=60)
    assert result.returncode != 0
    assert "offline: a test tried to reach" in result.stderr


def test_a_kernel_is_this_python_and_cannot_leave_the_machine(tmp_path):
    probe = "import sys, json; print(json.dumps(sys.prefix))"
    refused = f"try:\n    {ATTEMPTS['a download']}\nexcept OSError as error:\n    print(error)"
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (probe, refused)])
    kernels.run(nb, tmp_path / "probe.ipynb")
    prefix, message = (cell.outputs[0].text for cell in nb.cells)
    assert json.loads(prefix) == sys.prefix
    assert "offline: a test tried to reach example.com" in message


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_open(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=lambda: server.accept()[0].close())
        answering.start()
        socket.create_connection((host, server.getsockname()[1]), timeout=5).close()
        answering.join()


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
def test_unix_sockets_are_open(tmp_path):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))
