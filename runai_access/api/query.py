"""The query parameters of each endpoint, for validation and for the OpenAPI document.

A view declares its own in `query_parameters`. A view with a `listing` also has the list parameters.
"""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from runai_access.api.errors import InvalidParameter
from runai_access.api.paging import FILTER_PARAMETERS
from runai_access.api.parameters import require_listed_values
from runai_access.api.spelling import intended_name

# A serializer class declares one parameter per field.
QueryParameters = Sequence[OpenApiParameter | type[Serializer[Any]]]
_MAX_REPORTED = 5


def own_parameters(view: Any, method: str) -> QueryParameters:
    """Return the parameters that the view declares for a method. Only GET has any."""
    parameters: QueryParameters = getattr(view, "query_parameters", ())
    return parameters if method in ("GET", "HEAD") else ()


def known_parameters(view: Any, method: str) -> list[str]:
    """Return the names of all query parameters of a method."""
    names: list[str] = []
    for parameter in own_parameters(view, method):
        if isinstance(parameter, OpenApiParameter):
            names.append(parameter.name)
        else:
            names += parameter().fields
    listing = getattr(view, "listing", None)
    if method in ("GET", "HEAD") and listing is not None:
        names += FILTER_PARAMETERS
        names += () if getattr(view, "counts", False) else listing.parameters
    return names


def require_valid_parameters(view: Any, request: Request) -> None:
    """Raise InvalidParameter for unknown query parameters, and for values that are not declared.

    A misspelled `filterBy` must not be ignored: the client would get an unfiltered list.
    """
    if not request.META.get("QUERY_STRING") or request.method not in view.allowed_methods:
        return  # an unsupported method is a 405
    known = known_parameters(view, request.method or "")
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        names = ", ".join(_describe(name, known) for name in unknown[:_MAX_REPORTED])
        hint = f"Known: {', '.join(known)}." if known else "This endpoint has no parameters."
        raise InvalidParameter(f"Unknown query parameters: {names}. {hint}")
    own = own_parameters(view, request.method or "")
    require_listed_values(
        request.query_params,
        (parameter for parameter in own if isinstance(parameter, OpenApiParameter)),
    )


def _describe(name: str, known: list[str]) -> str:
    intended = intended_name(name, known)
    return f"{name[:80]!r}" + (f" (did you mean {intended}?)" if intended else "")
