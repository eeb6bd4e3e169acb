"""One process at a time holds a lease, and a killed holder loses it."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection

from runai_access.db.leases import DatabaseLease, Lease, LeaseLost, LeaseRow, lease_for
from tests.domain.racing import together
from tests.operations.conftest import wait_until
from tests.servers import ROOT

# In a transaction, the test and the connection of a lease could not see each other's rows.
pytestmark = pytest.mark.django_db(transaction=True)

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="on SQLite a lease is a locked file"
)
NewLease = Callable[..., Lease]


@pytest.fixture
def new_lease() -> Iterator[NewLease]:
    """Return a function that creates leases of one name, which are released after the test."""
    leases: list[Lease] = []
    name = f"test-{uuid.uuid4().hex[:8]}"

    def make(*, expiry: float = 30, renewal: float = 10) -> Lease:
        leases.append(lease_for(connection, name, expiry=expiry, renewal=renewal))
        return leases[-1]

    yield make
    for lease in leases:
        lease.release()


def expiries() -> list[Any]:
    """Return the expiry of each lease."""
    return list(LeaseRow.objects.order_by("name").values_list("expires_at", flat=True))


def test_one_of_two_holds_a_lease_until_it_releases_it(new_lease: NewLease) -> None:
    first, second = new_lease(), new_lease()
    assert first.try_acquire()
    assert first.try_acquire(), "it can be acquired twice"
    assert not second.try_acquire()
    assert (first.is_held, second.is_held) == (True, False)
    first.release()
    assert not first.is_held
    assert second.try_acquire()
    assert second.is_held


def test_a_released_lease_can_be_acquired_again(new_lease: NewLease) -> None:
    lease = new_lease()
    for _ in range(3):
        assert lease.try_acquire()
        lease.release()
    lease.release()  # does nothing


def test_the_holder_is_known_by_name(new_lease: NewLease) -> None:
    first, second = new_lease(), new_lease()
    first.try_acquire()
    assert f"process {os.getpid()} on " in second.holder()


def test_only_one_of_many_concurrent_attempts_gets_the_lease(new_lease: NewLease) -> None:
    leases = [new_lease() for _ in range(8)]
    assert sorted(together([lease.try_acquire for lease in leases])) == [False] * 7 + [True]


def test_require_held_raises_without_the_lease(new_lease: NewLease) -> None:
    lease = new_lease()
    with pytest.raises(LeaseLost):
        lease.require_held()
    lease.try_acquire()
    lease.require_held()


def test_a_killed_holder_loses_its_lease() -> None:
    program = (
        "import sys, time, django; django.setup()\n"
        "from django.db import connection; from runai_access.db.leases import lease_for\n"
        "connection.settings_dict['NAME'], name = sys.argv[1:]\n"
        "assert lease_for(connection, name, expiry=1.5, renewal=0.3).try_acquire()\n"
        "print('HELD', flush=True); time.sleep(600)"
    )
    name = f"killed-{uuid.uuid4().hex[:8]}"
    lease = lease_for(connection, name)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(connection.settings_dict["NAME"]), name],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "HELD\n"
        assert not lease.try_acquire()
        holder.kill()
        wait_until(lease.try_acquire, "the lease to expire", seconds=10)
    lease.release()


# Only on PostgreSQL, which multiple machines can share.


@on_postgresql
def test_a_lease_is_renewed_while_it_is_held(new_lease: NewLease) -> None:
    first, second = new_lease(expiry=2, renewal=0.1), new_lease()
    first.try_acquire()
    [expiry] = expiries()
    passed = expiry + timedelta(seconds=2.5)
    wait_until(lambda: expiries()[0] > passed, "renewals past the first expiry")
    assert first.is_held
    assert not second.try_acquire()


@on_postgresql
def test_a_holder_that_cannot_renew_stops_before_another_can_start(
    new_lease: NewLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = new_lease(expiry=1, renewal=0.1), new_lease()
    first.try_acquire()

    def away(*args: object) -> int:
        raise OperationalError("away")

    monkeypatch.setattr(first, "_execute", away)
    overlaps = []

    def is_acquired() -> bool:
        acquired = second.try_acquire()
        overlaps.append(acquired and first.is_held)
        return acquired

    wait_until(is_acquired, "the lease to expire", seconds=10)
    monkeypatch.undo()
    assert not any(overlaps)
    assert not first.try_acquire()
    assert second.is_held


@on_postgresql
def test_a_holder_continues_after_a_short_outage(
    new_lease: NewLease,
) -> None:
    lease = new_lease(expiry=30, renewal=0.1)
    lease.try_acquire()
    [before] = expiries()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    wait_until(lambda: expiries()[0] > before, "the next renewal")
    assert lease.is_held


@on_postgresql
def test_a_holder_notices_that_its_row_is_gone(new_lease: NewLease) -> None:
    """For example, it was frozen for longer than the expiry while another had the lease."""
    lease = new_lease(expiry=30, renewal=0.1)
    lease.try_acquire()
    LeaseRow.objects.all().delete()
    wait_until(lambda: not lease.is_held, "the holder to notice")
    assert expiries() == [], "a renewal never restores a lost lease"
    wait_until(lease.try_acquire, "it to be acquired again")


@on_postgresql
def test_the_databases_clock_decides_what_has_expired(
    new_lease: NewLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = new_lease(), new_lease()
    first.try_acquire()
    monkeypatch.setattr(time, "time", lambda: 4_000_000_000.0)
    assert not second.try_acquire()


@on_postgresql
def test_concurrent_attempts_create_the_missing_table(new_lease: NewLease) -> None:
    for _ in range(3):
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS runai_access_lease")
        leases = [new_lease() for _ in range(6)]
        assert sorted(together([lease.try_acquire for lease in leases])) == [False] * 5 + [True]
        for lease in leases:
            lease.release()


@on_postgresql
def test_a_table_that_cannot_be_created_is_reported(new_lease: NewLease) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS runai_access_lease")
    lease = new_lease()
    assert isinstance(lease, DatabaseLease)
    lease._connection.settings_dict["OPTIONS"]["options"] = "-c default_transaction_read_only=on"
    with pytest.raises(Exception, match="read-only transaction"):
        lease.try_acquire()


@on_postgresql
def test_a_holder_keeps_neither_a_lock_nor_a_transaction(new_lease: NewLease) -> None:
    lease = new_lease(expiry=30, renewal=0.1)
    lease.try_acquire()
    [acquired] = expiries()
    wait_until(lambda: expiries()[0] > acquired, "a renewal")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity JOIN pg_locks USING (pid)"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state <> 'active'"  # a renewal lasts milliseconds
        )
        assert cursor.fetchone() == (0,)


@on_postgresql
def test_a_held_lease_does_not_block_building_an_index(new_lease: NewLease) -> None:
    new_lease(expiry=30, renewal=0.1).try_acquire()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '20s'")
        cursor.execute("CREATE INDEX CONCURRENTLY lease_test ON accessrules_role (name)")
        cursor.execute("DROP INDEX lease_test")
    connection.close()
