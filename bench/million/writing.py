"""Writing among a million: one at a time by the API, several at once, and 1,000 rows in one go.

    python -m bench.million.writing 100000      on a database that is gone afterwards

On SQLite, or on the empty PostgreSQL that DATABASE_URL names. Everything is made for the purpose and
deleted in the end; its rows in the record stay.
"""

import html
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import requests

from bench.million.data import ADMINISTRATOR, PASSWORD
from tests.operations.writers import RULES, Access
from tests.servers import ROOT, Server, _children, launch

EACH = 40
WRITERS, SECONDS = 8, 10.0
MANY = 1_000
# What is done to 1,000 rows takes seconds, not minutes.
LIMIT = 10_000.0
MAKE_MANY = (
    "from tests import factories; factories.many_applications(%d, ('Viewer', factories.account()))"
)


@dataclass
class Row:
    """A line of the table; times are milliseconds. `more` are figures of other kinds."""

    name: str
    median: float
    p95: float
    limit: float | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        nothing = dict.fromkeys(("server", "cpu", "sql", "queries", "bytes"))
        return {"group": "writing", **nothing, "beside": [], "may_grow": False, **asdict(self)}


class Bench(Protocol):
    """What is asked of the bench that this is a part of: the server, on its database."""

    server: Server


@dataclass
class _Alone:
    server: Server


