"""Sorts, cursors, and the conditions for the rows after or before a cursor.

A cursor is the sort value and the primary key of a row. NULL sorts first, and the primary key breaks
ties in the same direction, so pages neither repeat nor skip rows when others are inserted or deleted.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
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
_MAX_DIGITS = 18  # of a number in a column of 64 bits


class BadCursor(Exception):
    """The text is not a cursor of this sort."""


def _same(text: str) -> Any:
    return text


def _number(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("The number in the cursor is too large.")
    return int(text)


@dataclass(frozen=True)
class Groups:
    """Sort values that the list's rows don't have themselves, because a small table has them.

    `read` returns each sort value, in ascending order, with the values of `column` in its rows.
    `is_text`: the column is a text column with a binary index.
    """

    column: str
    read: Callable[[], list[tuple[Any, list[Any]]]]
    is_text: bool = False

    def condition(self, values: list[Any]) -> Q:
        """Return the condition for the rows of a group."""
        if len(values) > _MAX_INDEXED_GROUP:
            return Q(InArray(SQLiteNoIndexHint(F(self.column)), values))
        column = BinaryCollation(F(self.column)) if self.is_text else F(self.column)
        # The index of the column has rows with one value in the order of primary keys.
        return Q(Exact(column, values[0])) if len(values) == 1 else Q(InArray(column, values))


@dataclass(frozen=True)
class Sort:
    """The sort key of a column; `read` parses the text in a cursor.

    NULL is the smallest value, or with `nulls_last` the last one in both directions. Lists in the
    latter order can only be read forward. With `groups`, rows are read in the order of their primary
    keys, one group after the other, because no index has the values.
    """

    by: Combinable | Expression | F
    is_nullable: bool = False
    read: Callable[[str], Any] = _same
    nulls_last: bool = False
    groups: Groups | None = None

    def order(self, is_descending: bool) -> list[str]:
        """Return the order within a part, as indexes have it."""
        names = ["pk"] if self.groups else ["sort_key", "pk"]
        return [f"-{name}" for name in names] if is_descending else names

    @property
    def column(self) -> str:
        """The column of the list's table that has this order; "" if the value is in another table."""
        by = self.by.source_expressions[0] if isinstance(self.by, BinaryCollation) else self.by
        name = str(by.name) if isinstance(by, F) else ""  # type: ignore[attr-defined]  # an F has one
        return "" if "__" in name else name

    @classmethod
    def text(cls, path: str, *, is_nullable: bool = False, nulls_last: bool = False) -> "Sort":
        return cls(BinaryCollation(F(path)), is_nullable, nulls_last=nulls_last)

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
    """Sort value and primary key of the row at the edge of a page."""

    value: Any
    pk: Any


def encode(row: Any) -> str:
    """Return the cursor of a row for a URL."""
    return encode_cursor(Cursor(row.sort_key, row.pk))


def encode_cursor(cursor: Cursor) -> str:
    """Return a cursor for a URL."""
    value = cursor.value
    text = value.isoformat() if isinstance(value, datetime) else value
    packed = json.dumps([text if text is None else str(text), str(cursor.pk)]).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(text: str, sort: Sort) -> Cursor:
    """Parse a cursor of this sort; raise BadCursor for any other text."""
    if len(text) > _MAX_CURSOR_LENGTH or "\x00" in text:
        raise BadCursor
    try:
        packed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        value, pk = json.loads(packed)
        if value is not None and not isinstance(value, str):
            raise BadCursor
        value = value if value is None else sort.read(value)
        if (value is None and not sort.is_nullable) or "\x00" in str(value):
            raise BadCursor
        str(value).encode()
        return Cursor(value, _key(pk))
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise BadCursor from error


def _key(text: Any) -> int | UUID:
    """Return the primary key in a cursor: an integer or a UUID."""
    if not isinstance(text, str):
        raise BadCursor
    return int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else UUID(text)


def parts_after(sort: Sort, start: Cursor | None, is_descending: bool) -> list[Q]:
    """Return the conditions for rows after `start`, in order: rows with and without a value apart."""
    if sort.groups:
        return _group_parts(sort.groups, start, is_descending)
    nothing, something = Q(sort_key__isnull=True), Q(sort_key__isnull=False)
    null_is_last = is_descending or sort.nulls_last
    if start is None:
        if not sort.is_nullable:
            return [Q()]
        return [something, nothing] if null_is_last else [nothing, something]
    if start.value is None:
        tie = Q(**{f"pk__{_than(is_descending)}": start.pk})
        return [nothing & tie] if null_is_last else [nothing & tie, something]
    ahead = after_cursor(start.value, start.pk, is_descending=is_descending)
    return [ahead, nothing] if sort.is_nullable and null_is_last else [ahead]


def _group_parts(groups: Groups, start: Cursor | None, is_descending: bool) -> list[Q]:
    """Return the conditions for the groups after `start`, in order."""
    parts = []
    for value, values in in_direction(groups.read(), is_descending):
        if start is None or (value < start.value if is_descending else value > start.value):
            parts.append(groups.condition(values))
        elif value == start.value:
            parts.append(groups.condition(values) & Q(**{f"pk__{_than(is_descending)}": start.pk}))
    return parts


def in_direction(groups: list[tuple[Any, list[Any]]], is_descending: bool) -> list[Any]:
    return groups[::-1] if is_descending else groups


def after_cursor(value: Any, pk: Any, *, is_descending: bool) -> Q:
    """Return the condition for rows after this one, among those with a value."""
    than = _than(is_descending)
    # "x >= v and (x > v or ...)" rather than "x > v or ...": the former is a range of an index.
    return Q(**{f"sort_key__{than}e": value}) & (
        Q(**{f"sort_key__{than}": value}) | Q(**{f"pk__{than}": pk})
    )


def _than(is_descending: bool) -> str:
    return "lt" if is_descending else "gt"


def parts_before(value: Any, pk: Any, *, is_descending: bool) -> list[Q]:
    """Return the conditions for rows before this one, with or without a value.

    Rows with the same value are a separate range: they might be all of the rest.
    """
    than = _than(not is_descending)
    alike = Q(**{f"pk__{than}": pk})
    if value is None:
        return [alike]
    # Not "=": SQLite does not use it as an index range for booleans.
    own = Q(sort_key__gte=value, sort_key__lte=value)
    return [Q(**{f"sort_key__{than}": value}), own & alike]


def keyed(queryset: QuerySet[M], sort: Sort) -> QuerySet[M]:
    keyed: QuerySet[M] = queryset.annotate(sort_key=sort.by)  # type: ignore[assignment]  # the row gains one
    return keyed


def without_index(sort: Sort) -> Sort:
    """Return the same sort without index use, for rows that are found by their keys."""
    return replace(sort, by=NoIndexHint(sort.by), groups=None)
