"""One instance at a time prepares a database, also through PgBouncer, and a killed one is replaced."""

import os
import signal
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from runai_access.db.leases import FileLease
from tests.operations.conftest import wait_until
from tests.operations.pgbouncer import PgBouncer, pgbouncer  # noqa: F401  # a fixture
from tests.operations.preparing import EXPIRY, Preparing, lease_on

# Access to the database, for the leases that the test holds.
pytestmark = pytest.mark.django_db(transaction=True)

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="on SQLite the lock is a locked file"
)
WAITS = "Waiting for another instance that is preparing this database."
# A statement in the middle of the migrations, and in a transaction.
HALFWAY = 'CREATE TABLE "accessrules_'
Prepare = Callable[..., Preparing]


@pytest.fixture
def prepare(empty_database: dict[str, str]) -> Iterator[Prepare]:
    """Start to prepare the empty database; what still runs at the end of the test is killed."""
    started: list[Preparing] = []

    def start(*, database: str = "", **options: object) -> Preparing:
        environment = dict(empty_database)
        environment["DATABASE_URL"] = database or environment["DATABASE_URL"]
        started.append(Preparing(environment, **options))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def database(empty_database: dict[str, str]) -> str:
    """The URL of the empty database."""
    return empty_database["DATABASE_URL"]


def test_a_second_instance_waits_says_so_once_and_continues(
    prepare: Prepare, database: str
) -> None:
    first = lease_on(database)
    assert first.try_acquire()
    second = prepare()
    second.wait_for_line(WAITS)
    first.release()
    status, said, errors = second.finish()
    assert (status, errors) == (0, "")
    assert WAITS not in said
    assert "Created the first administrator" in said


def test_an_instance_that_does_not_wait_says_nothing_of_it(prepare: Prepare) -> None:
    status, said, _ = prepare(notice=60).finish()
    assert status == 0
    assert "Waiting" not in said


def test_waiting_ends_after_a_limit_with_what_to_do(prepare: Prepare, database: str) -> None:
    first = lease_on(database)
    assert first.try_acquire()
    status, _, errors = prepare(limit=0.3).finish()
    assert status == 1
    assert "another instance is preparing this database: process" in errors
    assert f"process {os.getpid()} on" in errors
    assert "Wait until it finishes or stop it, then start again." in errors
    assert "Traceback" not in errors
    first.release()


def test_ctrl_c_ends_the_waiting(prepare: Prepare, database: str) -> None:
    first = lease_on(database)
    assert first.try_acquire()
    second = prepare()
    second.wait_for_line(WAITS)
    second.process.send_signal(signal.SIGINT)
    status, _, errors = second.finish()
    assert status == 130
    assert errors.strip().endswith("Interrupted.")
    assert "Traceback" not in errors
    first.release()


def test_ctrl_c_in_the_middle_frees_the_lock_immediately(prepare: Prepare, database: str) -> None:
    first = prepare(stop_at=HALFWAY)
    first.wait_for_line("STOPPED")
    first.process.send_signal(signal.SIGINT)
    assert first.finish()[0] == 130
    lease = lease_on(database)
    assert lease.try_acquire()
    lease.release()


def test_a_killed_instance_is_replaced_within_the_expiry(prepare: Prepare, database: str) -> None:
    first = prepare(stop_at=HALFWAY)
    first.wait_for_line("STOPPED")
    lease = lease_on(database)
    assert not lease.try_acquire()
    first.kill()
    wait_until(lease.try_acquire, "the lock to be free", seconds=EXPIRY + 2)
    lease.release()
    status, said, errors = prepare().finish()
    assert (status, errors) == (0, "")
    assert "Created the first administrator" in said


