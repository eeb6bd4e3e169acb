"""Session settings of a new database connection, and when its health is checked."""

from types import SimpleNamespace

import pytest
from django.db import connection as connection_to

from runai_access.db import connections


@pytest.mark.django_db
@pytest.mark.skipif(connection_to.vendor != "postgresql", reason="PostgreSQL's own settings")
@pytest.mark.parametrize(
    ("setting", "value"),
    [("max_parallel_workers_per_gather", "0"), ("synchronize_seqscans", "off"), ("jit", "off")],
)
def test_the_session_is_configured_for_short_queries(setting: str, value: str) -> None:
    with connection_to.cursor() as cursor:
        cursor.execute(f"SHOW {setting}")
        assert cursor.fetchone() == (value,)


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A connection that was used in this request, at second ten."""
    used = SimpleNamespace(connection=object(), health_check_done=True, errors_occurred=False)
    monkeypatch.setattr(
        connections, "connections", SimpleNamespace(all=lambda initialized_only: [used])
    )
    at(10.0, monkeypatch)
    return used


def at(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "time", SimpleNamespace(monotonic=lambda: seconds))


@pytest.mark.parametrize(("pause", "trusted"), [(0.0, True), (0.9, True), (1.1, False)])
def test_a_connection_that_answered_recently_is_not_checked(
    connection: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, pause: float, trusted: bool
) -> None:
    connections._note_answers()
    connection.health_check_done = False  # as Django does before each request
    at(10.0 + pause, monkeypatch)
    connections._trust_recent()
    assert connection.health_check_done is trusted


@pytest.mark.parametrize("how", ["unused", "failed", "closed"])
def test_any_other_connection_is_checked(connection: SimpleNamespace, how: str) -> None:
    match how:
        case "unused":
            connection.health_check_done = False
        case "failed":
            connection.errors_occurred = True
        case "closed":
            connection.connection = None
    connections._note_answers()
    connection.health_check_done = False
    connections._trust_recent()
    assert not connection.health_check_done
