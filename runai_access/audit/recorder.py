"""Writes the audit log for all other packages. Never pass secrets to it."""

import hashlib
import uuid
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from threading import Lock
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from runai_access.audit.models import AuditEvent
from runai_access.security.masking import masked
from runai_access.security.throttles import network_of

# Digests of events that this process recorded recently. They save writes that the database would
# ignore as duplicates.
MAX_REMEMBERED = 20_000
recently_logged: OrderedDict[str, None] = OrderedDict()

# Rows per INSERT statement.
BATCH_SIZE = 500

# Refusals of an authenticated subject that get a separate row, per minute. The subject is known and
# can be disabled, so the limit is generous. One row per minute summarizes the rest.
SUBJECT_ROWS_PER_MINUTE = 100
# Pairs of subject and network that are counted; any more get only one row per minute.
MAX_TRACKED_SUBJECTS = 10_000

# Unauthenticated refusals that get a separate row, per network. Unauthenticated clients can make up
# names, and a row stays for 400 days. A user or pipeline with a wrong password causes a few different
# refusals per minute. An attack lasts for hours: 60 rows show its targets, and one row per hour
# summarizes the rest.
STRANGER_ROWS_PER_MINUTE = 10
STRANGER_ROWS_PER_HOUR = 60
# The limit for all unauthenticated refusals of this process together. A permanent attack from many
# addresses writes 600 rows per hour, 5.8 million in 400 days. One row per hour summarizes the rest.
ALL_STRANGERS_ROWS_PER_HOUR = 600

MORE = "(many more)"
MORE_OF_NETWORK = "more refusals from this network in this hour, summarized in one row"
MORE_OF_ALL = "more refusals from all networks in this hour, summarized in one row"


@dataclass(frozen=True)
class Origin:
    """The origin of a request; empty for commands. `agent` is its User-Agent header.

    `correlation_id` is the request's `X-Request-Id`, as returned and logged. `request_id` is the same
    ID as a UUID, for the audit log (contract: AuditLog.request_id). `trace_id` is that of its
    `traceparent` (W3C Trace Context), for the log.
    """

    address: str | None = None
    request_id: uuid.UUID | None = None
    method: str = ""
    path: str = ""
    correlation_id: str = ""
    trace_id: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Actor:
    """The subject of an event. `type` is user, app, system (commands, first start) or anonymous."""

    type: str
    name: str
    id: uuid.UUID | None = None
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True)
class Entity:
    """The object of an event. `name` is its display name."""

    type: str
    id: str = ""
    name: str = ""


def record(
    action: str, entity: Entity, *, actor: Actor, changes: dict[str, list[Any]] | None = None
) -> None:
    """Record a change in the transaction that makes it.

    `changes` maps a field to its values before and after. Raises TransactionManagementError outside a
    transaction: a change and its audit row must be committed together.
    """
    _require_transaction()
    _event(action, entity, actor, AuditEvent.Result.SUCCEEDED, changes=changes).save()


def record_all(
    recorded: Iterable[tuple[str, Entity, dict[str, list[Any]]]], *, actor: Actor
) -> None:
    """Record many changes as `record` does, one row each: action, entity, changes."""
    _require_transaction()
    succeeded = AuditEvent.Result.SUCCEEDED
    events = [
        _event(action, entity, actor, succeeded, changes=changes)
        for action, entity, changes in recorded
    ]
    AuditEvent.objects.bulk_create(events, batch_size=BATCH_SIZE)


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "An audit row must be written in the transaction of its change."
        )


def record_once_a_minute(
    action: str, entity: Entity, *, actor: Actor, succeeded: bool, reason: str = ""
) -> bool:
    """Record a sign-in, a refused grant or a denial; equal events only once a minute.

    Returns whether the row is committed, so that the caller need not repeat it in this minute.

    Events are equal if subject, action, entity, result, reason and address are. Refusals are also
    limited per source and, if unauthenticated, in total. One row summarizes those above a limit (see
    the constants above).
    """
    result = AuditEvent.Result.SUCCEEDED if succeeded else AuditEvent.Result.FAILED
    minute = timezone.now().replace(second=0, microsecond=0)
    occurrence = _Occurrence(action, entity, actor, result, reason)
    key = occurrence.key(minute)
    if key in recently_logged:
        return True
    if not succeeded:
        share = _refusals.share_of(actor, minute)
        if share is not _Share.OWN_ROW:
            occurrence, key = _summary(occurrence, share, minute)
            if key in recently_logged:
                return True
    event = _event(**occurrence._asdict())
    event.deduplication_key = key
    AuditEvent.objects.bulk_create([event], ignore_conflicts=True)
    if transaction.get_connection().in_atomic_block:  # the row can still be rolled back
        return False
    recently_logged[key] = None
    while len(recently_logged) > MAX_REMEMBERED:
        recently_logged.popitem(last=False)
    return True


