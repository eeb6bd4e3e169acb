"""Database triggers that maintain denormalized columns and the search index.

Triggers rather than application code, so bulk inserts and database shells cannot bypass them. Each runs
in the transaction of the statement that fires it. Authorization never reads these columns; they only
make lists fast.

- `is_enabled` of an application repeats its subject's.
- `first_rule` is the application's first active rule at or below the account, "Role in Scope", or NULL.
- `application_created_at` of an access rule is when the application that is its subject was created.
- The search index finds trigrams of `search_text`: an FTS5 table in SQLite, an index of the extension
  pg_trgm in PostgreSQL. `applications_search` maps its rows to applications.

SQLite drops a table's triggers when a migration rebuilds the table. So after every migration the
triggers are installed again, and everything that they maintain is recomputed.
"""

import sqlite3
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accessrules.triggers import postgresql as rules_in_postgresql
from accessrules.triggers import sqlite as rules_in_sqlite
from applications.triggers import postgresql, sqlite
from runai_access.db.triggers import enabled_triggers

_DIALECTS = {
    "sqlite": (rules_in_sqlite, sqlite),
    "postgresql": (rules_in_postgresql, postgresql),
}
# The migrations that create the tables and columns which the triggers name.
_REQUIRED_MIGRATIONS = {("accessrules", "0001_access_rules"), ("applications", "0001_initial")}


def install(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers, replacing existing ones.

    PostgreSQL replaces each in place, because dropping a trigger blocks readers.
    """
    if connection.vendor == "sqlite":
        remove(connection)
    _run(connection, [text for part in _DIALECTS[connection.vendor] for text in part.INSTALL])


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers."""
    _run(connection, [text for part in _DIALECTS[connection.vendor] for text in part.REMOVE])


def rebuild(connection: BaseDatabaseWrapper) -> None:
    """Recompute everything that the triggers maintain, for rows written without them."""
    _run(connection, [text for part in _DIALECTS[connection.vendor] for text in part.REBUILD])


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the triggers that are missing or disabled."""
    enabled = enabled_triggers(connection)
    names = [name for part in _DIALECTS[connection.vendor] for name in part.TRIGGERS]
    return [name for name in names if name not in enabled]


def before_migrating(*, plan: list[Any], using: str, **_: Any) -> None:
    """Drop the triggers before a migration that might rebuild a table that they name.

    Only SQLite refuses to rebuild such a table. No other process can change its schema meanwhile.
    """
    connection = _connection(using)
    if plan and connection.vendor == "sqlite":
        remove(connection)


def after_migrating(*, using: str, plan: Any = None, **_: Any) -> None:
    """Install the triggers again and recompute what they maintain, if anything was migrated.

    The same if triggers are missing because an earlier migration was interrupted. If the tables that
    they name do not exist, drop the triggers, because they would make every write fail.
    """
    connection = _connection(using)
    if not _applied(connection) >= _REQUIRED_MIGRATIONS:
        remove(connection)
    elif plan or missing(connection):
        with transaction.atomic(using=using):
            install(connection)
            rebuild(connection)


def check_sqlite(**_: Any) -> list[CheckMessage]:
    """Refuse to start on a SQLite that can't search by substring."""
    from django.conf import settings

    if not settings.IS_SQLITE:
        return []
    try:
        with sqlite3.connect(":memory:") as trial:
            trial.execute("CREATE VIRTUAL TABLE trial USING fts5(text, tokenize='trigram')")
    except sqlite3.OperationalError as error:
        return [
            Error(
                f"Search requires SQLite 3.34 or newer with FTS5; this Python has "
                f"{sqlite3.sqlite_version} ({error}).",
                hint="Use a Python that is built with a newer SQLite, or use PostgreSQL.",
                id="applications.E001",
            )
        ]
    return []


def _connection(using: str) -> BaseDatabaseWrapper:
    from django.db import connections

    return connections[using]


def _applied(connection: BaseDatabaseWrapper) -> set[tuple[str, str]]:
    from django.db.migrations.recorder import MigrationRecorder

    return set(MigrationRecorder(connection).applied_migrations())


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
