"""The offline guard. With this folder on PYTHONPATH, a Python can reach nothing but its own machine.

Python imports a module of this name at start-up. The audit hook then sees each connection and each name
look-up that Python code asks for, in any library; what C code does by itself it does not see.
"""

import ipaddress
import socket
import sys

WITH_ADDRESS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
WITH_NAME = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def _is_here(host: str) -> bool:
    if host in ("", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False  # a name, not an address
    return address.is_loopback or address.is_unspecified


def _guard(event: str, args: tuple) -> None:
    if event in WITH_ADDRESS:
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None  # a Unix socket's address is no tuple
    elif event in WITH_NAME:
        host = args[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if host is not None and not _is_here(host):
        raise OSError(f"offline: a test tried to reach {host}")


sys.addaudithook(_guard)
