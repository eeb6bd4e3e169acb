"""Counts the issued tokens of each day: in memory, and written every few seconds by a background job.

A killed process loses what it counted since.
"""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from threading import Lock

from django.db import connection
from django.utils import timezone

from applications.models import TokenCount
from runai_access.db.batches import delete_in_batches

KEPT_DAYS = 90
_ADD_UP = """
INSERT INTO applications_tokencount AS kept (day, count) VALUES (%s, %s)
ON CONFLICT (day) DO UPDATE SET count = kept.count + excluded.count"""


class TokenCounter:
    """The tokens that this process has issued and not written yet, by day in UTC."""

    def __init__(self) -> None:
        self._counts: Counter[date] = Counter()
        self._lock = Lock()

    def note(self, now: datetime) -> None:
        """Count a token issued now."""
        day = now.date()
        with self._lock:
            self._counts[day] += 1

    def write(self, should_continue: Callable[[], bool] = lambda: True) -> None:
        """Add the counts to the stored ones: a background job."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        try:
            with connection.cursor() as cursor:
                for day, number in sorted(counts.items()):
                    cursor.execute(_ADD_UP, [connection.ops.adapt_datefield_value(day), number])
                    del counts[day]
        finally:
            with self._lock:
                self._counts += counts  # those that could not be written


def tokens_per_day() -> list[tuple[date, int]]:
    """Return how many tokens were issued on each of the last KEPT_DAYS days, oldest first."""
    first = _first_day()
    counts = dict(TokenCount.objects.filter(day__gte=first).values_list("day", "count"))
    days = (first + timedelta(days=number) for number in range(KEPT_DAYS))
    return [(day, counts.get(day, 0)) for day in days]


def delete_old_counts(should_continue: Callable[[], bool] = lambda: True) -> int:
    """Delete the counts of days before the last KEPT_DAYS, and return how many."""
    return delete_in_batches(TokenCount.objects.filter(day__lt=_first_day()), should_continue)


def _first_day() -> date:
    return timezone.now().date() - timedelta(days=KEPT_DAYS - 1)


COUNTER = TokenCounter()
