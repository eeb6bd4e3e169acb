"""How the rest of the house writes the record. Secrets are never passed in here."""

import hashlib
import uuid
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from runai_access.api.throttles import network_of
from runai_access.audit.models import AuditEvent
from runai_access.masking import masked

# What this process has told in the last minutes; it only saves the database a write that it would
# ignore anyway.
TOLD_AT_MOST = 20_000
_told: OrderedDict[tuple[object, ...], None] = OrderedDict()

# So many rows are written by one statement.
AT_ONCE = 500

# So many different refusals of one source are told apart in a minute; the rest go by this name.
TOLD_APART = 100
MORE = "(many more)"


@dataclass(frozen=True)
class Origin:
    """Where a request came from; empty for commands."""

    address: str | None = None
    request_id: uuid.UUID | None = None
    method: str = ""
    path: str = ""


@dataclass(frozen=True)
class Actor:
    """Who did it: `type` is user, app, system (commands, first start) or anonymous."""

    type: str
    name: str
    id: uuid.UUID | None = None
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True)
class Entity:
    """What it was done to. `name` is what a person would call it."""

    type: str
    id: str = ""
    name: str = ""


def record(
    action: str, entity: Entity, *, actor: Actor, changes: dict[str, list[Any]] | None = None
) -> None:
    """Record a change that is being made, in the transaction that makes it.

    `changes` maps a field to its value before and after. Outside a transaction this raises
    TransactionManagementError: a change and its row stand or fall together.
    """
    _require_transaction()
    _event(action, entity, actor, AuditEvent.Result.SUCCEEDED, changes=changes).save()


def record_all(made: Iterable[tuple[str, Entity, dict[str, list[Any]]]], *, actor: Actor) -> None:
    """Record many changes as `record` does, each in a row of its own: action, entity, changes."""
    _require_transaction()
    succeeded = AuditEvent.Result.SUCCEEDED
    events = [
        _event(action, entity, actor, succeeded, changes=changes)
        for action, entity, changes in made
    ]
    AuditEvent.objects.bulk_create(events, batch_size=AT_ONCE)


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("An audit row belongs to its change.")


def record_once_a_minute(
    action: str, entity: Entity, *, actor: Actor, succeeded: bool, reason: str = ""
) -> None:
    """Record a sign-in, a refused grant or a denial, at most once a minute for the same.

    The same means: subject, action, entity, result, reason and address. Names are the sender's to
    invent, so past TOLD_APART refusals a minute those of one source become one row: that bounds what
    a stranger can make us write.
    """
    result = AuditEvent.Result.SUCCEEDED if succeeded else AuditEvent.Result.FAILED
    minute = timezone.now().replace(second=0, microsecond=0)
    told = _told_as(minute, action, entity, actor, result, reason)
    if told in _told:
        return
    if not succeeded and not _refusals.are_told_apart(minute, actor):
        entity = replace(entity, id="", name=MORE)
        actor = actor if actor.id else replace(actor, name=MORE)
        told = _told_as(minute, action, entity, actor, result, reason)
        if told in _told:
            return
    event = _event(action, entity, actor, result, reason=reason)
    event.once_key = _once_key(event, minute)
    AuditEvent.objects.bulk_create([event], ignore_conflicts=True)
    if not transaction.get_connection().in_atomic_block:  # what may be rolled back is not told yet
        _told[told] = None
        while len(_told) > TOLD_AT_MOST:
            _told.popitem(last=False)


def _told_as(
    minute: datetime, action: str, entity: Entity, actor: Actor, result: str, reason: str
) -> tuple[object, ...]:
    source = (actor.type, actor.id, actor.name, actor.origin.address)
    return (minute, action, entity, *source, result, reason)


class _Refusals:
    """How many refusals each source has had in this minute, in this process."""

    def __init__(self) -> None:
        self._minute: datetime | None = None
        self._counts: Counter[tuple[object, ...]] = Counter()

    def are_told_apart(self, minute: datetime, actor: Actor) -> bool:
        """Count one more; return whether it is still among those that get a row of their own."""
        if minute != self._minute:
            self._minute, self._counts = minute, Counter()
        source = (actor.type, actor.id, network_of(actor.origin.address))
        self._counts[source] += 1
        return self._counts[source] <= TOLD_APART


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


def _once_key(event: AuditEvent, time: datetime) -> str:
    parts = [
        event.subject_type, str(event.subject_id), event.subject_name, event.action,
        event.entity_type, event.entity_id, event.entity_name, event.result, event.reason,
        str(event.source_ip), time.strftime("%Y-%m-%dT%H:%M"),
    ]  # fmt: skip
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def _plain(text: str, length: int) -> str:
    """Escape what does not print, so that no name can forge or hide a line; mask credentials."""
    escaped = masked(text).replace("\\", "\\\\")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in escaped)[:length]


def _kept(value: Any) -> Any:
    return _plain(value, 600) if isinstance(value, str) else value
