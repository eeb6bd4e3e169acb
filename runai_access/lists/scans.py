"""Page strategies: cheaper ways to read a page than sorting all rows. A scan tests rows in order."""

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from django.db.models import Model, Q, QuerySet

from runai_access.db.expressions import InArray
from runai_access.db.keys import CoveringIndexScan, as_stored
from runai_access.lists.sorts import Cursor, Sort, after_cursor, part_of, parts_before

M = TypeVar("M", bound=Model)
# A key scan first reads this many times the wanted rows, and multiplies by it each time it needs more.
_MORE = 4


@dataclass(frozen=True)
class Scan:
    """The keys of the first rows. `stopped_at` is the last tested row of an incomplete scan."""

    keys: list[Any]
    stopped_at: Cursor | None = None


class PageStrategy(Protocol):
    """A cheaper way to read a page, tried before all rows are sorted."""

    def scan(self, part: Q, length: int, *, is_descending: bool, limit: int = 0) -> Scan | None:
        """Return the keys of the first `length` rows of a part.

        Tests no more rows than its own limit, or `limit` if that is more. None if `length` is more.
        """


@dataclass(frozen=True)
class BoundedIndexScan(Generic[M]):
    """Page strategy: scan `all` in the order of an index until a page of `rows` is full."""

    rows: QuerySet[M]
    all: QuerySet[M]
    sort: Sort
    limit: int

    def scan(self, part: Q, length: int, *, is_descending: bool, limit: int = 0) -> Scan | None:
        """Return the keys of the first rows of a part; None if `length` is more than the limit."""
        limit = max(limit, self.limit)
        if length > limit:
            return None
        passed = part_of(self.all, part, self.sort, is_descending=is_descending)
        columns = ["sort_key", "pk", *(["sort_then"] if self.sort.then else [])]
        edges = [Cursor(*edge) for edge in passed.values_list(*columns)[limit - 1 : limit + 1]]
        is_limited = len(edges) == 2
        ranges = [part]
        if is_limited:
            ranges = parts_before(self.sort, part, edges[1], is_descending=is_descending)
        keys: list[Any] = []
        for range_ in ranges:
            if len(keys) < length:
                rows = part_of(self.rows, range_, self.sort, is_descending=is_descending)
                keys += rows.values_list("pk", flat=True)[: length - len(keys)]
        is_cut = is_limited and len(keys) < length
        return Scan(keys, edges[0] if is_cut else None)


@dataclass(frozen=True)
class KeyScan(Generic[M]):
    """Page strategy: read keys in the list's order and test the other filters."""

    rows: QuerySet[M]
    ordered: CoveringIndexScan
    limit: int

    def scan(self, part: Q, length: int, *, is_descending: bool, limit: int = 0) -> Scan | None:
        """Return the keys of the first rows of a part; None if `length` is more than the limit."""
        limit = max(limit, self.limit)
        if length > limit:
            return None
        keys: list[Any] = []
        number, left, rest = length * _MORE, limit, part
        while True:
            number = min(number, left)
            edges = self.ordered.edges(rest, number, is_descending=is_descending)
            scanned = [key for _, key in edges]
            rows = self.rows.order_by().filter(InArray("pk", as_stored(scanned)))
            matched = set(rows.values_list("pk", flat=True))
            keys += [key for key in scanned if key in matched]
            if len(keys) >= length or len(scanned) < number:
                return Scan(keys[:length])
            left -= number
            if not left:
                return Scan(keys, Cursor(*edges[-1]))
            # Continue after the last key: concurrent inserts neither repeat nor skip a row.
            rest = part & after_cursor(*edges[-1], is_descending=is_descending)
            number *= _MORE
