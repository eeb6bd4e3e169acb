"""Frequent queries of constant SQL, without the work that Django repeats for each query."""

from collections.abc import Sequence
from functools import lru_cache
from sqlite3 import Cursor
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.sqlite3.base import SQLiteCursorWrapper


def fetch_row(statement: str, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return the first row of a query, or None. Raises the same errors as Django's cursor.

    On SQLite, placeholders are translated once per statement. On PostgreSQL, the server binds the
    parameters, so a statement is prepared once. Pass constant SQL with `%s` for parameters, and no
    other percent sign.
    """
    # Get the thread-local connection only once, because each access has a cost.
    database: Any = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    if database.connection is None:  # this check costs less than the method
        database.ensure_connection()
    database.validate_no_broken_transaction()
    with database.wrap_database_errors:
        cursor: Any
        if database.vendor == "postgresql":
            from django.db.backends.postgresql.base import ServerBindingCursor

            cursor = ServerBindingCursor(database.connection)  # type: ignore[call-arg]
        else:
            cursor = database.connection.cursor(factory=_PreparedSQLiteCursor)
        if database.queries_logged or database.execute_wrappers:  # by a test or a tracer
            cursor = database._prepare_cursor(cursor)  # noqa: SLF001  # Django's, which they observe
        cursor.execute(statement, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


class _PreparedSQLiteCursor(SQLiteCursorWrapper):
    def execute(self, query: str, params: Any = ()) -> Any:
        return Cursor.execute(self, _with_question_marks(query), params)


@lru_cache(maxsize=16)
def _with_question_marks(query: str) -> str:
    return query.replace("%s", "?")