class _Occurrence(NamedTuple):
    """An event that is recorded once a minute."""

    action: str
    entity: Entity
    actor: Actor
    result: AuditEvent.Result
    reason: str

    def key(self, minute: datetime) -> str:
        """Return a digest that equal events of one minute share."""
        entity, actor = self.entity, self.actor
        # The `repr` of a time or a UUID takes longer than the digest.
        return _digest(
            minute.timestamp(), self.action, entity.type, entity.id, entity.name, actor.type,
            actor.id and actor.id.int, actor.name, actor.origin.address, self.result, self.reason,
        )  # fmt: skip


class _Share(Enum):
    """The row for a refusal: a separate one, or one that summarizes many."""

    OWN_ROW = auto()
    ROW_OF_SUBJECT = auto()
    ROW_OF_NETWORK = auto()
    ROW_OF_ALL = auto()


def _summary(occurrence: _Occurrence, share: _Share, minute: datetime) -> tuple[_Occurrence, str]:
    """Return the event that summarizes this refusal and others, and its key."""
    occurrence = occurrence._replace(entity=Entity(occurrence.entity.type, name=MORE))
    if share is _Share.ROW_OF_SUBJECT:
        return occurrence, occurrence.key(minute)
    hour = minute.replace(minute=0)
    if share is _Share.ROW_OF_NETWORK:
        key = _digest(hour, MORE, network_of(occurrence.actor.origin.address))
        actor, reason = replace(occurrence.actor, name=MORE), MORE_OF_NETWORK
    else:
        key = _digest(hour, MORE)
        actor, reason = Actor(occurrence.actor.type, MORE), MORE_OF_ALL
    return occurrence._replace(actor=actor, reason=reason), key


class _Refusals:
    """Counts the refusals of this process, to decide which get a separate row.

    The number of counts is bounded too: only an unauthenticated refusal with a row is counted.
    """

    # A thread can read the clock before a minute ends and count after. A larger difference means that
    # the clock was set back.
    LATE = timedelta(minutes=2)

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = self._hour = datetime.min.replace(tzinfo=UTC)
        self._of_subjects: Counter[tuple[object, ...]] = Counter()
        self._in_minute: Counter[str] = Counter()
        self._in_hour: Counter[str] = Counter()
        self._summarized: set[str] = set()
        self._strangers = 0

    def share_of(self, actor: Actor, minute: datetime) -> _Share:
        """Count one refusal; return which row it gets."""
        network = network_of(actor.origin.address)
        with self._lock:
            self._start_windows(minute)
            if actor.id is not None:
                return self._share_of_subject((actor.type, actor.id, network))
            return self._share_of_stranger(network)

    def _start_windows(self, minute: datetime) -> None:
        is_set_back = minute + self.LATE < self._minute
        hour = minute.replace(minute=0)
        if is_set_back or minute > self._minute:
            self._minute = minute
            self._of_subjects, self._in_minute = Counter(), Counter()
        if is_set_back or hour > self._hour:
            self._hour = hour
            self._in_hour, self._summarized, self._strangers = Counter(), set(), 0

    def _share_of_subject(self, source: tuple[object, ...]) -> _Share:
        counts = self._of_subjects
        has_room = source in counts or len(counts) < MAX_TRACKED_SUBJECTS
        if not has_room or counts[source] >= SUBJECT_ROWS_PER_MINUTE:
            return _Share.ROW_OF_SUBJECT
        counts[source] += 1
        return _Share.OWN_ROW

    def _share_of_stranger(self, network: str) -> _Share:
        if self._strangers >= ALL_STRANGERS_ROWS_PER_HOUR:
            return _Share.ROW_OF_ALL
        if (
            self._in_minute[network] >= STRANGER_ROWS_PER_MINUTE
            or self._in_hour[network] >= STRANGER_ROWS_PER_HOUR
        ):
            if network not in self._summarized:
                self._summarized.add(network)
                self._strangers += 1
            return _Share.ROW_OF_NETWORK
        self._in_minute[network] += 1
        self._in_hour[network] += 1
        self._strangers += 1
        return _Share.OWN_ROW


_refusals = _Refusals()


def _event(
    action: str,
    entity: Entity,
    actor: Actor,
    result: AuditEvent.Result,
    *,
    reason: str = "",
    changes: dict[str, list[Any]] | None = None,
) -> AuditEvent:
    return AuditEvent(
        time=timezone.now(),
        subject_type=actor.type,
        subject_id=actor.id,
        subject_name=_plain(actor.name, 255),
        action=action,
        entity_type=entity.type,
        entity_id=_plain(entity.id, 64),
        entity_name=_plain(entity.name, 600),
        result=result,
        reason=_plain(reason, 600),
        changes={name: [_kept(value) for value in pair] for name, pair in (changes or {}).items()},
        source_ip=actor.origin.address,
        http_method=_plain(actor.origin.method, 8),
        path=_plain(actor.origin.path, 600),
        request_id=actor.origin.request_id,
    )


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _plain(text: str, length: int) -> str:
    """Escape unprintable characters, so that no name can forge or hide a line; mask credentials."""
    escaped = masked(text).replace("\\", "\\\\")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in escaped)[:length]


def _kept(value: Any) -> Any:
    return _plain(value, 600) if isinstance(value, str) else value
