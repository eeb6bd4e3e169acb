"""Writes to a database with a million applications: single, concurrent, and bulk actions on 1,000 rows.

All objects are created for the measurement and deleted at the end; their audit rows stay.
"""

import re
import threading
import time
import uuid
from collections.abc import Iterator
from itertools import count
from statistics import median
from typing import Any

import requests

from bench.million.browser import Answer, Browser, answer_of
from bench.million.rows import Row, row_of
from bench.million.running import Bench
from tests.operations.writers import RULES, Access
from tests.servers import Server

GROUP = "writing"
EACH = 40
WRITERS, SECONDS = 8, 10.0
MANY = 1_000
# Limit for a bulk action on 1,000 rows.
LIMIT = 10_000.0
MAKE_MANY = (
    "from tests import factories; factories.many_applications(%d, ('Viewer', factories.account()))"
)


def measure(bench: Bench) -> list[Row]:
    program = _Program(bench.server)
    try:
        return [*_single(program), _at_once(program), *_bulk(bench.server), *_batches(program)]
    finally:
        program.end()


class _Program:
    """A client with administrator access that measures its requests."""

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
        """Send a request; return the response and its document."""
        began = time.perf_counter()
        got = (session or self.session).request(method, self.url + path, json=body, timeout=300)
        answer = answer_of(got, began)
        return answer, got.json() if got.content else None

    def rule(self, application: str, number: int) -> dict[str, Any]:
        return {
            "subjectId": application, "subjectType": "app", "roleId": self.roles["Viewer"],
            "scopeId": self.scopes[number]["id"], "scopeType": "project",
        }  # fmt: skip

    def end(self) -> None:
        """Delete the client's own application."""
        mine = self.ask("GET", f"/api/v1/apps?search=bench-{self.word}")[1]
        for one in mine:
            self.ask("DELETE", f"/api/v1/apps/{one['id']}")


def _single(program: _Program) -> Iterator[Row]:
    """Yield the rows for single writes without other load."""
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
    """Return the row for concurrent writes."""
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
    # Each lap is three writes. Creating also runs Argon2, so it is not in the median.
    rate = len(answers) * 1.5 / (time.monotonic() - began)
    return _row(f"{WRITERS} concurrent writers", answers, more={"writes a second": round(rate)})


def _bulk(server: Server) -> Iterator[Row]:
    """Yield the rows for bulk actions on all 1,000 rows of a view, as from the page."""
    said = server.command("shell", "-v0", "-c", MAKE_MANY % MANY)
    if said.returncode:
        raise AssertionError(said.stderr)
    page = Browser(server.url)
    view = {"select": "view", "from": "/applications/?search=many-"}
    for action in ("disable", "enable", "add-rule", "delete"):
        path = f"/applications/bulk/{action}/"
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


def _batches(program: _Program) -> Iterator[Row]:
    """Yield the rows for the API's batch requests: create 100 rules at a time, delete 1,000."""
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


def _row(name: str, answers: list[Answer], **others: Any) -> Row:
    middle = {
        of: median(answer.figures[of] for answer in answers) for of in ("cpu", "python", "sql")
    }
    queries = round(median(answer.figures["queries"] for answer in answers))
    times = [answer.milliseconds for answer in answers]
    return row_of(GROUP, name, times, queries=queries, **middle, **others)
