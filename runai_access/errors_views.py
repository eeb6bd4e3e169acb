"""Error pages for people, and the contract's form of errors for programs."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from runai_access.errors import Denied

_PROGRAM_PATHS = ("/api/", "/v1/", "/oauth2/", "/.well-known/")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 400, "Bad request.", "This request can't be understood.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    reason = str(exception) if isinstance(exception, PermissionDenied | Denied) else ""
    return _answer(request, 403, "You do not have sufficient permissions.", reason)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that lost its protection: usually an old page after signing in again."""
    return _answer(
        request, 403, "This form is too old.", "Go back, reload the page and send it again."
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 404, "Resource id not found.", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500, "Something went wrong.", "It has been logged with this request's id.")


def service_unavailable(request: HttpRequest) -> HttpResponse:
    response = _answer(
        request, 503, "Please try again in few minutes.", "The database does not answer right now."
    )
    response.headers["Retry-After"] = "5"
    return response


def is_for_programs(request: HttpRequest) -> bool:
    """Return whether this address belongs to the API, so that errors are JSON."""
    return request.path.startswith(_PROGRAM_PATHS)


def _answer(request: HttpRequest, status: int, message: str, details: str) -> HttpResponse:
    if is_for_programs(request):
        return JsonResponse({"code": status, "message": message, "details": details}, status=status)
    context = {"status": status, "message": message, "details": details}
    return render(request, "error.html", context, status=status)
