"""Query parameters with a fixed set of values. Errors list the values."""

from collections.abc import Collection, Iterable

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter

from runai_access.api.errors import InvalidParameter


def require_one_of(name: str, value: str, values: Collection[str]) -> str:
    """Return `value`. Raises InvalidParameter if it is not in `values`."""
    if value not in values:
        raise InvalidParameter(f"{name} must be one of {', '.join(values)}, not {value[:80]!r}.")
    return value


def read_flag(parameters: QueryDict, name: str) -> bool:
    """Return a boolean parameter; False if it is missing."""
    return require_one_of(name, parameters.get(name, "false").lower(), ("true", "false")) == "true"


def require_listed_values(parameters: QueryDict, declared: Iterable[OpenApiParameter]) -> None:
    """Raise InvalidParameter if a parameter has none of its declared values."""
    for parameter in declared:
        if parameter.enum and parameter.name in parameters:
            require_one_of(parameter.name, str(parameters[parameter.name]), parameter.enum)
        elif parameter.type is bool:
            read_flag(parameters, parameter.name)
