"""Rounds of kill -9 under load: every acknowledged write must be in the database afterwards."""

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
MAX_ANSWERS = 60

# An acknowledged write that the database does not contain.
LOST = "lost"
# A change without its audit event, an audit event without its change, or a damaged file.
INCONSISTENT = "inconsistent"
# The server refused to confirm whether a write exists.
UNVERIFIED = "unverified"

AuditKey = tuple[str, str, str]  # entity type, entity id without hyphens, action


@dataclass(frozen=True)
class Finding:
    """A fault in the database, and the acknowledged request that it contradicts, if any."""

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
    """Successive servers on one database, each killed while it is working.

    `start` is the fixture `start_server`. Every round checks the answers of all rounds.
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
        """The number of writes answered with 2xx."""
        return sum(len(application.answers) for application in self.applications)

    @property
    def in_doubt(self) -> int:
        """The number of writes without an answer, most of them in progress during a kill."""
        return sum(application.is_in_doubt for application in self.applications)

    def run_one(self) -> Iterator[Finding]:
        """Write, kill and start again; yield each new finding as soon as it is known."""
        self.number += 1
        self._server = self._server or self._start()
        self._access = self._access or Access.of_administrator(self._server)
        writers = Writers(
            self._server, self._access, writers=WRITERS, prefix=f"round-{self.number}"
        )
        try:
            writers.kill_after(self._chance.randint(1, MAX_ANSWERS))
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
    for application in applications:
        if application.can_sign_in:
            finding = secret_finding(
                application, ask_for_token(server, application.name, application.secret)
            )
            if finding:
                yield finding


def secret_finding(application: TrackedApplication, reply: Reply) -> Finding | None:
    """Return a finding if a token request fails. Only 401 proves that the secret is lost."""
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
    """A snapshot of a database. IDs of applications are text without hyphens."""

    enabled: dict[str, bool]  # existing applications
    retired_at: dict[str, Any]  # all applications, including deleted ones
    rules: dict[int, Any]  # deletion time of each access rule
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
        """Yield each acknowledged write that is missing, and each incomplete change.

        Refused and unanswered writes are never reported: they might have been applied or not.
        """
        for application in applications:
            if application.answers and application.undecided != "delete":
                yield from self._lost_state(application)
                yield from self._lost_rules(application)
                yield from self._lost_updates(application)
        yield from self._incomplete(_answers_by_audit_key(applications))
        for fault in self.faults:
            yield Finding(INCONSISTENT, "database file", fault)

    def _lost_state(self, application: TrackedApplication) -> Iterator[Finding]:
        key, deleted, disabled = (
            _key(application),
            application.answer_to("delete"),
            application.answer_to("disable"),
        )
        if key not in self.enabled:
            if not deleted:
                row = f"deleted at {self.retired_at[key]}" if key in self.retired_at else "no row"
                yield Finding(LOST, _target(application), row, application.answer_to("create"))
        elif deleted:
            yield Finding(LOST, _target(application), "not deleted", deleted)
        elif application.undecided != "disable" and self.enabled[key] == bool(disabled):
            status = "enabled" if self.enabled[key] else "disabled"
            yield Finding(
                LOST, _target(application), status, disabled or application.answer_to("create")
            )

    def _lost_rules(self, application: TrackedApplication) -> Iterator[Finding]:
        for number, (rule, granted) in enumerate(application.rules.items()):
            target = f"access rule {rule} of {_target(application)}"
            ended = application.answer_to("delete", *(["revoke"] if number == 0 else []))
            if rule not in self.rules:
                yield Finding(LOST, target, "no row", granted)
            elif ended and self.rules[rule] is None:
                yield Finding(LOST, target, "not deleted", ended)
            elif (
                not ended and self.rules[rule] and (number, application.undecided) != (0, "revoke")
            ):
                yield Finding(LOST, target, f"deleted at {self.rules[rule]}", granted)

    def _lost_updates(self, application: TrackedApplication) -> Iterator[Finding]:
        updates = [answer for answer in application.answers if answer.step in ("secret", "disable")]
        audited = self.audited["application", _key(application), "update"]
        at_most = len(updates) + (application.undecided in ("secret", "disable"))
        if not len(updates) <= audited <= at_most:
            yield Finding(
                LOST if audited < len(updates) else INCONSISTENT,
                f"audit log of {_target(application)}",
                f"{audited} audit events for {len(updates)} answered updates",
                application.answer_to("secret", "disable"),
            )

    def _incomplete(self, answers: dict[AuditKey, Answer]) -> Iterator[Finding]:
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
    """Map audit events of creations and deletions to the answers that acknowledge them."""
    found: dict[AuditKey, Answer] = {}
    for application in applications:
        for step, action in (("create", "create"), ("delete", "delete")):
            if answer := application.answer_to(step):
                found["application", _key(application), action] = answer
        for number, (rule, granted) in enumerate(application.rules.items()):
            found["access_rule", str(rule), "create"] = granted
            ended = (
                application.answer_to("revoke") if number == 0 else None
            ) or application.answer_to("delete")
            if ended:
                found["access_rule", str(rule), "delete"] = ended
    return found


def _key(application: TrackedApplication) -> str:
    return UUID(application.id).hex if application.id else ""


def _target(application: TrackedApplication) -> str:
    return f"application {application.name} ({application.id or 'unknown id'})"


def _by_hex(rows: Sequence[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    return ((UUID(str(id_)).hex, value) for id_, value in rows)


def _file_faults(query: Callable[[str], list[tuple[Any, ...]]]) -> list[str]:
    checked = [row[0] for row in query("PRAGMA integrity_check")]
    faults = [] if checked == ["ok"] else [f"integrity_check: {checked[:3]}"]
    dangling = query("PRAGMA foreign_key_check")
    return [*faults, *([f"foreign_key_check: {dangling[:3]}"] if dangling else [])]


@contextmanager
def _query(database: str) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """Yield a function that returns the rows of a query; all queries see one snapshot."""
    if database.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(database).path[1:], isolation_level=None)) as file:
            file.execute("BEGIN")
            yield lambda sql: file.execute(sql).fetchall()
        return
    with psycopg.connect(database) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield lambda sql: connection.execute(sql).fetchall()
