"""Types for the parts of RSGI that the gateway uses.

https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md
"""

from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

HeaderList = list[tuple[str, str]]
_CLOSE = ("connection", "close")


class Headers(Protocol):
    """Request headers; names are lower case."""

    def get(self, key: str, default: str | None = None) -> str | None: ...
    def items(self) -> HeaderList: ...
    def __contains__(self, key: str) -> bool: ...


class Scope(Protocol):
    """A request without its body; `client` and `server` are an address and a port."""

    method: str
    path: str
    query_string: str
    http_version: str
    scheme: str
    client: str
    server: str

    @property
    def headers(self) -> Headers: ...


class Stream(Protocol):
    """A response sent in pieces, which are buffered in memory for a slow client."""

    def send_bytes(self, data: bytes) -> Awaitable[None]: ...


class HTTPProtocol(Protocol):
    """Reads the request body and sends the response. Only the first response is sent."""

    def __call__(self) -> Awaitable[bytes]: ...
    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def response_empty(self, status: int, headers: HeaderList) -> None: ...
    def response_bytes(self, status: int, headers: HeaderList, body: bytes) -> None: ...
    def response_stream(self, status: int, headers: HeaderList) -> Stream: ...


class ClosingProtocol:
    """A protocol whose answers close their connection."""

    def __init__(self, protocol: HTTPProtocol) -> None:
        self._protocol = protocol

    def __call__(self) -> Awaitable[bytes]:
        return self._protocol()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._protocol.__aiter__()

    def response_empty(self, status: int, headers: HeaderList) -> None:
        self._protocol.response_empty(status, [*headers, _CLOSE])

    def response_bytes(self, status: int, headers: HeaderList, body: bytes) -> None:
        self._protocol.response_bytes(status, [*headers, _CLOSE], body)

    def response_stream(self, status: int, headers: HeaderList) -> Stream:
        return self._protocol.response_stream(status, [*headers, _CLOSE])
