"""Triggers of the database."""

from collections.abc import Iterable

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from runai_access.db.postgresql import base


def run(connection: BaseDatabaseWrapper, statements: Iterable[str]) -> None:
    """Run statements about triggers and what they maintain, which are written for PostgreSQL."""
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        for sql in statements:
            # SQLite knows IS DISTINCT FROM only since 3.39.
            cursor.execute(sql.replace("IS DISTINCT FROM", "IS NOT") if is_sqlite else sql)


def run_together(connection: BaseDatabaseWrapper, statements: Iterable[str]) -> None:
    """Run statements in one transaction, which gives up a lock as a migration of PostgreSQL does."""
    with transaction.atomic(using=connection.alias):
        if connection.vendor == "postgresql":
            run(connection, [f"SET LOCAL lock_timeout = {base.MIGRATION_LOCK_TIMEOUT}"])
        run(connection, statements)


def enabled_triggers(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the names of all triggers, without those that PostgreSQL has disabled."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')")
        return {name for (name,) in cursor.fetchall()}
