"""Rounds of kill -9 classify writes as answered, refused, in doubt or lost."""

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.operations import writers as writers_module
from tests.operations.conftest import wait_until
from tests.operations.kills import (
    INCONSISTENT,
    LOST,
    UNVERIFIED,
    Finding,
    KillRounds,
    Snapshot,
    secret_finding,
)
from tests.operations.writers import (
    RULES,
    Access,
    Answer,
    Reply,
    TrackedApplication,
    Writers,
    ask_for_token,
    retry,
    send,
)
from tests.servers import ROOT, server_environment

pytestmark = pytest.mark.any_database

STEPS = ["create", "grant", "secret", "revoke", "disable", "delete"]
REFUSED = [302, 400, 401, 409, 429, 500, 503]
UNANSWERED = [
    requests.ConnectionError("reset"),
    requests.ReadTimeout("60 s"),
    requests.exceptions.ChunkedEncodingError("broke off"),
]
SERVER: Any = SimpleNamespace(url="http://server")
NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def response(status: int, document: Any = None, **headers: str) -> requests.Response:
    built = requests.Response()
    built.status_code = status
    built._content = b"" if document is None else json.dumps(document).encode()
    built.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return built


class Api:
    """An in-memory API that fails once, at one step, either after the step or before it."""

    def __init__(self, at: str, failure: int | Exception | None, *, is_done: bool = False) -> None:
        self._at, self._failure, self._is_done = at, failure, is_done
        self._lock = Lock()
        self._ids: dict[str, str] = {}
        self.snapshot = Snapshot(enabled={}, retired_at={}, rules={}, audited=Counter())

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        path = url.removeprefix(SERVER.url)
        step = _step_of(method, path)
        with self._lock:
            fails = step == self._at and self._failure is not None
            if fails:
                failure, self._failure = self._failure, None
                if self._is_done:
                    self._do(step, path, options["json"])
                if isinstance(failure, Exception):
                    raise failure
                return response(failure, {"message": "no"}, Retry_After="0")
            return response(200, self._do(step, path, options["json"]))

    def _do(self, step: str, path: str, body: Any) -> Any:
        state, id_ = self.snapshot, path.removeprefix("/api/v1/apps/").split("/")[0]
        key = id_.replace("-", "")
        match step:
            case "create":
                id_ = str(uuid4())
                self._ids[body["name"]] = id_
                state.enabled[id_.replace("-", "")] = True
                state.retired_at[id_.replace("-", "")] = None
                self._audit("application", id_, "create")
                return {"id": id_, "secret": "first"}
            case "grant":
                rule = len(state.rules) + 1
                state.rules[rule] = None
                self._audit("access_rule", str(rule), "create")
                return {"id": rule}
            case "secret":
                self._audit("application", id_, "update")
                return {"secret": "second"}
            case "disable":
                state.enabled[key] = False
                self._audit("application", id_, "update")
            case "revoke":
                self._end_rule(int(path.rpartition("/")[2]))
            case "delete":
                del state.enabled[key]
                state.retired_at[key] = NOW
                self._audit("application", id_, "delete")
                for rule, end in list(state.rules.items())[-2:]:  # one writer: the last two
                    if end is None:
                        self._end_rule(rule)
        return {}

    def _end_rule(self, rule: int) -> None:
        self.snapshot.rules[rule] = NOW
        self._audit("access_rule", str(rule), "delete")

    def _audit(self, entity: str, id_: str, action: str) -> None:
        self.snapshot.audited[entity, id_.replace("-", ""), action] += 1


def _step_of(method: str, path: str) -> str:
    if path.startswith(RULES):
        return {"POST": "grant", "DELETE": "revoke", "GET": "read"}[method]
    if path.endswith("/secret"):
        return "secret"
    return {"POST": "create", "PATCH": "disable", "DELETE": "delete", "GET": "read"}[method]


