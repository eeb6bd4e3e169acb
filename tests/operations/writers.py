"""Programs that write by the API, what they were answered, and whether the database has it."""

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import requests

from tests.servers import Server

RULES = "/api/v1/authorization/access-rules"
ROLES = ("Viewer", "Editor")


@dataclass
class Made:
    """One application, as far as the program that made it was answered."""

    name: str
    answered: list[str] = field(default_factory=list)
    id: str = ""
    secret: str = field(default="", repr=False)
    rules: list[int] = field(default_factory=list)
    # What was asked for and never answered: it may be done or not, but not by half.
    in_doubt: str = ""

    @property
    def is_known(self) -> bool:
        return bool(self.answered)


@dataclass
class Access:
    """What the programs write as: an administrator's credentials, and what they grant."""

    client_id: str
    secret: str = field(repr=False)

    @classmethod
    def of_administrator(cls, server: Server, name: str = "boss") -> "Access":
        """Make a program that may do everything."""
        role = ("--role", "System administrator")
        said = server.command("create_application", name, *role, "--json")
        assert said.returncode == 0, said.stderr
        made = json.loads(said.stdout)
        return cls(made["clientId"], made["clientSecret"])

    def token(self, server: Server) -> str:
        answer = ask_for_token(server, self.client_id, self.secret)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


def ask_for_token(server: Server, client_id: str, secret: str) -> requests.Response:
    body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return requests.post(f"{server.url}/api/v2/token", data=body, timeout=60)


