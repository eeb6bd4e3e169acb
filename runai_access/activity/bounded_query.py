"""Queries with bounded cost on an audit log of millions of rows.

One filter drives the query: its index orders rows by time, so a page is one short range scan. Further
filters and the search test the rows of that range. To bound the cost, they test only the newest
MAX_SCANNED rows; the page then shows how far back they went and offers to continue.
"""

from collections.abc import Iterable
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


@dataclass(frozen=True)
class ColumnFilter:
    """A condition on a row: one of these values in a column."""

    column: str
    values: tuple[Any, ...]

    @property
    def condition(self) -> Q:
        """The condition, as a range of an index."""
        if self.column in ("entity_name", "subject_name"):
            return is_exactly(self.column, self.values[0])
        return Q(**{self.column: self.values[0]})

    @property
    def can_drive(self) -> bool:
        """Whether one index range has the matching rows by time. More values would need a merge."""
        return len(self.values) == 1


@dataclass
class BoundedQuery:
    """One query of the audit log. `back_to` is the oldest time tested, None if all rows were."""

    back_to: datetime | None = None
    is_search: bool = False

    def apply_filters(
        self, events: QuerySet[Any], filters: Iterable[ColumnFilter], history: list[Q]
    ) -> QuerySet[Any]:
        """Return the rows that match all `filters`, and any of the conditions in `history`."""
        remaining = sorted(filters, key=lambda item: DRIVING_COLUMNS.index(item.column))
        if history:
            events = self._any_of(events, history)
        elif driver := next((item for item in remaining if item.can_drive), None):
            events = events.filter(driver.condition)
            remaining.remove(driver)
        return self._test_rows(events, remaining)

    def search(self, text: str) -> ListFilter:
        """Return the filter for names that contain `text`; `apply_filters` then bounds the query."""
        self.is_search = True
        return search(text)

    def _test_rows(self, events: QuerySet[Any], filters: list[ColumnFilter]) -> QuerySet[Any]:
        if filters or self.is_search:
            events = self._bounded(events, MAX_SCANNED)
        for item in filters:
            # An expression has no index, so the planner must use the index of the driving filter.
            name = f"tested_{item.column}"
            events = events.alias(**{name: Coalesce(F(item.column), F(item.column))})
            events = events.filter(**{f"{name}__in": item.values})
        return events

    def _any_of(self, events: QuerySet[Any], parts: list[Q]) -> QuerySet[Any]:
        ends = (_time_of(events.filter(part), MAX_SCANNED_PER_FILTER) for part in parts)
        latest = max((end for end in ends if end), default=None)
        if latest is not None:
            self._note_limit(latest)
            parts = [part & Q(time__gte=latest) for part in parts]
        return events.filter(reduce(or_, parts))

    def _bounded(self, events: QuerySet[Any], limit: int) -> QuerySet[Any]:
        end = _time_of(events, limit)
        if end is None:
            return events
        self._note_limit(end)
        return events.filter(time__gte=end)

    def _note_limit(self, time: datetime) -> None:
        self.back_to = max(self.back_to, time) if self.back_to else time


def search(text: str) -> ListFilter:
    """Return the filter for events whose subject or entity name contains `text`."""
    term = normalize_term(text)
    subject, entity = normalized("subject_name"), normalized("entity_name")
    return ListFilter(Q(Contains(subject, term)) | Q(Contains(entity, term)))


def _time_of(events: QuerySet[Any], position: int) -> datetime | None:
    """Return the time of the row at this position, newest first, or None if it has no older row."""
    times = events.order_by("-time").values_list("time", flat=True)[position - 1 : position + 1]
    return times[0] if len(times) == 2 else None