class WritersOn(Writers):
    """Writers that use an in-memory API."""

    def __init__(self, api: Api, **options: Any) -> None:
        super().__init__(SERVER, Access("boss", "secret"), **options)
        self._api = api

    def _prepare(self) -> None:
        self._grants = [{}, {}]

    def _session(self) -> Any:
        return self._api


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers_module, "DEFAULT_WAIT", 0.0)


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("status", REFUSED)
@pytest.mark.parametrize("step", STEPS)
def test_a_refused_write_is_counted_by_status_and_never_lost(
    step: str, status: int, is_done: bool
) -> None:
    api = Api(step, status, is_done=is_done)
    writers = WritersOn(api, writers=1, readers=0)
    writers.finish(laps=3)
    assert list(api.snapshot.findings(writers.applications)) == []
    assert writers.refused_writes == {status: 1}
    assert writers.failures == []
    assert [
        application.undecided for application in writers.applications if application.undecided
    ] == [step]
    assert not any(application.is_in_doubt for application in writers.applications)


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("error", UNANSWERED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("step", STEPS)
def test_a_write_without_an_answer_is_in_doubt_and_never_lost(
    step: str, error: Exception, is_done: bool
) -> None:
    api = Api(step, error, is_done=is_done)
    writers = WritersOn(api, writers=1, readers=0)
    writers.finish(laps=3)
    assert list(api.snapshot.findings(writers.applications)) == []
    assert writers.refused_writes == {}
    assert len(writers.failures) == 1
    assert [
        application.undecided for application in writers.applications if application.is_in_doubt
    ] == [step]


@pytest.mark.parametrize("failure", [429, 503, requests.ConnectionError("reset")])
def test_a_failed_read_is_not_a_finding_about_writes(failure: int | Exception) -> None:
    api = Api("read", failure)
    writers = WritersOn(api, writers=1, readers=1)
    writers._laps = 3
    writers._ask(api, "GET", RULES)
    writers.finish(laps=3)
    assert list(api.snapshot.findings(writers.applications)) == []
    assert writers.refused_writes == {}
    assert writers.refused_reads == ({failure: 1} if isinstance(failure, int) else {})
    assert not any(application.undecided for application in writers.applications)


def test_a_writer_continues_after_a_refusal() -> None:
    writers = WritersOn(Api("create", 503), writers=1, readers=0)
    writers.finish(laps=3)
    assert [len(application.answers) for application in writers.applications] == [0, 6, 7]


def test_a_success_whose_body_cannot_be_parsed_is_in_doubt() -> None:
    broken = response(201)
    broken._content = b'{"id": "12'
    session = SimpleNamespace(request=lambda *_, **__: broken)
    assert send(session, "POST", "http://server/api/v1/apps").status == 0


def _undo(step: str) -> Callable[[Snapshot, TrackedApplication], None]:
    """Return a function that removes the effect of a step from a snapshot."""

    def undo(snapshot: Snapshot, application: TrackedApplication) -> None:
        key, rules = application.id.replace("-", ""), list(application.rules)
        match step:
            case "create":
                snapshot.enabled.pop(key, None)
                snapshot.retired_at.pop(key)
                del snapshot.audited["application", key, "create"]
            case "grant":
                del snapshot.rules[rules[1]]
                del snapshot.audited["access_rule", str(rules[1]), "create"]
            case "secret":
                snapshot.audited["application", key, "update"] -= 1
            case "revoke":
                snapshot.rules[rules[0]] = None
                del snapshot.audited["access_rule", str(rules[0]), "delete"]
            case "disable":
                snapshot.enabled[key] = True
            case "delete":
                snapshot.enabled[key] = False
                snapshot.retired_at[key] = None
                del snapshot.audited["application", key, "delete"]

    return undo


@pytest.mark.parametrize(
    ("step", "method", "path", "found"),
    [
        ("create", "POST", "/api/v1/apps", "no row"),
        ("grant", "POST", RULES, "no row"),
        ("secret", "PATCH", "/api/v1/apps/{id}", "1 audit events for 2 answered updates"),
        ("revoke", "DELETE", f"{RULES}/{{rule}}", "not deleted"),
        ("disable", "PATCH", "/api/v1/apps/{id}", "enabled"),
        ("delete", "DELETE", "/api/v1/apps/{id}", "not deleted"),
    ],
)
def test_a_missing_acknowledged_write_is_lost(
    step: str, method: str, path: str, found: str
) -> None:
    api = Api("", None)
    writers = WritersOn(api, writers=1, readers=0)
    writers.finish(laps=3)
    application = writers.applications[2 if step == "delete" else 0]
    _undo(step)(api.snapshot, application)
    lost = [
        application
        for application in api.snapshot.findings(writers.applications)
        if application.kind == LOST
    ]
    assert [finding.found for finding in lost] == [found]
    assert application.name in lost[0].target
    answer = lost[0].answer
    assert answer is not None
    assert (answer.method, answer.path, answer.status) == (
        method, path.format(id=application.id, rule=next(iter(application.rules))), 200,
    )  # fmt: skip


def test_a_change_without_its_audit_event_names_the_request() -> None:
    api = Api("", None)
    writers = WritersOn(api, writers=1, readers=0)
    writers.finish(laps=1)
    application = writers.applications[0]
    del api.snapshot.audited["application", application.id.replace("-", ""), "create"]
    [finding] = api.snapshot.findings(writers.applications)
    assert (finding.kind, finding.found) == (INCONSISTENT, "no audit event")
    assert finding.answer == application.answers[0]


def test_a_finding_contains_request_status_and_time() -> None:
    answer = Answer("create", "POST", "/api/v1/apps", 201, NOW)
    finding = Finding(LOST, "application round-1-0-0 (id)", "no row", answer)
    assert str(finding) == (
        "LOST: application round-1-0-0 (id): POST /api/v1/apps (create) answered 201"
        " at 2026-01-02T03:04:05.678Z; found: no row"
    )
    assert finding.as_json() == {
        "kind": "lost",
        "target": "application round-1-0-0 (id)",
        "request": "POST /api/v1/apps",
        "step": "create",
        "status": 201,
        "answered at": "2026-01-02T03:04:05.678Z",
        "found": "no row",
    }


def test_later_rounds_do_not_report_a_finding_again() -> None:
    rounds = KillRounds(lambda: SERVER, random.Random())  # noqa: S311  # not a secret
    finding = Finding(LOST, "application", "no row", Answer("create", "POST", "/", 201, NOW))
    assert list(rounds._unreported([finding, finding])) == [finding]
    assert list(rounds._unreported([finding])) == []


class Clock:
    """A clock that advances only in `sleep`."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    built = Clock()
    monkeypatch.setattr(writers_module, "time", built)
    return built


@pytest.mark.parametrize("busy", [429, 503, requests.ConnectionError("refused")])
def test_a_busy_token_endpoint_is_retried_after_retry_after(
    busy: int | Exception, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers_module, "DEFAULT_WAIT", 7.0)
    answers = [busy, busy, 200]

    def request(*_: Any, **__: Any) -> requests.Response:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return response(answer, {"access_token": "token"}, Retry_After="7")

    monkeypatch.setattr(requests.Session, "request", request)
    reply = ask_for_token(SERVER, "round-1-0-0", "secret")
    assert reply.document == {"access_token": "token"}
    assert clock.now == 14
    assert secret_finding(TrackedApplication("round-1-0-0"), reply) is None


@pytest.mark.parametrize("status", [429, 503])
def test_a_permanently_busy_endpoint_leaves_the_secret_unverified(
    status: int, clock: Clock
) -> None:
    reply = retry(lambda: Reply(status, NOW, retry_after=5), seconds=60)
    assert 50 <= clock.now <= 60
    finding = secret_finding(TrackedApplication("one"), reply)
    assert finding is not None
    assert finding.kind == UNVERIFIED


@pytest.mark.parametrize(
    ("status", "kind"), [(401, LOST), (400, UNVERIFIED), (500, UNVERIFIED), (0, UNVERIFIED)]
)
def test_only_a_401_proves_that_a_secret_is_lost(status: int, kind: str) -> None:
    application = TrackedApplication("one")
    application.add_reply("create", "POST", "/api/v1/apps", Reply(201, NOW, {"id": str(uuid4())}))
    finding = secret_finding(application, Reply(status, NOW))
    assert finding is not None
    assert (finding.kind, finding.answer) == (kind, application.answers[0])


@pytest.mark.parametrize("status", [0, 429, 503])
def test_an_undecided_secret_is_not_checked(status: int) -> None:
    application = TrackedApplication("one")
    application.add_reply("create", "POST", "/api/v1/apps", Reply(201, NOW, {"id": str(uuid4())}))
    assert application.can_sign_in
    application.add_reply("secret", "POST", "/api/v1/apps/1/secret", Reply(status, NOW))
    assert not application.can_sign_in


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")
@pytest.mark.parametrize(
    ("number", "servers"), [(signal.SIGTERM, 1), (signal.SIGINT, 2)], ids=["start", "round 2"]
)
def test_an_interrupted_bench_stops_its_servers_and_writes_its_report(
    number: signal.Signals, servers: int, tmp_path: Path
) -> None:
    report, marker, ports = tmp_path / "kills.json", f"MARKER={uuid4().hex}", set[str]()

    def has_started() -> bool:
        for environment in _environments_with(marker):
            ports.update(entry for entry in environment if entry.startswith("PORT="))
        return len(ports) == servers

    with subprocess.Popen(
        [sys.executable, "-m", "bench.kills", "1000", "--seed", "7", "--report", str(report)],
        cwd=ROOT,
        env={**server_environment({}), **_database(), "MARKER": marker.partition("=")[2]},
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as bench:
        try:
            wait_until(has_started, f"{servers} servers", 120)
        finally:
            bench.send_signal(number)
        output, _ = bench.communicate(timeout=60)
    assert bench.returncode == 130
    assert _environments_with(marker) == []
    assert output.startswith("Seed 7\n")
    assert re.search(r"Seed 7, interrupted: \d+ rounds, .* 0 lost, .*\n\Z", output)
    figures = json.loads(report.read_text(encoding="utf-8"))
    assert (figures["seed"], figures["result"], figures["findings"]) == (7, "interrupted", [])


def _database() -> dict[str, str]:
    """Return the setting with which the bench uses the same database server as the tests."""
    return {name: value for name, value in os.environ.items() if name == "DATABASE_URL"}


def _environments_with(entry: str) -> list[list[str]]:
    """Return the environment of each process whose environment contains this entry."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            environment = file.read_bytes().decode(errors="replace").split("\0")
            if entry in environment:
                found.append(environment)
    return found
