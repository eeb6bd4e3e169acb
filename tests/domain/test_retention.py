"""Old rows of the audit log are moved to a file, and deleted only when the file is verified."""

import json
import os
import stat
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runai_access.audit import archive as archiving
from runai_access.audit.archive import NotArchived, archive_before
from runai_access.audit.files import verify_file
from runai_access.audit.models import Archive, AuditEvent, PendingArchival, Seal
from runai_access.audit.sealer import seal_waiting
from runai_access.audit.verification import verify
from tests.domain.audit_log import unguarded

pytestmark = pytest.mark.django_db

NOW = timezone.now()
RETENTION = timedelta(days=400)


def happened(name: str, days_ago: float) -> AuditEvent:
    return AuditEvent.objects.create(
        time=NOW - timedelta(days=days_ago),
        action="update",
        entity_name=name,
        result="Succeeded",
        source_ip="192.0.2.1",
        changes={"name": ["größer", name]},
    )


@pytest.fixture(autouse=True)
def record() -> None:
    """Create two rows older than the retention period, one slightly younger, and a new one."""
    for name, days_ago in (("oldest", 500), ("old", 401), ("kept", 399), ("new", 0)):
        happened(name, days_ago)


def names() -> list[str]:
    events = AuditEvent.objects.exclude(entity_type="audit").order_by("pk")
    return list(events.values_list("entity_name", flat=True))


def archive_rows(folder: Path, cutoff: datetime = NOW - RETENTION) -> Archive:
    archive = archive_before(cutoff, folder)
    assert archive is not None
    return archive


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_rows_older_than_the_retention_move_to_a_file(tmp_path: Path) -> None:
    archive = archive_rows(tmp_path)
    assert names() == ["kept", "new"]
    file = tmp_path / archive.file_name
    events = [line["event"] for line in lines_of(file) if "event" in line]
    assert [event["entity_name"] for event in events] == ["oldest", "old"]
    assert events[0]["source_ip"] == "192.0.2.1"
    assert events[0]["changes"] == {"name": ["größer", "oldest"]}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_audit_log_and_the_file_verify_afterwards(tmp_path: Path) -> None:
    seal_waiting()
    head = verify().head
    archive = archive_rows(tmp_path)
    seal_waiting()
    report = verify()
    assert report.faults == []
    assert (report.archives, report.archived_events, report.leaving) == (1, 2, 0)
    assert verify(expected=head).faults == []
    of_file = verify_file(tmp_path / archive.file_name)
    assert of_file.faults == []
    assert (of_file.events, of_file.head) == (2, (archive.last_seal, archive.head))


def test_the_next_file_continues_where_the_last_one_ended(tmp_path: Path) -> None:
    first = archive_rows(tmp_path)
    second = archive_rows(tmp_path, NOW - timedelta(days=1))
    assert second.first_seal == first.last_seal + 1
    assert names() == ["new"]
    start = verify_file(tmp_path / second.file_name).start
    assert start == (first.last_seal, first.head)
    assert verify().faults == []


def test_without_old_rows_there_is_no_file(tmp_path: Path) -> None:
    archive_rows(tmp_path)
    assert archive_before(NOW - RETENTION, tmp_path) is None
    assert len(list(tmp_path.iterdir())) == 1


def test_the_chain_continues_after_all_rows_were_archived(tmp_path: Path) -> None:
    archive = archive_rows(tmp_path, NOW + timedelta(days=1))
    assert names() == []
    happened("next", 0)
    seal_waiting()
    assert Seal.objects.order_by("number")[0].previous == archive.head
    assert verify().faults == []


def test_archiving_is_recorded_in_the_audit_log(tmp_path: Path) -> None:
    archive = archive_rows(tmp_path)
    event = AuditEvent.objects.get(entity_type="audit")
    assert (event.action, event.entity_name) == ("archive", archive.file_name)
    assert event.changes == {"events": [2, 0]}


def test_tampered_rows_are_not_archived(tmp_path: Path) -> None:
    seal_waiting()
    with unguarded() as execute:
        execute("UPDATE audit_auditevent SET reason = 'forged' WHERE entity_name = 'old'")
    with pytest.raises(NotArchived, match="was changed or added after it was sealed"):
        archive_before(NOW - RETENTION, tmp_path)
    assert names() == ["oldest", "old", "kept", "new"]
    assert list(tmp_path.iterdir()) == []


def test_tampered_rows_can_be_archived_and_the_file_shows_it(tmp_path: Path) -> None:
    seal_waiting()
    with unguarded() as execute:
        execute("DELETE FROM audit_auditevent WHERE entity_name = 'old'")
    archive = archive_before(NOW - RETENTION, tmp_path, despite_faults=True)
    assert archive is not None
    [fault] = verify_file(tmp_path / archive.file_name).faults
    assert "is missing: it was removed after it was sealed" in fault
    assert verify().faults == []


# Interrupted.


class KilledError(Exception):
    """Simulates a kill at a chosen point."""


def killed(*args: object, **options: object) -> None:
    raise KilledError


