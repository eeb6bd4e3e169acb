"""The list parameters of all endpoints: filterBy, search, sortBy, sortOrder, limit, offset."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db.models import OrderBy, Q, QuerySet
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from runai_access.api.errors import InvalidParameter
from runai_access.api.filtering import Condition, Field, parse_conditions
from runai_access.api.texts import compare, like
from runai_access.db.normalization import normalize, normalize_term

# The parameters of every list; a count has only the filter parameters.
FILTER_PARAMETERS = ("filterBy", "search")
PAGE_PARAMETERS = ("sortBy", "sortOrder", "limit", "offset")
MAX_OFFSET = 2**31 - 1
MAX_PARAMETER_LENGTH = 8000
R = TypeVar("R")


@dataclass(frozen=True)
class ApiPage(Generic[R]):
    """A page of rows. `total` is the number of all matching rows; `limit` is None if there is none."""

    rows: list[R]
    total: int
    offset: int
    limit: int | None

    @property
    def size(self) -> int:
        """The number of rows on this page."""
        return len(self.rows)

    @property
    def next(self) -> int | None:
        """The offset of the next page, or None on the last one."""
        end = self.offset + len(self.rows)
        return end if self.rows and end < self.total else None


@dataclass(frozen=True)
class ListEndpoint:
    """The list configuration of a resource. Without `default_limit`, all rows are returned.

    `unsupported_fields` are fields of the contract that are not stored.
    """

    fields: Mapping[str, Field]
    search: tuple[str, ...]
    order: tuple[OrderBy | str, ...]
    default_limit: int | None = None
    max_limit: int = 1000
    min_limit: int = 1
    unsupported_fields: tuple[str, ...] = ()

    def page(
        self, rows: QuerySet[Any, R], parameters: QueryDict, columns: tuple[str, ...] = ()
    ) -> ApiPage[Any]:
        """Return the page selected by `parameters`. Raises InvalidParameter, with the parameter's name.

        With `columns`, rows are tuples of these columns, and the count needs no joins for them.
        """
        matching = self.matching(rows, parameters)
        offset, limit = self._slice(parameters)
        ordered: QuerySet[Any, Any] = matching.order_by(*self._order(parameters))
        if columns:
            ordered = ordered.values_list(*columns)
        if limit is None and not offset:
            matches = list(ordered)
            return ApiPage(matches, len(matches), offset, limit)
        end = None if limit is None else offset + limit
        return ApiPage(list(ordered[offset:end]), matching.count(), offset, limit)

    def page_of(self, rows: list[dict[str, Any]], parameters: QueryDict) -> ApiPage[dict[str, Any]]:
        """Return the page selected by `parameters` from rows of texts in memory."""
        require_supported(parameters)
        filters = self._conditions(parameters)
        offset, limit = self._slice(parameters)
        term = normalize_term(parameters.get("search", ""))
        matches = [
            row
            for row in rows
            if all(condition.matches(row) for condition in filters)
            and any(compare(row[name], "icontains", term) for name in self.search)
        ]
        name, is_descending = self._sorting(parameters)
        if name is not None:
            matches.sort(
                key=lambda row: normalize(str(row[self.fields[name].lookup])), reverse=is_descending
            )
        end = None if limit is None else offset + limit
        return ApiPage(matches[offset:end], len(matches), offset, limit)

    def _slice(self, parameters: QueryDict) -> tuple[int, int | None]:
        offset = _number(parameters, "offset", 0, MAX_OFFSET) or 0
        limit = self.read_limit(parameters)
        return offset, self.default_limit if limit is None else limit

    def read_limit(self, parameters: QueryDict, name: str = "limit") -> int | None:
        """Return the limit in the parameter `name`, if given. Raises InvalidParameter."""
        return _number(parameters, name, self.min_limit, self.max_limit)

    def matching(self, rows: QuerySet[Any, R], parameters: QueryDict) -> QuerySet[Any, R]:
        """Return the rows that match filterBy and search."""
        require_supported(parameters)
        filters = self._conditions(parameters)
        rows = rows.filter(reduce(and_, (condition.as_q() for condition in filters), Q()))
        term = normalize_term(parameters.get("search", ""))
        if term:
            stored = {field.lookup: field.normalized for field in self.fields.values()}
            in_any_column = Q()
            for lookup in self.search:
                column = stored.get(lookup, "")
                in_any_column |= like(lookup, "icontains", term, normalized_column=column)
            rows = rows.filter(in_any_column)
        return rows

    def _conditions(self, parameters: QueryDict) -> list[Condition]:
        return parse_conditions(
            parameters.getlist("filterBy"), self.fields, self.unsupported_fields
        )

    def _sorting(self, parameters: QueryDict) -> tuple[str | None, bool]:
        """Return the name of the sort field, if given, and whether the order is descending."""
        direction = parameters.get("sortOrder", "asc")
        if direction not in ("asc", "desc"):
            raise InvalidParameter(f"sortOrder must be asc or desc, not {direction[:80]!r}.")
        name = parameters.get("sortBy")
        if name is not None and name not in self.fields:
            raise InvalidParameter(
                f"sortBy: unknown field {name[:80]!r}. Fields: {', '.join(self.fields)}."
            )
        return name, direction == "desc"

    def _order(self, parameters: QueryDict) -> list[OrderBy | str]:
        name, is_descending = self._sorting(parameters)
        if name is None:
            return list(self.order)
        field = self.fields[name]
        # Nulls come last in both directions. Only for nullable fields: no index has this order.
        last = True if field.is_nullable else None
        # The primary key breaks ties, so that each row is on exactly one page.
        if is_descending:
            return [OrderBy(field.sort_key, descending=True, nulls_last=last), "-pk"]
        return [OrderBy(field.sort_key, nulls_last=last), "pk"]


def require_supported(parameters: QueryDict) -> None:
    """Raise InvalidParameter for a parameter that a database does not support.

    No database supports NUL in text, and SQLite's LIKE patterns are limited to 50,000 bytes.
    Normalization can turn one character into eighteen.
    """
    for name, values in parameters.lists():
        if any("\x00" in value for value in values):
            raise InvalidParameter(f"{name} must not contain NUL characters.")
        if any(max(len(value), len(normalize(value))) > MAX_PARAMETER_LENGTH for value in values):
            raise InvalidParameter(f"{name} must have at most {MAX_PARAMETER_LENGTH} characters.")


def paged(request: Request, page: ApiPage[Any], body: Any) -> Response:
    """Return `body` with the total and links to the adjacent pages in headers (RFC 8288)."""
    response = Response(body)
    response["X-Total-Count"] = str(page.total)
    links = []
    if page.next is not None:
        links.append(_link(request, page.next, "next"))
    if page.offset and page.limit:
        links.append(_link(request, max(0, page.offset - page.limit), "prev"))
    if links:
        response["Link"] = ", ".join(links)
    return response


def _link(request: Request, offset: int, relation: str) -> str:
    parameters = request.query_params.copy()
    parameters["offset"] = str(offset)
    query = parameters.urlencode()
    return f'<{settings.PUBLIC_URL}{request.path}?{query}>; rel="{relation}"'


def _number(parameters: QueryDict, name: str, minimum: int, maximum: int) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else -1
    if not minimum <= number <= maximum:
        raise InvalidParameter(
            f"{name} must be an integer from {minimum} to {maximum}, not {text[:80]!r}."
        )
    return number
