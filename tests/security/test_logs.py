"""The log of unexpected errors, and the filter of repeated lines."""

import logging
from typing import Any
from unittest.mock import ANY

import pytest
from django.conf import settings
from django.test import Client
from django.utils.module_loading import import_string

from applications.oauth.secrets import new_secret
from applications.oauth.tokens import issue
from runai_access import logs
from runai_access.logs import LineFormatter, LoggedElsewhere, RepeatFilter
from tests import factories


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the log as in production."""
    configured: Any = settings.LOGGING
    line = configured["formatters"]["line"]
    formatter: logging.Formatter = import_string(line["()"])(line["format"])
    return [formatter.format(record) for record in caplog.records]


@pytest.mark.django_db
@pytest.mark.parametrize("sent", [{}, {"X-Request-Id": "ci.run_4711"}], ids=["ours", "theirs"])
def test_an_error_is_logged_with_the_request_id_of_its_response(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, sent: dict[str, str]
) -> None:
    """And without the credential in its URL or message."""
    secret = new_secret()
    token = issue(factories.application("robot")).text

    def broken(*_: object) -> None:
        raise RuntimeError(f"a forced error about {token}")

    monkeypatch.setattr("applications.policy.visible_one", broken)
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})
    answer = client.get(f"/api/v1/apps/{secret}", headers=sent)
    assert answer.status_code == 500
    assert "logged with the ID of this request" in answer.json()["details"]
    [line] = [line for line in lines(caplog) if "Internal Server Error" in line]
    assert line.startswith(f"[{answer.headers['X-Request-Id']}] ")
    assert answer.headers["X-Request-Id"] == sent.get("X-Request-Id", ANY)
    assert "a forced error about eyJ…" in line
    assert secret[:20] not in line
    assert token.rpartition(".")[2] not in line


@pytest.mark.django_db
def test_an_unknown_host_is_refused_and_the_log_lists_allowed_ones(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in range(3):
        answer = Client(headers={"Host": f"evil-{number}.example"}).get("/sign-in/")
        assert answer.status_code == 400
    assert "Refused a request for host 'evil-0.example'. Allowed hosts: 127.0.0.1" in caplog.text
    kinds = {logs._kind_of(record) for record in caplog.records}
    assert len(kinds) == 1, "one line a minute, whatever the client sends"


class Log:
    """The lines that the repeat filter passes, with a clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self._filter = RepeatFilter()
        monkeypatch.setattr(logs.time, "monotonic", lambda: self.now)

    def written(
        self, message: str, *args: object, error: Exception | None = None, kind: str = ""
    ) -> str | None:
        exc_info = (type(error), error, error.__traceback__) if error else None
        record = logging.LogRecord("a", logging.ERROR, "", 0, message, args, exc_info)
        record.kind = kind
        if not self._filter.filter(record):
            return None
        return LineFormatter("%(message)s").format(record).partition("\n")[0]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    return Log(monkeypatch)


def test_an_outage_is_one_line_a_minute_with_a_count(log: Log) -> None:
    message = "The database is unavailable (%s): %s"
    assert log.written(message, "OperationalError", "away, try 0")
    assert not any(
        log.written(message, "OperationalError", f"away, try {n}") for n in range(20_000)
    )
    log.now += 61
    assert log.written(message, "OperationalError", "still away") == (
        "The database is unavailable (OperationalError): still away (20000 similar lines suppressed)"
    )


def test_other_handlers_get_the_unchanged_message(log: Log) -> None:
    for _ in range(3):
        log.written("Again")
    log.now += 61
    record = logging.LogRecord("a", logging.ERROR, "", 0, "Again", (), None)
    record.kind = ""
    assert log._filter.filter(record)
    assert record.getMessage() == "Again"


def test_another_kind_of_outage_has_a_separate_line(log: Log) -> None:
    assert log.written("The database is unavailable: %s", "away", kind="OperationalError")
    assert log.written("The database is unavailable: %s", "locked", kind="LockNotAvailable")
    assert log.written("Something else")


def test_client_input_does_not_create_a_kind(log: Log) -> None:
    lines = [log.written("Refused the host %r", f"h{number}Error") for number in range(100)]
    assert len([line for line in lines if line]) == 1


def test_an_error_with_a_traceback_can_repeat_up_to_a_limit(log: Log) -> None:
    """Its response refers to the line by the request ID."""
    lines = [
        log.written("Internal Server Error: %s", "/", error=RuntimeError()) for _ in range(500)
    ]
    assert len([line for line in lines if line]) == logs.TRACEBACKS


def test_client_input_cannot_fill_memory(log: Log) -> None:
    for number in range(logs.MAX_KINDS + 100):
        log.written(f"invented {number}")
    assert len(log._filter._kinds) == logs.MAX_KINDS


def test_djangos_line_for_a_503_is_dropped() -> None:
    def record(status: int) -> logging.LogRecord:
        return logging.makeLogRecord({"msg": "%s: %s", "status_code": status})

    assert not LoggedElsewhere().filter(record(503))
    assert LoggedElsewhere().filter(record(500))


def test_the_production_log_uses_both_filters() -> None:
    configured: Any = settings.LOGGING
    assert configured["handlers"]["console"]["filters"] == ["repeats"]
    assert configured["loggers"]["django.request"]["filters"] == ["logged-elsewhere"]
