"""Query strategies for filtered lists.

Two strategies complement each other. *Candidates*: read the keys of a selective filter from its index
and sort those rows. *Scan*: read the list in the order of its index and test each row, so that a page
is full after a few steps. A probe of at most MAX_SORTED_CANDIDATES keys decides; if a filter matches
more and the count is still exact, the database sorts the rows without sending their keys. Even then a
bounded scan is tried first, because a page is often full long before all rows are sorted.

A scan is bounded: if it reaches its limit, the rows are sorted unless they exceed MAX_SORT_FALLBACK. If
the keys of a filter are stored in the list's order (a covering index), a page is read directly from
there, and other filters are tested along that order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Exists, F, Q, QuerySet
from django.utils.functional import cached_property

from runai_access.db.conditions import changed, renamed
from runai_access.db.expressions import InArray, SQLiteNoIndexHint
from runai_access.db.keys import CoveringIndexScan, InKeySubquery, KeySubquery
from runai_access.lists.keyset import (
    COUNTED,
    MAX_SCANNED,
    Count,
    OrderedQuery,
    count_up_to,
)
from runai_access.lists.scans import BoundedIndexScan, KeyScan, PageStrategy
from runai_access.lists.sorts import Sort, without_index

# Sorting this many rows costs about as much as a scan until a page is full.
MAX_SORTED_CANDIDATES = 3_000
# The same for keys that no index has: reading them a second time costs more than sorting these.
MAX_SCANNED_CANDIDATES = COUNTED
# Up to this many visible rows, testing all of them beats testing every row of the table.
MAX_TESTED_VISIBLE = 30_000
# Up to this many rows, sorting beats a scan that does not fill a page early.
MAX_SORT_FALLBACK = 100_000
# Rows, or keys in the list's order, that are first tested to fill a page.
SCAN_LIMIT = 3_000
# Sample sizes for "at least N" counts, and the smallest estimate that is worth showing.
_SAMPLES = (500, 1_000)
_UNLIMITED = 2**31
MIN_ESTIMATE = 100


@dataclass(frozen=True)
class ListFilter:
    """A filter of a list: its condition, and the keys of matching rows if an index has them.

    An empty condition is the permission filter that the rows already have; `among` are the rows
    before it. It `is_correlated` if each row is tested by a subquery: then looking up its keys is
    cheaper.

    `rows` are set if they are the rows of exact keys: other conditions are then tested along the index
    that finds them.

    `column` is set if the condition is one range of the index on that column, which also provides the
    keys. `then_by` is the column that this index has next, if the range is one value: it can be the
    order of the list.

    `referenced` are the keys of the small table that matching rows have in the column `reference`.
    """

    condition: Q
    keys: KeySubquery | None = None
    column: str = ""
    among: QuerySet[Any] | None = None
    rows: QuerySet[Any] | None = None
    is_correlated: bool = False
    then_by: str = ""
    reference: str = ""
    referenced: Sequence[Any] = ()


class Selection:
    """The rows that match all `list_filters`, read with the cheaper strategy.

    `counted` is the largest exact count: COUNTED by default, more for exports. If the list
    `is_scanned`, a page tests at most MAX_SCANNED rows of an index in the list's order, even if another
    strategy would find more.
    """

    def __init__(
        self,
        rows: QuerySet[Any],
        list_filters: Sequence[ListFilter],
        counted: int | None = None,
        *,
        is_scanned: bool = False,
    ) -> None:
        self._rows, self._list_filters = rows, list_filters
        self._is_scanned = is_scanned
        self._limit = COUNTED if counted is None else counted
        # Keys can repeat, so read a few more than are counted.
        self._most = self._limit * 6 // 5
        self._found = [(one, one.keys) for one in list_filters if one.keys is not None]
        self._counts: dict[int, tuple[int, bool]] = {}
        self._too_many: dict[int, bool] = {}

    @property
    def _only_keys(self) -> KeySubquery | None:
        """The keys of the only filter, if they are exact."""
        exact = [keys for _, keys in self._found if keys.is_exact]
        return exact[0] if exact and len(self._list_filters) == 1 else None

    @cached_property
    def _candidates(self) -> tuple[QuerySet[Any], list[Any]] | None:
        """The rows to look keys up in, and the keys of a filter with few matches, if there is one.

        The rows apply the filters that the keys do not.
        """
        # Keys that no index has are read last, after those of visible rows, which are all tested.
        in_order = sorted(enumerate(self._found), key=lambda one: one[1][1].tests_all)
        has_scan = any(keys.is_scan for _, keys in self._found)
        for number, (list_filter, keys) in in_order:
            if has_scan and list_filter.is_correlated and self._few_visible:
                rows = self._tested(list_filter, keys)
                visible = self._driven_by(list_filter, keys, are_few=True)
                few = KeySubquery.of(visible).few(MAX_SCANNED_CANDIDATES)
            else:
                left = _remaining_filters(self._list_filters, list_filter)
                rows = apply_filters(self._rows, left)
                few = self._read_candidates(number, keys) if keys.is_whole else None
            if few is not None:
                return rows, few
        return None

    @cached_property
    def _few_visible(self) -> tuple[ListFilter, KeySubquery] | None:
        """A correlated permission filter and its keys, if there are at most MAX_TESTED_VISIBLE."""
        for list_filter, keys in self._found:
            if list_filter.is_correlated and keys.is_exact:
                few = keys.exists_more_than(MAX_TESTED_VISIBLE) is False
                return (list_filter, keys) if few else None
        return None

    def _read_candidates(self, number: int, keys: KeySubquery) -> list[Any] | None:
        """Return the keys if there are few; remember the count if it becomes known."""
        most = MAX_SCANNED_CANDIDATES if keys.is_scan else MAX_SORTED_CANDIDATES
        if keys.is_distinct:
            few = keys.few(most)
            if few is None and most >= self._limit:
                self._counts[number] = most + 1, False
            return few
        if self._exceeds_limit(number):
            return None
        # Removing duplicates requires all counted keys. SQLite would sort them, so they are sent
        # instead; PostgreSQL hashes them, and sending them would take longer than counting again.
        if connection.vendor != "sqlite" and not keys.is_scan:
            different, are_all = self._counted(number)
            are_few = are_all and different <= most
            return list(dict.fromkeys(keys.first(self._most))) if are_few else None
        read = keys.first(self._most)
        found = list(dict.fromkeys(read))
        self._counts[number] = len(found), len(read) < self._most
        return found if len(read) < self._most and len(found) <= most else None

    @cached_property
    def _whole(self) -> tuple[ListFilter, KeySubquery] | None:
        """A filter with more than a few matches but an exact count, with its keys."""
        if self._candidates is None:
            for number, (list_filter, keys) in enumerate(self._found):
                if keys.is_whole and not self._exceeds_limit(number) and self._counted(number)[1]:
                    return list_filter, keys
        return None

    def _exceeds_limit(self, number: int) -> bool:
        """True if this filter matches more rows than are counted; then skip counting distinct keys."""
        keys = self._found[number][1]
        if len(self._list_filters) == 1 or keys.is_distinct or number in self._counts:
            return False
        if number not in self._too_many:
            self._too_many[number] = keys.exists_more_than(self._most - 1) is True
        return self._too_many[number]

    def _counted(self, number: int) -> tuple[int, bool]:
        """Return the number of keys of a filter, up to the limit, and whether that is all of them."""
        if number not in self._counts:
            keys = self._found[number][1]
            self._counts[number] = keys.count(self._limit + 1 if keys.is_distinct else self._most)
        return self._counts[number]

    @property
    def _is_scan(self) -> bool:
        return self._candidates is None and self._whole is None

    def rows(self, sort: Sort | None = None, *, is_page: bool = False) -> QuerySet[Any]:
        """Return the matching rows. A scan reads them in the order of `sort`.

        `is_page`: no more than a page is read.
        """
        if self._candidates is not None:
            rows, few = self._candidates
            return rows.filter(InArray("pk", few))
        if self._is_scan or self._whole is None:
            return self._index_scan(sort, is_page=is_page)
        return self._driven_by(*self._whole, are_few=True)

    def listed(self, sort: Sort, count: Count | None = None) -> OrderedQuery[Any]:
        """Return the query that reads pages; `count` is the number of rows, if it is known."""
        count = self.count() if count is None else count
        return replace(self._in_index_order(sort) or self._found_rows(sort), count=count)

    def _found_rows(self, sort: Sort) -> OrderedQuery[Any]:
        """Return the query of the cheaper strategy."""
        ordered = self._ordered(sort)
        if ordered:
            return OrderedQuery(self._rows, without_index(sort), ordered=ordered)
        rows, index_scan = self.rows(sort, is_page=True), self.index_scan(sort)
        is_indexed = sort.column or sort.groups or sort.is_constant
        if self._is_scan and index_scan is None and not is_indexed:
            # No index has this order: of the filters, one with fewer rows to sort.
            found = self._sort_fallback(sort)
            if found:
                return found
        fallback = partial(self._sort_fallback, sort) if index_scan and self._is_scan else None
        return OrderedQuery(rows, self.order(sort), index_scan, sort_fallback=fallback)

    def _in_index_order(self, sort: Sort) -> OrderedQuery[Any] | None:
        """Return the query of a scanned list along an index that has the rows in this order, if any.

        The index of one value of a filter can have it, too. A filter by the column of the order, or by
        the one that orders rows with equal values, is a range of either. Other filters are tested.
        """
        if not self._is_scanned or not self._list_filters:
            return None
        column = sort.then if sort.groups else sort.column
        ranges = [one for one in self._list_filters if one.column == column != ""]
        by_value = (one for one in self._list_filters if one.then_by == sort.column != "")
        one_value = next(by_value, None)
        if one_value:
            ranges.append(one_value)
        if (sort.groups or not ranges) and not self._is_scan:
            return None  # few rows, which are sorted
        others = [one for one in self._list_filters if not any(one is range_ for range_ in ranges)]
        passed = apply_filters(self._rows, ranges)
        rows = apply_filters(passed, others, driven_by=one_value.column if one_value else column)
        scan = BoundedIndexScan(rows, passed, sort, SCAN_LIMIT) if others else None
        return OrderedQuery(rows, sort, scan, sort_fallback=lambda: None)

    def _ordered(self, sort: Sort) -> CoveringIndexScan | None:
        """Return the covering index that has the keys of these rows in this order, if there is one."""
        keys = self._only_keys
        if self._rows.query.where and keys and self._found[0][0].among is None:
            return None
        return _in_order(keys, sort) if keys else None

    def _index_scan(self, sort: Sort | None, *, is_page: bool) -> QuerySet[Any]:
        """Return the rows as a scan along the order reads them."""
        left = map(_as_correlated_subquery, self._list_filters) if is_page else self._list_filters
        # The index of a filter would return all its rows, unsorted.
        return apply_filters(self._rows, left, driven_by=sort.column if sort else None)

    def _driven_by(
        self, list_filter: ListFilter, keys: KeySubquery, *, are_few: bool = False
    ) -> QuerySet[Any]:
        """Return the rows, driven by the keys of one filter."""
        if list_filter.column:
            return apply_filters(self._rows, self._list_filters, driven_by=list_filter.column)
        others = _remaining_filters(self._list_filters, list_filter)
        if list_filter.rows is not None:
            return apply_filters(list_filter.rows, others, driven_by="")
        found = InKeySubquery("pk", keys, are_few=are_few)
        rows = self._tested(list_filter, keys) if list_filter.is_correlated else self._rows
        return apply_filters(rows.filter(found), others, driven_by="")

    def _tested(self, list_filter: ListFilter, keys: KeySubquery) -> QuerySet[Any]:
        """Return the rows to look its keys up in: all, if the keys apply the permission filter."""
        among = list_filter.among
        return among if among is not None and keys.is_exact else self._rows

    def index_scan(self, sort: Sort) -> PageStrategy | None:
        """Return a strategy that might fill a page before all rows are sorted, or None.

        Skipping a row costs about half of sorting one, so a failed attempt costs no more than it can
        save. A range of an index needs no scan: it is sorted quickly, or already in order.
        """
        along = self._key_scan(sort) if self._is_scan else None
        if along:
            return along
        columns = {list_filter.column for list_filter in self._list_filters} - {""}
        # The rows that a scan reads: those before the permission filter, if they are known.
        passed = next((one.among for one in self._list_filters if not one.condition), self._rows)
        if self._candidates is not None or not self._found or passed is None:
            return None
        if not sort.column or sort.column in columns:
            return None
        if not self._is_scan and (columns or len(self._list_filters) > 1):
            return None  # several filters leave too few rows to fill a page early
        _, keys = self._found[0]
        # A partial set of keys is known to be larger than a few.
        number = self._counted(0)[0] if keys.is_whole else self._most
        return BoundedIndexScan(self._index_scan(sort, is_page=True), passed, sort, number * 3 // 2)

    def _key_scan(self, sort: Sort) -> KeyScan[Any] | None:
        """Return a scan of one filter's keys, if an index has them in this order.

        None if another filter is a range of the order itself: starting at that range is better.
        """
        if sort.column in {list_filter.column for list_filter in self._list_filters}:
            return None
        for list_filter, keys in self._found[::-1]:  # the permission filter is the most selective
            ordered = _in_order(keys, sort)
            if ordered:
                rows = self._others(list_filter, keys, is_page=True)
                return KeyScan(rows, ordered, SCAN_LIMIT)
        return None

    def _sort_fallback(self, sort: Sort) -> OrderedQuery[Any] | None:
        """Return a sorted query for when a scan reaches its limit; None if there are too many rows."""
        rows = self._sortable
        return None if rows is None else OrderedQuery(rows, without_index(sort))

    @cached_property
    def _sortable(self) -> QuerySet[Any] | None:
        """The rows, driven by a filter with at most MAX_SORT_FALLBACK keys, if there is one."""
        if self._few_visible:
            return self._driven_by(*self._few_visible, are_few=True)
        quickly_counted_first = sorted(self._found, key=lambda one: not one[1].is_distinct)
        for list_filter, keys in quickly_counted_first:
            if not keys.tests_all and keys.exists_more_than(MAX_SORT_FALLBACK) is False:
                return self._driven_by(list_filter, keys)
        return None

    def order(self, sort: Sort) -> Sort:
        """Return the sort; rows found by keys must not use the index of the order."""
        return sort if self._is_scan else without_index(sort)

    def count(self) -> Count:
        """Return the exact count, or a lower bound if counting would take too long."""
        limit = self._limit
        if self._is_scanned and self._is_scan and len(self._list_filters) > 1:
            return Count(0, is_exact=False)
        keys = self._only_keys
        if keys:
            # Use keys that were read already; only SQLite reads keys to count those that repeat. Keys
            # that no index has are read once for the count and the page.
            is_quick = not keys.is_scan and (keys.is_distinct or connection.vendor != "sqlite")
            few = self._candidates if "_candidates" in self.__dict__ or not is_quick else None
            number, are_all = (len(few[1]), True) if few else self._counted(0)
            if are_all or number > MIN_ESTIMATE:
                return Count(min(number, limit), are_all and number <= limit)
            return count_up_to(self.rows(), limit)
        if not self._found or self._candidates is not None or self._whole is not None:
            return count_up_to(self.rows(), limit)
        return self._count_among_some()

    def referenced(self, column: str, keys: Sequence[Any] | None) -> Sequence[Any] | None:
        """Return those of `keys` that the rows can have in a column; None is all."""
        for one in self._list_filters:
            if one.reference == column:
                known = set(one.referenced)
                keys = list(known if keys is None else known.intersection(keys))
        return keys

    @property
    def is_filtered(self) -> bool:
        """True if there is a filter, or the caller sees only a part of the list."""
        return any(one.condition or one.keys for one in self._list_filters)

    def total(self, offset: int = 0) -> Count:
        """Return the exact count if there is no filter, or one range of an index; else `count`.

        Before a deep offset, all keys that an index has are counted: that is faster than passing rows,
        and there are often fewer.
        """
        if not self.is_filtered:
            return Count(self.exact_count(), is_exact=True)
        if self._is_scanned:  # a filter can match most of a log of any length
            return self.count()
        keys = self._only_keys
        is_range = self._list_filters[0].column != ""
        is_counted = offset > MAX_SCANNED and keys and keys.is_distinct and not keys.tests_all
        if keys and keys.is_whole and (is_range or is_counted):
            return Count(keys.count(_UNLIMITED)[0], is_exact=True)
        return self.count()

    def exact_count(self) -> int:
        """Return the number of matching rows, however long that takes."""
        keys = self._only_keys
        if keys and keys.is_whole:
            return keys.count(_UNLIMITED)[0]
        if not self._is_scan or not self._list_filters:
            return self.rows().order_by().count()
        rows = (self.rows() if self._sortable is None else self._sortable).order_by()
        # If counting tests all rows and few match, the page must not test them again.
        few = KeySubquery.of(rows).few(MAX_SORTED_CANDIDATES)
        if few is None:
            return rows.count()
        self._candidates = self._rows, few
        return len(few)

    def exists_more_than(self, number: int) -> bool | None:
        """Return whether more than `number` rows match; None if that would take too long."""
        is_known = self._counts or "_candidates" in self.__dict__
        keys = self._only_keys
        if keys and keys.is_distinct and not is_known:
            return keys.exists_more_than(number)
        count = self.count()
        return count.number > number or (False if count.is_exact else None)

    def _count_among_some(self) -> Count:
        """Return a lower bound: how many of a sample of one filter's keys match the other filters.

        A better estimate would make each page slower just for a number.
        """
        # Last first: the permission filter is the most selective.
        samples = _SAMPLES if len(self._list_filters) > 1 else ()
        sides = [(one, most) for most in samples for one in self._found[::-1]]
        sides.append((self._found[0], self._most))
        number = 0
        for (list_filter, keys), most in sides:
            some = InKeySubquery("pk", keys.limited(most), are_few=True)
            found = self._others(list_filter, keys).filter(some)
            number = max(number, count_up_to(found, self._limit).number)
            if number > MIN_ESTIMATE:
                break
        return Count(number, is_exact=False)

    def _others(
        self, list_filter: ListFilter, keys: KeySubquery, *, is_page: bool = False
    ) -> QuerySet[Any]:
        """Return the rows that match the other filters, to test keys of this one."""
        others = _remaining_filters(self._list_filters, list_filter)
        if is_page:
            others = list(map(_as_correlated_subquery, others))
        return apply_filters(self._tested(list_filter, keys), others)


def _in_order(keys: KeySubquery, sort: Sort) -> CoveringIndexScan | None:
    """Return the covering index of the keys in this order, if they are exact and complete."""
    is_all = keys.is_exact and keys.is_whole
    if is_all and keys.ordered and keys.ordered.column == sort.column:
        return keys.ordered
    return None


def _remaining_filters(list_filters: Sequence[ListFilter], found: ListFilter) -> list[ListFilter]:
    """Return the filters that the keys of `found` do not already apply."""
    is_known = found.keys is not None and found.keys.is_exact
    return [one for one in list_filters if not (one is found and is_known)]


def apply_filters(
    rows: QuerySet[Any], list_filters: Iterable[ListFilter], *, driven_by: str | None = None
) -> QuerySet[Any]:
    """Return the rows that match all filters.

    `driven_by` names the column whose index the query must use, "" for none (the rows are found by
    keys). None leaves the choice to the database.
    """
    for list_filter in list_filters:
        column = list_filter.column
        if driven_by is not None and column not in ("", driven_by):
            rows = rows.alias(**{f"no_index_{column}": SQLiteNoIndexHint(F(column))})
            rows = rows.filter(renamed(list_filter.condition, column, f"no_index_{column}"))
        else:
            rows = rows.filter(list_filter.condition)
    return rows


def _as_correlated_subquery(list_filter: ListFilter) -> ListFilter:
    """Return the filter with an optimization fence around its EXISTS subqueries, for PostgreSQL.

    PostgreSQL would turn them into a join and read both tables completely, but a page is full after a
    few rows. It does not flatten a subquery with OFFSET.
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
