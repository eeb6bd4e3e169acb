"""Changing many rows: deleting them in short transactions, recomputing a column of them."""

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


def recompute_in_batches(rows: QuerySet[Any], field: str, compute: Callable[[Any], str]) -> None:
    """Write `compute(row)` into `field` of each row where it differs, ROWS_PER_BATCH rows at a time.

    For data migrations.
    """
    waiting = []
    for row in rows.iterator(chunk_size=ROWS_PER_BATCH):
        value = compute(row)
        if getattr(row, field) != value:
            setattr(row, field, value)
            waiting.append(row)
        if len(waiting) == ROWS_PER_BATCH:
            rows.bulk_update(waiting, [field])
            waiting = []
    rows.bulk_update(waiting, [field])
