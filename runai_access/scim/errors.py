"""SCIM errors (RFC 7644 §3.12) for the errors of requests, of the domain and of the framework."""

from typing import Any

from django.core.exceptions import ValidationError
from pydantic import ValidationError as InvalidResource
from rest_framework.exceptions import ParseError
from rest_framework.response import Response
from scim2_models import Error, SCIMException

from runai_access.api.errors import exception_handler
from runai_access.errors import Conflict
from runai_access.errors_views import scim_error

_MAX_REPORTED = 5


def scim_exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Return the SCIM error for an exception, or None (a 500) for an unexpected one."""
    if isinstance(exception, SCIMException) and isinstance(exception.__cause__, InvalidResource):
        exception = exception.__cause__
    match exception:
        case InvalidResource():
            errors = Error.from_validation_errors(exception)
            detail = "; ".join(error.detail or "" for error in errors[:_MAX_REPORTED])
            return _response(400, detail, errors[0].scim_type or "")
        case SCIMException():
            return _response(exception.status, str(exception), exception.scim_type)
    response = exception_handler(exception, context)
    if response is not None:
        detail = response.data.get("details") or response.data["message"]
        response.data = scim_error(response.status_code, detail, _scim_type(exception))
    return response


def _scim_type(exception: Exception) -> str:
    match exception:
        case Conflict(field=field) if field:
            return "uniqueness"
        case ValidationError():
            return "invalidValue"
        case ParseError():
            return "invalidSyntax"
    return ""


def _response(status: int, detail: str, scim_type: str) -> Response:
    return Response(scim_error(status, detail, scim_type), status=status)
