"""Acknowledged writes are in the database, with concurrent writers and after a kill."""

import json
import random

import pytest

from runai_access.settings import IS_SQLITE
from tests import sizes
from tests.conftest import StartServer
from tests.operations.kills import KillRounds, Snapshot
from tests.operations.writers import Access, Writers
from tests.servers import manage

SETTINGS = """
import json
from django.db import connection
with connection.cursor() as cursor:
    values = {}
    for name in %s:
        cursor.execute(("PRAGMA " if connection.vendor == "sqlite" else "SHOW ") + name)
        values[name] = cursor.fetchone()[0]
print(json.dumps(values))
"""
# https://www.sqlite.org/pragma.html#pragma_synchronous: 2 is FULL.
DURABLE: dict[str, dict[str, object]] = {
    "sqlite": {"journal_mode": "wal", "synchronous": 2},
    "postgres": {"synchronous_commit": "on"},
}


def test_a_commit_is_durable(
    empty_database: dict[str, str],
) -> None:
    kind = "sqlite" if empty_database["DATABASE_URL"].startswith("sqlite") else "postgres"
    expected = DURABLE[kind]
    result = manage("shell", "-v0", "-c", SETTINGS % list(expected), environment=empty_database)
    assert json.loads(result.stdout) == expected, result.stderr


# Beside other tests, a writer can wait longer than SQLite's time limit.
@(pytest.mark.alone if IS_SQLITE else pytest.mark.slow)
def test_twenty_concurrent_writers_lose_nothing(
    start_server: StartServer,
) -> None:
    server = start_server()
    writers = Writers(server, Access.of_administrator(server), writers=20, readers=3)
    writers.finish(laps=sizes.WRITER_LAPS)
    # A machine that also runs other tests can be overloaded; nothing else refuses a write.
    assert set(writers.refusals) <= {503}, writers.refusals
    assert writers.failures == []
    assert "locked" not in server.output
    assert len([one for one in writers.applications if one.answers]) >= 40
    assert list(Snapshot.of(server.database).findings(writers.applications)) == []


@pytest.mark.slow
def test_an_acknowledged_write_survives_a_kill(
    start_server: StartServer,
) -> None:
    rounds = KillRounds(start_server, random.Random())  # noqa: S311  # not a secret
    for _ in range(sizes.KILL_ROUNDS):
        assert list(rounds.run_one()) == []
    assert rounds.answered > 0
    # A busy server can refuse a write, but must not fail.
    assert set(rounds.refusals) <= {429, 503}, rounds.refusals
