"""Sorts, cursors, and the conditions for the rows after or before a cursor.

A cursor is the sort value and the primary key of a row. NULL sorts first, and the primary key breaks
ties in the same direction, so pages neither repeat nor skip rows when others are inserted or deleted.
A sort can have a time before the primary key, if the indexes of the table do.
"""

import base64
import binascii
import json
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Expression, F, Model, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.lookups import Exact

from runai_access.db.expressions import BinaryCollation, InArray, NoIndexHint, SQLiteNoIndexHint

M = TypeVar("M", bound=Model)
_MAX_CURSOR_LENGTH = 4_000
# Of a group with more values, the index of the primary key finds rows faster than the column's.
_MAX_INDEXED_GROUP = 50
# The first groups of a page are read one by one; small ones after them are read together.
_MAX_SINGLE_GROUPS = 3
_MAX_SORTED_GROUPS = 1_000  # rows
_MAX_DIGITS = 18  # of a number in a column of 64 bits


class BadCursor(Exception):
    """The text is not a cursor of this sort."""


class OneValue(Q):
    """The condition for rows that all have the same sort value, so it is not sorted by."""


def _same(text: str) -> Any:
    return text


def _number(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("The number in the cursor is too large.")
    return int(text)


@dataclass(frozen=True)
class Groups:
    """Sort values that the list's rows don't have themselves, because a small table has them.

    `read` returns each sort value, in ascending order, with the values of `column` in its rows. It
    takes the primary keys of the visible rows of the small table, or None for all.
    `is_text`: the column is a text column with a binary index. `reference` is the column that refers to
    the small table: filters by it exclude groups.
    `numbers` returns the number of rows of each value, or a higher one.
    """

    column: str
    read: Callable[[Sequence[int] | None], list[tuple[Any, list[Any]]]]
    is_text: bool = False
    reference: str = ""
    visible: Sequence[int] | None = None
    numbers: Callable[[], Mapping[Any, int]] | None = None

    def condition(self, values: list[Any]) -> OneValue:
        """Return the condition for the rows of a group."""
        if len(values) > _MAX_INDEXED_GROUP:
            return OneValue(InArray(SQLiteNoIndexHint(F(self.column)), values))
        column = self._indexed
        # The index of the column has rows with one value in the order of primary keys.
        is_single = len(values) == 1
        return OneValue(Exact(column, values[0]) if is_single else InArray(column, values))

    @property
    def _indexed(self) -> BinaryCollation | F:
        return BinaryCollation(F(self.column)) if self.is_text else F(self.column)

    def in_order(self, is_descending: bool) -> list[tuple[Any, list[Any]]]:
        """Return the groups that can have visible rows."""
        found = self.read(self.visible)
        return found[::-1] if is_descending else found

    def parts(self, groups: Iterable[tuple[Any, list[Any]]]) -> Iterator[Q]:
        """Yield the conditions for the rows of these groups, in order."""
        rest = (values for _, values in groups)
        yield from map(self.condition, islice(rest, _MAX_SINGLE_GROUPS if self.numbers else None))
        numbers: Mapping[Any, int] | None = None
        small: list[list[Any]] = []
        total = 0
        for values in rest:
            if numbers is None:
                numbers = self.numbers() if self.numbers else {}
            number = sum(numbers.get(value, 0) for value in values)
            if small and total + number > _MAX_SORTED_GROUPS:
                yield self._together(small)
                small, total = [], 0
            small, total = [*small, values], total + number
        if small:
            yield self._together(small)

    def _together(self, groups: list[list[Any]]) -> Q:
        if len(groups) == 1:
            return self.condition(groups[0])
        return Q(InArray(self._indexed, [value for values in groups for value in values]))


@dataclass(frozen=True)
class Sort:
    """The sort key of a column; `read` parses the text in a cursor.

    NULL is the smallest value, or with `nulls_last` the last one in both directions. Lists in the
    latter order can only be read forward. `then` is a column with a time, which orders rows with equal
    values. With `groups`, rows are read one group after the other, each in the order of `then` and of
    primary keys. `is_constant`: all rows have the same value, so SQLite need not sort by it.
    `is_repeated`: most rows can have one value, so a page after a cursor first reads the remaining rows
    with the value of the cursor.
    """

    by: Combinable | Expression | F
    is_nullable: bool = False
    read: Callable[[str], Any] = _same
    nulls_last: bool = False
    groups: Groups | None = None
    then: str = ""
    is_constant: bool = False
    is_repeated: bool = False

    def order(self, part: Q, is_descending: bool) -> list[str]:
        """Return the order within a part, as indexes have it."""
        has_one_value = self.is_constant or isinstance(part, OneValue)
        names = ["pk"] if has_one_value else ["sort_key", "pk"]
        if self.then:
            names.insert(-1, self.then)
        return [f"-{name}" for name in names] if is_descending else names

    @property
    def column(self) -> str:
        """The column of the list's table that has this order; "" if the value is in another table."""
        by = self.by.source_expressions[0] if isinstance(self.by, BinaryCollation) else self.by
        name = str(by.name) if isinstance(by, F) else ""  # type: ignore[attr-defined]  # an F has one
        return "" if "__" in name else name

    @classmethod
    def text(
        cls,
        path: str,
        *,
        is_nullable: bool = False,
        nulls_last: bool = False,
        is_repeated: bool = False,
    ) -> "Sort":
        by = BinaryCollation(F(path))
        return cls(by, is_nullable, nulls_last=nulls_last, is_repeated=is_repeated)

    @classmethod
    def time(cls, path: str, *, is_nullable: bool = False, nulls_last: bool = False) -> "Sort":
        return cls(F(path), is_nullable, datetime.fromisoformat, nulls_last)

    @classmethod
    def number(cls, by: str | Combinable | Expression) -> "Sort":
        return cls(F(by) if isinstance(by, str) else by, read=_number)

    @classmethod
    def flag(cls, path: str) -> "Sort":
        return cls(F(path), read=lambda text: text == "True")


@dataclass(frozen=True)
class Cursor:
    """Sort value and primary key of the row at the edge of a page; `then` is the time between them."""

    value: Any
    pk: Any
    then: datetime | None = None


def encode(row: Any) -> str:
    """Return the cursor of a row for a URL."""
    return encode_cursor(Cursor(row.sort_key, row.pk, getattr(row, "sort_then", None)))


def encode_cursor(cursor: Cursor) -> str:
    """Return a cursor for a URL."""
    values = [cursor.value, cursor.pk, *([cursor.then] if cursor.then else [])]
    packed = json.dumps([value if value is None else _text(value) for value in values]).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def decode(text: str, sort: Sort) -> Cursor:
    """Parse a cursor of this sort; raise BadCursor for any other text."""
    if len(text) > _MAX_CURSOR_LENGTH or "\x00" in text:
        raise BadCursor
    try:
        packed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        value, pk, *then = json.loads(packed)
        if value is not None and not isinstance(value, str):
            raise BadCursor
        value = value if value is None else sort.read(value)
        if (value is None and not sort.is_nullable) or "\x00" in str(value):
            raise BadCursor
        str(value).encode()
        if len(then) != bool(sort.then):
            raise BadCursor
        return Cursor(value, _key(pk), *map(datetime.fromisoformat, then))
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise BadCursor from error


def _key(text: Any) -> int | UUID:
    """Return the primary key in a cursor: an integer or a UUID."""
    if not isinstance(text, str):
        raise BadCursor
    return int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else UUID(text)


def parts_after(sort: Sort, start: Cursor | None, is_descending: bool) -> Iterable[Q]:
    """Return the conditions for rows after `start`, in order: rows with and without a value apart."""
    if sort.groups:
        return _group_parts(sort, start, is_descending)
    nothing, something = Q(sort_key__isnull=True), Q(sort_key__isnull=False)
    null_is_last = is_descending or sort.nulls_last
    if start is None:
        if not sort.is_nullable:
            return [Q()]
        return [something, nothing] if null_is_last else [nothing, something]
    tie = _ties(sort, start, _than(is_descending))
    if start.value is None:
        return [nothing & tie] if null_is_last else [nothing & tie, something]
    rest = [nothing] if sort.is_nullable and null_is_last else []
    if sort.then or sort.is_repeated:
        ahead = Q(**{f"sort_key__{_than(is_descending)}": start.value})
        return [OneValue(sort_key=start.value) & tie, ahead, *rest]
    return [after_cursor(start.value, start.pk, is_descending=is_descending), *rest]


def _group_parts(sort: Sort, start: Cursor | None, is_descending: bool) -> Iterator[Q]:
    """Yield the conditions for the groups after `start`, in order."""
    assert sort.groups  # noqa: S101  # as the caller has checked
    found = sort.groups.in_order(is_descending)
    if start is not None:
        same = next((values for value, values in found if value == start.value), None)
        if same:
            yield sort.groups.condition(same) & _ties(sort, start, _than(is_descending))
        is_ahead = operator.lt if is_descending else operator.gt
        found = [group for group in found if is_ahead(group[0], start.value)]
    yield from sort.groups.parts(found)


def after_cursor(value: Any, pk: Any, *, is_descending: bool) -> Q:
    """Return the condition for rows after this one, among those with a value."""
    than = _than(is_descending)
    return _beyond("sort_key", value, than, tie=Q(**{f"pk__{than}": pk}))


def _beyond(column: str, value: Any, than: str, *, tie: Q) -> Q:
    """Return the condition for the rows on one side of a value, and among those with it, for `tie`."""
    # "x >= v and (x > v or ...)" rather than "x > v or ...": the former is a range of an index.
    return Q(**{f"{column}__{than}e": value}) & (Q(**{f"{column}__{than}": value}) | tie)


def _ties(sort: Sort, edge: Cursor, than: str) -> Q:
    """Return the condition for the rows on one side of an edge, among those with its value."""
    tie = Q(**{f"pk__{than}": edge.pk})
    return _beyond(sort.then, edge.then, than, tie=tie) if sort.then else tie


def _than(is_descending: bool) -> str:
    return "lt" if is_descending else "gt"


def parts_before(sort: Sort, part: Q, edge: Cursor, *, is_descending: bool) -> list[Q]:
    """Return the conditions for the rows of a part before this one.

    Rows with the same value are a separate range: they might be all of the rest.
    """
    than = _than(not is_descending)
    tie = _ties(sort, edge, than)
    if edge.value is None or isinstance(part, OneValue):
        return [OneValue(tie) & part if isinstance(part, OneValue) else tie & part]
    # The nearest bounds first: see `part_of`.
    before = Q(**{f"sort_key__{than}": edge.value}) & part
    if sort.then:
        return [before, OneValue(sort_key=edge.value) & tie & part]
    # SQLite does not use "=" as an index range for booleans.
    own = Q(sort_key__gte=edge.value, sort_key__lte=edge.value)
    return [before, own & tie & part]


def keyed(queryset: QuerySet[M], sort: Sort) -> QuerySet[M]:
    """Return the rows with their sort key, as `sort_key` and, if it has a time, `sort_then`."""
    then = {"sort_then": F(sort.then)} if sort.then else {}
    keyed: QuerySet[M] = queryset.annotate(sort_key=sort.by, **then)  # type: ignore[assignment]  # the row gains them
    return keyed


def part_of(rows: QuerySet[M], part: Q, sort: Sort, *, is_descending: bool) -> QuerySet[M]:
    """Return the rows of a part in order, with their sort key.

    Its conditions come first: of several bounds of a column, SQLite uses the first as a range of the
    index, and those of a part are nearer than those of a filter.
    """
    found = keyed(rows, sort)
    number = len(found.query.where.children)
    found = found.filter(part)
    where = found.query.where
    where.children = where.children[number:] + where.children[:number]
    return found.order_by(*sort.order(part, is_descending))


def without_index(sort: Sort) -> Sort:
    """Return the same sort without index use, for rows that are found by their keys."""
    return replace(sort, by=NoIndexHint(sort.by), groups=None)