def main(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = os.environ.get("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        _build(database, size)
        server = launch(Path(folder), database=database)
        try:
            server.wait_until_ready(300)
            for row in measure(_Alone(server)):
                more = "".join(f"   {words} {figure:,}" for words, figure in row.more.items())
                print(f"{row.median:>10,.1f} ms   p95 {row.p95:>10,.1f} ms   {row.name}{more}")
            print(f"{most_memory(server):>10,.1f} MB   the most memory that a worker ever had")
        finally:
            server.kill()


def _build(database: str, size: int) -> None:
    environment = {**os.environ, "DATABASE_URL": database, "RUNAI_ACCESS_SECRET_KEY": "x" * 50}
    command = [sys.executable, "-m", "bench.million.data", str(size)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def measure(bench: Bench) -> list[Row]:
    program = _Program(bench.server)
    try:
        return [*_single(program), _at_once(program), *_bulk(bench.server), *_batches(program)]
    finally:
        program.end()


@dataclass(frozen=True)
class Answer:
    """An answer that was a good one, and how long it took to be complete."""

    milliseconds: float
    text: str


class _Program:
    """A program with an administrator's rights, which measures what it asks."""

    def __init__(self, server: Server) -> None:
        self.url, self.word = server.url, uuid.uuid4().hex[:8]
        access = Access.of_administrator(server, f"bench-{self.word}")
        self._headers = {"Authorization": f"Bearer {access.token(server)}"}
        self.session = self.new_session()
        roles = self.ask("GET", "/api/v1/authorization/roles")[1]
        self.roles = {role["name"]: role["id"] for role in roles}
        self.scopes = self.ask("GET", "/api/v1/org-unit/projects?limit=50")[1]["projects"]

    def new_session(self) -> requests.Session:
        session = requests.Session()
        session.headers.update(self._headers)
        return session

    def ask(
        self, method: str, path: str, body: Any = None, session: requests.Session | None = None
    ) -> tuple[Answer, Any]:
        """Ask, and return the answer with what it says."""
        began = time.perf_counter()
        got = (session or self.session).request(method, self.url + path, json=body, timeout=300)
        answer = _answer(got, began)
        return answer, got.json() if got.content else None

    def rule(self, application: str, number: int) -> dict[str, Any]:
        return {
            "subjectId": application, "subjectType": "app", "roleId": self.roles["Viewer"],
            "scopeId": self.scopes[number]["id"], "scopeType": "project",
        }  # fmt: skip

    def end(self) -> None:
        """Delete the program itself."""
        mine = self.ask("GET", f"/api/v1/apps?search=bench-{self.word}")[1]
        for one in mine:
            self.ask("DELETE", f"/api/v1/apps/{one['id']}")


def most_memory(server: Server) -> float:
    """Return the most that any worker ever had in memory, in MB."""
    statuses = (Path(f"/proc/{pid}/status").read_text() for pid in _children(server.process.pid))
    return max(int(kib) / 1000 for text in statuses for kib in re.findall(r"VmHWM:\s+(\d+)", text))


def _single(program: _Program) -> Iterator[Row]:
    """Yield what one write takes that nobody else disturbs."""
    answers: dict[str, list[Answer]] = {}

    def note(name: str, asked: tuple[Answer, Any]) -> Any:
        answers.setdefault(name, []).append(asked[0])
        return asked[1]

    for number in range(EACH):
        name = f"single-{program.word}-{number}"
        made = note("create an application", program.ask("POST", "/api/v1/apps", {"name": name}))
        path = f"/api/v1/apps/{made['id']}"
        rule = note("add an access rule", program.ask("POST", RULES, program.rule(name, number)))
        note("regenerate a secret", program.ask("POST", f"{path}/secret"))
        note("delete an access rule", program.ask("DELETE", f"{RULES}/{rule['id']}"))
        note("disable an application", program.ask("PATCH", path, {"enabled": False}))
        note("delete an application", program.ask("DELETE", path))
    for name, those in answers.items():
        yield _row(name, those)


def _at_once(program: _Program) -> Row:
    """Return what one of several takes who write at the same time."""
    numbers, answers = count(), list[Answer]()
    until = time.monotonic() + SECONDS

    def write() -> None:
        session = program.new_session()
        while time.monotonic() < until:
            name = f"at-once-{program.word}-{next(numbers)}"
            made = program.ask("POST", "/api/v1/apps", {"name": name}, session)[1]
            answers.append(program.ask("POST", RULES, program.rule(name, 0), session)[0])
            answers.append(program.ask("DELETE", f"/api/v1/apps/{made['id']}", None, session)[0])

    began = time.monotonic()
    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Each lap is three writes: creating costs an Argon2 run besides and is not in the median.
    rate = len(answers) * 1.5 / (time.monotonic() - began)
    return _row(f"{WRITERS} who write at once", answers, more={"writes a second": round(rate)})


def _bulk(server: Server) -> Iterator[Row]:
    """Yield what it takes to do something to all 1,000 rows of a view, as the page does it."""
    said = server.command("shell", "-v0", "-c", MAKE_MANY % MANY)
    if said.returncode:
        raise AssertionError(said.stderr)
    page = _Page(server)
    view = {"select": "view", "from": "/applications/?search=many-"}
    for action in ("disable", "enable", "add-rule", "delete"):
        path = f"/applications/several/{action}/"
        asked, form = page.form(path, view)
        yield _row(f"{action} {MANY:,}: the summary", [asked], limit=LIMIT)
        if action == "add-rule":
            role = re.search(r'<option value="(\d+)"[^>]*>\s*Editor', asked.text)
            scope = re.search(r'name="scope" value="(\d+)"', asked.text)
            form += [("role", role[1] if role else ""), ("scope", scope[1] if scope else "")]
            form += [("do", "save")]
        done = page.post(path, form)
        if f"{MANY} of {MANY} done" not in done.text:
            raise AssertionError(f"{action}: {re.search('<h1.*?</h1>', done.text)}")
        yield _row(f"{action} {MANY:,}", [done], limit=LIMIT)


class _Page:
    """The pages, as the browser of the person who is signed in asks for them."""

    def __init__(self, server: Server) -> None:
        self._url = server.url
        self._session = requests.Session()
        self._session.headers["Origin"] = self._url
        _, form = self.form("/sign-in/", {})
        self.post("/sign-in/", [*form, ("email", ADMINISTRATOR), ("password", PASSWORD)])
        self._session.headers.update({"HX-Request": "true", "HX-Target": "dialog"})

    def form(self, path: str, query: Mapping[str, str]) -> tuple[Answer, list[tuple[str, str]]]:
        """Return a dialog and what its form holds."""
        began = time.perf_counter()
        got = self._session.get(self._url + path, params=query, timeout=300)
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', got.text)
        return _answer(got, began), [(name, html.unescape(value)) for name, value in hidden]

    def post(self, path: str, form: Iterable[tuple[str, str]]) -> Answer:
        began = time.perf_counter()
        got = self._session.post(self._url + path, data=list(form), timeout=300)
        return _answer(got, began)


def _batches(program: _Program) -> Iterator[Row]:
    """Yield what the API's batches take: 100 rules are granted at a time, 1,000 deleted."""
    names = [f"batch-{program.word}-{number}" for number in range(20)]
    made = [program.ask("POST", "/api/v1/apps", {"name": name})[1]["id"] for name in names]
    answers, ids = list[Answer](), list[str]()
    for some in (names[:10], names[10:]):
        for first in range(0, 50, 10):
            payload = {
                "roleId": program.roles["Viewer"],
                "subjects": [{"subjectId": name, "subjectType": "app"} for name in some],
                "scopes": [
                    {"scopeId": scope["id"], "scopeType": "project"}
                    for scope in program.scopes[first : first + 10]
                ],
            }
            answer, done = program.ask("POST", f"{RULES}/batch-create", {"payload": payload})
            answers.append(answer)
            ids += [str(rule["id"]) for rule in done["succeeded"]]
    yield _row("batch-create of 100 rules", answers, limit=LIMIT)
    answer, done = program.ask("POST", f"{RULES}/batch", {"action": "delete", "ids": ids})
    if len(done["succeeded"]) != MANY:
        raise AssertionError(f"{len(done['succeeded'])} of {len(ids)} rules are deleted.")
    yield _row(f"batch delete of {MANY:,} rules", [answer], limit=LIMIT)
    for id_ in made:
        program.ask("DELETE", f"/api/v1/apps/{id_}")


def _answer(got: requests.Response, began: float) -> Answer:
    took = (time.perf_counter() - began) * 1000
    if not got.ok:
        raise AssertionError(f"{got.request.method} {got.url}: {got.status_code} {got.text[:500]}")
    return Answer(took, got.text)


def _row(
    name: str, answers: list[Answer], limit: float | None = None, more: dict[str, Any] | None = None
) -> Row:
    times = sorted(answer.milliseconds for answer in answers)
    return Row(name, median(times), times[round(0.95 * (len(times) - 1))], limit, more or {})


if __name__ == "__main__":
    main(int(sys.argv[1]))
