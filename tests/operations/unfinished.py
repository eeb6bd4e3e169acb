"""Unfinished requests, with which an attacker tries to block a server."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


def raise_file_limit() -> None:
    """Raise the file limit of this process to the maximum."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 16_384 if hard == resource.RLIM_INFINITY else hard
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _body(host: str) -> bytes:
    head = f"POST /api/v2/token HTTP/1.1\r\nHost: {host}\r\n{FORM}Content-Length: 100\r\n\r\n"
    return f"{head}a".encode()


def _large_body(host: str) -> bytes:
    head = f"POST /api/v2/token HTTP/1.1\r\nHost: {host}\r\n{FORM}Content-Length: 900000\r\n\r\n"
    return head.encode() + b"a" * 60_000


def _chunked(host: str) -> bytes:
    head = f"POST /api/v1/token HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    return f"{head}1\r\na\r\n".encode()


def _headers(host: str) -> bytes:
    return f"GET /sign-in/ HTTP/1.1\r\nHost: {host}\r\nX-Never-Ends: ".encode()


def _http2(host: str) -> bytes:
    """Return preface, settings and eight POST streams without bodies (RFC 9113 §3.4, §6.2)."""

    def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        return (
            len(payload).to_bytes(3, "big")
            + bytes([kind, flags])
            + stream.to_bytes(4, "big")
            + payload
        )

    def text(index: int, value: bytes) -> bytes:  # a literal with an indexed name (RFC 7541 §6.2.2)
        return bytes([index, len(value)]) + value

    block = b"\x83\x86" + text(4, b"/api/v2/token") + text(1, host.encode())
    streams = (frame(1, 4, 2 * number + 1, block) for number in range(8))
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + b"".join(streams)


KINDS = {
    "body": _body,
    "large body": _large_body,
    "chunked": _chunked,
    "headers": _headers,
    "http2": _http2,
}


def begin(kind: str, port: int, *, host: str = "127.0.0.1") -> socket.socket:
    """Send the start of a request of this kind, and return its connection."""
    connection = socket.create_connection((host, port), timeout=10)
    connection.sendall(KINDS[kind](f"{host}:{port}"))
    return connection


@contextmanager
def held(kinds: dict[str, int], port: int) -> Iterator[list[socket.socket]]:
    """Hold unfinished requests; `kinds` maps each kind to its number."""
    raise_file_limit()
    with ExitStack() as stack:
        connections = []
        for kind, count in kinds.items():
            for _ in range(count):
                with suppress(ConnectionError):  # a server can refuse a kind immediately
                    connections.append(stack.enter_context(begin(kind, port)))
        yield connections
