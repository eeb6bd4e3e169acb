"""Pages of rows that are in two indexes: living and deleted ones."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, Q, QuerySet

from runai_access.lists.keyset import OrderedQuery, Reader, parts_from
from runai_access.lists.sorts import Cursor, Sort, keyed, part_of, parts_after

M = TypeVar("M", bound=Model)


class MergedReader(Generic[M]):
    """Reads the rows of several readers in one order. Their sorts have the same keys.

    `sort` is one that has a value in the rows of all of them.
    """

    def __init__(self, readers: Sequence[Reader[M]], sort: Sort, *, is_descending: bool) -> None:
        # It merges the rows of queries, and a covering index has only keys.
        assert all(reader.listed.ordered is None for reader in readers)  # noqa: S101  # see `has_keys`
        self._readers, self._sort, self._is_descending = readers, sort, is_descending
        self.stopped_at: Cursor | None = None

    def after(self, start: Cursor | None, length: int) -> list[M]:
        """Return the rows after `start`: those of each reader, up to where the first one stopped."""
        found = [row for reader in self._readers for row in reader.after(start, length)]
        rows = sorted(
            found, key=lambda row: self._place(_edge_of(row)), reverse=self._is_descending
        )
        stops = [reader.stopped_at for reader in self._readers if reader.stopped_at]
        if stops:
            stop = sorted(stops, key=self._place, reverse=self._is_descending)[0]
            rows = [row for row in rows if self._is_at_or_before(_edge_of(row), stop)]
            self.stopped_at = stop if len(rows) < length else None
        return rows[:length]

    def at(self, offset: int, length: int) -> list[M]:
        """Return the rows from a position. The database merges the keys before it."""
        edge = self._edge(offset - 1) if offset else None
        return [] if offset and edge is None else self.after(edge, length)

    def _edge(self, position: int) -> Cursor | None:
        """Return the sort value and the key of a row, or None if there are fewer rows."""
        queries = [reader.listed for reader in self._readers]
        parts, rest = parts_from(position, queries, is_descending=self._is_descending)
        for part in parts:
            for edge in self._edges_at(part, rest):
                return Cursor(*edge)
            rest -= self._count(part, self._readers)
        return None

    def _edges_at(self, part: Q, position: int) -> Iterable[tuple[Any, Any]]:
        """Return the sort value and the key of the row at a position of a part, if it has one.

        Of the rows before it, all but as many as the others have are of the first reader. Its index
        passes them several times faster than the database merges them.
        """
        first, *following = self._readers
        others = self._count(part, following)
        if not others:
            return self._first_at(part, position)
        if position > others:
            found = self._first_at(part, position - others - 1)
            if not found:
                return []
            sort, edge = first.listed.sort, Cursor(*found[0])
            whole = replace(sort, is_repeated=False)
            after = next(iter(parts_after(whole, edge, self._is_descending)), None)
            if after is None:  # its group is gone
                return []
            part, position = after, self._count(after, following)
            if sort.is_repeated:  # most likely a row with the same value
                same = next(iter(parts_after(sort, edge, self._is_descending)))
                edges = self._edges(same, position + 1)[position:]
                if edges:
                    return edges
        return self._edges(part, position + 1)[position:]

    def _first_at(self, part: Q, position: int) -> list[tuple[Any, Any]]:
        """Return the sort value and the key of the first reader's row at a position of a part."""
        first = self._readers[0].query_at(position)
        # Its key first: the sort value of a row can be in another table.
        key = self._ordered(first, part).values("pk")[position : position + 1]
        rows = keyed(first.rows, first.sort).filter(pk__in=key)
        return list(rows.values_list("sort_key", "pk"))

    def _count(self, part: Q, readers: Sequence[Reader[M]]) -> int:
        """Return the number of rows that readers have of a part."""
        return sum(self._ordered(reader.listed, part).count() for reader in readers)

    def _edges(self, part: Q, most: int) -> QuerySet[Any, Any]:
        """Return the sort values and keys of the first rows of a part.

        SQLite merges rows in the order of two indexes. PostgreSQL does so only if both SELECTs are
        ordered and limited, which SQLite does not support; else it sorts all rows.
        """
        parts = [self._ordered(reader.listed, part) for reader in self._readers]
        if connection.features.supports_slicing_ordering_in_compound:
            parts = [rows[:most] for rows in parts]
        else:
            parts = [rows.order_by() for rows in parts]
        order = self._sort.order(part, self._is_descending)
        return parts[0].union(*parts[1:], all=True).order_by(*order)[:most]

    def _ordered(self, query: OrderedQuery[M], part: Q) -> QuerySet[Any, Any]:
        rows = part_of(query.rows, part, query.sort, is_descending=self._is_descending)
        return rows.values_list("sort_key", "pk")

    def _is_at_or_before(self, edge: Cursor, stop: Cursor) -> bool:
        first, second = (stop, edge) if self._is_descending else (edge, stop)
        return self._place(first) <= self._place(second)

    def _place(self, edge: Cursor) -> tuple[bool, Any, Any]:
        """Return what rows are compared by, as the database compares them."""
        null_is_largest = self._sort.nulls_last and not self._is_descending
        return (edge.value is None) is null_is_largest, edge.value, edge.pk


def _edge_of(row: Any) -> Cursor:
    return Cursor(row.sort_key, row.pk)
