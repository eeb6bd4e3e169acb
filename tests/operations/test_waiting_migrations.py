"""Migrations of a running installation let requests pass, and are repeated until they get a lock."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import Index

from applications import triggers
from applications.models import Application
from runai_access.db.migrations import AddIndexWithoutBlocking, RemoveIndexWithoutBlocking
from runai_access.db.postgresql import base
from runai_access.management.commands import migrate
from runai_access.settings import IS_SQLITE
from tests.operations.conftest import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(IS_SQLITE, reason="SQLite has no replicas that wait meanwhile"),
]


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseDatabaseWrapper]:
    """A connection with a transaction. Migrations give up a lock soon, and fail if one waits for it."""
    monkeypatch.setattr(base, "MIGRATION_LOCK_TIMEOUT", 20)
    found = connection.copy()
    found.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '20s'")
    try:
        yield found
    finally:
        found.close()
        connection.close()  # resets the limit
        call_command("migrate", verbosity=0)


def migrate_until_ended(
    other: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> None:
    """Migrate while the other transaction lasts, and end that in the second pause."""
    output, pauses = StringIO(), []

    def pause(_: float) -> None:
        pauses.append(Application.objects.count())  # nothing waits behind the migration
        if len(pauses) == 2:
            other.close()

    monkeypatch.setattr(migrate.time, "sleep", pause)
    call_command("migrate", *arguments, verbosity=0, stdout=output)
    assert pauses == [0, 0]
    assert output.getvalue().count("Waiting for a transaction") == 1


def test_a_migration_gives_up_its_lock_until_a_long_transaction_ends(
    other: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("migrate", "applications", "0016", verbosity=0)
    other.cursor().execute("SELECT 1 FROM applications_application")
    migrate_until_ended(other, monkeypatch, "applications", "0017")


def test_installing_triggers_gives_up_its_lock_until_a_long_transaction_ends(
    other: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    triggers.remove(connection)
    other.cursor().execute("LOCK TABLE applications_application IN ROW EXCLUSIVE MODE")
    migrate_until_ended(other, monkeypatch)
    assert triggers.missing(connection) == []


@pytest.mark.parametrize("limit", [base.MIGRATION_LOCK_TIMEOUT, 10_000])
def test_in_a_deadlock_the_migration_gives_up_and_the_request_ends(
    limit: int, other: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Creating an application writes its subject first; the migration locks that table last.

    With the longer limit, PostgreSQL detects the deadlock.
    """
    call_command("migrate", "applications", "0008", verbosity=0)
    monkeypatch.setattr(base, "MIGRATION_LOCK_TIMEOUT", limit)
    monkeypatch.setattr(migrate, "LOCK_PAUSE_SECONDS", 0)
    cursor = other.cursor()
    cursor.execute("LOCK TABLE accessrules_subject IN ROW EXCLUSIVE MODE")

    def migration_waits() -> bool:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE relation = 'accessrules_subject'::regclass AND NOT granted"
        )
        return bool(cursor.fetchall())

    def request() -> None:
        wait_until(migration_waits, "the migration")
        cursor.execute("LOCK TABLE applications_application IN ROW EXCLUSIVE MODE")
        other.commit()

    other.inc_thread_sharing()
    with ThreadPoolExecutor(1) as pool:
        requested = pool.submit(request)
        call_command("migrate", "applications", "0009", verbosity=0)
        requested.result()


@pytest.mark.parametrize(
    "operation",
    [
        AddIndexWithoutBlocking("application", Index(fields=["created_at"], name="by_creation")),
        RemoveIndexWithoutBlocking("application", "application_by_creation"),
    ],
)
def test_going_back_does_not_block_either(operation: Operation) -> None:
    state = MigrationLoader(connection).project_state()
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        operation.database_backwards("applications", editor, state, state)
    statements = [sql for sql in editor.collected_sql if "INDEX" in sql]
    assert statements
    assert all("INDEX CONCURRENTLY" in sql for sql in statements)
