"""The pages of all lists of the API: filterBy, search, sortBy, sortOrder, limit, offset, cursor.

They have the filters, the search and the query strategies of the lists of the console.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from runai_access.api.errors import InvalidParameter
from runai_access.api.filter_by import Condition, Field, parse_conditions
from runai_access.db.normalization import normalize, normalize_term
from runai_access.lists.keyset import (
    MAX_SCANNED,
    Count,
    OrderedQuery,
    Reader,
    in_order,
    shown_rows,
    with_values,
)
from runai_access.lists.merging import MergedReader
from runai_access.lists.operators import is_match
from runai_access.lists.selection import ListFilter, Selection
from runai_access.lists.sorts import BadCursor, Cursor, Groups, Sort, decode, encode, encode_cursor

# The parameters of every list; a count has only the filter parameters.
FILTER_PARAMETERS = ("filterBy", "search")
PAGE_PARAMETERS = ("sortBy", "sortOrder", "limit", "offset", "cursor")
MAX_OFFSET = 2**31 - 1
MAX_PARAMETER_LENGTH = 8000
R = TypeVar("R")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class ApiPage(Generic[R]):
    """A page of rows. `count` is the number of all matching rows; `limit` is None if there is none.

    `cursor` is that of the next page; "" if only its offset leads there. An incomplete page has fewer
    rows than its limit, because too many were tested; the next page continues there.
    """

    rows: list[R]
    count: Count
    offset: int
    limit: int | None
    cursor: str = ""
    has_more: bool = False
    is_incomplete: bool = False

    @property
    def total(self) -> int:
        return self.count.number

    @property
    def size(self) -> int:
        """The number of rows on this page."""
        return len(self.rows)

    @property
    def next(self) -> int | None:
        """The offset of the next page, or None on the last one."""
        return self.offset + self.size if self.has_more else None


@dataclass(frozen=True)
class ListEndpoint:
    """The list configuration of a resource. Without `default_limit`, all rows are returned.

    `search`, `permission_filter` and `indexed_rows`, the rows in which filters search by an index, are
    those of the console's list. `unsupported_fields` are fields of the contract that are not stored.
    With `has_exact_total`, all matching rows are counted. If it `is_scanned`, a page tests at most
    MAX_SCANNED rows, whatever the filters and the sort are.
    """

    fields: Mapping[str, Field]
    search: Callable[[str, Any], ListFilter]
    sort: Sort
    indexed_rows: Callable[[Any], QuerySet[Any]] | None = None
    permission_filter: Callable[[Any], ListFilter | None] = lambda _: None
    default_limit: int | None = None
    max_limit: int = 1000
    min_limit: int = 1
    unsupported_fields: tuple[str, ...] = ()
    has_exact_total: bool = False
    # Counts all rows faster than the database tests each of them.
    count_all: Callable[[Any], int] | None = None
    # Counts the rows of each value of a column that groups them, also faster: all that the caller sees,
    # or more.
    count_groups: Callable[[Any, str], Mapping[Any, int]] | None = None
    # Returns the primary keys that visible rows have in the `reference` of a sort's groups; None for
    # all. A caller who sees a part of the list sees no row of most groups, which are then not read. Nor
    # are those that a filter excludes.
    visible_groups: Callable[[Any, str], Sequence[int] | None] = lambda *_: None
    is_scanned: bool = False
    # False if `rows` can contain rows that the indexes of the filters don't.
    has_keys: bool = True
    # Further rows, those of its `indexed_rows`, with the same fields and search, for a list with a
    # default limit. Pages merge both in the order of the sort.
    others: "ListEndpoint | None" = None
    parameters: ClassVar[tuple[str, ...]] = PAGE_PARAMETERS

    def page(
        self,
        rows: QuerySet[M],
        parameters: QueryDict,
        context: Any,
        *,
        more: Sequence[ListFilter] = (),
        complete: Callable[[QuerySet[M]], QuerySet[M]] = lambda rows: rows,
        values: Sequence[str] = (),
    ) -> ApiPage[Any]:
        """Return the page selected by `parameters`. Raises InvalidParameter, with the parameter's name.

        `more` are further filters. `complete` adds to a queryset what the response shows; with
        `values`, rows are named tuples of these and of the sort key.
        """
        selections = self._selections(rows, parameters, context, more)
        selection, *others = selections
        sort, is_descending = self.sorting(parameters)
        if sort.groups:
            sort = replace(sort, groups=self._groups(sort.groups, selection, context))
        limit = self.read_limit(parameters)
        limit = self.default_limit if limit is None else limit
        start = self._start(parameters, sort)
        offset = start if isinstance(start, int) else 0
        if limit is None and isinstance(start, int):
            assert not others  # noqa: S101  # see `others`
            parts = in_order(
                complete(selection.rows(sort)), selection.order(sort), is_descending=is_descending
            )
            loaded = (with_values(part, values) if values else part for part in parts)
            matches = [row for part in loaded for row in part]
            return ApiPage(matches[offset:], Count(len(matches), is_exact=True), offset, limit)
        count = (
            Count(self._number(selections, context), is_exact=True)
            if self.has_exact_total
            else selection.total(offset)
        )
        if limit == 0:
            return ApiPage([], count, offset, limit)
        # Only the sort of the others has a value in all rows.
        last = self.others.sorting(parameters)[0] if self.others else sort
        whole = shown_rows(complete(_all(rows)), last, values)
        listed = selection.listed(sort, count)
        if listed.sort.groups and not selection.is_filtered:
            listed = replace(listed, group_numbers=listed.sort.groups.numbers)
        queries = [listed, *(one.listed(last, count) for one in others)]
        one_more = (limit or self.max_limit) + 1  # to know whether there are others
        nulls_are_last = last.is_nullable and last.nulls_last  # an order that is only read forward
        is_from_end = (
            count.is_exact
            # Rows can be written after the count. A page that is near the start does not depend on it.
            and offset > max(count.number // 2, MAX_SCANNED)
            and not nulls_are_last
            and not any(query.index_scan for query in queries)
        )
        reader = _reader(queries, whole, last, is_descending is not is_from_end)
        if count.is_exact and count.number <= offset:
            found = []
        elif is_from_end:
            length = min(one_more, count.number - offset)
            found = reader.at(count.number - offset - length, length)[::-1]
        elif isinstance(start, Cursor):
            found = reader.after(start, one_more)
        else:
            found = reader.at(offset, one_more)
        page, stopped_at = found[: one_more - 1], reader.stopped_at
        has_more = len(found) == one_more or stopped_at is not None
        if not count.is_exact:
            # A client that pages up to the total must not stop before the last row.
            end = offset + len(page)
            is_last = start == 0 and not has_more
            number = end if is_last else max(count.number, end + has_more)
            count = Count(number, is_exact=is_last)
        cursor = ""
        if has_more:
            cursor = encode_cursor(stopped_at) if stopped_at else encode(page[-1])
        return ApiPage(page, count, offset, limit, cursor, has_more, stopped_at is not None)

    def _groups(self, groups: Groups, selection: Selection, context: Any) -> Groups:
        """Return the groups that can have rows, with the function that counts those of each."""
        numbers = self.count_groups and partial(self.count_groups, context, groups.column)
        visible = None
        if reference := groups.reference:
            visible = selection.referenced(reference, self.visible_groups(context, reference))
        return replace(groups, visible=visible, numbers=numbers)

    def count(
        self,
        rows: QuerySet[M],
        parameters: QueryDict,
        context: Any,
        more: Sequence[ListFilter] = (),
    ) -> int:
        """Return the number of rows that match filterBy and search. Raises InvalidParameter."""
        return self._number(self._selections(rows, parameters, context, more), context)

    def _number(self, selections: list[Selection], context: Any) -> int:
        """Return the exact number of rows."""
        first, *others = selections
        if self.count_all is None or first.is_filtered:
            number = first.exact_count()
        else:
            number = self.count_all(context)
        return number + sum(one.exact_count() for one in others)

    def _selections(
        self, rows: QuerySet[M], parameters: QueryDict, context: Any, more: Sequence[ListFilter]
    ) -> list[Selection]:
        """Return the rows that match filterBy, search and `more`: its own, then the others.

        Filters can read the database when they are built, so both share those that are the same.
        """
        require_supported(parameters)
        conditions = parse_conditions(
            parameters.getlist("filterBy"), self.fields, self.unsupported_fields
        )
        indexed = self.indexed_rows(context) if self.indexed_rows else _all(rows)
        filters = [condition.list_filter(context, indexed) for condition in conditions]
        shared = list(more)
        text = parameters.get("search", "")
        if normalize_term(text):
            shared.insert(0, self.search(text, context))
        selections = [self._selection(rows, [*filters, *shared], context)]
        if self.others is not None:
            assert self.others.indexed_rows is not None  # noqa: S101  # see `others`
            further = self.others.indexed_rows(context)
            found = zip(conditions, filters, strict=True)
            theirs = [self.others._of_condition(*one, context, further) for one in found]  # noqa: SLF001  # its class
            selections.append(self.others._selection(further, [*theirs, *shared], context))  # noqa: SLF001  # its class
        return selections

    def _of_condition(
        self, condition: Condition, known: ListFilter, context: Any, rows: QuerySet[Any]
    ) -> ListFilter:
        """Return the filter for a condition; `known` is that of the rows before these."""
        field = self.fields[condition.name]
        if field.filter is condition.field.filter:
            return known
        return replace(condition, field=field).list_filter(context, rows)

    def _selection(self, rows: QuerySet[M], filters: list[ListFilter], context: Any) -> Selection:
        """Return the visible rows of `rows` that match `filters`."""
        permission_filter = self.permission_filter(context)
        if permission_filter:
            filters = [*filters, permission_filter]
        if not self.has_keys:
            filters = [replace(list_filter, keys=None) for list_filter in filters]
        return Selection(rows, filters, is_scanned=self.is_scanned)

    def read_limit(self, parameters: QueryDict, name: str = "limit") -> int | None:
        """Return the limit in the parameter `name`, if given. Raises InvalidParameter."""
        return _number(parameters, name, self.min_limit, self.max_limit)

    def _start(self, parameters: QueryDict, sort: Sort) -> int | Cursor:
        text = parameters.get("cursor")
        if text is None:
            return _number(parameters, "offset", 0, MAX_OFFSET) or 0
        if "offset" in parameters:
            raise InvalidParameter("cursor can't be combined with offset.")
        try:
            return decode(text, sort)
        except BadCursor:
            raise InvalidParameter(
                "cursor must be copied from a Link header, with the same sortBy."
            ) from None

    def sorting(self, parameters: QueryDict) -> tuple[Sort, bool]:
        """Return the requested sort, and whether it is descending. Raises InvalidParameter."""
        name, is_descending = sorting(parameters, self.fields)
        if name is None:
            return self.sort, False
        sort = self.fields[name].sort
        return sort or self.sort, is_descending


@dataclass(frozen=True)
class RowsEndpoint:
    """The list configuration of rows of texts in memory: their fields, and those that search tests."""

    names: tuple[str, ...]
    search: tuple[str, ...]
    min_limit: int = 1
    max_limit: int = 1000
    parameters: ClassVar[tuple[str, ...]] = tuple(one for one in PAGE_PARAMETERS if one != "cursor")

    @property
    def fields(self) -> dict[str, Field]:
        """The fields, for the OpenAPI document and for filterBy."""
        return {name: Field.text(name) for name in self.names}

    def page(self, rows: list[dict[str, Any]], parameters: QueryDict) -> ApiPage[dict[str, Any]]:
        """Return the page selected by `parameters`. Raises InvalidParameter, with its name."""
        require_supported(parameters)
        conditions = parse_conditions(parameters.getlist("filterBy"), self.fields)
        term = normalize_term(parameters.get("search", ""))
        matches = [
            row
            for row in rows
            if all(is_match(one.operator, row[one.name], [one.value]) for one in conditions)
            and any(term in normalize(row[name]) for name in self.search)
        ]
        name, is_descending = sorting(parameters, self.fields)
        if name is not None:
            matches.sort(key=lambda row: normalize(str(row[name])), reverse=is_descending)
        limit = _number(parameters, "limit", self.min_limit, self.max_limit)
        offset = _number(parameters, "offset", 0, MAX_OFFSET) or 0
        page = matches[offset:] if limit is None else matches[offset : offset + limit]
        count = Count(len(matches), is_exact=True)
        has_more = bool(page) and offset + len(page) < len(matches)
        return ApiPage(page, count, offset, limit, has_more=has_more)


def _reader(
    queries: Sequence[OrderedQuery[M]], whole: QuerySet[M], sort: Sort, is_descending: bool
) -> Reader[M] | MergedReader[M]:
    readers = [Reader(query, whole, is_descending) for query in queries]
    if len(readers) == 1:
        return readers[0]
    return MergedReader(readers, sort, is_descending=is_descending)


def _all(rows: QuerySet[M]) -> QuerySet[M]:
    """Return all rows of the table."""
    everything: QuerySet[M] = rows.model._default_manager.all()  # noqa: SLF001  # documented
    return everything


def sortable(fields: Mapping[str, Field]) -> list[str]:
    """Return the names of the fields that a list can be sorted by."""
    return [name for name, field in fields.items() if field.sort is not None]


def sorting(parameters: QueryDict, fields: Mapping[str, Field]) -> tuple[str | None, bool]:
    """Return the name of the sort field, if given, and whether the order is descending."""
    direction = parameters.get("sortOrder", "asc")
    if direction not in ("asc", "desc"):
        raise InvalidParameter(f"sortOrder must be asc or desc, not {direction[:80]!r}.")
    name = parameters.get("sortBy")
    names = sortable(fields)
    if name is not None and name not in names:
        raise InvalidParameter(f"sortBy: unknown field {name[:80]!r}. Fields: {', '.join(names)}.")
    return name, direction == "desc"


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
    response["X-Total-Count" if page.count.is_exact else "X-Total-Count-At-Least"] = str(page.total)
    if page.is_incomplete:
        response["X-Search-Incomplete"] = "true"
    links = []
    if page.cursor:
        links.append(_link(request, "next", cursor=page.cursor))
    elif page.next is not None:
        links.append(_link(request, "next", offset=page.next))
    if page.offset and page.limit:
        links.append(_link(request, "prev", offset=max(0, page.offset - page.limit)))
    if links:
        response["Link"] = ", ".join(links)
    return response


def _link(request: Request, relation: str, **start: str | int) -> str:
    """Return a link to another page. A cursor replaces the offset: it skips no row after a deletion."""
    parameters = request.query_params.copy()
    for name in ("offset", "cursor"):
        parameters.pop(name, None)
    for name, value in start.items():
        parameters[name] = str(value)
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
