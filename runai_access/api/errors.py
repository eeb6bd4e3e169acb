"""Error responses of the contract: `{"code", "message", "details"}` (contract/README.md, Errors)."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, TooManyFieldsSent, ValidationError
from django.db import DatabaseError, InterfaceError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from runai_access.api.parsers import UnsupportedCoding
from runai_access.api.serializers import ErrorSerializer
from runai_access.db.availability import is_unavailable
from runai_access.db.outage import handle_outage
from runai_access.errors import (
    Busy,
    Conflict,
    Denied,
    NotFound,
    TooMany,
    UserMustAct,
)

MESSAGES = {
    400: "Required parameter is missing",
    401: "Issuer is not familiar.",
    403: "You do not have sufficient permissions.",
    404: "Resource id not found.",
    405: "Method not allowed.",
    409: "Resource with this name already exists",
    413: "The body is too large.",
    415: "Unsupported media type.",
    422: "The request can't be processed.",
    429: "Too many requests.",
    500: "Something went wrong.",
    503: "Please try again in few minutes.",
}
INVALID = "Invalid parameter"


class InvalidParameter(exceptions.APIException):
    """An invalid query parameter. The message names it and the expected value."""

    status_code = status.HTTP_400_BAD_REQUEST


def error(code: int, details: str = "", *, message: str = "") -> Response:
    """Return an error response."""
    members = {"code": code, "message": message or MESSAGES[code], "details": details or None}
    return Response(ErrorSerializer.represent(members), status=code)


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Return the error response for an exception, or None (a 500) for an unexpected one."""
    response = _response_to(exception)
    if response is not None:
        set_rollback()
    return response


def _response_to(exception: Exception) -> Response | None:
    match exception:
        case Denied() | PermissionDenied() | UserMustAct():
            return error(403, str(exception))
        case NotFound() | Http404():
            return error(404, str(exception) if isinstance(exception, NotFound) else "")
        case Conflict():
            prefix = f"{exception.field}: " if exception.field else ""
            return error(409, prefix + str(exception))
        case ValidationError():
            return invalid(_by_field(exception))
        case TooManyFieldsSent():
            return error(400, "Too many parameters.", message=INVALID)
        case exceptions.ValidationError():
            return invalid(exception.detail)
        case Busy():
            code = 429 if isinstance(exception, TooMany) else 503
            return _retry_later(error(code, str(exception)), exception.retry_after)
        case DatabaseError() | InterfaceError() if is_unavailable(exception):
            handle_outage(exception)
            return _retry_later(error(503), 5)
        case exceptions.APIException():
            return _from_framework(exception)
    return None


def failure_of(exception: Exception) -> tuple[int, str]:
    """Return the status and reason of an error, for the results of bulk operations.

    Raises `exception` again if it is unexpected.
    """
    response = _response_to(exception)
    if response is None:
        raise exception
    return response.status_code, response.data.get("details") or response.data["message"]


def invalid(detail: Any) -> Response:
    """Return a 400 response that names each invalid field and its expected value."""
    messages = list(_flatten(detail))
    missing = any(getattr(message, "code", "") == "required" for _, message in messages)
    details = "; ".join(
        f"{field}: {message}" if field else str(message) for field, message in messages
    )
    return error(400, details, message=MESSAGES[400] if missing else INVALID)


def _by_field(exception: ValidationError) -> Any:
    if hasattr(exception, "error_dict"):
        return exception.message_dict
    return exception.messages


def _flatten(detail: Any, field: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each message with the path of its field, for example `payload.subjects[0].subjectId`."""
    if isinstance(detail, Mapping):
        for name, value in detail.items():
            yield from _flatten(value, _path(field, name))
    elif isinstance(detail, list | tuple):
        for value in detail:
            yield from _flatten(value, field)
    else:
        yield field, detail


def _path(field: str, name: object) -> str:
    if name == "non_field_errors":
        return field
    if isinstance(name, int):
        return f"{field}[{name}]"
    return f"{field}.{name}" if field else str(name)


def _from_framework(exception: exceptions.APIException) -> Response:
    response = error(exception.status_code, str(exception.detail), message=_message(exception))
    if header := getattr(exception, "auth_header", None):
        response["WWW-Authenticate"] = header
    if isinstance(exception, UnsupportedCoding):
        response["Accept-Encoding"] = "identity"  # RFC 9110 §15.5.16
    if wait := getattr(exception, "wait", None):
        _retry_later(response, int(wait))
    return response


def _message(exception: exceptions.APIException) -> str:
    if isinstance(exception, exceptions.ParseError):
        return "The request body is not valid."
    if isinstance(exception, InvalidParameter):
        return INVALID
    return MESSAGES.get(exception.status_code, "")


def _retry_later(response: Response, seconds: int) -> Response:
    response["Retry-After"] = str(seconds)
    return response
