"""Whatever somebody did to the record by hand shows, and what can not show is said to."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from runai_access.audit.models import AuditEvent, Unsealed
from runai_access.audit.sealer import SealingJob, seal_waiting
from runai_access.audit.verification import verify
from tests.domain.audit_log import copy_row, faults, happened, six_rows, unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> list[int]:
    """The ids of six rows in two seals of three."""
    return six_rows()


TAMPERED: dict[str, tuple[list[str], list[str]]] = {
    "a row was changed": (
        ["UPDATE audit_auditevent SET entity_name = 'forged' WHERE id = {2}"],
        ["Row {2} of seal 1 was changed or added after it was sealed"],
    ),
    "a detail was changed": (
        ["UPDATE audit_auditevent SET changes = '{{}}' WHERE id = {2}"],
        ["Row {2} of seal 1 was changed or added after it was sealed"],
    ),
    "a row was removed": (
        ["DELETE FROM audit_auditevent WHERE id = {2}"],
        ["Row {2} of seal 1 is missing: it was removed after it was sealed"],
    ),
    "two rows changed places": (
        [
            "UPDATE audit_auditevent SET id = -1 WHERE id = {1}",
            "UPDATE audit_auditevent SET id = {1} WHERE id = {2}",
            "UPDATE audit_auditevent SET id = {2} WHERE id = -1",
        ],
        ["Rows {1}-{3} of seal 1 are not those that were sealed: they were reordered"],
    ),
    "rows of two seals changed places": (
        [
            "UPDATE audit_auditevent SET id = -1 WHERE id = {3}",
            "UPDATE audit_auditevent SET id = {3} WHERE id = {4}",
            "UPDATE audit_auditevent SET id = {4} WHERE id = -1",
        ],
        ["Rows {1}-{3} of seal 1 are not", "Rows {4}-{6} of seal 2 are not"],
    ),
    "a row got another number": (
        ["UPDATE audit_auditevent SET id = 9999 WHERE id = {2}"],
        ["Row {2} of seal 1 is missing", "1 row is in no seal that holds"],
    ),
    "the end was cut off, its seal not": (
        ["DELETE FROM audit_auditevent WHERE id >= {5}"],
        ["Row {5} of seal 2 is missing", "Row {6} of seal 2 is missing"],
    ),
    "a seal was changed": (
        [
            "UPDATE audit_seal SET event_ids = '{1}-{2}' WHERE number = 1",
            "DELETE FROM audit_auditevent WHERE id = {3}",
        ],
        ["Seal 1 was changed", "2 rows are in no seal that holds"],
    ),
    "a seal was removed": (
        ["DELETE FROM audit_seal WHERE number = 1"],
        ["Seal 1 is missing", "3 rows are in no seal that holds, and no seal is awaited: {1}-{3}"],
    ),
    "the last seal was removed": (
        ["DELETE FROM audit_seal WHERE number = 2"],
        ["3 rows are in no seal that holds, and no seal is awaited: {4}-{6}"],
    ),
    "seals got other numbers": (
        [
            "UPDATE audit_seal SET number = 3 WHERE number = 1",
            "UPDATE audit_seal SET number = 1 WHERE number = 2",
        ],
        ["Seal 1 was changed", "Seal 2 is missing", "Seal 3 was changed", "6 rows are in no seal"],
    ),
    "rows were said to be archived": (
        [
            """INSERT INTO audit_archive
            SELECT 1, 1, 3, hash, 'none', '', sealed_at, key_id, hash
            FROM audit_seal WHERE number = 1""",
            "DELETE FROM audit_auditevent WHERE id <= {3}",
            "DELETE FROM audit_seal WHERE number = 1",
        ],
        ["What is said of the archive none was changed"],
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_it_shows_that(what: str, rows: list[int]) -> None:
    statements, told = TAMPERED[what]
    numbered = ["", *map(str, rows)]
    with unguarded() as execute:
        for statement in statements:
            execute(statement.format(*numbered))
    found = faults()
    assert len(found) == len(told), found
    for fault, beginning in zip(found, told, strict=True):
        assert fault.startswith(beginning.format(*numbered))


def test_a_row_that_somebody_else_added_shows_even_when_it_is_sealed(rows: list[int]) -> None:
    with connection.cursor() as cursor:
        copy_row(cursor.execute, rows[0], subject_name="'mallory@acme.example'")
    [waits] = faults()
    assert "not sealed yet, was changed or added: mallory@acme.example" in waits
    seal_waiting()
    [sealed] = faults()
    assert "of seal 3 was changed or added before it was sealed: mallory" in sealed


def test_a_row_that_was_added_behind_the_sealers_back_shows(rows: list[int]) -> None:
    with unguarded() as execute:
        copy_row(execute, rows[0])
    assert faults()[0].startswith("1 row is in no seal that holds")


def test_a_row_that_was_changed_before_it_was_sealed_shows() -> None:
    [id_] = happened("one")
    with unguarded() as execute:
        execute("UPDATE audit_auditevent SET subject_name = 'mallory'")
    seal_waiting()
    [fault] = faults()
    assert fault.startswith(f"Row {id_} of seal 1 was changed or added before it was sealed")


def test_a_row_that_was_removed_before_it_was_sealed_shows() -> None:
    _, second = happened("one", "two")
    with unguarded() as execute:
        execute("DELETE FROM audit_auditevent WHERE id = %s", [second])
    assert faults() == [f"Row {second} was removed before it was sealed."]
    seal_waiting()
    assert faults() == [f"Row {second} of seal 1 is missing: it was removed before it was sealed."]


def test_an_old_row_that_was_copied_is_told(rows: list[int]) -> None:
    """A faithful copy is authentic in itself; that it was sealed so late is what shows."""
    long_ago = timezone.now() - timedelta(days=3)
    AuditEvent.objects.create(time=long_ago, action="create", result="Succeeded")
    seal_waiting()
    report = verify()
    assert (report.faults, report.sealed_late) == ([], 1)


def test_an_end_that_was_cut_off_shows_against_a_head_that_was_kept(rows: list[int]) -> None:
    head = verify().head
    with unguarded() as execute:
        execute("DELETE FROM audit_auditevent WHERE id > %s", [rows[2]])
        execute("DELETE FROM audit_seal WHERE number = 2")
    assert faults() == []  # nothing that is left knows of it
    assert faults(expected=head) == ["The end was cut off: seal 2 is expected, the last one is 1."]


def test_a_head_that_was_kept_goes_on_holding_while_the_chain_grows(rows: list[int]) -> None:
    head = verify().head
    happened("seven")
    seal_waiting()
    assert faults(expected=head) == []


def test_a_chain_that_was_made_anew_shows_against_a_head_that_was_kept(rows: list[int]) -> None:
    """With the secret key one can forge everything but what is kept elsewhere."""
    head = verify().head
    with unguarded() as execute:
        execute("UPDATE audit_seal SET number = -number")
        execute("DELETE FROM audit_seal")
    for id_ in rows:
        Unsealed.objects.create(event_id=id_)
    seal_waiting()
    assert faults() == []
    happened("seven")
    seal_waiting()
    assert faults(expected=head) == [
        "Seal 2 is not the one that is expected: the chain was made anew."
    ]


def test_another_secret_key_is_said_and_vouches_for_nothing(
    rows: list[int], settings: Settings
) -> None:
    settings.SECRET_KEY = "another-key-" + "x" * 32
    found = faults()
    assert found[0] == "Seal 1 was made under another secret key and can't be checked."


def test_sealing_reports_that_the_end_it_saw_is_gone(
    rows: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    job = SealingJob()
    happened("seven")
    job(lambda: True)
    with unguarded() as execute:
        execute("DELETE FROM audit_auditevent WHERE id > %s", [rows[-1]])
        execute("DELETE FROM audit_seal WHERE number = 3")
    happened("eight")
    job(lambda: True)
    assert "The audit log was cut or changed: seal 3:" in caplog.text


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL takes no such value")
@pytest.mark.parametrize("column", ["time", "request_id", "changes", "source_ip"])
def test_what_can_not_be_read_is_a_fault_and_stops_nobody(column: str) -> None:
    ids = happened("one", "two", "three")
    with unguarded() as execute:
        execute("PRAGMA ignore_check_constraints=ON")
        execute(
            f"UPDATE audit_auditevent SET {column} = 'x' WHERE id = %s",  # noqa: S608
            [ids[1]],
        )
        execute("PRAGMA ignore_check_constraints=OFF")
    assert seal_waiting() == 3
    [fault] = faults()
    assert fault.startswith(f"Row {ids[1]} of seal 1 ")


def test_faults_are_counted_when_they_are_too_many_to_tell() -> None:
    ids = happened(*map(str, range(150)))
    seal_waiting()
    with unguarded() as execute:
        execute("UPDATE audit_auditevent SET reason = 'forged'")
    report = verify()
    assert (report.fault_count, len(report.faults)) == (len(ids), 100)
