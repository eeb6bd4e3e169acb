"""An RSGI application that runs a WSGI application in a thread pool.

The event loop receives a complete request before it hands it to a thread, so unfinished requests
use only a little memory. The event loop answers health checks without a thread.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from runai_access.measurements import REFUSED, REQUESTS_WAITING, THREADS_BUSY
from runai_access.server.answers import (
    Answer,
    Overload,
    body_timeout,
    health,
    unreadable_header,
)
from runai_access.server.bodies import SMALL, Body, BodyReader, BodyTimeout
from runai_access.server.environ import environ_of
from runai_access.server.pool import QueueFull, ThreadPool
from runai_access.server.readiness import Readiness
from runai_access.server.rsgi import ClosingProtocol, HTTPProtocol, Scope
from runai_access.server.sockets import abort_connection, limit_unread_answers

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
logger = logging.getLogger(__name__)

# How long a request waits for a thread. Even with the longest query (runai_access.db), every request
# is answered within 15 seconds.
QUEUE_SECONDS = 4.0
# The bytes held of complete bodies that wait for a thread or are being processed. Small bodies are
# not counted.
MAX_HELD_BYTES = 32 * 1024 * 1024
# Delay before a 429 or 503 is sent. It slows down clients that retry in a loop, and uses no thread.
REFUSAL_SECONDS = 1.0
# How long the event loop can hold a request after a thread has answered it.
TIDY_SECONDS = 0.05
# The server opens its port after the event loop has started.
LISTENING_SECONDS = 1.0
_REFUSALS = frozenset({429, 503})
STOPPING = "the server is stopping"
# A stream up to this size is sent in one piece.
_SMALL_FILE = 1024 * 1024


class Gateway:
    """The RSGI application of one worker."""

    def __init__(
        self, wsgi: WSGIApplication, *, pool: ThreadPool, readiness: Readiness, body_limit: int
    ) -> None:
        """`body_limit`: the size in bytes of the largest body passed to the WSGI application."""
        self._wsgi = wsgi
        self._pool = pool
        self._readiness = readiness
        self._bodies = BodyReader(limit=body_limit)
        self._overload = Overload()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_draining = False
        self._held_bytes = 0
        # Requests that a thread has answered. Waking the event loop for each would cost over 10% of
        # throughput, so the loop checks this queue whenever it runs.
        self._answered: deque[asyncio.Future[Any]] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether no request is running or waiting for a thread."""
        return self._pool.is_idle

    @property
    def is_serving(self) -> bool:
        """Whether the server accepts requests."""
        return self._loop is not None

    def start_draining(self) -> None:
        """Answer /readyz with 503, and close each connection with its next answer.

        Clients that keep connections open then leave with an answer (RFC 9112 §9.6), before the
        server closes idle connections. Other requests are answered as before.
        """
        self._is_draining = True

    def give_up_bodies(self) -> None:
        """Drop unfinished bodies; called from another thread while the server stops."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._bodies.give_up_all)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.call_soon(self._tidy)
        loop.call_later(LISTENING_SECONDS, limit_unread_answers)

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        self._forget_answered()
        path = scope.path
        if self._is_draining:
            protocol = ClosingProtocol(protocol)
        if path == "/healthz":
            return health().send(protocol)
        if path == "/readyz":
            return health(self._problem).send(protocol)
        if _hides_address(scope):
            return unreadable_header().send(protocol)
        try:
            body = await self._bodies.read(scope, protocol)
        except BodyTimeout:
            REFUSED.labels("body timeout").inc()
            return body_timeout().send(protocol)
        refusal = await self._run(scope, protocol, body)
        del body  # not held during the delay
        if refusal is not None:
            await asyncio.sleep(REFUSAL_SECONDS)
            refusal.send(protocol)
        return None

    @property
    def _problem(self) -> str:
        """The reason why no new requests should be sent here; empty when there is none."""
        return STOPPING if self._is_draining else self._readiness.problem

    async def _run(self, scope: Scope, protocol: HTTPProtocol, body: Body) -> Answer | None:
        """Answer the request in a thread, or return a refusal, which the caller sends."""
        size = body.size if body.size > SMALL else 0
        if size and self._held_bytes + size > MAX_HELD_BYTES:
            return self._overloaded(scope)
        self._held_bytes += size
        try:
            return await self._in_thread(scope, protocol, body)
        finally:
            self._held_bytes -= size

    async def _in_thread(self, scope: Scope, protocol: HTTPProtocol, body: Body) -> Answer | None:
        done = asyncio.get_running_loop().create_future()
        job = partial(self._serve, scope, protocol, body, done)
        try:
            is_running = self._pool.submit(job)
        except QueueFull:
            return self._overloaded(scope)
        if not is_running:
            await asyncio.wait([done], timeout=QUEUE_SECONDS)
            if not done.done() and self._pool.withdraw(job):
                return self._overloaded(scope)
        refusal: Answer | None = await done
        return refusal

    def _overloaded(self, scope: Scope) -> Answer:
        REFUSED.labels("overload").inc()
        return self._overload.answer_to(scope.path)

    def _serve(
        self, scope: Scope, protocol: HTTPProtocol, body: Body, done: "asyncio.Future[Any]"
    ) -> None:
        """Answer the request; runs in a thread."""
        refusal = None
        try:
            refusal = _respond(self._wsgi, environ_of(scope, body), protocol)
        except Exception:
            logger.exception("A request failed.")
            protocol.response_empty(500, [])  # no effect if a response was started
        if refusal is None:
            self._answered.append(done)
            return
        with suppress(RuntimeError):  # the loop has ended
            done.get_loop().call_soon_threadsafe(_resolve, done, refusal)

    def _tidy(self) -> None:
        self._forget_answered()
        busy, waiting = self._pool.load
        THREADS_BUSY.set(busy)
        REQUESTS_WAITING.set(waiting)
        if self._loop is not None:
            self._loop.call_later(TIDY_SECONDS, self._tidy)

    def _forget_answered(self) -> None:
        while self._answered:
            _resolve(self._answered.popleft(), None)


def _respond(
    wsgi: WSGIApplication, environ: dict[str, Any], protocol: HTTPProtocol
) -> Answer | None:
    """Run the WSGI application and send its response; return the response if it is a refusal."""
    begun: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        begun.update(status=int(status[:3]), headers=headers)

    pieces = wsgi(environ, start_response)
    try:
        status, headers = begun["status"], begun["headers"]
        if _is_small(pieces, headers):
            answer = Answer(status, headers, b"".join(pieces))
            if status in _REFUSALS:
                return answer
            answer.send(protocol)
        else:
            stream = protocol.response_stream(status, headers)
            try:
                for piece in pieces:
                    stream.send_bytes(piece)  # not awaited: the call has queued it
            except BaseException:
                # A final chunk would make the file look complete.
                abort_connection(environ["runai_access.peer"])
                raise
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
    return None


def _is_small(pieces: Iterable[bytes], headers: list[tuple[str, str]]) -> bool:
    if not getattr(pieces, "streaming", True):
        return True
    length = next((value for name, value in headers if name == "Content-Length"), "")
    return length.isdecimal() and int(length) <= _SMALL_FILE


def _hides_address(scope: Scope) -> bool:
    """Return whether X-Forwarded-For is unreadable.

    If it were ignored, a client could send one non-ASCII byte and count as the proxy.
    """
    headers = scope.headers
    return "x-forwarded-for" in headers and headers.get("x-forwarded-for") is None


def _resolve(done: "asyncio.Future[Any]", refusal: Answer | None) -> None:
    if not done.done():
        done.set_result(refusal)
