"""Queries with bounded cost on an audit log of millions of rows.

One filter drives the query: its index orders rows by time, so a page is one short range scan. Further
filters and the search test the rows of that range. To bound the cost, they test only the newest
MAX_SCANNED rows; the page then shows how far back they went and offers to continue.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.db.models.lookups import Contains

from runai_access.db.normalization import normalize_term
from runai_access.db.normalization_sql import is_exactly, normalized
from runai_access.lists.selection import ListFilter

MAX_SCANNED = 30_000
# The limit for each part of a history: changes to an entity, its own actions, and its access rules.
MAX_SCANNED_PER_FILTER = 10_000
# The filters that can drive a query, most selective first.
DRIVING_COLUMNS = ("entity_name", "subject_name", "source_ip", "action", "entity_type", "result")
_NAMES = ("entity_name", "subject_name")

ColumnFilter = tuple[str, Sequence[str]]
"""A condition on a row: a column, and the values that it can have."""


def equals(column: str, value: str) -> Q:
    """Return the condition that a column has a value, as a range of an index."""
    return is_exactly(column, value) if column in _NAMES else Q(**{column: value})


@dataclass
class BoundedQuery:
    """One query of the audit log. `back_to` is the oldest time tested, None if all rows were."""

    back_to: datetime | None = None
    is_search: bool = False

    def apply_filters(
        self, events: QuerySet[Any], filters: Iterable[ColumnFilter], history: list[Q]
    ) -> QuerySet[Any]:
        """Return the rows that match all `filters`, and any of the conditions in `history`."""
        remaining = sorted(filters, key=lambda item: DRIVING_COLUMNS.index(item[0]))
        if history:
            events = self._any_of(events, history)
        # One index range has the rows with one value by time. More values would need a merge.
        elif driver := next((item for item in remaining if len(item[1]) == 1), None):
            remaining.remove(driver)
            column, (value,) = driver
            events = events.filter(equals(column, value))
        return self._test_rows(events, remaining)

    def search(self, text: str) -> ListFilter:
        """Return the filter for names that contain `text`; `apply_filters` then bounds the query."""
        self.is_search = True
        return search(text)

    def _test_rows(self, events: QuerySet[Any], filters: list[ColumnFilter]) -> QuerySet[Any]:
        if filters or self.is_search:
            events = events.filter(self._since([_time_of(events, MAX_SCANNED)]))
        for column, values in filters:
            # An expression has no index, so the planner must use the index of the driving filter.
            events = events.alias(**{f"tested_{column}": Coalesce(F(column), F(column))})
            events = events.filter(**{f"tested_{column}__in": values})
        return events

    def _any_of(self, events: QuerySet[Any], parts: list[Q]) -> QuerySet[Any]:
        since = self._since(_time_of(events.filter(part), MAX_SCANNED_PER_FILTER) for part in parts)
        return events.filter(reduce(or_, [part & since for part in parts]))

    def _since(self, ends: Iterable[datetime | None]) -> Q:
        """Return the condition for the events since the latest of these times, and remember it."""
        latest = max(filter(None, ends), default=None)
        if latest is None:
            return Q()
        self.back_to = max(self.back_to or latest, latest)
        return Q(time__gte=latest)


def search(text: str) -> ListFilter:
    """Return the filter for events whose subject or entity name contains `text`."""
    term = normalize_term(text)
    subject, entity = normalized("subject_name"), normalized("entity_name")
    return ListFilter(Q(Contains(subject, term)) | Q(Contains(entity, term)))


def _time_of(events: QuerySet[Any], position: int) -> datetime | None:
    """Return the time of the row at this position, newest first, or None if it has no older row."""
    times = events.order_by("-time").values_list("time", flat=True)[position - 1 : position + 1]
    return times[0] if len(times) == 2 else None
