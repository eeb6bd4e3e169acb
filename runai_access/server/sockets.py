"""Access to the sockets of this process, which granian does not expose."""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# How long a client can leave a response unread.
UNREAD_SECONDS = 60
_DESCRIPTORS = Path("/proc/self/fd") if Path("/proc/self/fd").exists() else Path("/dev/fd")


def open_sockets() -> Iterator[socket.socket]:
    """Yield a duplicate of each open socket; operations on it affect the socket itself.

    Regular files are skipped: closing a duplicated descriptor releases every lock that the process
    holds on the file (fcntl(2)), such as SQLite's.
    """
    for path in list(_DESCRIPTORS.iterdir()):
        descriptor = int(path.name)
        # OSError: the descriptor was closed after it was listed.
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                with socket.socket(fileno=os.dup(descriptor)) as found:
                    yield found


def listeners() -> Iterator[socket.socket]:
    """Yield the sockets on which this process accepts connections."""
    for found in open_sockets():
        if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            yield found


def limit_unread_answers() -> None:
    """Have the kernel close connections whose client does not read its response (Linux).

    Accepted connections inherit the option. It limits how long data waits for an acknowledgment or
    for space in the receive window (RFC 5482, tcp(7)).
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        for listener in listeners():
            with suppress(OSError):
                listener.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000
                )


def abort_connection(peer: str) -> None:
    """Close the connection of the client at `peer`, an address and port like "192.0.2.1:4711"."""
    host, _, port = peer.rpartition(":")
    wanted = (host.strip("[]"), int(port))
    for found in open_sockets():
        with suppress(OSError):
            if found.getpeername()[:2] == wanted:
                found.shutdown(socket.SHUT_RDWR)
