"""The audit log is append-only, free of duplicates, and readable."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from runai_access.audit import recorder
from runai_access.audit.models import AppendOnly, AuditEvent
from runai_access.audit.recorder import (
    Actor,
    Entity,
    Origin,
    record,
    record_all,
    record_once_a_minute,
)
from tests.domain.audit_log import Clock, set_recorder_clock
from tests.domain.racing import together

pytestmark = pytest.mark.django_db

ROSA = Actor("user", "rosa@acme.example", uuid.UUID(int=7), Origin("192.0.2.1"))
CI = Entity("application", "42", "ci-prod")
NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set the recorder's clock to half a minute past noon; return a function that moves it."""
    return set_recorder_clock(monkeypatch, NOON)


def _recorded(name: str = "ci-prod") -> AuditEvent:
    record("create", replace(CI, name=name), actor=ROSA)
    return AuditEvent.objects.latest("pk")


def _refuse(actor: Actor = ROSA, entity: Entity = CI, **changes: Any) -> None:
    record_once_a_minute(
        changes.pop("action", "sign-in"),
        entity,
        actor=actor,
        **({"succeeded": False, "reason": "wrong secret"} | changes),
    )


# Append-only.


CHANGES: dict[str, Callable[[AuditEvent], object]] = {
    "save": lambda event: event.save(),
    "save one field": lambda event: event.save(update_fields=["result"]),
    "save a copy over it": lambda event: AuditEvent(pk=event.pk, result="Failed").save(),
    "delete": lambda event: event.delete(),
    "update of all": lambda event: AuditEvent.objects.update(result="Failed"),
    "update of some": lambda event: AuditEvent.objects.filter(pk=event.pk).update(result="Failed"),
    "delete of all": lambda event: AuditEvent.objects.all().delete(),
    "delete of some": lambda event: AuditEvent.objects.filter(pk=event.pk).delete(),
    "bulk update": lambda event: AuditEvent.objects.bulk_update([event], ["result"]),
    "update or create": lambda event: AuditEvent.objects.update_or_create(
        defaults={"result": "Failed"}, pk=event.pk
    ),
    "create over it": lambda event: AuditEvent.objects.bulk_create(
        [AuditEvent(pk=event.pk, result="Failed", entity_name="forged")],
        update_conflicts=True,
        update_fields=["result", "entity_name"],
        unique_fields=["id"],
    ),
}


@pytest.mark.parametrize("how", CHANGES)
def test_an_audit_row_is_never_changed_or_deleted(how: str) -> None:
    event = _recorded()
    before = list(AuditEvent.objects.values())
    event.result = AuditEvent.Result.FAILED
    with pytest.raises(AppendOnly), transaction.atomic():
        CHANGES[how](event)
    assert list(AuditEvent.objects.values()) == before


@pytest.mark.django_db(transaction=True)
def test_a_change_outside_a_transaction_is_not_recorded() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        record("create", CI, actor=ROSA)
    with pytest.raises(transaction.TransactionManagementError):
        record_all([("create", CI, {})], actor=ROSA)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_leaves_no_row() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record("create", CI, actor=ROSA)
        raise RuntimeError
    assert not AuditEvent.objects.exists()


def test_two_equal_changes_are_two_rows() -> None:
    for _ in range(2):
        record("update", CI, actor=ROSA, changes={"enabled": [True, False]})
    assert AuditEvent.objects.count() == 2


# Recorded once a minute.


def test_equal_events_are_recorded_once_a_minute(clock: Clock) -> None:
    for _ in range(3):
        _refuse()
    assert AuditEvent.objects.count() == 1
    clock(timedelta(seconds=29))
    _refuse()
    assert AuditEvent.objects.count() == 1
    clock(timedelta(seconds=1))
    for _ in range(3):
        _refuse()
    assert AuditEvent.objects.count() == 2


@pytest.mark.parametrize(
    "other",
    [
        {"actor": replace(ROSA, name="gus@acme.example")},
        {"actor": replace(ROSA, id=uuid.UUID(int=8))},
        {"actor": replace(ROSA, type="app")},
        {"actor": replace(ROSA, origin=Origin("192.0.2.2"))},
        {"entity": replace(CI, type="user")},
        {"entity": replace(CI, id="43")},
        {"entity": replace(CI, name="ci-test")},
        {"action": "sign-out"},
        {"reason": "disabled"},
        {"succeeded": True},
    ],
    ids=lambda other: repr(other)[:60],
)
def test_different_events_are_recorded_separately(clock: Clock, other: dict[str, Any]) -> None:
    _refuse()
    _refuse(**other)
    assert AuditEvent.objects.count() == 2


def test_another_process_records_no_duplicate(clock: Clock) -> None:
    _refuse()
    recorder.recently_logged.clear()
    _refuse()
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_event_is_recorded_again_after_a_rollback(
    clock: Clock,
) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        _refuse()
        raise RuntimeError
    assert not AuditEvent.objects.exists()
    _refuse()
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_event_is_recorded_again_after_a_failed_write(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(AuditEvent.objects, "bulk_create", away)
        with pytest.raises(ConnectionError):
            _refuse()
    _refuse()
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_equal_concurrent_events_are_one_row(clock: Clock) -> None:
    assert together([_refuse for _ in range(8)]) == [None] * 8
    assert AuditEvent.objects.count() == 1


# Readable.


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("ci\nrosa deleted everything", r"ci\x0arosa deleted everything"),
        ("ci\r\tprod", r"ci\x0d\x09prod"),
        ("ci\x00prod", r"ci\x00prod"),
        ("\x1b[2Jci", r"\x1b[2Jci"),
        ("\x7f\x9bci", r"\x7f\x9bci"),
        ("\u202egnirts", r"\x202egnirts"),
        ("a\u2028b\u2029c", r"a\x2028b\x2029c"),
        ("\ud800", r"\xd800"),
        ("Zoë 東京 <b>&amp;", "Zoë 東京 <b>&amp;"),
    ],
)
def test_unprintable_characters_are_escaped(name: str, escaped: str) -> None:
    assert _recorded(name).entity_name == escaped
    actor = Actor("anonymous", name, origin=Origin(method=name[:8], path=name))
    record_once_a_minute("grant", replace(CI, id=name), actor=actor, succeeded=False, reason=name)
    event = AuditEvent.objects.latest("pk")
    assert event.subject_name == event.entity_id == event.path == event.reason == escaped
    assert event.http_method.isprintable()


def test_long_values_are_truncated() -> None:
    long = "x" * 5000
    actor = Actor("anonymous", long, origin=Origin(method=long, path=long))
    record_once_a_minute(
        "sign-in", Entity("user", long, long), actor=actor, succeeded=False, reason=long
    )
    event = AuditEvent.objects.get()
    for name in ("subject_name", "entity_id", "entity_name", "path", "reason", "http_method"):
        assert set(getattr(event, name)) == {"x"}


def test_a_command_has_no_address_and_no_request() -> None:
    record("create", CI, actor=Actor("system", "system"))
    event = AuditEvent.objects.get()
    assert (event.source_ip, event.http_method, event.path, event.request_id) == (
        None,
        "",
        "",
        None,
    )
