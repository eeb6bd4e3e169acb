"""What the database keeps up by itself: copies to sort by, and the index that search looks in.

Triggers, and not the actions, because then nothing that writes can leave them out: a bulk insert, an
older replica during an upgrade, a person with a database shell. Each acts in the transaction of what
it follows. None of this decides anything; it only makes lists quick.

- `is_enabled` of an application is its subject's.
- `first_rule` is its first living rule at or below the account, "Role in Scope", or NULL.
- `holder_created_at` of an access rule is when the application that holds it was created.
- `search_text` is found by its trigrams: in SQLite by an FTS5 table, in PostgreSQL by an index of the
  extension pg_trgm. Which applications those are, `applications_search` says.

SQLite drops a table's triggers when a migration rebuilds it, so whatever is migrated, they are made
again afterwards, and what they keep up is made anew.
"""

import sqlite3
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accessrules.triggers import postgresql as rules_in_postgresql
from accessrules.triggers import sqlite as rules_in_sqlite
from applications.triggers import postgresql, sqlite

_DIALECTS = {
    "sqlite": (rules_in_sqlite, sqlite),
    "postgresql": (rules_in_postgresql, postgresql),
}
_NEEDED = {("applications", "0005_search"), ("accessrules", "0008_creation_of_holders")}
_NEEDED_BY_POSTGRESQL = _NEEDED | {("applications", "0008_search_in_its_own_table")}


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers, in place of those that are there.

    PostgreSQL replaces each where it stands: to drop it first would keep whoever reads waiting, too.
    """
    if connection.vendor == "sqlite":
        remove(connection)
    _run(connection, [text for part in _DIALECTS[connection.vendor] for text in part.INSTALL])


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers."""
    _run(connection, [text for part in _DIALECTS[connection.vendor] for text in part.REMOVE])


def rebuild(connection: BaseDatabaseWrapper) -> None:
    """Make anew what the triggers keep up: for rows that came without them."""
    _run(connection, [text for part in _DIALECTS[connection.vendor] for text in part.REBUILD])


def before_migrating(*, plan: list[Any], using: str, **_: Any) -> None:
    """Take the triggers away where a migration might rebuild a table that one of them names.

    Only SQLite refuses that, and there nobody else writes to the schema meanwhile.
    """
    connection = _connection(using)
    if plan and connection.vendor == "sqlite":
        remove(connection)


def after_migrating(*, using: str, plan: Any = None, **_: Any) -> None:
    """Make them again, and all that they keep up, if anything was migrated.

    After a way back to before what they need they are taken away, or nothing could be written. On the
    way back to just before search had its own table, PostgreSQL keeps those of that time.
    """
    connection = _connection(using)
    if not plan:
        return
    applied = _applied(connection)
    if not applied >= _NEEDED:
        remove(connection)
    elif connection.vendor == "sqlite" or applied >= _NEEDED_BY_POSTGRESQL:
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
                f"Search needs SQLite 3.34 or newer with FTS5; this Python brings "
                f"{sqlite3.sqlite_version} ({error}).",
                hint="Use a Python that is built with a newer SQLite, or PostgreSQL.",
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
