"""Database connections: limits on waiting, and fewer health checks."""

import time
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections

# How long a request waits for SQLite's write lock; commands wait longer (settings.DATABASES).
SQLITE_LOCK_SECONDS = 10
# Django checks a connection at each request, with an extra round trip. A connection that answered
# this recently is not checked. If the database went down since, the request itself fails with 503
# and closes the connection.
TRUSTED_SECONDS = 1.0


def limit_waiting() -> None:
    """Limit how long this process waits for the database. Call once, in a server process.

    Commands, and migrations in particular, have no limits.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "postgresql":
        from runai_access.db.postgresql.base import DatabaseWrapper

        DatabaseWrapper.serves_requests = True
    else:
        database.settings_dict["OPTIONS"]["timeout"] = SQLITE_LOCK_SECONDS
    connections.close_all()


def skip_recent_health_checks() -> None:
    """Skip Django's health check on connections that answered within TRUSTED_SECONDS."""
    # `_note_answers` must run before Django resets the flags that it reads.
    request_finished.disconnect(close_old_connections)
    request_finished.connect(_note_answers)
    request_finished.connect(close_old_connections)
    request_started.connect(_trust_recent)


def _note_answers(**_: Any) -> None:
    for connection in connections.all(initialized_only=True):
        if getattr(connection, "health_check_done", False) and not connection.errors_occurred:
            connection.answered_at = time.monotonic()  # type: ignore[attr-defined]  # ours


def _trust_recent(**_: Any) -> None:
    for connection in connections.all(initialized_only=True):
        answered_at = getattr(connection, "answered_at", float("-inf"))
        if connection.connection and time.monotonic() - answered_at < TRUSTED_SECONDS:
            connection.health_check_done = True  # type: ignore[attr-defined]  # unknown to the stubs
