"""Query plans, by which tests see the index that a statement reads."""

from typing import Any

from django.db import connection

# What PostgreSQL prefers to reading an index in its order while a table is small.
UNORDERED = frozenset({"seqscan", "bitmapscan", "sort", "hashagg"})


def plan_of(
    sql: str, parameters: tuple[Any, ...] | None = None, *, without: frozenset[str] = UNORDERED
) -> str:
    """Return the plan that the database makes for a statement.

    PostgreSQL plans without some methods (`enable_…` of its settings), as for a large table. An index
    is then certain to be read only if another method reads it: GIN needs bitmap scans.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
        else:
            for method in UNORDERED:
                setting = "off" if method in without else "on"
                cursor.execute(f"SET LOCAL enable_{method} = {setting}")
            cursor.execute(f"EXPLAIN {sql}", parameters)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
