"""Looking through a record of millions of rows without reading them.

One filter leads: it has an index in which its rows stand by time, so a page of them is one short
range. More filters, and a search, are asked of the rows that it leads to; so that this never takes
longer because the record grew, no more than the newest MAX_SCANNED of those are looked at, and the
page says how far back that went and offers to look further.
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
from runai_access.db.normalization_sql import normalized

MAX_SCANNED = 30_000
# Of each part of a history: what was done to a thing, what it did, and what became of its rules.
MAX_SCANNED_PER_FILTER = 10_000
# Which filter leads where several could: those that leave least come first.
LEADERS = ("entity_name", "subject_name", "source_ip", "action", "entity_type", "result")


@dataclass(frozen=True)
class Wanted:
    """What a row must have: one of some values in a column."""

    column: str
    values: tuple[Any, ...]

    @property
    def leads(self) -> bool:
        """Whether an index holds its rows by time: several values would have to be merged."""
        return len(self.values) == 1


@dataclass
class BoundedQuery:
    """One look at the record. `back_to` is how far it went, if not to the beginning."""

    back_to: datetime | None = None

    def narrow(
        self, events: QuerySet[Any], wanted: Iterable[Wanted], history: list[Q]
    ) -> QuerySet[Any]:
        """Return the rows that have all that is wanted; `history` are parts, any of which will do."""
        rest = sorted(wanted, key=lambda one: LEADERS.index(one.column))
        if history:
            events = self._any_of(events, history)
        elif leader := next((one for one in rest if one.leads), None):
            events = events.filter(**{leader.column: leader.values[0]})
            rest.remove(leader)
        return self._examined(events, rest)

    def search(self, events: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Return the rows that name `text` as subject or entity."""
        term = normalize_term(text)
        subject, entity = normalized("subject_name"), normalized("entity_name")
        found = Q(Contains(subject, term)) | Q(Contains(entity, term))
        return self._bounded(events, MAX_SCANNED).filter(found)

    def _examined(self, events: QuerySet[Any], wanted: list[Wanted]) -> QuerySet[Any]:
        if wanted:
            events = self._bounded(events, MAX_SCANNED)
        for one in wanted:
            # No index serves an expression, so the planner has to come by the one that leads.
            name = f"examined_{one.column}"
            events = events.alias(**{name: Coalesce(F(one.column), F(one.column))})
            events = events.filter(**{f"{name}__in": one.values})
        return events

    def _any_of(self, events: QuerySet[Any], parts: list[Q]) -> QuerySet[Any]:
        ends = (_time_of(events.filter(part), MAX_SCANNED_PER_FILTER) for part in parts)
        latest = max((end for end in ends if end), default=None)
        if latest is not None:
            self._went_back_to(latest)
            parts = [part & Q(time__gte=latest) for part in parts]
        return events.filter(reduce(or_, parts))

    def _bounded(self, events: QuerySet[Any], most: int) -> QuerySet[Any]:
        end = _time_of(events, most)
        if end is None:
            return events
        self._went_back_to(end)
        return events.filter(time__gte=end)

    def _went_back_to(self, time: datetime) -> None:
        self.back_to = max(self.back_to, time) if self.back_to else time


def _time_of(events: QuerySet[Any], place: int) -> datetime | None:
    """Return the time of the row at that place from the newest, or None where none is older."""
    times = events.order_by("-time").values_list("time", flat=True)[place - 1 : place + 1]
    return times[0] if len(times) == 2 else None
