"""The log of unexpected errors, and the filter of repeated lines."""

import json
import logging
from typing import Any
from unittest.mock import ANY

import pytest
from django.conf import settings
from django.test import Client
from django.utils.module_loading import import_string
from pytest_django import Settings

from applications.oauth.secrets import new_secret
from applications.oauth.tokens import issue
from runai_access import logs, middleware
from runai_access.logs import JSONFormatter, LineFormatter, LoggedElsewhere, RepeatFilter
from tests import factories

pytestmark = pytest.mark.any_database


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the log as in production."""
    configured: Any = settings.LOGGING
    line = configured["formatters"]["text"]
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


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def request_log(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> pytest.LogCaptureFixture:
    """The log of requests, turned on."""
    settings.REQUEST_LOG = True
    monkeypatch.setattr(logging.getLogger("runai_access.requests"), "propagate", True)
    return caplog


def request_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    records = [record for record in caplog.records if record.name == "runai_access.requests"]
    return [json.loads(JSONFormatter().format(record)) for record in records]


@pytest.mark.django_db
def test_a_request_is_logged_by_route_without_its_url(
    request_log: pytest.LogCaptureFixture,
) -> None:
    application = factories.application("robot")
    token = issue(application).text
    client = Client(headers={"Authorization": f"Bearer {token}"})
    answer = client.get(
        f"/api/v1/apps/{application.pk}?secret=hunter2", headers={"traceparent": TRACEPARENT}
    )
    [line] = request_lines(request_log)
    assert line["method"] == "GET"
    assert line["route"].startswith("api/v1/apps/<")
    assert line["status"] == answer.status_code
    assert line["ms"] > 0
    assert line["caller"] == str(application.pk)
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["trace_id"] == TRACE
    assert "hunter2" not in json.dumps(line)
    assert str(application.pk) not in line["route"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "route"), [("/static/css/none.css", "static files"), ("/nowhere/", "no route")]
)
def test_a_request_without_a_view_is_logged_without_its_path(
    request_log: pytest.LogCaptureFixture, path: str, route: str
) -> None:
    Client().get(path)
    [line] = request_lines(request_log)
    assert (line["route"], line["status"], line["caller"]) == (route, 404, "")


@pytest.mark.django_db
def test_requests_are_not_logged_by_default(caplog: pytest.LogCaptureFixture) -> None:
    Client().get("/sign-in/")
    assert request_lines(caplog) == []


@pytest.mark.parametrize(
    "traceparent",
    ["", "nonsense", f"ff-{TRACE}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01"],
)
def test_a_malformed_traceparent_is_ignored(traceparent: str) -> None:
    assert middleware._trace_id(traceparent) == ""


def test_a_json_line_holds_the_error_without_credentials() -> None:
    secret = new_secret()
    error = RuntimeError(f"about {secret}")
    exc_info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("a", logging.ERROR, "", 0, "Broken\n%s", (secret,), exc_info)
    text = JSONFormatter().format(record)
    line = json.loads(text)
    assert "\n" not in text
    assert line["level"] == "ERROR"
    assert line["message"] == "Broken\nras_…"
    assert "RuntimeError: about ras_…" in line["exception"]
    assert secret not in text
