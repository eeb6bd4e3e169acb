"""Liveness and readiness, answered before anything can refuse: no session, no Host, no sign-in."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

Handler = Callable[[HttpRequest], HttpResponse]


class HealthMiddleware:
    """Answers /healthz (the process lives; needs no database) and /readyz (it can serve)."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return JsonResponse({"status": "ok"})
        if request.path_info == "/readyz":
            return _readiness()
        return self._get_response(request)


def _readiness() -> HttpResponse:
    # Connected anew: over an open connection SQLite goes on reading a file that was moved away.
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute("SELECT 1 FROM accessrules_role LIMIT 1")
            migrated = cursor.fetchone() is not None
    except DatabaseError:
        return JsonResponse({"status": "the database does not answer"}, status=503)
    finally:
        own.close()
    if not migrated:
        return JsonResponse({"status": "the database is not migrated"}, status=503)
    return JsonResponse({"status": "ok"})
