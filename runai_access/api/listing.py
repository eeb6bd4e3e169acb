"""One way of listing for every endpoint: filterBy, search, sortBy, sortOrder, limit, offset."""

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
from runai_access.api.filtering import Condition, Field, conditions
from runai_access.api.texts import compare, like
from runai_access.db.normalization import normalize, normalize_term

# What every list takes; a count takes only what narrows it.
FILTER_PARAMETERS = ("filterBy", "search")
PAGE_PARAMETERS = ("sortBy", "sortOrder", "limit", "offset")
MAX_OFFSET = 2**31 - 1
MAX_PARAMETER_LENGTH = 8000
R = TypeVar("R")


@dataclass(frozen=True)
class ApiPage(Generic[R]):
    """The rows of one answer; `total` counts all that match, `limit` is None without one."""

    rows: list[R]
    total: int
    offset: int
    limit: int | None

    @property
    def size(self) -> int:
        """The number of rows in this answer."""
        return len(self.rows)

    @property
    def next(self) -> int | None:
        """The offset of the next answer; None where this is the last."""
        end = self.offset + len(self.rows)
        return end if self.rows and end < self.total else None


@dataclass(frozen=True)
class ListEndpoint:
    """How one resource is listed. Without `default_limit` everything is answered.

    `not_kept` are fields of the contract that we have nothing to compare with.
    """

    fields: Mapping[str, Field]
    search: tuple[str, ...]
    order: tuple[OrderBy | str, ...]
    default_limit: int | None = None
    max_limit: int = 1000
    min_limit: int = 1
    not_kept: tuple[str, ...] = ()

    def page(
        self, rows: QuerySet[Any, R], parameters: QueryDict, columns: tuple[str, ...] = ()
    ) -> ApiPage[Any]:
        """Return what `parameters` ask for; raise InvalidParameter that names the one at fault.

        With `columns`, rows are tuples of those; what they show of other tables is not looked up to
        count them.
        """
        matching = self.matching(rows, parameters)
        offset, limit = self._part(parameters)
        ordered: QuerySet[Any, Any] = matching.order_by(*self._order(parameters))
        if columns:
            ordered = ordered.values_list(*columns)
        if limit is None and not offset:
            found = list(ordered)
            return ApiPage(found, len(found), offset, limit)
        end = None if limit is None else offset + limit
        return ApiPage(list(ordered[offset:end]), matching.count(), offset, limit)

    def page_of(self, rows: list[dict[str, Any]], parameters: QueryDict) -> ApiPage[dict[str, Any]]:
        """Return the same of rows of texts that are at hand, whatever order they have."""
        require_supported(parameters)
        asked = self._conditions(parameters)
        offset, limit = self._part(parameters)
        sought = normalize_term(parameters.get("search", ""))
        found = [
            row
            for row in rows
            if all(condition.holds_for(row) for condition in asked)
            and any(compare(row[name], "icontains", sought) for name in self.search)
        ]
        name, is_down = self._sorting(parameters)
        if name is not None:
            found.sort(
                key=lambda row: normalize(str(row[self.fields[name].lookup])), reverse=is_down
            )
        end = None if limit is None else offset + limit
        return ApiPage(found[offset:end], len(found), offset, limit)

    def _part(self, parameters: QueryDict) -> tuple[int, int | None]:
        offset = _number(parameters, "offset", 0, MAX_OFFSET) or 0
        limit = self.read_limit(parameters)
        return offset, self.default_limit if limit is None else limit

    def read_limit(self, parameters: QueryDict, name: str = "limit") -> int | None:
        """Return the number that `name` asks for, if it does; raise InvalidParameter for any other."""
        return _number(parameters, name, self.min_limit, self.max_limit)

    def matching(self, rows: QuerySet[Any, R], parameters: QueryDict) -> QuerySet[Any, R]:
        """Return the rows that filterBy and search leave."""
        require_supported(parameters)
        asked = self._conditions(parameters)
        rows = rows.filter(reduce(and_, (condition.as_q() for condition in asked), Q()))
        sought = normalize_term(parameters.get("search", ""))
        if sought:
            stored = {field.lookup: field.normalized for field in self.fields.values()}
            anywhere = Q()
            for lookup in self.search:
                column = stored.get(lookup, "")
                anywhere |= like(lookup, "icontains", sought, normalized_column=column)
            rows = rows.filter(anywhere)
        return rows

    def _conditions(self, parameters: QueryDict) -> list[Condition]:
        return conditions(parameters.getlist("filterBy"), self.fields, self.not_kept)

    def _sorting(self, parameters: QueryDict) -> tuple[str | None, bool]:
        """Return what to sort by, None where nothing is said, and whether downwards."""
        direction = parameters.get("sortOrder", "asc")
        if direction not in ("asc", "desc"):
            raise InvalidParameter(f"sortOrder must be asc or desc, not {direction[:80]!r}.")
        name = parameters.get("sortBy")
        if name is not None and name not in self.fields:
            raise InvalidParameter(
                f"sortBy: there is no field {name[:80]!r}. Fields: {', '.join(self.fields)}."
            )
        return name, direction == "desc"

    def _order(self, parameters: QueryDict) -> list[OrderBy | str]:
        name, is_down = self._sorting(parameters)
        if name is None:
            return list(self.order)
        field = self.fields[name]
        # Rows without a value come last both ways; no index has that order, so only where it matters.
        last = True if field.is_nullable else None
        # The primary key breaks ties, so that every row is on one page only.
        if is_down:
            return [OrderBy(field.sort_key, descending=True, nulls_last=last), "-pk"]
        return [OrderBy(field.sort_key, nulls_last=last), "pk"]


def require_supported(parameters: QueryDict) -> None:
    """Raise InvalidParameter that names a parameter which a database would refuse to be asked.

    None takes a NUL as text; SQLite looks for no text of more than 50,000 bytes. Normalizing can make
    a text longer: one character can become eighteen.
    """
    for name, values in parameters.lists():
        if any("\x00" in value for value in values):
            raise InvalidParameter(f"{name} must not contain the character NUL.")
        if any(max(len(value), len(normalize(value))) > MAX_PARAMETER_LENGTH for value in values):
            raise InvalidParameter(f"{name} must have at most {MAX_PARAMETER_LENGTH} characters.")


def paged(request: Request, page: ApiPage[Any], body: Any) -> Response:
    """Return `body` with the total and the neighbors in headers (RFC 8288)."""
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


def _number(parameters: QueryDict, name: str, least: int, largest: int) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else -1
    if not least <= number <= largest:
        raise InvalidParameter(
            f"{name} must be a whole number from {least} to {largest}, not {text[:80]!r}."
        )
    return number
