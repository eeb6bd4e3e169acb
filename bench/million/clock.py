"""Reports the cost of a response in one of its headers."""

import json
from collections.abc import Callable
from time import perf_counter, thread_time
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

HEADER = "X-Bench"


class ClockMiddleware:
    """Measures each request, outside all other middleware.

    Reports milliseconds in total, of CPU time of this thread, of CPU time outside queries (Python), and
    in queries; and the number of queries.

    On SQLite, reading the rows of a query after the first counts as Python.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = _Queries()
        began, used = perf_counter(), thread_time()
        with connection.execute_wrapper(asked):
            response = self._get_response(request)
        cpu = thread_time() - used
        figures = {
            "server": (perf_counter() - began) * 1000,
            "cpu": cpu * 1000,
            "python": (cpu - asked.used) * 1000,
            "sql": asked.seconds * 1000,
            "queries": asked.number,
        }
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
