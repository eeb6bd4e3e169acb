"""Middleware: security headers, size limit, request origin, outages, and refusals."""

import ipaddress
import re
import uuid
from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accessrules.authorization.callers import record_denial
from runai_access.audit.recorder import Origin
from runai_access.db.availability import is_unavailable
from runai_access.db.outage import handle_outage
from runai_access.errors import Busy, Conflict, Denied, NotFound, ReauthenticationRequired
from runai_access.errors_views import (
    busy,
    conflict,
    forbidden,
    is_for_programs,
    not_found,
    service_unavailable,
    too_large,
)
from runai_access.security.masking import masked
from runai_access.ui.dialogs import address_to_return_to, leave_and_keep_form

# An X-Request-Id of a client that is accepted: safe in a log line, a header and a URL.
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
Handler = Callable[[HttpRequest], HttpResponse]

# All scripts and styles are our own files, so nothing inline is allowed, without exceptions.
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
    """Adds security headers to every response, including errors; pages are never cached."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        is_file = request.path_info.startswith(settings.STATIC_URL) and response.status_code < 400
        if is_file:
            # A static file is not a page; opened as one, it is allowed nothing. Short for speed.
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
    """Refuses bodies larger than any form before they are read.

    Django's limit does not cover uploaded files, and writes them to disk before authentication. The
    API has a separate check, which refuses in the format of each endpoint.
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
    """Sets `request.origin`, for the audit log and the limits on guesses.

    Its ID is the client's X-Request-Id, if that is well-formed.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        correlation_id, request_id = _request_ids(request.META.get("HTTP_X_REQUEST_ID", ""))
        origin = Origin(
            _client_address(request),
            request_id,
            request.method or "",
            request.path,
            correlation_id,
            _trace_id(request.META.get("HTTP_TRACEPARENT", "")),
            request.META.get("HTTP_USER_AGENT", ""),
        )
        request.origin = origin  # type: ignore[attr-defined]  # read through caller_of
        response = self._get_response(request)
        response.headers["X-Request-Id"] = origin.correlation_id
        return response


class DatabaseAwayMiddleware:
    """Responds with 503 instead of a server error while the database is unavailable."""

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
    """Turns refusals of the domain into error pages, and audits denials."""

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
            case Conflict():
                return conflict(request, exception)
            case Busy():
                return busy(request, exception)
            case ReauthenticationRequired():
                return _confirm_first(request)
        return None


def _confirm_first(request: HttpRequest) -> HttpResponse:
    """Redirect to the page that asks for the password, and back afterwards, with what was typed."""
    query = urlencode({"next": address_to_return_to(request)}, safe="/")
    address = f"{reverse('accounts:confirm')}?{query}"
    return leave_and_keep_form(address) if "HX-Request" in request.headers else redirect(address)


def _database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    handle_outage(error)
    return service_unavailable(request)


def _request_ids(given: str) -> tuple[str, uuid.UUID]:
    """Return the ID of a request, and the same ID as a UUID.

    A well-formed ID from the client is kept, unless it looks like a credential. If it is not a UUID,
    its UUID is of version 5 (RFC 9562 §5.5), so that anyone can compute it.
    """
    if not given or not _CORRELATION_ID.fullmatch(given) or masked(given) != given:
        new = uuid.uuid4()
        return str(new), new
    try:
        return given, uuid.UUID(given)
    except ValueError:
        return given, uuid.uuid5(uuid.NAMESPACE_URL, given)


def _trace_id(traceparent: str) -> str:
    """Return the trace ID of a well-formed traceparent header (W3C Trace Context §3.2)."""
    match = _TRACEPARENT.fullmatch(traceparent)
    return match[1] if match and match[1].strip("0") else ""


def _client_address(request: HttpRequest) -> str | None:
    """Return the nearest address that is not a trusted proxy.

    X-Forwarded-For is trusted only from a trusted proxy, and read from the right: entries that a
    client wrote are further left. Entries to the left of an unreadable one are ignored.
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
    # A zone (fe80::1%eth0) is a local interface, not part of the client's address.
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    # ::ffff:192.0.2.1 is 192.0.2.1: one IPv4 client must not count as two.
    return getattr(address, "ipv4_mapped", None) or address
