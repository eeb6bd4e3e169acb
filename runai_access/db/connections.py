"""Database connections: how long they wait, and when Django checks that one still works."""

import time
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections

# How long a request waits for the write lock of SQLite; commands wait longer (settings.DATABASES).
SQLITE_LOCK_SECONDS = 10
# Django asks at each request, which is a round trip of its own. Whoever answered this recently is
# not asked again: a database that went away since then is noticed by the request itself, which says
# 503 and closes the connection.
TRUSTED_SECONDS = 1.0


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


def ask_only_after_a_pause() -> None:
    """Let connections that are in use all the time go without the question."""
    # What is noted must be so before Django forgets it; what is trusted, after.
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
