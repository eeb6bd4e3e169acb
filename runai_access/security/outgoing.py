"""HTTP requests to servers that an operator configured, safe against what those servers answer.

A response can name further URLs, and could name ones inside the operator's network (SSRF). So private
addresses are refused, except on the configured server itself. Redirects are not followed.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer
from urllib.parse import SplitResult, urlsplit

from django.utils.datastructures import CaseInsensitiveMapping

CONNECT_SECONDS = 3.0
# For the whole request: a slow server must not occupy a thread.
TOTAL_SECONDS = 8.0
MAX_BYTES = 256 * 1024
# IPv6 addresses that lead to IPv4 ones, also private ones: NAT64 (RFC 6052), and compatible ones.
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
_PORTS = {"https": 443, "http": 80}


class OutgoingError(Exception):
    """The request failed, or is not allowed. The message is for logs and contains no credentials."""


@dataclass(frozen=True)
class Reply:
    """The response of the server."""

    status: int
    headers: CaseInsensitiveMapping[str]
    body: bytes


def fetch(
    url: str,
    *,
    trusted: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Reply:
    """Send a request and return the response, whatever its status.

    `trusted` is the URL that the operator configured: its origin can have a private address, and use
    HTTP if it does. Proxies of the environment are not used. Raises OutgoingError.
    """
    parts = _parse(url)
    is_trusted = _origin(parts) == _origin(_parse(trusted))
    if parts.scheme != "https" and not is_trusted:
        raise OutgoingError(f"{_origin(parts)} does not use https.")
    try:
        return _send(parts, is_trusted, method, dict(headers or {}), body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise OutgoingError(f"{_origin(parts)}: {type(error).__name__}: {error}") from error


def _send(
    parts: SplitResult, is_trusted: bool, method: str, headers: dict[str, str], body: bytes | None
) -> Reply:
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    end = time.monotonic() + TOTAL_SECONDS
    connection = http.client.HTTPConnection(host, port)
    connection.default_port = _PORTS[parts.scheme]  # which the Host header omits
    sock = _connect(host, port, end, is_private_allowed=is_trusted)
    if parts.scheme == "https":
        sock = ssl.create_default_context().wrap_socket(
            sock, server_hostname=host, do_handshake_on_connect=False
        )
    connection.sock = sock
    # Ends a read that takes too long: the timeout of a socket applies to each part that arrives.
    deadline = Timer(end - time.monotonic(), _abort, [sock])
    deadline.daemon = True
    deadline.start()
    try:
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request(method, target, body, {"Accept": "application/json", **headers})
        response = connection.getresponse()
        content = response.read(MAX_BYTES + 1)
    finally:
        deadline.cancel()
        connection.close()
    if len(content) > MAX_BYTES:
        raise OutgoingError(f"{_origin(parts)}: the response has more than {MAX_BYTES} bytes.")
    if time.monotonic() >= end:
        raise OutgoingError(f"{_origin(parts)}: no response within {TOTAL_SECONDS:g} seconds.")
    return Reply(response.status, CaseInsensitiveMapping(dict(response.headers)), content)


def _connect(host: str, port: int, end: float, *, is_private_allowed: bool) -> socket.socket:
    """Connect to an address that was checked, so that a second DNS answer can't replace it.

    Gives up at `end`, a monotonic time. Only the resolver limits how long it takes to answer.
    """
    addresses = {
        str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    }
    if not is_private_allowed and not all(is_public(address) for address in addresses):
        raise OutgoingError(f"{host} has a private address.")
    error: OSError = OSError(f"{host} has no address.")
    for address in sorted(addresses):
        seconds = min(CONNECT_SECONDS, end - time.monotonic())
        if seconds <= 0:
            break
        try:
            return socket.create_connection((address, port), seconds)
        except OSError as refused:
            error = refused
    raise error


def is_public(address: str) -> bool:
    """Return whether an IP address is public, and does not lead to another one that is not."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if parsed.is_site_local or any(parsed in network for network in _TRANSLATED):
            return False
        parsed = inner or parsed
    return parsed.is_global and not parsed.is_multicast


def _abort(sock: socket.socket) -> None:
    with suppress(OSError):  # already closed
        sock.shutdown(socket.SHUT_RDWR)


def _parse(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
        parts = urlsplit("")
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not (is_valid and is_plain) or "@" in parts.netloc:
        raise OutgoingError("A URL of the server is not valid.")
    return parts


def _origin(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"
