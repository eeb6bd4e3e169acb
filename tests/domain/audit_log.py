"""What tests of the record need: events, and somebody who owns the database and changes it by hand."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from runai_access.audit import guards
from runai_access.audit.models import AuditEvent
from runai_access.audit.recorder import Actor, Entity, Origin, record
from runai_access.audit.sealer import seal_waiting
from runai_access.audit.verification import verify

ROSA = Actor(
    "user", "rosa@acme.example", uuid.UUID(int=7), Origin("2001:db8::1", uuid.UUID(int=8), "POST")
)


def happened(*names: str) -> list[int]:
    """Record an event for each name and return the ids of all."""
    with transaction.atomic():
        for name in names:
            changes = {"clientId": [None, name], "enabled": [False, True], "lifetime": [60, None]}
            record("update", Entity("application", "42", name), actor=ROSA, changes=changes)
    return list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))


@contextmanager
def unguarded() -> Iterator[Callable[..., None]]:
    """Do as somebody may who owns the database: the guards are off meanwhile."""
    guards.remove(connection)
    with connection.cursor() as cursor:
        yield cursor.execute
    guards.install(connection)


def faults(**expected: tuple[int, str]) -> list[str]:
    """Return what is found."""
    return verify(**expected).faults


def copy_row(execute: Callable[..., None], id_: int, **changed: str) -> None:
    """Add a row that is like another one but for `changed`, columns with their SQL."""
    names = [name for name in columns() if name != "id"]
    values = [changed.get(name, name) for name in names]
    execute(
        f"INSERT INTO audit_auditevent ({', '.join(names)}) "  # noqa: S608  # names of ours
        f"SELECT {', '.join(values)} FROM audit_auditevent WHERE id = %s",
        [id_],
    )


def columns() -> list[str]:
    """Return the columns of a row."""
    return [str(field.column) for field in AuditEvent._meta.concrete_fields]


def six_rows() -> list[int]:
    """Record six events, sealed in two seals of three, and return their ids."""
    happened("one", "two", "three")
    seal_waiting()
    ids = happened("four", "five", "six")
    seal_waiting()
    return ids
