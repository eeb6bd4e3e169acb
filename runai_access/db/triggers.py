"""Triggers of the database."""

from collections.abc import Iterable

from django.db.backends.base.base import BaseDatabaseWrapper


def run(connection: BaseDatabaseWrapper, statements: Iterable[str]) -> None:
    """Run statements about triggers and what they maintain, which are written for PostgreSQL."""
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        for sql in statements:
            # SQLite knows IS DISTINCT FROM only since 3.39.
            cursor.execute(sql.replace("IS DISTINCT FROM", "IS NOT") if is_sqlite else sql)


def enabled_triggers(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the names of all triggers, without those that PostgreSQL has disabled."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')")
        return {name for (name,) in cursor.fetchall()}
