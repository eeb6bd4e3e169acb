"""Reports the cost of a response in one of its headers."""

import json
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from time import perf_counter, thread_time
from types import TracebackType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.http import HttpRequest, HttpResponse

HEADER = "X-Bench"
TIMEOUT_HEADER = "X-Bench-Timeout"
TIMED_OUT = 504
# How often a query is interrupted again in seconds: a view can run further queries.
_INTERVAL = 0.1


class ClockMiddleware:
    """Measures each request, outside all other middleware.

    Reports milliseconds in total, of CPU time of this thread, of CPU time outside queries (Python), and
    in queries; and the number of queries.

    On SQLite, reading the rows of a query after the first counts as Python.

    A request can limit the time of its queries with the header X-Bench-Timeout, in seconds. Then a slow
    query ends with its request, and does not slow down the next one. The response has status 504.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = _Queries()
        deadline = _Deadline(float(request.headers.get(TIMEOUT_HEADER, 0)))
        began, used = perf_counter(), thread_time()
        with connection.execute_wrapper(asked), deadline:
            response = self._get_response(request)
        cpu = thread_time() - used
        figures = {
            "server": (perf_counter() - began) * 1000,
            "cpu": cpu * 1000,
            "python": (cpu - asked.used) * 1000,
            "sql": asked.seconds * 1000,
            "queries": asked.number,
        }
        if deadline.has_passed and response.status_code >= 500:
            response = HttpResponse(status=TIMED_OUT)
        response.headers[HEADER] = json.dumps(figures)
        return response


class _Queries:
    def __init__(self) -> None:
        self.number, self.seconds, self.used = 0, 0.0, 0.0

    def __call__(self, execute: Callable[..., Any], *query: Any) -> Any:
        began, used = perf_counter(), thread_time()
        try:
            return execute(*query)
        finally:
            self.number += 1
            self.seconds += perf_counter() - began
            self.used += thread_time() - used


class _Deadline:
    """Interrupts the queries of this thread after `seconds`; 0 means never."""

    def __init__(self, seconds: float) -> None:
        self.has_passed = False
        self._seconds, self._done = seconds, Event()
        # The wrapper of this thread; `connection` would be that of the thread that interrupts.
        self._connection = connections[DEFAULT_DB_ALIAS]
        self._thread = Thread(target=self._interrupt, daemon=True)

    def __enter__(self) -> None:
        if self._seconds:
            self._thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._seconds:
            self._thread.join()

    def _interrupt(self) -> None:
        wait = self._seconds
        while not self._done.wait(wait):
            self.has_passed = True
            wait = _INTERVAL
            raw = self._connection.connection
            with suppress(Exception):  # the connection was closed meanwhile
                if raw is not None:
                    raw.interrupt() if self._connection.vendor == "sqlite" else raw.cancel()
