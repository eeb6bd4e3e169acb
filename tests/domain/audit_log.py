"""Helpers for tests of the audit log: create events, and change rows as the database owner can."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from runai_access.audit import guards, recorder
from runai_access.audit.models import AuditEvent
from runai_access.audit.recorder import Actor, Entity, Origin, record
from runai_access.audit.sealer import seal_waiting
from runai_access.audit.verification import verify

ROSA = Actor(
    "user", "rosa@acme.example", uuid.UUID(int=7), Origin("2001:db8::1", uuid.UUID(int=8), "POST")
)

Clock = Callable[[timedelta], None]


def set_recorder_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Clock:
    """Stop the recorder's clock at `now`; return a function that moves it."""
    monkeypatch.setattr(recorder, "timezone", SimpleNamespace(now=lambda: now))

    def move(by: timedelta) -> None:
        nonlocal now
        now += by

    return move


def happened(*names: str) -> list[int]:
    """Record an event for each name and return the ids of all events."""
    with transaction.atomic():
        for name in names:
            changes = {"clientId": [None, name], "enabled": [False, True], "lifetime": [60, None]}
            record("update", Entity("application", "42", name), actor=ROSA, changes=changes)
    return list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))


@contextmanager
def unguarded() -> Iterator[Callable[..., None]]:
    """Remove the triggers, as the owner of the database can, and restore them at the end."""
    guards.remove(connection)
    with connection.cursor() as cursor:
        yield cursor.execute
    guards.install(connection)


def faults(**expected: tuple[int, str]) -> list[str]:
    """Return the faults that verification finds."""
    return verify(**expected).faults


def copy_row(execute: Callable[..., None], id_: int, **changed: str) -> None:
    """Insert a copy of a row; `changed` maps columns to SQL for other values."""
    names = [name for name in columns() if name != "id"]
    values = [changed.get(name, name) for name in names]
    execute(
        f"INSERT INTO audit_auditevent ({', '.join(names)}) "  # noqa: S608  # our column names
        f"SELECT {', '.join(values)} FROM audit_auditevent WHERE id = %s",
        [id_],
    )


def columns() -> list[str]:
    """Return the column names of the audit log."""
    return [str(field.column) for field in AuditEvent._meta.concrete_fields]


def six_rows() -> list[int]:
    """Record six events in two seals of three, and return their ids."""
    happened("one", "two", "three")
    seal_waiting()
    ids = happened("four", "five", "six")
    seal_waiting()
    return ids
