"""Filters and a search leave rows out: which rows stay is found in whichever way is quick.

There are two ways, and each is bad where the other is good. Few rows are found by an index of the
condition's own, then sorted. Many are met while the list is walked in its order, so that a page is
full after a few steps; finding them all first would take a second. Which of the two it is, a probe
tells that reads at most FEW keys, and where it finds more, the count: as long as that is exact, the
rows are sorted too, without their keys leaving the database. They could all stand at the far end; but
a page of them is looked for by a walk first, as far as that takes less than to sort them.

More could stand there as well, so a walk among those has an end, too: behind it they are sorted unless
they are more than FAR. And some need neither: where their keys are, these stand in the list's order. A
page of them is read from there, or met there along the way if others leave rows out as well.

A way to a page of what several conditions leave: along the keys of one of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Exists, F, Model, Q, QuerySet
from django.utils.functional import cached_property

from runai_access.db.conditions import changed, renamed
from runai_access.db.expressions import InArray, SQLiteNoIndexHint
from runai_access.db.keys import CoveringIndexScan, InKeySubquery, KeySubquery, as_stored
from runai_access.lists.keyset import (
    COUNTED,
    BoundedIndexScan,
    Count,
    OrderedQuery,
    PageStrategy,
    Sort,
    after_cursor,
    count_up_to,
    without_index,
)

M = TypeVar("M", bound=Model)
# So many times as many keys as rows are wanted are looked at first, and so many times more each time
# that those are not enough.
_MORE = 4


@dataclass(frozen=True)
class KeyScan(Generic[M]):
    """The rows of a list that meet the other conditions too, met among keys in its order, of which no
    more than `limit` are passed."""

    rows: QuerySet[M]
    ordered: CoveringIndexScan
    limit: int

    def keys(self, part: Q, length: int, *, is_descending: bool) -> list[Any] | None:
        """Return the keys of the first rows of a part; None where they stand too far off."""
        if length > self.limit:
            return None
        keys: list[Any] = []
        number, left, rest = length * _MORE, self.limit, part
        while left:
            number = min(number, left)
            edges = self.ordered.edges(rest, number, is_descending=is_descending)
            some = [key for _, key in edges]
            rows = self.rows.order_by().filter(InArray("pk", as_stored(some)))
            met = set(rows.values_list("pk", flat=True))
            keys += [key for key in some if key in met]
            if len(keys) >= length or len(some) < number:
                return keys[:length]
            # From the last one on, so that none is met twice or left out, whatever comes meanwhile.
            rest = part & after_cursor(*edges[-1], is_descending=is_descending)
            left, number = left - number, number * _MORE
        return None


# Sorting this many costs about as much as walking until a page of them is full.
MAX_SORTED_CANDIDATES = 3_000
# So many are sorted sooner than they are walked to, where a page is not full soon.
MAX_SORT_FALLBACK = 100_000
# So many keys that stand in the list's order are asked for the other conditions, to fill a page.
SCAN_LIMIT = 3_000
# "At least" is found out among so many; fewer than a page has would say nothing.
_SAMPLES = (500, 1_000)
MIN_ESTIMATE = 100


@dataclass(frozen=True)
class ListFilter:
    """One thing that leaves rows out: the condition, and where rows that meet it are found.

    Without a condition it says that the rows it is used with leave some out already: of those that
    `among` has, where that is told.

    `column` is set where the condition is one range of the index by that column, which then gives
    the keys too.
    """

    condition: Q
    keys: KeySubquery | None = None
    column: str = ""
    among: QuerySet[Any] | None = None

    @property
    def is_permission_filter(self) -> bool:
        """Whether it says what the rows leave out already, and of which."""
        return not self.condition and self.among is not None


class Selection:
    """The rows that all of `list_filters` leave, found in the quicker way.

    They are counted up to `counted`: COUNTED unless a file is to hold more of them.
    """

    def __init__(
        self, rows: QuerySet[Any], list_filters: Sequence[ListFilter], counted: int | None = None
    ) -> None:
        self._rows, self._list_filters = rows, list_filters
        self._limit = COUNTED if counted is None else counted
        # Keys may repeat, so a few more are read than are to be counted.
        self._most = self._limit * 6 // 5
        self._found = [(one, one.keys) for one in list_filters if one.keys is not None]
        self._counts: dict[int, tuple[int, bool]] = {}
        self._too_many: dict[int, bool] = {}

    @cached_property
    def _candidates(self) -> tuple[ListFilter, list[Any]] | None:
        """One that leaves few rows, and their keys; None where none of them does."""
        for number, (list_filter, keys) in enumerate(self._found):
            few = self._read_candidates(number, keys) if keys.is_whole else None
            if few is not None:
                return list_filter, few
        return None

    def _read_candidates(self, number: int, keys: KeySubquery) -> list[Any] | None:
        """Return the keys if they are few; note how many they are where that is found out."""
        if keys.is_distinct:
            return keys.few(MAX_SORTED_CANDIDATES)
        if self._exceeds_limit(number):
            return None
        # To tell the same ones apart, all that are counted are read. SQLite would sort them for that,
        # so it sends them; PostgreSQL has a better way, and to send them would take longer.
        if keys.once or connection.vendor != "sqlite":
            different, are_all = self._counted(number)
            are_few = are_all and different <= MAX_SORTED_CANDIDATES
            return list(dict.fromkeys(keys.first(self._most))) if are_few else None
        read = keys.first(self._most)
        found = list(dict.fromkeys(read))
        self._counts[number] = len(found), len(read) < self._most
        return found if len(read) < self._most and len(found) <= MAX_SORTED_CANDIDATES else None

    @cached_property
    def _whole(self) -> tuple[ListFilter, KeySubquery] | None:
        """One that leaves not few, and no more than are counted, with where they are found."""
        if self._candidates is None:
            for number, (list_filter, keys) in enumerate(self._found):
                if keys.is_whole and not self._exceeds_limit(number) and self._counted(number)[1]:
                    return list_filter, keys
        return None

    def _exceeds_limit(self, number: int) -> bool:
        """Return whether one of several has more keys than are read to tell the same ones apart.

        Then it need not be found out how many different ones those are.
        """
        keys = self._found[number][1]
        if len(self._list_filters) == 1 or keys.has_distinct_keys or number in self._counts:
            return False
        if number not in self._too_many:
            self._too_many[number] = keys.exists_more_than(self._most - 1) is True
        return self._too_many[number]

    def _counted(self, number: int) -> tuple[int, bool]:
        """Return how many keys one has among those that are read, and whether those are all."""
        if number not in self._counts:
            keys = self._found[number][1]
            self._counts[number] = keys.count(
                self._limit + 1 if keys.has_distinct_keys else self._most
            )
        return self._counts[number]

    @property
    def _is_scan(self) -> bool:
        return self._candidates is None and self._whole is None

    def rows(self, sort: Sort | None = None, *, is_page: bool = False) -> QuerySet[Any]:
        """Return the rows; where they are to be walked through, in the order of `sort`.

        `is_page` says that no more than a page of them is wanted.
        """
        if self._candidates is not None:
            list_filter, few = self._candidates
            rows = self._rows.filter(InArray("pk", few))
            return apply_filters(rows, _remaining_filters(self._list_filters, list_filter))
        if self._whole is not None and not self._is_scan:
            return self._driven_by(*self._whole)
        return self._index_scan(sort, is_page=is_page)

    def listed(self, sort: Sort) -> OrderedQuery[Any]:
        """Return the rows as a page of them is read."""
        ordered = self._ordered(sort)
        if ordered:
            return OrderedQuery(
                self._rows, without_index(sort), count=self.count(), ordered=ordered
            )
        rows, order, index_scan = (
            self.rows(sort, is_page=True),
            self.order(sort),
            self.index_scan(sort),
        )
        far = partial(self._sort_fallback, sort) if index_scan and self._is_scan else None
        return OrderedQuery(rows, order, index_scan, self.count(), sort_fallback=far)

    def _ordered(self, sort: Sort) -> CoveringIndexScan | None:
        """Return where the keys of these rows stand in this order, if they do."""
        if len(self._list_filters) == 1 and self._found:
            list_filter, keys = self._found[0]
            if self._rows.query.where and not list_filter.is_permission_filter:
                return None
            return _in_order(keys, sort)
        return None

    def _index_scan(self, sort: Sort | None, *, is_page: bool) -> QuerySet[Any]:
        """Return the rows as they are met along the order."""
        if sort is None:
            return apply_filters(self._rows, self._list_filters)
        left = map(_as_correlated_subquery, self._list_filters) if is_page else self._list_filters
        # In another order the index of a condition would give all of them, unsorted.
        return apply_filters(self._rows, left, driven_by=sort.column)

    def _driven_by(self, list_filter: ListFilter, keys: KeySubquery) -> QuerySet[Any]:
        """Return the rows, found by the keys of one condition."""
        if list_filter.column:
            return apply_filters(self._rows, self._list_filters, driven_by=list_filter.column)
        rows = self._rows.filter(InKeySubquery("pk", keys))
        return apply_filters(
            rows, _remaining_filters(self._list_filters, list_filter), driven_by=""
        )

    def index_scan(self, sort: Sort) -> PageStrategy | None:
        """Return how a page of rows may be met sooner than all of them are sorted, or met.

        To pass a row takes about half as long as to sort one, so this loses no more than it may save.
        A range of an index is sorted soon enough; where the order is its own, it needs no way to it.
        """
        along = self._key_scan(sort) if self._is_scan else None
        if along:
            return along
        columns = {list_filter.column for list_filter in self._list_filters} - {""}
        passed = self._scanned()
        if self._candidates is not None or not self._found or passed is None:
            return None
        if not sort.column or sort.column in columns:
            return None
        if not self._is_scan and (columns or len(self._list_filters) > 1):
            return None  # what several leave of so few is not met soon
        _, keys = self._found[0]
        # Of those that are not all it is known that they are not few.
        number = self._counted(0)[0] if keys.is_whole else self._most
        return BoundedIndexScan(self._index_scan(sort, is_page=True), passed, sort, number * 3 // 2)

    def _key_scan(self, sort: Sort) -> KeyScan[Any] | None:
        """Return how to meet them among the keys of one condition that stand in this order.

        Not if another one is a range of the order itself: to begin there is better.
        """
        if sort.column in {list_filter.column for list_filter in self._list_filters}:
            return None
        for list_filter, keys in reversed(
            self._found
        ):  # sight, if it is among them, leaves most out
            ordered = _in_order(keys, sort)
            if ordered:
                others = _remaining_filters(self._list_filters, list_filter)
                rows = apply_filters(
                    self._rows_matching(list_filter, keys), map(_as_correlated_subquery, others)
                )
                return KeyScan(rows, ordered, SCAN_LIMIT)
        return None

    def _scanned(self) -> QuerySet[Any] | None:
        """Return what is passed on the way: rows that are not asked for each if they are in sight."""
        permission_filters = [
            list_filter for list_filter in self._list_filters if not list_filter.condition
        ]
        return permission_filters[0].among if permission_filters else self._rows

    def _sort_fallback(self, sort: Sort) -> OrderedQuery[Any] | None:
        """Return how to read many rows that are not met soon; None where to go on is best."""
        quickly_counted_first = sorted(self._found, key=lambda one: not one[1].has_distinct_keys)
        for list_filter, keys in quickly_counted_first:
            _, are_all = keys.count(MAX_SORT_FALLBACK)
            if are_all:
                return OrderedQuery(self._driven_by(list_filter, keys), without_index(sort))
        return None

    def order(self, sort: Sort) -> Sort:
        """Return how to sort them: who is found by keys is not to be met by walking through all."""
        return sort if self._is_scan else without_index(sort)

    def count(self) -> Count:
        """Count them; where that would take too long, say how many there are at least."""
        limit = self._limit
        if len(self._list_filters) == 1 and self._found and self._found[0][1].is_exact:
            # What is read already tells; else only SQLite reads to count, where the same ones repeat.
            is_quick = self._found[0][1].has_distinct_keys or connection.vendor != "sqlite"
            few = self._candidates if "_candidates" in self.__dict__ or not is_quick else None
            number, are_all = (len(few[1]), True) if few else self._counted(0)
            if are_all or number > MIN_ESTIMATE:
                return Count(min(number, limit), are_all and number <= limit)
            return count_up_to(self.rows(), limit)
        if not self._found or self._candidates is not None or self._whole is not None:
            return count_up_to(self.rows(), limit)
        return self._count_among_some()

    def exists_more_than(self, number: int) -> bool | None:
        """Return whether they are more than so many; None where it takes too long to find that out."""
        is_known = self._counts or "_candidates" in self.__dict__
        if len(self._list_filters) == 1 and self._found and not is_known:
            _, keys = self._found[0]
            if keys.is_exact and keys.has_distinct_keys:
                return keys.exists_more_than(number)
        count = self.count()
        return count.number > number or (False if count.is_exact else None)

    def _count_among_some(self) -> Count:
        """Count those among some keys of one condition that meet the others too.

        They must do to say how many there are at least, or each page would take longer for the sake
        of a number.
        """
        sides = [(self._found[0], self._most)]
        if len(self._list_filters) > 1:
            # The last first: sight, if it is among them, leaves most out.
            last_first = self._found[::-1]
            sides[:0] = [(one, most) for most in _SAMPLES for one in last_first]
        number = 0
        for (list_filter, keys), most in sides:
            some = InKeySubquery("pk", keys.limited(most))
            found = self._matching_samples(list_filter, keys).filter(some)
            number = max(number, count_up_to(found, self._limit).number)
            if number > MIN_ESTIMATE:
                break
        return Count(number, is_exact=False)

    def _matching_samples(self, list_filter: ListFilter, keys: KeySubquery) -> QuerySet[Any]:
        """Return what is still asked of rows that were found by the keys of one condition."""
        return apply_filters(
            self._rows_matching(list_filter, keys),
            _remaining_filters(self._list_filters, list_filter),
        )

    def _rows_matching(self, list_filter: ListFilter, keys: KeySubquery) -> QuerySet[Any]:
        """Return the rows among which others are asked: if the keys tell what is in sight, all."""
        among = list_filter.among if list_filter.is_permission_filter and keys.is_exact else None
        return self._rows if among is None else among


def _in_order(keys: KeySubquery, sort: Sort) -> CoveringIndexScan | None:
    """Return where the keys stand in this order, if they do and are those of all rows."""
    is_all = keys.is_exact and keys.is_whole
    if is_all and keys.ordered and keys.ordered.column == sort.column:
        return keys.ordered
    return None


def _remaining_filters(list_filters: Sequence[ListFilter], found: ListFilter) -> list[ListFilter]:
    """Return what is still to be asked of the rows whose keys `found` gave."""
    is_known = found.keys is not None and found.keys.is_exact
    return [one for one in list_filters if not (one is found and is_known)]


def apply_filters(
    rows: QuerySet[Any], list_filters: Iterable[ListFilter], *, driven_by: str | None = None
) -> QuerySet[Any]:
    """Return the rows that meet all conditions.

    `driven_by` is the column whose index gives them, "" where they are found otherwise: that of another
    column would give too many. None leaves it to the database.
    """
    for list_filter in list_filters:
        column = list_filter.column
        if driven_by is not None and column not in ("", driven_by):
            rows = rows.alias(**{f"aside_{column}": SQLiteNoIndexHint(F(column))})
            rows = rows.filter(renamed(list_filter.condition, column, f"aside_{column}"))
        else:
            rows = rows.filter(list_filter.condition)
    return rows


def _as_correlated_subquery(list_filter: ListFilter) -> ListFilter:
    """Return the same where rows of other tables are looked for one by one, as they are asked for.

    PostgreSQL would rather read all such rows first, to join them, and then the whole table; but a
    page is full after a few. It leaves what has an OFFSET as it is.
    """
    if connection.vendor != "postgresql":
        return list_filter
    return replace(list_filter, condition=changed(list_filter.condition, _optimization_fence))


def _optimization_fence(part: Any) -> Any:
    if not isinstance(part, Exists):
        return part
    fenced = part.copy()
    fenced.template = "EXISTS(%(subquery)s OFFSET 0)"
    return fenced
