"""Triggers of the database."""

from django.db.backends.base.base import BaseDatabaseWrapper


def enabled_triggers(connection: BaseDatabaseWrapper) -> set[str]:
    """Return the names of all triggers, without those that PostgreSQL has disabled."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')")
        return {name for (name,) in cursor.fetchall()}
