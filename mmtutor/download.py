"""What everything that may fetch a file has in common: it does not wait for ever."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Give up on a silent server: libraries that take no timeout obey the sockets' default.

    Parameters
    ----------
    seconds : float
        How long to wait for an answer, above 0; for each read, not for the whole file.

    Raises
    ------
    ValueError
        If `seconds` is no number above 0.

    Notes
    -----
    The default holds for the whole process, so other threads' new sockets have it too in the meantime.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        raise ValueError(f"timeout={seconds!r} is no number of seconds above 0")
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
