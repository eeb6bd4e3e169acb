"""Time limits of database connections, direct and through PgBouncer in transaction mode."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.utils import ConnectionHandler

from runai_access import environment
from runai_access.db.availability import WriteHealth, is_refused_write, is_unavailable
from tests.operations.pgbouncer import PgBouncer, pgbouncer  # noqa: F401  # a fixture
from tests.operations.postgresql import require_postgresql_run

Connect = Callable[..., Any]
SESSION_SETTINGS = ("statement_timeout", "lock_timeout", "jit")


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any) -> Iterator[Connect]:
    """Return a function that connects like a server process or like a command."""
    require_postgresql_run()
    from runai_access.db.postgresql.base import DatabaseWrapper

    opened: list[Any] = []

    def connection(url: str = "", *, serves_requests: bool) -> Any:
        monkeypatch.setattr(DatabaseWrapper, "serves_requests", serves_requests)
        monkeypatch.setenv("DATABASE_URL", url or os.environ["DATABASE_URL"])
        opened.append(ConnectionHandler({"default": environment.database("")})["default"])
        return opened[-1]

    with django_db_blocker.unblock():
        yield connection
        for open_connection in opened:
            open_connection.close()


def shown(connection: Any, *names: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        values = {}
        for name in names:
            cursor.execute(f"SHOW {name}")
            values[name] = cursor.fetchone()[0]
    return values


def test_a_request_has_limits_and_a_command_has_none(connect: Connect) -> None:
    limits = ("statement_timeout", "lock_timeout")
    assert shown(connect(serves_requests=True), *limits) == dict(
        zip(limits, ("7s", "7s"), strict=True)
    )
    assert set(shown(connect(serves_requests=False), *limits).values()) == {"0"}


def test_database_url_can_name_other_limits(connect: Connect) -> None:
    url = f"{os.environ['DATABASE_URL']}?statement_timeout=1500&lock_timeout=0&connect_timeout=7"
    connection = connect(url, serves_requests=True)
    assert shown(connection, "statement_timeout", "lock_timeout") == {
        "statement_timeout": "1500ms",
        "lock_timeout": "0",
    }
    assert connection.connection.query_seconds == 2.5
    assert connection.connection.info.get_parameters()["connect_timeout"] == "7"


def test_a_connection_detects_a_dead_network(connect: Connect) -> None:
    connection = connect(serves_requests=False)
    connection.ensure_connection()
    parameters = connection.connection.info.get_parameters()
    assert {name: parameters.get(name) for name in ("tcp_user_timeout", "keepalives_idle")} == {
        "tcp_user_timeout": "10000",
        "keepalives_idle": "10",
    }


def test_the_client_gives_up_if_the_server_does_not_and_cancels_the_query(connect: Connect) -> None:
    connection = connect(serves_requests=True)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
        connection.connection.query_seconds = 0.2
        with pytest.raises(OperationalError, match="has not responded"):
            cursor.execute("SELECT pg_sleep(60)")
    assert connection.connection.closed
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:
        state = other.execute(
            "SELECT state FROM pg_stat_activity WHERE pid = %s AND query LIKE '%%pg_sleep%%'", [pid]
        ).fetchone()
    assert state != ("active",)
    connection.close()
    assert shown(connection, "statement_timeout") == {"statement_timeout": "7s"}


def test_limits_through_a_pooler_last_for_one_transaction(
    connect: Connect,
    pgbouncer: PgBouncer,  # noqa: F811
) -> None:
    url = pgbouncer.url(os.environ["DATABASE_URL"])
    connection = connect(url, serves_requests=True)
    before = shown(connection, *SESSION_SETTINGS)
    assert connection.is_pooled
    connection.set_autocommit(False)
    try:
        assert shown(connection, "statement_timeout", "lock_timeout") == {
            "statement_timeout": "7s",
            "lock_timeout": "7s",
        }
    finally:
        connection.rollback()
        connection.set_autocommit(True)
    assert (
        before
        == shown(connection, *SESSION_SETTINGS)
        == {
            "statement_timeout": "0",
            "lock_timeout": "0",
            "jit": before["jit"],
        }
    )


def test_an_error_at_the_start_of_a_pooled_transaction_is_djangos(
    connect: Connect,
    pgbouncer: PgBouncer,  # noqa: F811
) -> None:
    """Otherwise it would not count as an outage."""
    connection = connect(pgbouncer.url(os.environ["DATABASE_URL"]), serves_requests=True)
    connection.ensure_connection()
    connection.connection.pgconn.finish()
    with pytest.raises((OperationalError, InterfaceError)) as error:
        connection.set_autocommit(False)
    assert is_unavailable(error.value)


def test_a_direct_connection_is_not_treated_as_pooled(connect: Connect) -> None:
    connection = connect(serves_requests=True)
    connection.ensure_connection()
    assert not connection.is_pooled
    assert connection.connection.prepare_threshold == 5


def test_streaming_through_a_pooler_uses_no_server_side_cursor(
    connect: Connect,
    pgbouncer: PgBouncer,  # noqa: F811
) -> None:
    connection = connect(pgbouncer.url(os.environ["DATABASE_URL"]), serves_requests=False)
    with closing(connection.chunked_cursor()) as cursor:
        cursor.execute("SELECT generate_series(1, 3)")
        assert cursor.fetchall() == [(1,), (2,), (3,)]
    assert connection.connection.prepare_threshold is None


@pytest.mark.parametrize(
    ("hosts", "wanted"),
    [
        ("one:5433,two", ("one,two", "5433,5432")),
        ("[::1]:5433,[fe80::2]", ("::1,fe80::2", "5433,5432")),
        ("one.example", ("one.example", "")),
    ],
)
def test_the_database_url_can_list_multiple_hosts(
    monkeypatch: pytest.MonkeyPatch, hosts: str, wanted: tuple[str, str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgres://u:p%40ss@{hosts}/name?sslmode=verify-full")
    settings = environment.database("")
    assert (settings["HOST"], settings["PORT"]) == wanted
    assert (settings["USER"], settings["PASSWORD"], settings["NAME"]) == ("u", "p@ss", "name")
    assert settings["OPTIONS"]["sslmode"] == "verify-full"


def wrapped(cause: Exception, kind: type[Exception] = DatabaseError) -> Exception:
    """Return an error that wraps `cause` as Django does."""
    error = kind(str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("cause", "refuses"),
    [
        (psycopg.errors.ReadOnlySqlTransaction(), True),
        (psycopg.errors.DiskFull(), True),
        (psycopg.errors.UniqueViolation(), False),
        (psycopg.errors.InFailedSqlTransaction(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_read_only_or_full_database_is_unavailable(cause: Exception, refuses: bool) -> None:
    error = wrapped(cause)
    assert is_refused_write(error) is refuses
    assert is_unavailable(error) is refuses


def test_a_refused_write_is_remembered_until_one_succeeds() -> None:
    health = WriteHealth()
    health.note(wrapped(psycopg.errors.QueryCanceled(), OperationalError))
    states = [health.is_failing]
    health.note(wrapped(psycopg.errors.DiskFull(), OperationalError))
    states.append(health.is_failing)
    health.note_success()
    states.append(health.is_failing)
    assert states == [False, True, False]
