"""Rows that are old enough leave for a file, and not before that is safe."""

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
    """Two rows that are past the retention, one of nearly then, and one of now."""
    for name, days_ago in (("oldest", 500), ("old", 401), ("kept", 399), ("new", 0)):
        happened(name, days_ago)


def names() -> list[str]:
    events = AuditEvent.objects.exclude(entity_type="audit").order_by("pk")
    return list(events.values_list("entity_name", flat=True))


def leave(folder: Path, cutoff: datetime = NOW - RETENTION) -> Archive:
    archive = archive_before(cutoff, folder)
    assert archive is not None
    return archive


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_rows_past_the_retention_leave_for_a_file(tmp_path: Path) -> None:
    archive = leave(tmp_path)
    assert names() == ["kept", "new"]
    file = tmp_path / archive.file_name
    events = [line["event"] for line in lines_of(file) if "event" in line]
    assert [event["entity_name"] for event in events] == ["oldest", "old"]
    assert events[0]["source_ip"] == "192.0.2.1"
    assert events[0]["changes"] == {"name": ["größer", "oldest"]}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_record_and_the_file_verify_afterwards(tmp_path: Path) -> None:
    seal_waiting()
    head = verify().head
    archive = leave(tmp_path)
    seal_waiting()
    report = verify()
    assert report.faults == []
    assert (report.archives, report.archived_events, report.leaving) == (1, 2, 0)
    assert verify(expected=head).faults == []
    of_file = verify_file(tmp_path / archive.file_name)
    assert of_file.faults == []
    assert (of_file.events, of_file.head) == (2, (archive.last_seal, archive.head))


def test_the_next_file_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    first = leave(tmp_path)
    second = leave(tmp_path, NOW - timedelta(days=1))
    assert second.first_seal == first.last_seal + 1
    assert names() == ["new"]
    start = verify_file(tmp_path / second.file_name).start
    assert start == (first.last_seal, first.head)
    assert verify().faults == []


def test_nothing_leaves_where_nothing_is_old_enough(tmp_path: Path) -> None:
    leave(tmp_path)
    assert archive_before(NOW - RETENTION, tmp_path) is None
    assert len(list(tmp_path.iterdir())) == 1


def test_everything_may_leave_and_the_chain_goes_on(tmp_path: Path) -> None:
    archive = leave(tmp_path, NOW + timedelta(days=1))
    assert names() == []
    happened("next", 0)
    seal_waiting()
    assert Seal.objects.order_by("number")[0].previous == archive.head
    assert verify().faults == []


def test_that_rows_left_is_in_the_record(tmp_path: Path) -> None:
    archive = leave(tmp_path)
    event = AuditEvent.objects.get(entity_type="audit")
    assert (event.action, event.entity_name) == ("archive", archive.file_name)
    assert event.changes == {"events": [2, 0]}


def test_rows_that_were_tampered_with_do_not_leave_unnoticed(tmp_path: Path) -> None:
    seal_waiting()
    with unguarded() as execute:
        execute("UPDATE audit_auditevent SET reason = 'forged' WHERE entity_name = 'old'")
    with pytest.raises(NotArchived, match="was changed or added after it was sealed"):
        archive_before(NOW - RETENTION, tmp_path)
    assert names() == ["oldest", "old", "kept", "new"]
    assert list(tmp_path.iterdir()) == []


def test_rows_that_were_tampered_with_may_leave_with_the_proof(tmp_path: Path) -> None:
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
    """What a test stops the work with, at a place of its choice."""


def killed(*args: object, **options: object) -> None:
    raise KilledError


def test_killed_before_the_file_has_its_name_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(archiving, "verify_file", killed)
        with pytest.raises(KilledError):
            archive_before(NOW - RETENTION, tmp_path)
    assert len(names()) == 4
    assert leave(tmp_path).events == 2


def test_the_unfinished_file_of_a_killed_run_goes_a_day_later(tmp_path: Path) -> None:
    """It holds copies of rows. A younger one can be that of a run on another machine."""
    old, young = (tmp_path / f"audit-1-2.jsonl.{pid}.partial" for pid in (1, 2))
    for draft in (old, young):
        draft.write_text("{}")
    day_ago = time.time() - 24 * 60 * 60
    os.utime(old, (day_ago - 60, day_ago - 60))
    os.utime(young, (day_ago + 60, day_ago + 60))
    leave(tmp_path)
    assert [file.name for file in tmp_path.glob("*.partial")] == [young.name]


