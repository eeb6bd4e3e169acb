"""Frequent queries of constant SQL, without the work that Django repeats for each query."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

Row = tuple[Any, ...]


def fetch_row(statement: str, parameters: Sequence[Any]) -> Row | None:
    """Return the first row of a query, or None. Raises the same errors as Django's cursor.

    On SQLite, placeholders are translated once per statement. On PostgreSQL, the server binds the
    parameters, so a statement is prepared once. Pass constant SQL with `%s` for parameters, and no
    other percent sign.
    """
    # Get the thread-local connection only once, because each access has a cost.
    database: Any = connections[DEFAULT_DB_ALIAS]
    cursor: Any
    row: Row | None
    if database.force_debug_cursor or database.execute_wrappers:  # a test or a tracer observes it
        with database.cursor() as cursor:
            cursor.execute(statement, parameters)
            row = cursor.fetchone()
            return row
    database.close_if_health_check_failed()
    # The checks here cost less than the methods.
    if database.connection is None:
        database.ensure_connection()
    if database.needs_rollback:
        database.validate_no_broken_transaction()
    with database.wrap_database_errors:
        if database.vendor == "sqlite":
            cursor = database.connection.execute(_with_question_marks(statement), parameters)
        else:
            from django.db.backends.postgresql.base import ServerBindingCursor

            cursor = ServerBindingCursor(database.connection)  # type: ignore[call-arg]  # missing in the stubs
            cursor.execute(statement, parameters)
        row = cursor.fetchone()
        return row


@lru_cache(maxsize=16)
def _with_question_marks(statement: str) -> str:
    return statement.replace("%s", "?")
