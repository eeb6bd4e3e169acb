"""Responses sent without a thread: health checks, and refusals while all threads are busy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.test import RequestFactory

from runai_access.errors import Busy
from runai_access.errors_views import busy, is_program_path
from runai_access.middleware import SecurityHeadersMiddleware
from runai_access.server.rsgi import HTTPProtocol

RETRY_AFTER_SECONDS = 5
_OVERLOADED = "The server is overloaded."
_HEADERS = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cross-origin-opener-policy", "same-origin"),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
]
_OAUTH_PATHS = ("/api/v2/token", "/oauth2/")


@dataclass(frozen=True)
class Answer:
    """A complete response, ready to send."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def send(self, protocol: HTTPProtocol) -> None:
        protocol.response_bytes(self.status, self.headers, self.body)


def json_answer(status: int, members: Mapping[str, object], **headers: str) -> Answer:
    """Return a JSON response with the security headers of all responses."""
    extra = [(name.replace("_", "-"), value) for name, value in headers.items()]
    all_headers = [("content-type", "application/json"), *_HEADERS, *_transport(), *extra]
    return Answer(status, all_headers, json.dumps(members).encode())


def _transport() -> list[tuple[str, str]]:
    """Return the headers that Django's SecurityMiddleware adds over HTTPS."""
    if not settings.IS_HTTPS:
        return []
    policy = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
    return [("strict-transport-security", policy)]


def health(problem: str = "") -> Answer:
    """Return the response of /healthz or /readyz; `problem` is the reason for a 503."""
    return json_answer(503 if problem else 200, {"status": problem or "ok"})


def body_timeout() -> Answer:
    """Return the response to a body that did not arrive in time (RFC 9110 §15.5.9)."""
    message = "The request body did not arrive in time."
    return json_answer(408, {"code": 408, "message": message}, connection="close")


def unreadable_header() -> Answer:
    """Return the response to a header that is not ASCII and would be dropped (RFC 9110 §5.5)."""
    return json_answer(400, {"code": 400, "message": "X-Forwarded-For must be ASCII."})


class Overload:
    """Builds 503 responses for requests that get no thread: a page, API JSON or OAuth JSON."""

    def __init__(self) -> None:
        problem = Busy(_OVERLOADED, retry_after=RETRY_AFTER_SECONDS)
        with_headers = SecurityHeadersMiddleware(lambda request: busy(request, problem))
        page = with_headers(RequestFactory().get("/"))
        headers = [*page.headers.items(), ("Referrer-Policy", "same-origin"), *_transport()]
        self._page = Answer(503, headers, page.content)
        wait = {"retry_after": str(RETRY_AFTER_SECONDS)}
        message = {
            "code": 503,
            "message": "Please try again in few minutes.",
            "details": _OVERLOADED,
        }
        self._json = json_answer(503, message, **wait)
        error = {"error": "temporarily_unavailable", "error_description": _OVERLOADED}
        self._oauth = json_answer(503, error, **wait)

    def answer_to(self, path: str) -> Answer:
        if path.startswith(_OAUTH_PATHS):
            return self._oauth
        return self._json if is_program_path(path) else self._page
