"""A migration that waits for a long transaction lets requests pass, and is repeated."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from applications.models import Application
from runai_access.db.postgresql import base
from runai_access.management.commands import migrate
from runai_access.settings import IS_SQLITE

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(IS_SQLITE, reason="SQLite has no replicas that wait meanwhile"),
]


def test_a_migration_gives_up_its_lock_until_a_long_transaction_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output, backup = StringIO(), connection.copy()
    pauses = []

    def pause(_: float) -> None:
        pauses.append(Application.objects.count())  # nothing waits behind the migration
        if len(pauses) == 2:
            backup.close()

    monkeypatch.setattr(migrate.time, "sleep", pause)
    monkeypatch.setattr(base, "MIGRATION_LOCK_TIMEOUT", 20)
    backup.set_autocommit(False)
    backup.cursor().execute("SELECT 1 FROM applications_application")
    try:
        call_command("migrate", "applications", "0010", verbosity=0, stdout=output)
    finally:
        backup.close()
        call_command("migrate", verbosity=0)
    assert pauses == [0, 0]
    assert output.getvalue().count("Waiting for a transaction") == 1
