"""Request bodies: received completely before a thread is used, with limits on size and time."""

import asyncio
import io
from dataclasses import dataclass
from typing import Any

from runai_access.server.rsgi import HTTPProtocol, Scope

# Total time for a body. Sending it byte by byte does not extend the time.
BASE_SECONDS = 30.0
BYTES_PER_SECOND = 64 * 1024
# A body up to this size is received in one piece.
SMALL = 16 * 1024
# Limits per worker: the number of unfinished bodies, and the bytes held of those that are not small.
# Above a limit, the oldest body is dropped: a normal body is complete within milliseconds.
MAX_UNFINISHED = 2048
MAX_UNFINISHED_BYTES = 32 * 1024 * 1024
# An oversized body is read and discarded up to this size, so that the client reads its response.
MAX_DISCARDED = 32 * 1024 * 1024


class BodyTimeout(Exception):
    """The body did not arrive in time, or was dropped to make room for others."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body for WSGI; `length` is the text of CONTENT_LENGTH, or empty if there is none."""

    stream: io.BytesIO | io.RawIOBase
    length: str
    # Bytes held in memory.
    size: int = 0


class _Oversized(io.RawIOBase):
    """Stands in for a body that is too large: the same length, but zero bytes."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._left)
        buffer[:count] = bytes(count)
        self._left -= count
        return count


class BodyReader:
    """Receives the bodies of one worker; runs in its event loop."""

    def __init__(self, *, limit: int) -> None:
        """`limit`: the size in bytes of the largest body whose content is kept."""
        self._limit = limit
        # Unfinished bodies, oldest first, with the bytes held of each.
        self._unfinished: dict[asyncio.Timeout, int] = {}
        self._kept_bytes = 0

    async def read(self, scope: Scope, protocol: HTTPProtocol) -> Body:
        """Return the complete body of a request. Raises BodyTimeout.

        A truncated body is returned empty with its announced length, so that it is not mistaken
        for a complete one (RFC 9112 §8). A chunked body gets its real length, because Django
        treats a body without a length as empty.
        """
        length = scope.headers.get("content-length")
        if length == "0" or (length is None and "transfer-encoding" not in scope.headers):
            return Body(io.BytesIO(), length or "")
        announced = int(length) if length else None
        if announced is not None and announced > MAX_DISCARDED:
            return Body(_Oversized(announced), str(announced))
        seconds = BASE_SECONDS + min(announced or 0, self._limit) / BYTES_PER_SECOND
        timeout = asyncio.timeout(seconds)
        self._make_room()
        self._unfinished[timeout] = 0
        try:
            async with timeout:
                if announced is not None and announced <= SMALL:
                    return await _small_body(protocol, announced)
                return await self._large_body(protocol, announced, timeout)
        except TimeoutError:
            raise BodyTimeout from None
        finally:
            self._kept_bytes -= self._unfinished.pop(timeout, 0)

    def give_up_all(self) -> None:
        """Drop every unfinished body, because the server is stopping."""
        while self._unfinished:
            self._give_up(next(iter(self._unfinished)))

    async def _large_body(
        self, protocol: HTTPProtocol, announced: int | None, timeout: asyncio.Timeout
    ) -> Body:
        """Receive a body in pieces and keep at most `limit` bytes."""
        began = asyncio.get_running_loop().time()
        content, received, ends = bytearray(), 0, 0
        async for piece in protocol:
            if not piece:  # the end of the body; after an error there is a second one
                ends += 1
                continue
            received += len(piece)
            if received > MAX_DISCARDED:
                break
            if received <= self._limit:
                content += piece
                self._keep(timeout, len(piece))
            if timeout not in self._unfinished:  # dropped, perhaps because of this piece
                raise BodyTimeout
            if announced is None and not timeout.expired():
                kept = min(received, self._limit)
                timeout.reschedule(began + BASE_SECONDS + kept / BYTES_PER_SECOND)
        is_whole = ends == 1 if announced is None else received == announced
        if received > self._limit:
            size = max(announced or 0, received)
            return Body(_Oversized(size), str(size))
        if not is_whole:
            return Body(io.BytesIO(), str(announced or received + 1))
        return Body(io.BytesIO(content), str(received), received)

    def _keep(self, timeout: asyncio.Timeout, size: int) -> None:
        if timeout not in self._unfinished:
            return
        self._unfinished[timeout] += size
        self._kept_bytes += size
        while self._kept_bytes > MAX_UNFINISHED_BYTES:
            self._give_up(next(oldest for oldest, kept in self._unfinished.items() if kept))

    def _make_room(self) -> None:
        while len(self._unfinished) >= MAX_UNFINISHED:
            self._give_up(next(iter(self._unfinished)))

    def _give_up(self, timeout: asyncio.Timeout) -> None:
        self._kept_bytes -= self._unfinished.pop(timeout)
        if not timeout.expired():
            timeout.reschedule(0)


async def _small_body(protocol: HTTPProtocol, announced: int) -> Body:
    try:
        content = await protocol()
    except RuntimeError:  # the connection ended before the body did
        content = b""
    return Body(io.BytesIO(content), str(announced))