def test_an_instance_that_fails_frees_the_lock_immediately(
    empty_database: dict[str, str], database: str
) -> None:
    weak = Preparing({**empty_database, "RUNAI_ACCESS_ADMIN_PASSWORD": "short"})
    status, _, errors = weak.finish()
    assert (status, "RUNAI_ACCESS_ADMIN_PASSWORD" in errors) == (1, True)
    lease = lease_on(database)
    assert lease.try_acquire()
    lease.release()


def test_files_of_this_machine_are_written_by_one_instance_at_a_time(prepare: Prepare) -> None:
    """Instances with databases of their own share the folder of static files."""
    files = FileLease(settings.VAR_DIR / "prepare.lock")
    settings.VAR_DIR.mkdir(exist_ok=True)
    wait_until(files.try_acquire, "other tests on this machine to end")
    instance = prepare()
    instance.wait_for_line(f"Waiting for another instance that is writing to {settings.VAR_DIR}.")
    files.release()
    assert instance.finish()[0] == 0


@on_postgresql
def test_an_instance_that_lost_its_lock_stops(prepare: Prepare, database: str) -> None:
    """As after it was frozen for longer than the expiry: another instance can have begun."""
    first = prepare(stop_at=HALFWAY)
    first.wait_for_line("STOPPED")
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("UPDATE runai_access_lease SET owner = 'another'")
        status, _, errors = first.finish()
        assert status == 1
        assert "another instance might be preparing it now" in errors
        assert "Traceback" not in errors
        owners = other.execute("SELECT owner FROM runai_access_lease").fetchall()
        assert owners == [("another",)], "it does not free what is not its own"


@on_postgresql
def test_an_index_can_be_built_concurrently_while_an_instance_waits(
    prepare: Prepare, database: str
) -> None:
    """A session that waits for an advisory lock would hold a snapshot, and so the index up."""
    first = lease_on(database)
    assert first.try_acquire()
    second = prepare()
    second.wait_for_line(WAITS)
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("SET statement_timeout = '20s'")
        other.execute("CREATE TABLE somebody (name text)")
        other.execute("CREATE INDEX CONCURRENTLY somebody_name ON somebody (name)")
    first.release()
    assert second.finish()[0] == 0


@on_postgresql
def test_preparing_uses_no_advisory_lock_of_a_session(prepare: Prepare, database: str) -> None:
    first = prepare(stop_at=HALFWAY)
    first.wait_for_line("STOPPED")
    assert locks(database) > 0
    assert locks(database, "advisory") == 0


# Through PgBouncer in transaction mode.


def test_an_instance_killed_through_pgbouncer_leaves_nothing_behind(
    prepare: Prepare, database: str, pgbouncer: PgBouncer  # noqa: F811  # the fixture
) -> None:  # fmt: skip
    through = pgbouncer.url(database)
    first = prepare(database=through, stop_at=HALFWAY)
    first.wait_for_line("STOPPED")
    assert locks(database) > 0, "it is in the middle of a transaction"
    first.kill()
    wait_until(lambda: locks(database) == 0, "its locks to go")
    second = prepare(database=through)
    status, said, errors = second.finish()
    assert (status, errors) == (0, "")
    assert "Created the first administrator" in said
    assert locks(database) == 0


def test_two_instances_through_pgbouncer_prepare_one_after_the_other(
    prepare: Prepare, database: str, pgbouncer: PgBouncer  # noqa: F811  # the fixture
) -> None:  # fmt: skip
    through = pgbouncer.url(database)
    both = [prepare(database=through) for _ in range(2)]
    ends = [one.finish() for one in both]
    assert [status for status, _, _ in ends] == [0, 0], ends
    assert sum("Created the first administrator" in said for _, said, _ in ends) == 1
    assert locks(database) == 0


def locks(database: str, kind: str = "%") -> int:
    """Return how many locks sessions of the database hold, other than the one that asks."""
    with psycopg.connect(database, autocommit=True) as other:
        row = other.execute(
            "SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND locktype LIKE %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [kind],
        ).fetchone()
    return int(row[0]) if row else 0
