"""The query parameters that each endpoint knows, for its requests and for the OpenAPI document.

A view names its own in `query_parameters`; a view with a `listing` knows those of every list too.
"""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from runai_access.api.errors import InvalidParameter
from runai_access.api.listing import FILTER_PARAMETERS, PAGE_PARAMETERS
from runai_access.api.parameters import require_listed_values
from runai_access.api.spelling import intended_name

# A serializer class stands for one parameter per field.
QueryParameters = Sequence[OpenApiParameter | type[Serializer[Any]]]
_MAX_NAMED = 5


def own_parameters(view: Any, method: str) -> QueryParameters:
    """Return the parameters that the view itself names for a method; only GET has any."""
    parameters: QueryParameters = getattr(view, "query_parameters", ())
    return parameters if method in ("GET", "HEAD") else ()


def known_parameters(view: Any, method: str) -> list[str]:
    """Return the names of every query parameter of a method."""
    names: list[str] = []
    for parameter in own_parameters(view, method):
        if isinstance(parameter, OpenApiParameter):
            names.append(parameter.name)
        else:
            names += parameter().fields
    if method in ("GET", "HEAD") and getattr(view, "listing", None) is not None:
        names += FILTER_PARAMETERS
        names += () if getattr(view, "counts", False) else PAGE_PARAMETERS
    return names


def require_valid_parameters(view: Any, request: Request) -> None:
    """Raise InvalidParameter that names the unknown query parameters and the known ones.

    If a misspelled `filterBy` were ignored, a client would take everything for what it asked for. A
    parameter that declares its values must have one of them.
    """
    if not request.META.get("QUERY_STRING") or request.method not in view.allowed_methods:
        return  # a method that is not there is 405
    known = known_parameters(view, request.method or "")
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        named = ", ".join(_described(name, known) for name in unknown[:_MAX_NAMED])
        answer = f"Known: {', '.join(known)}." if known else "This method and path has none."
        raise InvalidParameter(f"Unknown query parameters: {named}. {answer}")
    own = own_parameters(view, request.method or "")
    require_listed_values(
        request.query_params, (one for one in own if isinstance(one, OpenApiParameter))
    )


def _described(name: str, known: list[str]) -> str:
    intended = intended_name(name, known)
    return f"{name[:80]!r}" + (f" (did you mean {intended}?)" if intended else "")
