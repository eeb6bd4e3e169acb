"""Error pages for users, and JSON errors, as in the contract, for programs."""

import logging
import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import is_valid_path
from django.utils.cache import patch_vary_headers

from runai_access.db.availability import is_unavailable
from runai_access.db.outage import handle_outage
from runai_access.errors import Busy, Conflict, Denied, NotFound

logger = logging.getLogger(__name__)
CONTRACT_NOT_FOUND = "Resource id not found."
SCIM_PATH = "/scim/"
SCIM_TYPE = "application/scim+json"
PROGRAM_PATHS = ("/api/", "/v1/", "/oauth2/", "/.well-known/", SCIM_PATH)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    details = "The request is malformed."
    if isinstance(exception, DisallowedHost):
        hosts = ", ".join(settings.ALLOWED_HOSTS)
        host = request.META.get("HTTP_HOST", "")[:100]
        logger.warning("Refused a request for host %r. Allowed hosts: %s", host, hosts)
        details = (
            f"This server accepts requests for {hosts}. Add hosts with RUNAI_ACCESS_ALLOWED_HOSTS."
        )
    return _answer(request, 400, "Bad request.", details)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    reason = str(exception) if isinstance(exception, PermissionDenied | Denied) else ""
    is_read = request.method in ("GET", "HEAD")
    title = "You don't have access to this page." if is_read else "You can't do this."
    return _answer(
        request,
        403,
        "You do not have sufficient permissions.",
        reason,
        title=title,
        lacks_permission=True,
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without a valid CSRF token: usually an old page, after a new sign-in."""
    return _answer(
        request, 403, "This form has expired.", "Go back, reload the page and submit it again."
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    missing = str(exception) if isinstance(exception, NotFound) else ""
    if missing in ("", CONTRACT_NOT_FOUND):
        missing = (
            "There is no such endpoint."
            if is_for_programs(request)
            else "This page does not exist, or you can't see it. It might have been deleted."
        )
    if intended := _intended_path(request):
        missing = f"Use the path {intended}, without extra slashes."
    return _answer(request, 404, CONTRACT_NOT_FOUND, missing, title="Not found")


def conflict(request: HttpRequest, exception: Conflict) -> HttpResponse:
    return _answer(request, 409, "This is not possible now.", str(exception))


def too_large(request: HttpRequest) -> HttpResponse:
    return _answer(
        request, 413, "The request is too large.", "A form can have up to 1 MiB, without files."
    )


def server_error(request: HttpRequest) -> HttpResponse:
    # Errors of middleware before the view, such as reading the session, come here without passing
    # through process_exception.
    error = sys.exception()
    if error is not None and is_unavailable(error):
        handle_outage(error)
        return service_unavailable(request)
    details = "The error was logged with the ID of this request."
    return _answer(request, 500, "Something went wrong.", details)


def service_unavailable(request: HttpRequest) -> HttpResponse:
    response = _answer(
        request, 503, "Please try again in few minutes.", "The database is not responding."
    )
    response.headers["Retry-After"] = "5"
    return response


def busy(request: HttpRequest, exception: Busy) -> HttpResponse:
    response = _answer(request, 503, "Please try again in a moment.", str(exception))
    response.headers["Retry-After"] = str(exception.retry_after)
    return response


def is_for_programs(request: HttpRequest) -> bool:
    """Return whether the request is for the API, which gets JSON errors."""
    return is_program_path(request.path)


def is_program_path(path: str) -> bool:
    """Return whether a path belongs to the API.

    So does `//api/`, which clients request if their base URL ends with a slash.
    """
    return f"/{path.lstrip('/')}".startswith(PROGRAM_PATHS)


def scim_error(status: int, detail: str, scim_type: str = "") -> dict[str, Any]:
    """Return an error in the format of SCIM (RFC 7644 §3.12)."""
    body: dict[str, Any] = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(status),
        "detail": detail,
    }
    return {**body, "scimType": scim_type} if scim_type else body


def _intended_path(request: HttpRequest) -> str:
    """Return the API path of a request with extra slashes around it, or "".

    The error names this path, but the request is not served: proxies that filter or log paths expect
    one path per resource, and `DELETE /api/v1/apps/` comes from a client with an empty ID.
    """
    path = f"/{request.path.strip('/')}"
    is_other = path != request.path and is_for_programs(request)
    return path[:200] if is_other and is_valid_path(path) else ""


def _answer(
    request: HttpRequest,
    status: int,
    message: str,
    details: str,
    *,
    title: str = "",
    lacks_permission: bool = False,
) -> HttpResponse:
    if request.path.startswith(SCIM_PATH):
        return JsonResponse(
            scim_error(status, details or message), status=status, content_type=SCIM_TYPE
        )
    if is_for_programs(request):
        return JsonResponse({"code": status, "message": message, "details": details}, status=status)
    context: dict[str, Any] = {
        "status": status,
        "message": title or message,
        "details": details,
        "lacks_permission": lacks_permission,
    }
    is_in_dialog = request.headers.get("HX-Target") == "dialog"
    if not is_in_dialog:
        # Only the frame requires a user, and so the database.
        context["frame"] = "base.html" if status < 500 and _is_signed_in(request) else "bare.html"
    template = "ui/_error_dialog.html" if is_in_dialog else "error.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    if is_in_dialog:
        response.headers["HX-Push-Url"] = "false"
    elif "HX-Request" in request.headers:
        # The error can't replace a part of a page, so the browser reloads the page and shows it.
        response.headers["HX-Refresh"] = "true"
    return response


def _is_signed_in(request: HttpRequest) -> bool:
    return hasattr(request, "user") and request.user.is_authenticated
