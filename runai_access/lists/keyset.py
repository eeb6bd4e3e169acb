"""Keyset pagination: a page starts after a row, so deep pages cost no more than the first."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from django.db.models import Count as NumberOfRows
from django.db.models import F, Model, Q, QuerySet
from django.utils.functional import cached_property

from runai_access.db.expressions import SQLiteNoIndexHint
from runai_access.db.keys import CoveringIndexScan
from runai_access.lists.scans import PageStrategy
from runai_access.lists.sorts import (
    Cursor,
    Sort,
    encode,
    encode_cursor,
    keyed,
    part_of,
    parts_after,
)

M = TypeVar("M", bound=Model)
COUNTED = 10_000


@dataclass(frozen=True)
class Count:
    """A row count: exact up to a limit, a lower bound beyond."""

    number: int
    is_exact: bool

    def __str__(self) -> str:
        return f"{self.number:,}" + ("" if self.is_exact else "+")

    def __bool__(self) -> bool:
        return self.number > 0


@dataclass(frozen=True)
class Position:
    """The requested page: a number, the last page, or the page after or before a cursor.

    With a cursor, `number` is only the label of the page.
    """

    number: int = 1
    is_last: bool = False
    after: Cursor | None = None
    before: Cursor | None = None


@dataclass(frozen=True)
class OrderedQuery(Generic[M]):
    """The rows of a list, their sort, and the strategies to read them."""

    rows: QuerySet[M]
    sort: Sort
    # Tried first.
    index_scan: PageStrategy | None = None
    count: Count | None = None
    # Returns the number of rows of each group of the sort, faster than counting them.
    group_numbers: Callable[[], Mapping[Any, int]] | None = None
    # Replaces sorting, if set.
    ordered: CoveringIndexScan | None = None
    # Used when `index_scan` reaches its limit. If it returns None, there are too many rows to sort.
    sort_fallback: Callable[[], "OrderedQuery[M] | None"] | None = None


# A row after this many of several queries is found among sorted rows, if they are few.
MAX_UNSORTED = 3_000
# The most rows that are tested for a page if the matching rows are too many to sort.
MAX_SCANNED = 30_000


@dataclass(frozen=True)
class Page(Generic[M]):
    """The rows of one page. `number` is None if the page number is unknown.

    `stopped_at` is set if the page is not full because MAX_SCANNED rows were tested. The next page, or
    the previous one for a page that was read backwards, continues there.
    """

    rows: list[M]
    number: int | None
    size: int
    count: Count
    has_previous: bool
    has_next: bool
    stopped_at: Cursor | None = None
    is_backwards: bool = False

    @property
    def pages(self) -> int | None:
        """The number of pages; None if the count is not exact."""
        return max(1, -(-self.count.number // self.size)) if self.count.is_exact else None

    @property
    def max_page(self) -> int:
        """The last page that the user can jump to."""
        return self.pages or COUNTED // self.size

    @property
    def start(self) -> int | None:
        return (self.number - 1) * self.size + 1 if self.number else None

    @property
    def end(self) -> int | None:
        return self.start + len(self.rows) - 1 if self.start else None

    @property
    def previous_cursor(self) -> str:
        if self.stopped_at and self.is_backwards:
            return encode_cursor(self.stopped_at)
        return encode(self.rows[0]) if self.rows else ""

    @property
    def next_cursor(self) -> str:
        if self.stopped_at and not self.is_backwards:
            return encode_cursor(self.stopped_at)
        return encode(self.rows[-1]) if self.rows else ""


def count_up_to(queryset: QuerySet[Any], limit: int = COUNTED) -> Count:
    """Count at most `limit` rows, so that the cost does not grow with the table."""
    number = queryset.order_by()[: limit + 1].count()
    return Count(min(number, limit), number <= limit)


def page_of(
    listed: OrderedQuery[M],
    position: Position,
    *,
    is_descending: bool,
    size: int,
    whole: QuerySet[M] | None = None,
    values: Sequence[str] = (),
) -> Page[M]:
    """Return the page at `position`, or the nearest one that exists.

    `listed` selects and sorts the rows. `whole` is the queryset that loads them with everything the
    cells need; with `values`, rows are named tuples of those values.
    """
    shown = shown_rows(listed.rows if whole is None else whole, listed.sort, values)
    count = count_up_to(listed.rows) if listed.count is None else listed.count
    return _Pager(Reader(listed, shown, is_descending), count, size).page(position)


def shown_rows(whole: QuerySet[M], sort: Sort, values: Sequence[str]) -> QuerySet[M]:
    """Return the queryset that loads rows with their sort key; named tuples if `values` is set."""
    rows = keyed(whole, sort)
    return with_values(rows, [*values, "sort_key"]) if values else rows


def with_values(rows: QuerySet[M], names: Sequence[str]) -> QuerySet[M]:
    """Return the rows as named tuples of these values."""
    tuples: QuerySet[M] = rows.values_list(*names, named=True)
    return tuples


def in_order(queryset: QuerySet[M], sort: Sort, *, is_descending: bool) -> list[QuerySet[M]]:
    """Return the sorted rows in one or two consecutive parts: NULL values apart.

    Each part is one range of an index, whether the database sorts NULL first or last.
    """
    parts = parts_after(sort, None, is_descending)
    return [part_of(queryset, part, sort, is_descending=is_descending) for part in parts]


class Reader(Generic[M]):
    """Reads the rows of a query in the order of a list.

    `whole` is the queryset that loads them with their sort key. `stopped_at` is the last tested row if
    MAX_SCANNED rows were tested before enough were found.
    """

    def __init__(self, listed: OrderedQuery[M], whole: QuerySet[M], is_descending: bool) -> None:
        self.listed = listed
        self._sort = listed.sort
        self._whole = whole
        self._is_descending = is_descending
        self.stopped_at: Cursor | None = None

    def after(self, start: Cursor | None, length: int, *, backwards: bool = False) -> list[M]:
        """Return the rows after `start`; each part is one range of an index."""
        is_descending = self._is_descending is not backwards
        rows: list[M] = []
        for part in parts_after(self._sort, start, is_descending):
            rows += self._slice(part, 0, length - len(rows), is_descending)
            if len(rows) == length or self.stopped_at:
                break
        return rows

    def at(self, offset: int, length: int) -> list[M]:
        """Return the rows from a position."""
        rows: list[M] = []
        parts, offset = parts_from(offset, [self.listed], is_descending=self._is_descending)
        for part in parts:
            found = self._slice(part, offset, length - len(rows), self._is_descending)
            rows += found
            if len(rows) == length or self.stopped_at:
                break
            passed = offset if found or not offset else self._count_of(part)
            offset = max(0, offset - passed)
        return rows

    def _slice(self, part: Q, start: int, length: int, is_descending: bool) -> list[M]:
        """Read rows of a part: keys first, so that skipped rows cost no join."""
        end, ordered = start + length, self.listed.ordered
        keys: Any = None
        if ordered:
            keys = ordered.keys(part, start, end, is_descending=is_descending)
        elif self.listed.index_scan and start <= MAX_SCANNED:
            # The database passes a deeper offset faster than it sends the keys before it.
            found = self._scan(self.listed.index_scan, part, end, is_descending)
            keys = None if found is None else found[start:]
        if keys is None:
            keys = self._keys(part, is_descending)[start:end]
        order = self._sort.order(part, is_descending)
        return list(self._whole.filter(pk__in=keys).order_by(*order))

    def _scan(
        self, index_scan: PageStrategy, part: Q, length: int, is_descending: bool
    ) -> list[Any] | None:
        """Return the keys that a scan finds, or None if the rows must be sorted."""
        scan = index_scan.scan(part, length, is_descending=is_descending)
        if scan and not scan.stopped_at:
            return scan.keys
        if self.listed.sort_fallback is None or self._fallback:
            return None
        # Too many rows to sort, so test more of them, and remember where that ended.
        limit = max(MAX_SCANNED, length)
        scan = index_scan.scan(part, length, is_descending=is_descending, limit=limit)
        if scan is None:
            return None
        self.stopped_at = scan.stopped_at
        return scan.keys

    def _count_of(self, part: Q) -> int:
        ordered = self.listed.ordered
        return ordered.count(part) if ordered else self._keys(part, is_descending=False).count()

    @cached_property
    def _fallback(self) -> OrderedQuery[M] | None:
        return self.listed.sort_fallback() if self.listed.sort_fallback else None

    def query_at(self, position: int) -> OrderedQuery[M]:
        """Return the query that finds the row at a position: a deep one among rows that are sorted.

        If few rows of an index match, it would pass most of the table.
        """
        return (position > MAX_UNSORTED and self._fallback) or self.listed

    def _keys(self, part: Q, is_descending: bool) -> QuerySet[Any, Any]:
        """Return the keys of a part, for the database to sort."""
        listed = self._fallback or self.listed
        rows = listed.rows.select_related(None).prefetch_related(None)
        return part_of(rows, part, listed.sort, is_descending=is_descending).values("pk")


def parts_from(
    offset: int, queries: Sequence[OrderedQuery[Any]], *, is_descending: bool
) -> tuple[Iterable[Q], int]:
    """Return the parts with the rows from a position, and its offset in the first part.

    One query counts all groups before it. Parts that are not groups are few, and not counted.
    """
    sort = queries[0].sort
    if not sort.groups or not offset or sort.then:
        return parts_after(sort, None, is_descending), offset
    groups, numbers = sort.groups, Counter[Any]()
    for query in queries:
        if query.group_numbers:
            numbers.update(query.group_numbers())
        else:
            # SQLite would read all rows of the table in the order of an index.
            value = SQLiteNoIndexHint(F(groups.column))
            rows = query.rows.order_by().annotate(group=value).values_list("group")
            numbers.update(dict(rows.annotate(number=NumberOfRows("pk"))))
    found = groups.in_order(is_descending)
    for place, (_, values) in enumerate(found):
        number = sum(numbers[value] for value in values)
        if offset < number:
            return groups.parts(found[place:]), offset
        offset -= number
    return [], offset


class _Pager(Generic[M]):
    """Finds the page at a position."""

    def __init__(self, reader: Reader[M], count: Count, size: int) -> None:
        self._reader, self._count, self._size = reader, count, size

    def page(self, position: Position) -> Page[M]:
        if position.after:
            rows = self._reader.after(position.after, self._size + 1)
            if rows or self._reader.stopped_at:
                return self._forwards(rows, position.number, has_previous=True)
            return self._last()
        if position.before:
            rows = self._reader.after(position.before, self._size + 1, backwards=True)
            if len(rows) > self._size or self._reader.stopped_at:
                return self._backwards(rows, position.number, has_next=True)
            return self._numbered(1)
        last = -(-self._count.number // self._size)
        if position.is_last or (self._count.is_exact and position.number >= max(last, 2)):
            return self._last()
        return self._numbered(position.number)

    def _numbered(self, number: int) -> Page[M]:
        rows = self._reader.at((number - 1) * self._size, self._size + 1)
        return self._forwards(rows, number, has_previous=number > 1)

    def _last(self) -> Page[M]:
        if not self._count.is_exact:
            return self._backwards(self._reader.after(None, self._size + 1, backwards=True), None)
        pages = max(1, -(-self._count.number // self._size))
        if pages == 1:
            return self._numbered(1)
        length = self._count.number - (pages - 1) * self._size
        rows = self._reader.after(None, length, backwards=True)
        return replace(self._backwards(rows, pages), has_previous=True)

    def _forwards(self, rows: list[M], number: int, *, has_previous: bool) -> Page[M]:
        stopped_at = self._reader.stopped_at
        kept, has_next = rows[: self._size], len(rows) > self._size or stopped_at is not None
        size, count = self._size, self._count
        return Page(kept, number or None, size, count, has_previous, has_next, stopped_at)

    def _backwards(self, rows: list[M], number: int | None, *, has_next: bool = False) -> Page[M]:
        page = self._forwards(rows, number or 0, has_previous=has_next)
        return replace(
            page,
            rows=page.rows[::-1],
            has_previous=page.has_next,
            has_next=has_next,
            is_backwards=True,
        )
