"""Limits on how long a request waits for its database."""

from django.db import DEFAULT_DB_ALIAS, connections

# How long a request waits for the write lock of SQLite; commands wait longer (settings.DATABASES).
SQLITE_LOCK_SECONDS = 10


def limit_waiting() -> None:
    """Limit the waiting of this process; called once, in a process that answers requests.

    Commands, migrations above all, take as long as they take.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "postgresql":
        from runai_access.db.postgresql.base import DatabaseWrapper

        DatabaseWrapper.serves_requests = True
    else:
        database.settings_dict["OPTIONS"]["timeout"] = SQLITE_LOCK_SECONDS
    connections.close_all()
