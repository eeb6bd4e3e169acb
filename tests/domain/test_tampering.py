"""Verification detects manual changes of the audit log, or documents that it cannot."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from runai_access.audit import known_head
from runai_access.audit.archive import NotArchived, remove_archived
from runai_access.audit.chain import key_id
from runai_access.audit.models import Archive, AuditEvent, PendingArchival, Unsealed
from runai_access.audit.sealer import SealingJob, seal_waiting
from runai_access.audit.verification import verify
from tests.domain.audit_log import copy_row, faults, happened, six_rows, unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> list[int]:
    """The ids of six rows in two seals of three."""
    return six_rows()


TAMPERING: dict[str, tuple[list[str], list[str]]] = {
    "changed row": (
        ["UPDATE audit_auditevent SET entity_name = 'forged' WHERE id = {2}"],
        ["Row {2} of seal 1 was changed or added after it was sealed"],
    ),
    "changed detail": (
        ["UPDATE audit_auditevent SET changes = '{{}}' WHERE id = {2}"],
        ["Row {2} of seal 1 was changed or added after it was sealed"],
    ),
    "removed row": (
        ["DELETE FROM audit_auditevent WHERE id = {2}"],
        ["Row {2} of seal 1 is missing: it was removed after it was sealed"],
    ),
    "two rows swapped": (
        [
            "UPDATE audit_auditevent SET id = -1 WHERE id = {1}",
            "UPDATE audit_auditevent SET id = {1} WHERE id = {2}",
            "UPDATE audit_auditevent SET id = {2} WHERE id = -1",
        ],
        ["Rows {1}-{3} of seal 1 are not the rows that were sealed: they were reordered"],
    ),
    "rows of two seals swapped": (
        [
            "UPDATE audit_auditevent SET id = -1 WHERE id = {3}",
            "UPDATE audit_auditevent SET id = {3} WHERE id = {4}",
            "UPDATE audit_auditevent SET id = {4} WHERE id = -1",
        ],
        ["Rows {1}-{3} of seal 1 are not", "Rows {4}-{6} of seal 2 are not"],
    ),
    "row with a new id": (
        ["UPDATE audit_auditevent SET id = 9999 WHERE id = {2}"],
        ["Row {2} of seal 1 is missing", "1 row is in no valid seal"],
    ),
    "end removed without its seal": (
        ["DELETE FROM audit_auditevent WHERE id >= {5}"],
        ["Row {5} of seal 2 is missing", "Row {6} of seal 2 is missing"],
    ),
    "changed seal": (
        [
            "UPDATE audit_seal SET event_ids = '{1}-{2}' WHERE number = 1",
            "DELETE FROM audit_auditevent WHERE id = {3}",
        ],
        ["Seal 1 was changed", "2 rows are in no valid seal"],
    ),
    "removed seal": (
        ["DELETE FROM audit_seal WHERE number = 1"],
        ["Seal 1 is missing", "3 rows are in no valid seal, and not waiting to be sealed: {1}-{3}"],
    ),
    "removed last seal": (
        ["DELETE FROM audit_seal WHERE number = 2"],
        ["3 rows are in no valid seal, and not waiting to be sealed: {4}-{6}"],
    ),
    "renumbered seals": (
        [
            "UPDATE audit_seal SET number = 3 WHERE number = 1",
            "UPDATE audit_seal SET number = 1 WHERE number = 2",
        ],
        [
            "Seal 1 was changed",
            "Seal 2 is missing",
            "Seal 3 was changed",
            "6 rows are in no valid seal",
        ],
    ),
    "forged archive entry": (
        [
            """INSERT INTO audit_archive
            SELECT 1, 1, 3, hash, 'none', '', sealed_at, key_id, hash
            FROM audit_seal WHERE number = 1""",
            "DELETE FROM audit_auditevent WHERE id <= {3}",
            "DELETE FROM audit_seal WHERE number = 1",
        ],
        ["The entry of the archive none was changed"],
    ),
}


@pytest.mark.parametrize("case", TAMPERING)
def test_verification_detects(case: str, rows: list[int]) -> None:
    statements, expected = TAMPERING[case]
    numbered = ["", *map(str, rows)]
    with unguarded() as execute:
        for statement in statements:
            execute(statement.format(*numbered))
    found = faults()
    assert len(found) == len(expected), found
    for fault, beginning in zip(found, expected, strict=True):
        assert fault.startswith(beginning.format(*numbered))


def test_a_row_added_by_hand_is_detected_before_and_after_sealing(rows: list[int]) -> None:
    with connection.cursor() as cursor:
        copy_row(cursor.execute, rows[0], subject_name="'mallory@acme.example'")
    [unsealed] = faults()
    assert "not sealed yet, was changed or added: mallory@acme.example" in unsealed
    seal_waiting()
    [sealed] = faults()
    assert "of seal 3 was changed or added before it was sealed: mallory" in sealed


def test_a_row_added_without_waiting_for_a_seal_is_detected(rows: list[int]) -> None:
    with unguarded() as execute:
        copy_row(execute, rows[0])
    assert faults()[0].startswith("1 row is in no valid seal")


def test_a_row_changed_before_sealing_is_detected() -> None:
    [id_] = happened("one")
    with unguarded() as execute:
        execute("UPDATE audit_auditevent SET subject_name = 'mallory'")
    seal_waiting()
    [fault] = faults()
    assert fault.startswith(f"Row {id_} of seal 1 was changed or added before it was sealed")


def test_a_row_removed_before_sealing_is_detected() -> None:
    _, second = happened("one", "two")
    with unguarded() as execute:
        execute("DELETE FROM audit_auditevent WHERE id = %s", [second])
    assert faults() == [f"Row {second} was removed before it was sealed."]
    seal_waiting()
    assert faults() == [f"Row {second} of seal 1 is missing: it was removed before it was sealed."]


def test_a_copied_old_row_is_reported_as_sealed_late(rows: list[int]) -> None:
    """An exact copy is authentic; only the late seal gives it away."""
    long_ago = timezone.now() - timedelta(days=3)
    AuditEvent.objects.create(time=long_ago, action="create", result="Succeeded")
    seal_waiting()
    report = verify()
    assert (report.faults, report.sealed_late) == ([], 1)


def test_a_removed_end_is_detected_with_a_stored_head(rows: list[int]) -> None:
    head = verify().head
    with unguarded() as execute:
        execute("DELETE FROM audit_auditevent WHERE id > %s", [rows[2]])
        execute("DELETE FROM audit_seal WHERE number = 2")
    assert faults() == []  # the remaining rows contain no trace of it
    assert faults(expected=head) == ["The end was removed: expected seal 2, but the last one is 1."]


def test_a_stored_head_stays_valid_while_the_chain_grows(rows: list[int]) -> None:
    head = verify().head
    happened("seven")
    seal_waiting()
    assert faults(expected=head) == []


def test_a_rebuilt_chain_is_detected_with_a_stored_head(rows: list[int]) -> None:
    """With the secret key, everything can be forged except what is stored elsewhere."""
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
        "Seal 2 does not have the expected hash: the chain was rebuilt."
    ]


def test_a_different_secret_key_is_reported(rows: list[int], settings: Settings) -> None:
    settings.SECRET_KEY = "another-key-" + "x" * 32
    found = faults()
    assert found[0] == "Seal 1 was created with a different secret key and can't be checked."


def test_sealing_reports_that_the_previous_head_is_gone(
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
    assert "The audit log was truncated or changed: seal 3:" in caplog.text


def verify_audit() -> str:
    """Run the command, and return what it prints and its error."""
    out = StringIO()
    try:
        call_command("verify_audit", stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}"
    return out.getvalue()


def test_verification_compares_with_the_head_that_sealing_remembered(rows: list[int]) -> None:
    assert "No earlier head is known here" in verify_audit()
    happened("seven")
    SealingJob()(lambda: True)
    assert "Compared with head 3, which" in verify_audit()
    with unguarded() as execute:
        execute("DELETE FROM audit_auditevent WHERE id > %s", [rows[-1]])
        execute("DELETE FROM audit_seal WHERE number = 3")
    assert "The end was removed: expected seal 3, but the last one is 2." in verify_audit()


def test_an_emptied_log_is_detected_with_the_head_that_verification_remembered(
    rows: list[int],
) -> None:
    assert "OK" in verify_audit()
    with unguarded() as execute:
        execute("DELETE FROM audit_auditevent")
        execute("DELETE FROM audit_seal")
    assert "The end was removed: expected seal 2, but the last one is 0." in verify_audit()


def test_another_process_that_seals_a_truncated_log_keeps_the_evidence(
    rows: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    verify_audit()
    remembered = known_head.read()
    with unguarded() as execute:
        execute("DELETE FROM audit_auditevent WHERE id > %s", [rows[2]])
        execute("DELETE FROM audit_seal WHERE number = 2")
    happened("seven", "eight")
    SealingJob()(lambda: True)
    assert "The audit log was truncated or changed: seal 2:" in caplog.text
    assert known_head.read() == remembered
    assert "Seal 2 does not have the expected hash" in verify_audit()


def test_the_head_is_logged(
    caplog: pytest.LogCaptureFixture, rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = SealingJob()
    for name in ("seven", "eight"):
        happened(name)
        job(lambda: True)
    lines = [record for record in caplog.records if record.name == "runai_access.audit.head"]
    [line] = lines  # one an hour
    assert line.getMessage().startswith("The head of the audit log is 3:")


def test_an_unwritable_folder_stops_neither_sealing_nor_verification(
    rows: list[int], settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path / "missing"
    happened("seven")
    SealingJob()(lambda: True)
    assert verify().waiting == 0
    assert "OK" in verify_audit()


def test_a_row_marked_for_removal_is_reported(rows: list[int]) -> None:
    """Marking it is the first step of removing a row despite the triggers."""
    PendingArchival.objects.create(event_id=rows[1])
    assert faults() == ["1 row is marked for removal, but not being archived."]


def test_a_forged_archive_is_refused_and_reported(rows: list[int]) -> None:
    """It would allow removing the seals that it covers."""
    Archive.objects.create(
        first_seal=1, last_seal=2, events=6, head="0" * 64, file_name="audit.jsonl",
        file_sha256="0" * 64, made_at=timezone.now(), key_id=key_id(), hash="0" * 64,
    )  # fmt: skip
    with pytest.raises(NotArchived):
        remove_archived()
    assert "The entry of the archive audit.jsonl was changed." in faults()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL refuses such values")
@pytest.mark.parametrize("column", ["time", "request_id", "changes", "source_ip"])
def test_an_unreadable_value_is_a_fault_and_does_not_stop_sealing(column: str) -> None:
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


def test_faults_above_the_limit_are_only_counted() -> None:
    ids = happened(*map(str, range(150)))
    seal_waiting()
    with unguarded() as execute:
        execute("UPDATE audit_auditevent SET reason = 'forged'")
    report = verify()
    assert (report.fault_count, len(report.faults)) == (len(ids), 100)
