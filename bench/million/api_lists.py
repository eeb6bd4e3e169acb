"""The lists of the API, found in the URLs: a new list or field is measured, or the bench fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

_PREFIXES = ("api/v1/", "authorization/", "org-unit/")


@dataclass(frozen=True)
class ApiList:
    """A list or count endpoint.

    `operators` are those of each field, by field. `sorts` are the fields that it can be sorted by.
    `parameters` are the contract's own parameters.
    """

    name: str
    path: str
    operators: dict[str, tuple[str, ...]]
    parameters: tuple[str, ...]
    counts: bool
    sorts: tuple[str, ...]


def api_lists() -> list[ApiList]:
    """Return all lists, without deprecated aliases of others."""
    lists = (_list_of(route, callback) for route, callback in _views(get_resolver().url_patterns))
    return [found for found in lists if found]


def _views(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith("api/") and "<" not in route:
            yield route, pattern.callback


def _list_of(route: str, callback: Any) -> ApiList | None:
    # These modules can only be imported after the URLs.
    from runai_access.api.filter_by import OPERATORS
    from runai_access.api.paging import ListEndpoint, RowsEndpoint, sortable
    from runai_access.api.query import known_parameters, own_parameters

    view = callback.cls(**callback.initkwargs) if hasattr(callback, "cls") else None
    listing = getattr(view, "listing", None)
    if not isinstance(listing, ListEndpoint | RowsEndpoint) or getattr(view, "deprecation", None):
        return None
    name = route
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    own = [getattr(parameter, "name", "") for parameter in own_parameters(view, "GET")]
    return ApiList(
        name=name,
        path=f"/{route}",
        operators={name: tuple(OPERATORS[field.kind]) for name, field in listing.fields.items()},
        parameters=tuple(own),
        counts=bool(getattr(view, "counts", False)),
        sorts=tuple(sortable(listing.fields)) if "sortBy" in known_parameters(view, "GET") else (),
    )
