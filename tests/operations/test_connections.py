"""When a database connection is asked whether it still works."""

from types import SimpleNamespace

import pytest

from runai_access import connections


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A connection that was used in this request, and a clock at ten."""
    one = SimpleNamespace(connection=object(), health_check_done=True, errors_occurred=False)
    monkeypatch.setattr(
        connections, "connections", SimpleNamespace(all=lambda initialized_only: [one])
    )
    at(10.0, monkeypatch)
    return one


def at(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "time", SimpleNamespace(monotonic=lambda: seconds))


@pytest.mark.parametrize(("pause", "trusted"), [(0.0, True), (0.9, True), (1.1, False)])
def test_a_connection_that_answered_just_now_is_not_asked(
    connection: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, pause: float, trusted: bool
) -> None:
    connections._note_answers()
    connection.health_check_done = False  # as Django begins each request
    at(10.0 + pause, monkeypatch)
    connections._trust_recent()
    assert connection.health_check_done is trusted


@pytest.mark.parametrize("how", ["unused", "failed", "closed"])
def test_any_other_is_asked(connection: SimpleNamespace, how: str) -> None:
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
