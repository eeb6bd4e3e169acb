"""What every request passes through, besides Django's own."""

import ipaddress
import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from accessrules.authorization.callers import record_denial
from runai_access.audit.recorder import Origin
from runai_access.db.availability import is_unavailable
from runai_access.db.outage import handle_outage
from runai_access.errors import Busy, Denied, NotFound
from runai_access.errors_views import (
    busy,
    forbidden,
    is_for_programs,
    not_found,
    service_unavailable,
    too_large,
)
from runai_access.security.masking import masked

# A client's own X-Request-Id that is kept: safe in a log line, a header and a URL.
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
Handler = Callable[[HttpRequest], HttpResponse]

# Every script and style is a file of our own, so nothing inline is allowed and nothing is excepted.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeadersMiddleware:
    """Sends the policy with every answer, errors too, and lets no answer with data be kept."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        is_file = request.path_info.startswith(settings.STATIC_URL) and response.status_code < 400
        if is_file:
            # Not a page of ours: opened as one, it may do nothing. Short, as there are many.
            response.headers["Content-Security-Policy"] = "default-src 'none'"
        else:
            response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
            response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if not is_file:
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class LargeBodyMiddleware:
    """Refuses what is larger than any form of ours before it is read.

    Django's own limit leaves files out, and would write them to disk before anyone is signed in. The
    API measures its bodies itself, to refuse them in the form of each endpoint.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        is_large = not length.isdecimal() or int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if is_large and not is_for_programs(request):
            return too_large(request)
        return self._get_response(request)


class OriginMiddleware:
    """Notes where the request came from, for the audit record and the limits on guesses.

    Names it by the client's own X-Request-Id, if that is well-formed.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        correlation_id, request_id = _request_ids(request.META.get("HTTP_X_REQUEST_ID", ""))
        origin = Origin(
            _client_address(request), request_id, request.method or "", request.path, correlation_id
        )
        request.origin = origin  # type: ignore[attr-defined]  # read through caller_of
        response = self._get_response(request)
        response.headers["X-Request-Id"] = origin.correlation_id
        return response


class DatabaseAwayMiddleware:
    """Answers 503 while the database is away, instead of an error page."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self._get_response(request)
        except (DatabaseError, InterfaceError) as error:
            if is_unavailable(error):
                return _database_away(request, error)
            raise

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if is_unavailable(exception):
            return _database_away(request, exception)
        return None


class RefusalMiddleware:
    """Turns what the domain refuses a page into the page that says so; a denial is recorded."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if is_for_programs(request):
            return None
        match exception:
            case Denied():
                record_denial(request, exception)
                return forbidden(request, exception)
            case NotFound():
                return not_found(request, exception)
            case Busy():
                return busy(request, exception)
        return None


def _database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    handle_outage(error)
    return service_unavailable(request)


def _request_ids(given: str) -> tuple[str, uuid.UUID]:
    """Return the ID of a request, and the same as a UUID.

    A well-formed ID that the client gave is kept. Its UUID is the one that it reads as, or else that
    of version 5 (RFC 9562 §5.5), so that anyone can compute it. A credential is never kept.
    """
    if not given or not _CORRELATION_ID.fullmatch(given) or masked(given) != given:
        new = uuid.uuid4()
        return str(new), new
    try:
        return given, uuid.UUID(given)
    except ValueError:
        return given, uuid.uuid5(uuid.NAMESPACE_URL, given)


def _client_address(request: HttpRequest) -> str | None:
    """Return the nearest address that is not one of our proxies.

    X-Forwarded-For is believed only from a trusted proxy, and read from the right: what a client
    wrote into it stands further left. Where a hop can't be read, nothing left of it is believed.
    """
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while address and hops and any(address in network for network in settings.TRUSTED_PROXIES):
        hop = _parsed(hops.pop())
        if hop is None:
            break
        address = hop
    return str(address) if address else None


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    # A zone (fe80::1%eth0) names an interface of ours, not who came.
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    # The same IPv4 client must not count as two: ::ffff:192.0.2.1 is 192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address
