"""Deleting many rows in short transactions, so that no request waits long for a lock."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

ROWS_PER_BATCH = 1000


def delete_in_batches(
    rows: QuerySet[Any], should_continue: Callable[[], bool] = lambda: True
) -> int:
    """Delete rows, at most ROWS_PER_BATCH in one transaction, and return how many.

    `should_continue` is asked before each batch.
    """
    deleted = 0
    while should_continue() and rows.exists():
        # The outer condition is checked again after a wait for a row's lock: a row that another
        # transaction has just renewed stays.
        batch = rows.filter(pk__in=rows.order_by().values("pk")[:ROWS_PER_BATCH])
        count, _ = batch.delete()
        deleted += count
    return deleted