def test_a_kill_before_the_file_is_renamed_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(archiving, "verify_file", killed)
        with pytest.raises(KilledError):
            archive_before(NOW - RETENTION, tmp_path)
    assert len(names()) == 4
    assert archive_rows(tmp_path).events == 2


def test_the_draft_of_a_killed_run_is_deleted_after_a_day(tmp_path: Path) -> None:
    """It contains copies of rows. A newer draft can belong to a run on another machine."""
    old, young = (tmp_path / f"audit-1-2.jsonl.{pid}.partial" for pid in (1, 2))
    for draft in (old, young):
        draft.write_text("{}")
    day_ago = time.time() - 24 * 60 * 60
    os.utime(old, (day_ago - 60, day_ago - 60))
    os.utime(young, (day_ago + 60, day_ago + 60))
    archive_rows(tmp_path)
    assert [file.name for file in tmp_path.glob("*.partial")] == [young.name]


def test_a_kill_between_file_and_deletion_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(archiving, "_record", killed)
        with pytest.raises(KilledError):
            archive_before(NOW - RETENTION, tmp_path)
    assert len(names()) == 4
    assert verify().faults == []
    archive = archive_rows(tmp_path)
    assert names() == ["kept", "new"]
    assert verify_file(tmp_path / archive.file_name).faults == []
    assert verify().faults == []


def test_the_next_run_continues_after_a_kill_during_deletion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(archiving, "_BATCH_SIZE", 1)
        steps: list[Any] = [archiving._remove_batch, archiving._remove_batch, killed]
        removals = iter(steps)

        def remove_next() -> Any:
            return next(removals)()

        patch.setattr(archiving, "_remove_batch", remove_next)
        with pytest.raises(KilledError):
            archive_before(NOW - RETENTION, tmp_path)
    assert names() == ["old", "kept", "new"]
    report = verify()
    assert (report.faults, report.leaving) == ([], 1)
    assert archive_before(NOW - RETENTION, tmp_path) is None
    assert names() == ["kept", "new"]
    assert (verify().faults, verify().leaving) == ([], 0)


def test_a_corrupted_file_deletes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(path: Path, **expected: object) -> object:
        path.write_bytes(path.read_bytes().replace(b'"oldest"', b'"newest"'))
        return verify_file(path)

    monkeypatch.setattr(archiving, "verify_file", spoil)
    with pytest.raises(NotArchived, match="differs from what was written"):
        archive_before(NOW - RETENTION, tmp_path)
    assert len(names()) == 4


def test_a_forged_archive_entry_deletes_nothing(tmp_path: Path) -> None:
    seal_waiting()
    forged = {"file_name": "none", "file_sha256": "", "made_at": NOW, "hash": "x" * 64}
    Archive.objects.create(first_seal=1, last_seal=2, events=2, head="", **forged)
    with pytest.raises(NotArchived, match="was changed"):
        archive_before(NOW - RETENTION, tmp_path)
    assert len(names()) == 4


def test_only_rows_pending_archival_can_be_deleted() -> None:
    oldest = AuditEvent.objects.earliest("time")
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        AuditEvent.objects.all().remove_archived()
    PendingArchival.objects.create(event_id=oldest.pk)
    AuditEvent.objects.filter(pk=oldest.pk).remove_archived()
    assert names() == ["old", "kept", "new"]


# The file.

Edit = Callable[[list[str]], list[str]]

CORRUPTIONS: dict[str, tuple[Edit, str]] = {
    "changed row": (
        lambda lines: [line.replace('"oldest"', '"newest"') for line in lines],
        "was changed or added after it was sealed",
    ),
    "removed row": (
        lambda lines: [line for line in lines if '"oldest"' not in line],
        "is missing: it was removed after it was sealed",
    ),
    "added row": (
        lambda lines: [*lines[:-1], lines[-2].replace('"id": ', '"id": 9'), lines[-1]],
        "is in no seal of this file",
    ),
    "removed seal with its rows": (
        lambda lines: [lines[0], *lines[3:]],
        "Seal 1 is missing.",
    ),
    "missing end": (lambda lines: lines[:-1], "The file is truncated"),
    "missing rows before the end": (
        lambda lines: [*lines[:3], lines[-1]],
        "The last line of the file does not match",
    ),
    "invalid line": (lambda lines: [*lines[:2], "{", *lines[2:]], "Line 3 can't be read."),
    "misplaced line": (lambda lines: ['{"event": {}}', *lines], "Line 1 can't be read."),
    "empty file": (lambda lines: [], "The file is truncated"),
}


@pytest.mark.parametrize("case", CORRUPTIONS)
def test_verifying_the_file_detects(case: str, tmp_path: Path) -> None:
    archive = archive_rows(tmp_path)
    file = tmp_path / archive.file_name
    edit, expected = CORRUPTIONS[case]
    file.write_text("".join(f"{line}\n" for line in edit(file.read_text().splitlines())))
    report = verify_file(file, expected=(archive.last_seal, archive.head))
    assert any(expected in fault for fault in report.faults), report.faults


def test_verifying_a_file_needs_no_query(
    tmp_path: Path, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    archive = archive_rows(tmp_path)
    with django_assert_num_queries(0):
        assert verify_file(tmp_path / archive.file_name).faults == []