def test_killed_between_file_and_removal_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(archiving, "_record", killed)
        with pytest.raises(KilledError):
            archive_before(NOW - RETENTION, tmp_path)
    assert len(names()) == 4
    assert verify().faults == []
    archive = leave(tmp_path)
    assert names() == ["kept", "new"]
    assert verify_file(tmp_path / archive.file_name).faults == []
    assert verify().faults == []


def test_killed_during_the_removal_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(archiving, "_BATCH_SIZE", 1)
        steps: list[Any] = [archiving._remove_some, archiving._remove_some, killed]
        removals = iter(steps)

        def remove_next() -> Any:
            return next(removals)()

        patch.setattr(archiving, "_remove_some", remove_next)
        with pytest.raises(KilledError):
            archive_before(NOW - RETENTION, tmp_path)
    assert names() == ["old", "kept", "new"]
    report = verify()
    assert (report.faults, report.leaving) == ([], 1)
    assert archive_before(NOW - RETENTION, tmp_path) is None
    assert names() == ["kept", "new"]
    assert (verify().faults, verify().leaving) == ([], 0)


def test_a_file_that_the_disk_spoiled_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(path: Path, **expected: object) -> object:
        path.write_bytes(path.read_bytes().replace(b'"oldest"', b'"newest"'))
        return verify_file(path)

    monkeypatch.setattr(archiving, "verify_file", spoil)
    with pytest.raises(NotArchived, match="not what was written"):
        archive_before(NOW - RETENTION, tmp_path)
    assert len(names()) == 4


def test_an_archive_that_somebody_made_up_removes_nothing(tmp_path: Path) -> None:
    seal_waiting()
    made_up = {"file_name": "none", "file_sha256": "", "made_at": NOW, "hash": "x" * 64}
    Archive.objects.create(first_seal=1, last_seal=2, events=2, head="", **made_up)
    with pytest.raises(NotArchived, match="was changed"):
        archive_before(NOW - RETENTION, tmp_path)
    assert len(names()) == 4


def test_only_rows_that_are_leaving_can_be_removed() -> None:
    oldest = AuditEvent.objects.earliest("time")
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        AuditEvent.objects.all().remove_archived()
    PendingArchival.objects.create(event_id=oldest.pk)
    AuditEvent.objects.filter(pk=oldest.pk).remove_archived()
    assert names() == ["old", "kept", "new"]


# The file.

Edit = Callable[[list[str]], list[str]]

SPOILED: dict[str, tuple[Edit, str]] = {
    "a row was changed": (
        lambda lines: [line.replace('"oldest"', '"newest"') for line in lines],
        "was changed or added after it was sealed",
    ),
    "a row was removed": (
        lambda lines: [line for line in lines if '"oldest"' not in line],
        "is missing: it was removed after it was sealed",
    ),
    "a row was added": (
        lambda lines: [*lines[:-1], lines[-2].replace('"id": ', '"id": 9'), lines[-1]],
        "is in no seal of this file",
    ),
    "a seal and its rows were removed": (
        lambda lines: [lines[0], *lines[3:]],
        "Seal 1 is missing.",
    ),
    "the end was cut off": (lambda lines: lines[:-1], "The file has no end"),
    "the end was cut off and closed": (
        lambda lines: [*lines[:3], lines[-1]],
        "The end of the file does not fit",
    ),
    "a line is none": (lambda lines: [*lines[:2], "{", *lines[2:]], "Line 3 can't be read."),
    "a line is another": (lambda lines: ['{"event": {}}', *lines], "Line 1 can't be read."),
    "it is empty": (lambda lines: [], "The file has no end"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_the_file_shows_that(what: str, tmp_path: Path) -> None:
    archive = leave(tmp_path)
    file = tmp_path / archive.file_name
    edit, told = SPOILED[what]
    file.write_text("".join(f"{line}\n" for line in edit(file.read_text().splitlines())))
    report = verify_file(file, expected=(archive.last_seal, archive.head))
    assert any(told in fault for fault in report.faults), report.faults


def test_reading_a_file_asks_the_database_nothing(
    tmp_path: Path, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    archive = leave(tmp_path)
    with django_assert_num_queries(0):
        assert verify_file(tmp_path / archive.file_name).faults == []
