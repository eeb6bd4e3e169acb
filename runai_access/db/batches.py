"""Batch operations: delete rows in short transactions, and recompute a column."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

ROWS_PER_BATCH = 1000


def delete_in_batches(
    rows: QuerySet[Any], should_continue: Callable[[], bool] = lambda: True
) -> int:
    """Delete rows, at most ROWS_PER_BATCH per transaction, and return how many.

    `should_continue` is called before each batch.
    """
    deleted = 0
    while should_continue() and rows.exists():
        # The outer condition is checked again after waiting for a row lock, so a row that another
        # transaction has just renewed is kept.
        batch = rows.filter(pk__in=rows.order_by().values("pk")[:ROWS_PER_BATCH])
        count, _ = batch.delete()
        deleted += count
    return deleted


def recompute_in_batches(rows: QuerySet[Any], field: str, compute: Callable[[Any], str]) -> None:
    """Set `field` of each row to `compute(row)` where it differs, ROWS_PER_BATCH rows at a time.

    For data migrations.
    """
    changed = []
    for row in rows.iterator(chunk_size=ROWS_PER_BATCH):
        value = compute(row)
        if getattr(row, field) != value:
            setattr(row, field, value)
            changed.append(row)
        if len(changed) == ROWS_PER_BATCH:
            rows.bulk_update(changed, [field])
            changed = []
    rows.bulk_update(changed, [field])
