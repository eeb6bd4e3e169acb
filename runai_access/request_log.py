"""The log of requests, which RUNAI_ACCESS_REQUEST_LOG turns on.

A line names the route, such as `applications/<uuid:pk>/`, never the URL: a path or a query string can
contain a secret that was pasted by mistake.
"""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger("runai_access.requests")

STATIC_FILES = "static files"
NO_ROUTE = "no route"


class RequestLogMiddleware:
    """Logs each request with its route, status, duration, caller and request ID."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.REQUEST_LOG:
            raise MiddlewareNotUsed
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self._get_response(request)
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        caller = getattr(request, "_caller", None)
        members = {
            "method": request.method,
            "route": route_of(request),
            "status": response.status_code,
            "ms": milliseconds,
            "caller": str(caller.subject.pk) if caller and caller.subject else "",
        }
        logger.info(
            "%(method)s %(route)s %(status)s %(ms)s ms caller=%(caller)s",
            members,
            extra={"members": members, "request": request},
        )
        return response


def route_of(request: HttpRequest) -> str:
    """Return the route of a request that was answered, as in the URLconf."""
    if request.resolver_match is not None:
        return request.resolver_match.route or "/"
    is_file = request.path_info.startswith(settings.STATIC_URL)
    return STATIC_FILES if is_file else NO_ROUTE