class Writers:
    """Several programs that write at once while others read; `made` is what came of it all."""

    def __init__(self, server: Server, access: Access, *, writers: int, readers: int = 2) -> None:
        self.server, self.made, self.faults = server, list[Made](), list[str]()
        self.statuses: Counter[int] = Counter()
        self._token, self._answers = access.token(server), threading.Semaphore(0)
        self._stop, self._is_killed = threading.Event(), False
        self._grants = list(_grants(self._session(), server))
        self._writers = [threading.Thread(target=self._write, args=[n]) for n in range(writers)]
        self._readers = [threading.Thread(target=self._read, args=[n]) for n in range(readers)]
        self._laps, self._word = 10**9, uuid4().hex[:8]

    def finish(self, laps: int) -> None:
        """Let each make so many applications, and wait for them."""
        self._laps = laps
        self._start()
        for thread in self._writers:
            thread.join()
        self._stop.set()
        for thread in self._readers:
            thread.join()

    def kill_after(self, answers: int) -> None:
        """Kill the server right after so many answers; what else is under way stays in doubt."""
        self._start()
        for _ in range(answers):
            assert self._answers.acquire(timeout=120), self.faults
        self._is_killed = True
        self.server.kill()
        self._stop.set()
        for thread in (*self._writers, *self._readers):
            thread.join()

    def _start(self) -> None:
        for thread in (*self._writers, *self._readers):
            thread.start()

    def _session(self) -> requests.Session:
        """Return one that is signed in and keeps its connection, as programs do."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self._token}"
        return session

    def _write(self, number: int) -> None:
        session = self._session()
        for lap in range(self._laps):
            one = Made(f"app-{self._word}-{number}-{lap}")
            self.made.append(one)
            for step in self._steps(one, is_to_go=lap % 3 == 2):
                if not self._take(session, one, step) or self._stop.is_set():
                    return

    def _steps(self, one: Made, *, is_to_go: bool) -> Iterator[tuple[str, str, str, Any]]:
        """Yield what to do next, in method, address and body: each knows what the last one made."""
        yield "create", "POST", "/api/v1/apps", {"name": one.name}
        for grant in self._grants:
            yield "grant", "POST", RULES, {**grant, "subjectId": one.name}
        yield "secret", "POST", f"/api/v1/apps/{one.id}/secret", None
        yield "revoke", "DELETE", f"{RULES}/{one.rules[0]}", None
        yield "disable", "PATCH", f"/api/v1/apps/{one.id}", {"enabled": False}
        if is_to_go:
            yield "delete", "DELETE", f"/api/v1/apps/{one.id}", None

    def _take(self, session: requests.Session, one: Made, step: tuple[str, str, str, Any]) -> bool:
        name, method, path, body = step
        one.in_doubt = name
        answer = self._ask(session, method, path, body)
        if answer is None or not answer.ok:
            return False
        document = answer.json() if answer.content else {}
        one.id = one.id or document.get("id", "")
        one.secret = document.get("secret") or one.secret
        one.rules += [document["id"]] if name == "grant" else []
        one.answered.append(name)
        one.in_doubt = ""
        self._answers.release()
        return True

    def _ask(
        self, session: requests.Session, method: str, path: str, body: Any = None
    ) -> requests.Response | None:
        """Return the answer, or None where there came none because the server was killed."""
        try:
            answer = session.request(method, self.server.url + path, json=body, timeout=120)
        except requests.RequestException as error:
            if not self._is_killed:
                self.faults.append(f"{method} {path}: {error}")
            return None
        self.statuses[answer.status_code] += 1
        if not answer.ok:
            self.faults.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    def _read(self, number: int) -> None:
        session = self._session()
        path = ("/api/v1/apps?limit=100", f"{RULES}?limit=100", f"{RULES}/count")[number % 3]
        while not self._stop.is_set() and self._ask(session, "GET", path) is not None:
            pass


def _grants(session: requests.Session, server: Server) -> Iterator[dict[str, Any]]:
    roles = session.get(f"{server.url}/api/v1/authorization/roles", timeout=60).json()
    rules = session.get(f"{server.url}{RULES}", timeout=60).json()["accessRules"]
    account = next(rule["scopeId"] for rule in rules if rule["scopeType"] == "tenant")
    for role in roles:
        if role["name"] in ROLES:
            yield {
                "subjectType": "app", "roleId": role["id"],
                "scopeId": account, "scopeType": "tenant",
            }  # fmt: skip


class Contents:
    """What a database holds, by ids as text without hyphens."""

    def __init__(self, database: str) -> None:
        with _rows_of(database) as rows:
            self.enabled = {
                hex_: bool(enabled)
                for hex_, enabled in _by_hex(
                    rows(
                        "SELECT id, enabled FROM accessrules_subject JOIN applications_application"
                        " ON subject_id = id WHERE retired_at IS NULL"
                    )
                )
            }
            self.programs = dict(
                _by_hex(rows("SELECT id, retired_at FROM accessrules_subject WHERE type = 'app'"))
            )
            self.rules = dict(rows("SELECT id, deleted_at FROM accessrules_accessrule"))
            self.record = Counter(
                (entity, id_.replace("-", ""), action)
                for entity, id_, action in rows(
                    "SELECT entity_type, entity_id, action FROM audit_auditevent"
                    " WHERE result = 'Succeeded' AND entity_type IN ('application', 'access_rule')"
                )
            )
            self.faults = _faults_of_file(rows) if database.startswith("sqlite") else []

    def missing(self, made: Iterable[Made]) -> list[str]:
        """Return what was answered and is not there, and what is there by half."""
        lost = [f"{one}: {what}" for one in made for what in self._missing_of(one)]
        return [*lost, *self._halves(), *self.faults]

    def _missing_of(self, one: Made) -> Iterator[str]:
        key = UUID(one.id).hex if one.id else ""
        is_there = key in self.enabled
        if not one.is_known or one.in_doubt == "delete":
            return
        if is_there == ("delete" in one.answered):
            yield "it is there" if is_there else "it is not there"
        if (
            is_there
            and one.in_doubt != "disable"
            and self.enabled[key] == ("disable" in one.answered)
        ):
            yield "enabled" if self.enabled[key] else "disabled"
        for number, rule in enumerate(one.rules):
            is_gone = "delete" in one.answered or (number == 0 and "revoke" in one.answered)
            is_in_doubt = number == 0 and one.in_doubt == "revoke"
            if rule not in self.rules or (
                not is_in_doubt and is_gone != (self.rules[rule] is not None)
            ):
                yield f"rule {rule}"
        yield from self._unrecorded(one, key)

    def _unrecorded(self, one: Made, key: str) -> Iterator[str]:
        changes = sum(step in ("secret", "disable") for step in one.answered)
        recorded = self.record["application", key, "update"] - changes
        if recorded not in ((0, 1) if one.in_doubt in ("secret", "disable") else (0,)):
            yield f"{recorded + changes} of {changes} changes recorded"

    def _halves(self) -> Iterator[str]:
        """Yield what stands without its row of the record, or the other way about."""
        for entity, ends in (("application", self.programs), ("access_rule", self.rules)):
            for action, there in (
                ("create", {str(id_) for id_ in ends}),
                ("delete", {str(id_) for id_, end in ends.items() if end is not None}),
            ):
                told = {id_ for kind, id_, what in self.record if (kind, what) == (entity, action)}
                if told != there:
                    yield f"{action} of {entity}: {sorted(told ^ there)[:5]} is there by half"
        twice = [
            key
            for key, times in self.record.items()
            if times > 1 and key[2] in ("create", "delete")
        ]
        if twice:
            yield f"recorded twice: {twice[:5]}"


def _by_hex(rows: Sequence[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    return ((UUID(str(id_)).hex, value) for id_, value in rows)


def _faults_of_file(rows: Callable[[str], list[tuple[Any, ...]]]) -> list[str]:
    said = [row[0] for row in rows("PRAGMA integrity_check")]
    faults = [] if said == ["ok"] else [f"integrity_check: {said[:3]}"]
    dangling = rows("PRAGMA foreign_key_check")
    return [*faults, *([f"foreign_key_check: {dangling[:3]}"] if dangling else [])]


@contextmanager
def _rows_of(database: str) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """Yield a function that returns the rows of a query, all of them seeing one moment."""
    if database.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(database).path[1:], isolation_level=None)) as file:
            file.execute("BEGIN")
            yield lambda sql: file.execute(sql).fetchall()
        return
    with psycopg.connect(database) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield lambda sql: connection.execute(sql).fetchall()
