"""Bulk loading of millions of rows into an empty database, without Django.

Without triggers and indexes; the indexes are created afterwards.
"""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

Rows = Iterable[tuple[Any, ...]]
BATCH_SIZE = 10_000


def loader(*tables: str) -> "_Sqlite | _PostgreSQL":
    """Return a loader of these tables; rebuild the indexes of each table, and call its end."""
    from django.db import connection

    return _Sqlite(tables) if connection.vendor == "sqlite" else _PostgreSQL(tables)


class _Sqlite:
    """Inserts rows with executemany, with a cache large enough for a million random keys.

    The caller removes and installs triggers.
    """

    def __init__(self, tables: Iterable[str]) -> None:
        _run("PRAGMA synchronous=OFF", "PRAGMA cache_size=-1000000")
        found = _fetched(
            "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        )
        self._indexes = [index for index in found if index[0] in tables]
        _run(*(f'DROP INDEX "{name}"' for _, name, _ in self._indexes))

    def rows(self, table: str, columns: list[str], rows: Rows) -> None:
        from django.db import connection, transaction

        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
        connection.ensure_connection()
        with transaction.atomic():
            for some in _chunks(rows):
                connection.connection.executemany(
                    sql, [[_as_sqlite(value) for value in row] for row in some]
                )

    def make_indexes(self, *tables: str) -> None:
        _run(*(sql for table, _, sql in self._indexes if table in tables))

    def end(self, *_: str) -> None:
        _run("PRAGMA wal_checkpoint(TRUNCATE)")


class _PostgreSQL:
    """Inserts rows with COPY."""

    def __init__(self, tables: Iterable[str]) -> None:
        found = _fetched(
            "SELECT tablename, indexname, indexdef FROM pg_indexes"
            " WHERE schemaname = current_schema()"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
        self._indexes = [index for index in found if index[0] in tables]
        _run(*(f'DROP INDEX "{name}"' for _, name, _ in self._indexes))
        # No triggers: neither ours nor those of foreign keys.
        _run("SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'")

    def rows(self, table: str, columns: list[str], rows: Rows) -> None:
        from django.db import connection

        with (
            connection.cursor() as cursor,
            cursor.cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def make_indexes(self, *tables: str) -> None:
        _run(*(sql for table, _, sql in self._indexes if table in tables))

    def end(self, *rewritten: str) -> None:
        # Removes the dead rows of updated tables.
        _run(*(f"VACUUM FULL {table}" for table in rewritten))
        _run("SET session_replication_role = DEFAULT", "VACUUM ANALYZE")


def _run(*statements: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _fetched(sql: str) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _as_sqlite(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return value.hex
    return str(value.replace(tzinfo=None)) if isinstance(value, datetime) else value


def _chunks(rows: Rows) -> Iterator[list[tuple[Any, ...]]]:
    iterator = iter(rows)
    while some := list(islice(iterator, BATCH_SIZE)):
        yield some
