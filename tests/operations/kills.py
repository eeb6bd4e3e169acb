"""Rounds of kill -9 under load: what was answered must be in the database afterwards."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID

import psycopg

from tests.operations.writers import (
    Access,
    Answer,
    Reply,
    TrackedApplication,
    Writers,
    ask_for_token,
)
from tests.servers import Server

WRITERS = 6
MOST_ANSWERS = 60

# An answered write that the database does not have.
LOST = "lost"
# A change without its audit event, an audit event without its change, or a damaged file.
INCONSISTENT = "inconsistent"
# The server refused to say whether a write is there.
UNVERIFIED = "unverified"

AuditKey = tuple[str, str, str]  # entity type, entity id without hyphens, action


@dataclass(frozen=True)
class Finding:
    """Something wrong with the database, and the answered request it contradicts, if one."""

    kind: str
    target: str
    found: str
    answer: Answer | None = None

    def __str__(self) -> str:
        request = f"{self.answer}; " if self.answer else ""
        return f"{self.kind.upper()}: {self.target}: {request}found: {self.found}"

    def as_json(self) -> dict[str, Any]:
        request = (
            {
                "request": f"{self.answer.method} {self.answer.path}",
                "step": self.answer.step,
                "status": self.answer.status,
                "answered at": self.answer.time_text,
            }
            if self.answer
            else {}
        )
        return {"kind": self.kind, "target": self.target, **request, "found": self.found}


class KillRounds:
    """Servers on one database, one after the other, each killed in the middle of its work.

    `start` is called as tests call `start_server`. Every round checks the answers of all rounds.
    """

    def __init__(self, start: Callable[..., Server], chance: Random) -> None:
        self._start, self._chance = start, chance
        self._server: Server | None = None
        self._access: Access | None = None
        self._reported: set[Finding] = set()
        self.number = 0
        self.completed = 0
        self.cut_short = 0
        self.applications: list[TrackedApplication] = []
        self.refused_writes: Counter[int] = Counter()
        self.refused_reads: Counter[int] = Counter()
        self.refusals: dict[int, str] = {}
        self.failures: list[str] = []

    @property
    def answered(self) -> int:
        """The number of writes that were answered with 2xx."""
        return sum(len(one.answers) for one in self.applications)

    @property
    def in_doubt(self) -> int:
        """The number of writes without an answer, most of them under way at a kill."""
        return sum(one.is_in_doubt for one in self.applications)

    def run_one(self) -> Iterator[Finding]:
        """Write, kill and start again; yield each new finding as soon as it is known."""
        self.number += 1
        self._server = self._server or self._start()
        self._access = self._access or Access.of_administrator(self._server)
        writers = Writers(
            self._server, self._access, writers=WRITERS, prefix=f"round-{self.number}"
        )
        try:
            writers.kill_after(self._chance.randint(1, MOST_ANSWERS))
        finally:
            self._add(writers)
        self._server = self._start(database=self._server.database)
        snapshot = Snapshot.of(self._server.database)
        yield from self._unreported(snapshot.findings(self.applications))
        yield from self._unreported(_check_secrets(self._server, writers.applications))
        self.completed += 1

    def _add(self, writers: Writers) -> None:
        self.applications += writers.applications
        self.refused_writes += writers.refused_writes
        self.refused_reads += writers.refused_reads
        self.refusals = {**writers.refusals, **self.refusals}
        self.failures += [f"round {self.number}: {failure}" for failure in writers.failures]
        self.cut_short += writers.is_cut_short

    def _unreported(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        for finding in findings:
            if finding not in self._reported:
                self._reported.add(finding)
                yield finding


def _check_secrets(server: Server, applications: Iterable[TrackedApplication]) -> Iterator[Finding]:
    for one in applications:
        if one.can_sign_in:
            finding = secret_finding(one, ask_for_token(server, one.name, one.secret))
            if finding:
                yield finding


def secret_finding(application: TrackedApplication, reply: Reply) -> Finding | None:
    """Return what a token request shows about the secret. Only 401 shows that it is lost."""
    if reply.is_success:
        return None
    return Finding(
        LOST if reply.status == 401 else UNVERIFIED,
        f"client secret of {application.name}",
        f"the token request was answered {reply.status or 'not at all'}: {reply.error}",
        application.answer_to("create", "secret"),
    )


@dataclass
class Snapshot:
    """What a database holds at one moment. Ids of applications are text without hyphens."""

    enabled: dict[str, bool]  # existing applications
    retired_at: dict[str, Any]  # all applications, including deleted ones
    rules: dict[int, Any]  # when each access rule was deleted
    audited: Counter[AuditKey]
    faults: Sequence[str] = ()  # of an SQLite file

    @classmethod
    def of(cls, database: str) -> Self:
        with _query(database) as query:
            return cls(
                enabled={
                    key: bool(enabled)
                    for key, enabled in _by_hex(
                        query(
                            "SELECT id, enabled FROM accessrules_subject"
                            " JOIN applications_application ON subject_id = id"
                            " WHERE retired_at IS NULL"
                        )
                    )
                },
                retired_at=dict(
                    _by_hex(
                        query("SELECT id, retired_at FROM accessrules_subject WHERE type = 'app'")
                    )
                ),
                rules=dict(query("SELECT id, deleted_at FROM accessrules_accessrule")),
                audited=Counter(
                    (entity, id_.replace("-", ""), action)
                    for entity, id_, action in query(
                        "SELECT entity_type, entity_id, action FROM audit_auditevent"
                        " WHERE result = 'Succeeded'"
                        " AND entity_type IN ('application', 'access_rule')"
                    )
                ),
                faults=_file_faults(query) if database.startswith("sqlite") else (),
            )

    def findings(self, applications: Sequence[TrackedApplication]) -> Iterator[Finding]:
        """Yield each answered write that is missing, and each change that is done by half.

        Refused and unanswered writes are never missing: they may be done or not.
        """
        for one in applications:
            if one.answers and one.undecided != "delete":
                yield from self._lost_state(one)
                yield from self._lost_rules(one)
                yield from self._lost_updates(one)
        yield from self._half_done(_answers_by_audit_key(applications))
        for fault in self.faults:
            yield Finding(INCONSISTENT, "database file", fault)

    def _lost_state(self, one: TrackedApplication) -> Iterator[Finding]:
        key, deleted, disabled = _key(one), one.answer_to("delete"), one.answer_to("disable")
        if key not in self.enabled:
            if not deleted:
                row = f"deleted at {self.retired_at[key]}" if key in self.retired_at else "no row"
                yield Finding(LOST, _target(one), row, one.answer_to("create"))
        elif deleted:
            yield Finding(LOST, _target(one), "not deleted", deleted)
        elif one.undecided != "disable" and self.enabled[key] == bool(disabled):
            status = "enabled" if self.enabled[key] else "disabled"
            yield Finding(LOST, _target(one), status, disabled or one.answer_to("create"))

    def _lost_rules(self, one: TrackedApplication) -> Iterator[Finding]:
        for number, (rule, granted) in enumerate(one.rules.items()):
            target = f"access rule {rule} of {_target(one)}"
            ended = one.answer_to("delete", *(["revoke"] if number == 0 else []))
            if rule not in self.rules:
                yield Finding(LOST, target, "no row", granted)
            elif ended and self.rules[rule] is None:
                yield Finding(LOST, target, "not deleted", ended)
            elif not ended and self.rules[rule] and (number, one.undecided) != (0, "revoke"):
                yield Finding(LOST, target, f"deleted at {self.rules[rule]}", granted)

    def _lost_updates(self, one: TrackedApplication) -> Iterator[Finding]:
        updates = [answer for answer in one.answers if answer.step in ("secret", "disable")]
        audited = self.audited["application", _key(one), "update"]
        most = len(updates) + (one.undecided in ("secret", "disable"))
        if not len(updates) <= audited <= most:
            yield Finding(
                LOST if audited < len(updates) else INCONSISTENT,
                f"audit log of {_target(one)}",
                f"{audited} audit events for {len(updates)} answered updates",
                one.answer_to("secret", "disable"),
            )

    def _half_done(self, answers: dict[AuditKey, Answer]) -> Iterator[Finding]:
        """Yield each row without its audit event, and each audit event without its row."""
        done = {
            *(("application", key, "create") for key in self.retired_at),
            *(("application", key, "delete") for key, end in self.retired_at.items() if end),
            *(("access_rule", str(id_), "create") for id_ in self.rules),
            *(("access_rule", str(id_), "delete") for id_, end in self.rules.items() if end),
        }
        audited = {key for key in self.audited if key[2] in ("create", "delete")}
        for key in sorted(done ^ audited):
            found = "no audit event" if key in done else "an audit event, but no such change"
            yield Finding(INCONSISTENT, " ".join(key), found, answers.get(key))
        for key in sorted(audited):
            if self.audited[key] > 1:
                found = f"{self.audited[key]} audit events"
                yield Finding(INCONSISTENT, " ".join(key), found, answers.get(key))


def _answers_by_audit_key(
    applications: Iterable[TrackedApplication],
) -> dict[AuditKey, Answer]:
    """Return which answer promised which audit event of a creation or deletion."""
    found: dict[AuditKey, Answer] = {}
    for one in applications:
        for step, action in (("create", "create"), ("delete", "delete")):
            if answer := one.answer_to(step):
                found["application", _key(one), action] = answer
        for number, (rule, granted) in enumerate(one.rules.items()):
            found["access_rule", str(rule), "create"] = granted
            ended = (one.answer_to("revoke") if number == 0 else None) or one.answer_to("delete")
            if ended:
                found["access_rule", str(rule), "delete"] = ended
    return found


def _key(one: TrackedApplication) -> str:
    return UUID(one.id).hex if one.id else ""


def _target(one: TrackedApplication) -> str:
    return f"application {one.name} ({one.id or 'unknown id'})"


def _by_hex(rows: Sequence[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    return ((UUID(str(id_)).hex, value) for id_, value in rows)


def _file_faults(query: Callable[[str], list[tuple[Any, ...]]]) -> list[str]:
    checked = [row[0] for row in query("PRAGMA integrity_check")]
    faults = [] if checked == ["ok"] else [f"integrity_check: {checked[:3]}"]
    dangling = query("PRAGMA foreign_key_check")
    return [*faults, *([f"foreign_key_check: {dangling[:3]}"] if dangling else [])]


@contextmanager
def _query(database: str) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """Yield a function that returns the rows of a query; all queries see the same moment."""
    if database.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(database).path[1:], isolation_level=None)) as file:
            file.execute("BEGIN")
            yield lambda sql: file.execute(sql).fetchall()
        return
    with psycopg.connect(database) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield lambda sql: connection.execute(sql).fetchall()
