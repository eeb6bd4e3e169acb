"""Error pages for people, and the contract's form of errors for programs."""

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
from runai_access.errors import Busy, Denied, NotFound

logger = logging.getLogger(__name__)
CONTRACT_NOT_FOUND = "Resource id not found."
PROGRAM_PATHS = ("/api/", "/v1/", "/oauth2/", "/.well-known/")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    details = "This request can't be understood."
    if isinstance(exception, DisallowedHost):
        hosts = ", ".join(settings.ALLOWED_HOSTS)
        host = request.META.get("HTTP_HOST", "")[:100]
        logger.warning("Refused a request for the host %r. Served hosts: %s", host, hosts)
        details = f"This server answers for {hosts}. RUNAI_ACCESS_ALLOWED_HOSTS adds other hosts."
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
    """Answer a form without a valid token: usually of an old page, after signing in again."""
    return _answer(
        request, 403, "This form is too old.", "Go back, reload the page and send it again."
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    missing = str(exception) if isinstance(exception, NotFound) else ""
    if missing in ("", CONTRACT_NOT_FOUND):
        missing = "There is nothing at this address that you can see; it may have been deleted."
    if intended := _intended_path(request):
        missing = f"The path is {intended}, without further slashes."
    return _answer(request, 404, CONTRACT_NOT_FOUND, missing, title="Not found")


def too_large(request: HttpRequest) -> HttpResponse:
    return _answer(request, 413, "This is too large.", "A form may have 1 MiB, and no files.")


def server_error(request: HttpRequest) -> HttpResponse:
    # Django brings here what a middleware raises before the view (the session is read there), and
    # passes it by no process_exception.
    error = sys.exception()
    if error is not None and is_unavailable(error):
        handle_outage(error)
        return service_unavailable(request)
    details = "It has been logged with this request's id."
    return _answer(request, 500, "Something went wrong.", details)


def service_unavailable(request: HttpRequest) -> HttpResponse:
    response = _answer(
        request, 503, "Please try again in few minutes.", "The database does not answer right now."
    )
    response.headers["Retry-After"] = "5"
    return response


def busy(request: HttpRequest, exception: Busy) -> HttpResponse:
    response = _answer(request, 503, "Please try again in a moment.", str(exception))
    response.headers["Retry-After"] = str(exception.retry_after)
    return response


def is_for_programs(request: HttpRequest) -> bool:
    """Return whether this address belongs to the API, so that errors are JSON."""
    return is_program_path(request.path)


def is_program_path(path: str) -> bool:
    """Return whether a path belongs to the API.

    `//api/` does too: a base URL that ends with a slash makes it of `/api/`.
    """
    return f"/{path.lstrip('/')}".startswith(PROGRAM_PATHS)


def _intended_path(request: HttpRequest) -> str:
    """Return the path of the API that a request meant which had too many slashes around it, or "".

    It is named and not served: what filters or logs paths would know the resource under one name only,
    and `DELETE /api/v1/apps/` is a client whose id is empty.
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
        # Only the frame needs a person, and so the database.
        context["frame"] = "base.html" if status < 500 and _is_signed_in(request) else "bare.html"
    template = "ui/_error_dialog.html" if is_in_dialog else "error.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    if is_in_dialog:
        response.headers["HX-Push-Url"] = "false"
    elif "HX-Request" in request.headers:
        # A part of a page can't be shown: let the browser ask for the whole, and show why.
        response.headers["HX-Refresh"] = "true"
    return response


def _is_signed_in(request: HttpRequest) -> bool:
    return hasattr(request, "user") and request.user.is_authenticated
