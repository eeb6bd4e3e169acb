"""Batch operations: delete rows in short transactions, and recompute columns."""

# ruff: noqa: S608  # statements consist of constants and parameters

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
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


def correct_in_batches(
    connection: BaseDatabaseWrapper, table: str, is_outdated: str, correct: Callable[[str], str]
) -> None:
    """Correct the outdated rows of a PostgreSQL table in use, ROWS_PER_BATCH rows at a time.

    `correct` returns the statement that corrects the rows which meet a condition; the SQL contains no
    percent sign. Each batch is a transaction that locks its rows first. So the statement sees
    everything that was committed before, and no other transaction waits for longer than a batch.
    """
    with connection.cursor() as cursor:
        key = f"{table}.{connection.introspection.get_primary_key_column(cursor, table)}"
        statement = correct(f"{key} = ANY (%s)")
        after, last = "", list[Any]()
        while True:
            cursor.execute(
                f"SELECT {key} FROM {table} {after} ORDER BY {key} LIMIT {ROWS_PER_BATCH}", last
            )
            if not (keys := [row[0] for row in cursor.fetchall()]):
                return
            with transaction.atomic(using=connection.alias):
                cursor.execute(
                    f"SELECT {key} FROM {table} WHERE {key} = ANY (%s) AND ({is_outdated})"
                    f" ORDER BY {key} FOR UPDATE OF {table}",
                    [keys],
                )
                if locked := [row[0] for row in cursor.fetchall()]:
                    cursor.execute(statement, [locked])
            after, last = f"WHERE {key} > %s", keys[-1:]
