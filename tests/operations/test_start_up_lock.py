"""One instance at a time prepares a database, also through PgBouncer and after a kill."""

import os
import signal
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection

from runai_access.db.leases import FileLease
from tests.databases import run_folder
from tests.operations.conftest import wait_until
from tests.operations.pgbouncer import PgBouncer, pgbouncer  # noqa: F401  # a fixture
from tests.operations.preparing import EXPIRY, Preparing, lease_on

# The leases that the test holds need the database.
pytestmark = pytest.mark.django_db(transaction=True)

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="on SQLite the lock is a locked file"
)
WAITS = "Waiting for another instance that is preparing this database."
# A statement in the middle of the migrations, and in a transaction.
HALFWAY = 'CREATE TABLE "accessrules_'
on_empty_database = pytest.mark.parametrize("environment", ["empty_database"], indirect=True)
Prepare = Callable[..., Preparing]


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of a command on a migrated database, or on an empty one."""
    chosen: dict[str, str] = request.getfixturevalue(getattr(request, "param", "migrated_database"))
    return chosen


@pytest.fixture
def prepare(environment: dict[str, str]) -> Iterator[Prepare]:
    """Return a function that runs `prepare` on the database; killed after the test."""
    started: list[Preparing] = []

    def start(*, database: str = "", **options: object) -> Preparing:
        url = database or environment["DATABASE_URL"]
        started.append(Preparing({**environment, "DATABASE_URL": url}, **options))
        return started[-1]

    yield start
    for instance in started:
        instance.kill()


@pytest.fixture
def database(environment: dict[str, str]) -> str:
    """The URL of the database."""
    return environment["DATABASE_URL"]


def test_a_second_instance_waits_with_a_message_and_continues(
    prepare: Prepare, database: str
) -> None:
    first = lease_on(database)
    assert first.try_acquire()
    second = prepare()
    second.wait_for_line(WAITS)
    first.release()
    status, output, errors = second.finish()
    assert (status, errors) == (0, "")
    assert WAITS not in output
    assert "Created the first administrator" in output


def test_an_instance_that_does_not_wait_prints_no_message(prepare: Prepare) -> None:
    status, output, _ = prepare(notice=60).finish()
    assert status == 0
    assert "Waiting" not in output


def test_waiting_ends_after_a_limit_with_instructions(prepare: Prepare, database: str) -> None:
    first = lease_on(database)
    assert first.try_acquire()
    status, _, errors = prepare(limit=0.3).finish()
    assert status == 1
    assert "another instance is preparing this database: process" in errors
    assert f"process {os.getpid()} on" in errors
    assert "Wait until it finishes or stop it, then start again." in errors
    assert "Traceback" not in errors
    first.release()


def test_migrate_waits_for_an_instance_that_prepares(prepare: Prepare, database: str) -> None:
    first = lease_on(database)
    assert first.try_acquire()
    prepare(command="migrate").wait_for_line(WAITS)
    first.release()


@on_empty_database
def test_an_instance_waits_for_migrate(prepare: Prepare, database: str) -> None:
    first = prepare(command="migrate", stop_at=HALFWAY)
    first.wait_for_line("STOPPED")
    assert not lease_on(database).try_acquire()


def test_ctrl_c_ends_waiting(prepare: Prepare, database: str) -> None:
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


@on_empty_database
def test_ctrl_c_while_preparing_frees_the_lock_immediately(prepare: Prepare, database: str) -> None:
    first = prepare(stop_at=HALFWAY)
    first.wait_for_line("STOPPED")
    first.process.send_signal(signal.SIGINT)
    assert first.finish()[0] == 130
    lease = lease_on(database)
    assert lease.try_acquire()
    lease.release()


@on_empty_database
def test_a_killed_instance_is_replaced_within_the_expiry(prepare: Prepare, database: str) -> None:
    first = prepare(stop_at=HALFWAY)
    first.wait_for_line("STOPPED")
    lease = lease_on(database)
    assert not lease.try_acquire()
    first.kill()
    wait_until(lease.try_acquire, "the lock to be free", seconds=EXPIRY + 2)
    lease.release()
    status, output, errors = prepare().finish()
    assert (status, errors) == (0, "")
    assert "Created the first administrator" in output


def test_a_failing_instance_frees_the_lock_immediately(
    environment: dict[str, str], database: str
) -> None:
    weak = Preparing({**environment, "RUNAI_ACCESS_ADMIN_PASSWORD": "short"})
    status, _, errors = weak.finish()
    assert (status, "RUNAI_ACCESS_ADMIN_PASSWORD" in errors) == (1, True)
    lease = lease_on(database)
    assert lease.try_acquire()
    lease.release()


def test_one_instance_at_a_time_writes_files_of_a_machine(prepare: Prepare) -> None:
    """Instances with separate databases share the folder of static files."""
    folder = run_folder() / "var"  # RUNAI_ACCESS_VAR of all instances in tests
    folder.mkdir(exist_ok=True)
    files = FileLease(folder / "prepare.lock")
    wait_until(files.try_acquire, "other tests on this machine to end")
    instance = prepare()
    instance.wait_for_line(f"Waiting for another instance that is writing to {folder}.")
    files.release()
    assert instance.finish()[0] == 0


@on_postgresql
@on_empty_database
def test_an_instance_that_lost_its_lock_stops(prepare: Prepare, database: str) -> None:
    """For example, it was frozen for longer than the expiry, and another instance started."""
    first = prepare(stop_at=HALFWAY)
    first.wait_for_line("STOPPED")
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("UPDATE runai_access_lease SET owner = 'another'")
        status, _, errors = first.finish()
        assert status == 1
        assert "another instance might be preparing it now" in errors
        assert "Traceback" not in errors
        owners = other.execute("SELECT owner FROM runai_access_lease").fetchall()
        assert owners == [("another",)], "it does not release the lease of another instance"


@on_postgresql
def test_an_index_can_be_built_concurrently_while_an_instance_waits(
    prepare: Prepare, database: str
) -> None:
    """A session that waits for an advisory lock holds a snapshot, which would block the index."""
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
@on_empty_database
def test_preparing_uses_no_session_level_advisory_lock(prepare: Prepare, database: str) -> None:
    first = prepare(stop_at=HALFWAY)
    first.wait_for_line("STOPPED")
    assert locks(database) > 0
    assert locks(database, "advisory") == 0


# Through PgBouncer in transaction mode.


@on_empty_database
def test_an_instance_killed_through_pgbouncer_leaves_no_locks(
    prepare: Prepare, database: str, pgbouncer: PgBouncer  # noqa: F811  # the fixture
) -> None:  # fmt: skip
    through = pgbouncer.url(database)
    first = prepare(database=through, stop_at=HALFWAY)
    first.wait_for_line("STOPPED")
    assert locks(database) > 0, "it is in a transaction"
    first.kill()
    wait_until(lambda: locks(database) == 0, "its locks to be released")
    second = prepare(database=through)
    status, output, errors = second.finish()
    assert (status, errors) == (0, "")
    assert "Created the first administrator" in output
    assert locks(database) == 0


@on_empty_database
def test_two_instances_through_pgbouncer_prepare_one_after_the_other(
    prepare: Prepare, database: str, pgbouncer: PgBouncer  # noqa: F811  # the fixture
) -> None:  # fmt: skip
    through = pgbouncer.url(database)
    both = [prepare(database=through) for _ in range(2)]
    ends = [instance.finish() for instance in both]
    assert [status for status, _, _ in ends] == [0, 0], ends
    assert sum("Created the first administrator" in output for _, output, _ in ends) == 1
    assert locks(database) == 0


def locks(database: str, kind: str = "%") -> int:
    """Return the number of locks that other sessions hold in the database."""
    with psycopg.connect(database, autocommit=True) as other:
        row = other.execute(
            "SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND locktype LIKE %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [kind],
        ).fetchone()
    return int(row[0]) if row else 0
