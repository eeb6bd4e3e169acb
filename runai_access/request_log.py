"""Requests in the metrics, and in the log if RUNAI_ACCESS_REQUEST_LOG turns it on.

Both name the route, such as `applications/<uuid:pk>/`, never the URL: a path or a query string can
contain a secret that was pasted by mistake.
"""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from runai_access.measurements import (
    REQUEST_SECONDS,
    REQUESTS,
    TOKENS_ISSUED,
    TOKENS_REFUSED,
)

logger = logging.getLogger("runai_access.requests")

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
TOKEN_ROUTES = {"token-v1", "token-v2", "app-token"}
# Why a token was refused, by the status of the response.
_REASONS = {
    400: "invalid request",
    401: "wrong credentials",
    429: "too many wrong credentials",
    503: "unavailable",
}
STATIC_FILES = "static files"
NO_ROUTE = "no route"


class ObservationMiddleware:
    """Measures each request, and logs it with its route, status, duration, caller and request ID."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._is_logged, self._is_measured = settings.REQUEST_LOG, settings.METRICS_PORT is not None
        if not (self._is_logged or self._is_measured):
            raise MiddlewareNotUsed
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self._get_response(request)
        seconds = time.perf_counter() - started
        if self._is_measured:
            _measure(request, response.status_code, seconds)
        if self._is_logged:
            _log(request, response.status_code, seconds)
        return response


def _measure(request: HttpRequest, status: int, seconds: float) -> None:
    method = request.method if request.method in _METHODS else "other"
    route = route_of(request)
    REQUESTS.labels(method, route, status).inc()
    REQUEST_SECONDS.labels(method, route).observe(seconds)
    match = request.resolver_match
    if match is not None and match.url_name in TOKEN_ROUTES:
        if status == 200:
            TOKENS_ISSUED.labels(route).inc()
        else:
            TOKENS_REFUSED.labels(_REASONS.get(status, "other")).inc()


def _log(request: HttpRequest, status: int, seconds: float) -> None:
    caller = getattr(request, "_caller", None)
    members = {
        "method": request.method,
        "route": route_of(request),
        "status": status,
        "ms": round(seconds * 1000, 1),
        "caller": str(caller.subject.pk) if caller and caller.subject else "",
    }
    logger.info(
        "%(method)s %(route)s %(status)s %(ms)s ms caller=%(caller)s",
        members,
        extra={"members": members, "request": request},
    )


def route_of(request: HttpRequest) -> str:
    """Return the route of a request that was answered, as in the URLconf."""
    if request.resolver_match is not None:
        return request.resolver_match.route or "/"
    is_file = request.path_info.startswith(settings.STATIC_URL)
    return STATIC_FILES if is_file else NO_ROUTE
