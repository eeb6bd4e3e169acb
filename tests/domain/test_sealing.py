"""The database refuses changes of the audit log, and every row is sealed once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runai_access.audit import guards, sealer
from runai_access.audit.chain import ranges_of, spans_in
from runai_access.audit.models import Archive, AuditEvent, Seal, Unsealed
from runai_access.audit.sealer import seal_waiting
from runai_access.audit.verification import verify
from tests.domain.audit_log import columns, faults, happened, six_rows, unguarded
from tests.domain.racing import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> list[int]:
    """The ids of six rows in two seals of three."""
    return six_rows()


# Append-only in the database.


BY_HAND = {
    "UPDATE of a row": "UPDATE audit_auditevent SET result = 'Failed' WHERE id = {id}",
    "DELETE of a row": "DELETE FROM audit_auditevent WHERE id = {id}",
    "DELETE of all": "DELETE FROM audit_auditevent",
    "UPDATE of a seal": "UPDATE audit_seal SET hash = 'x'",
    "DELETE of seals": "DELETE FROM audit_seal",
    "UPDATE of an archive": "UPDATE audit_archive SET events = 0",
    "DELETE of archives": "DELETE FROM audit_archive",
}


@pytest.mark.parametrize("how", BY_HAND)
def test_the_database_refuses_manual_changes(how: str, rows: list[int]) -> None:
    archive = {"file_name": "f", "file_sha256": "", "made_at": timezone.now()}
    Archive.objects.create(first_seal=0, last_seal=0, events=0, head="", **archive)
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(BY_HAND[how].format(id=rows[0]))
    assert AuditEvent.objects.count() == 6


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has REPLACE")
@pytest.mark.parametrize("key", ["id", "deduplication_key"])
def test_the_database_refuses_to_replace_a_row(key: str) -> None:
    [id_] = happened("one")
    with unguarded() as execute:
        execute("UPDATE audit_auditevent SET deduplication_key = 'same'")
    value = {"id": id_, "deduplication_key": "'same'"}[key]
    copied = ", ".join(name for name in columns() if name not in ("id", "deduplication_key"))
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"INSERT OR REPLACE INTO audit_auditevent ({key}, {copied}) "  # noqa: S608
            f"SELECT {value}, {copied} FROM audit_auditevent"
        )
    assert AuditEvent.objects.get().pk == id_


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has TRUNCATE")
@pytest.mark.parametrize("table", ["auditevent", "seal", "archive"])
def test_the_database_refuses_to_empty_a_table(table: str, rows: list[int]) -> None:
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE audit_{table}")


def test_missing_triggers_are_restored_after_migrating() -> None:
    guards.remove(connection)
    assert guards.missing(connection)
    guards.after_migrating(using="default")
    assert guards.missing(connection) == []


def test_a_missing_trigger_is_a_fault(rows: list[int]) -> None:
    guards.remove(connection)
    assert any("audit_auditevent_refuse" in fault for fault in faults())


# Sealed once.


def test_every_row_is_sealed_once_in_a_chain(rows: list[int]) -> None:
    first, second = Seal.objects.order_by("number")
    assert (first.number, first.previous) == (1, "")
    assert (second.number, second.previous) == (2, first.hash)
    assert (first.event_ids, second.event_ids) == (ranges_of(rows[:3]), ranges_of(rows[3:]))
    assert seal_waiting() == 0
    report = verify()
    assert report.faults == []
    assert (report.seals, report.events, report.waiting) == (2, 6, 0)
    assert report.head == (2, second.hash)


def test_a_row_committed_late_is_sealed_later(rows: list[int]) -> None:
    """A sequence assigns ids before the commit, so a lower id can appear after a higher one."""
    with unguarded() as execute:
        execute("DELETE FROM audit_seal WHERE number = 2")
        for id_ in (rows[3], rows[5]):
            execute("INSERT INTO audit_unsealed (event_id) VALUES (%s)", [id_])
    seal_waiting()
    Unsealed.objects.create(event_id=rows[4])
    seal_waiting()
    ids = list(Seal.objects.order_by("number").values_list("event_ids", flat=True))
    assert ids[1:] == [f"{rows[3]},{rows[5]}", str(rows[4])]
    assert faults() == []


def test_waiting_rows_are_sealed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "BATCH_SIZE", 2)
    happened("one", "two", "three", "four", "five")
    assert seal_waiting() == 5
    assert Seal.objects.count() == 3
    assert faults() == []


def test_a_seal_has_rows_of_one_day_only() -> None:
    yesterday = timezone.now() - timedelta(days=1)
    for time in (yesterday, yesterday, timezone.now()):
        AuditEvent.objects.create(time=time, action="create", result="Succeeded")
    seal_waiting()
    assert [len(list(spans_in(seal.event_ids))) for seal in Seal.objects.all()] == [1, 1]


def test_without_waiting_rows_sealing_is_one_query(
    rows: list[int], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        seal_waiting()


@pytest.mark.django_db(transaction=True)
def test_concurrent_sealing_seals_every_row_once() -> None:
    happened(*(f"event {number}" for number in range(40)))
    jobs = [seal_waiting] * 4 + [lambda: happened("meanwhile")] * 4
    outcomes = together(jobs)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    seal_waiting()
    report = verify()
    assert report.faults == []
    assert (report.events, report.waiting) == (44, 0)


def test_sealing_stops_between_transactions_when_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealer, "BATCH_SIZE", 2)
    happened("one", "two", "three", "four", "five")
    answers = iter([True, True, False])
    assert seal_waiting(lambda: next(answers)) == 4
    assert Unsealed.objects.count() == 1
    assert faults() == []
    assert seal_waiting(lambda: False) == 0
