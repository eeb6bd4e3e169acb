"""Retention: moves old rows with their seals to a file, and then deletes them from the database.

The file is JSON lines: a header, each seal followed by its rows, and an end. It is written as a draft,
flushed to disk, read back, verified and renamed. Then an `Archive` row is written, and the rows it
covers are deleted in batches. A kill in between loses nothing: without the `Archive`, the next run
writes another file; with it, the next run deletes the rest.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from runai_access.audit.chain import FIELDS, SEAL_FIELDS, archive_hash, key_id, plain
from runai_access.audit.files import FORMAT, verify_file
from runai_access.audit.models import Archive, AuditEvent, Countersignature, PendingArchival, Seal
from runai_access.audit.recorder import Actor, Entity, record
from runai_access.audit.rows import rows_by_id
from runai_access.audit.sealer import seal_waiting
from runai_access.audit.verification import archive_faults, ids_of, sealed_rows
from runai_access.errors import DomainError

# Rows deleted in one transaction; the last seal can exceed it.
_BATCH_SIZE = 2000
# An arbitrary number that no other advisory lock in this database uses.
_ARCHIVING = 7_240_1003
# A file with this suffix and without a write for this long is left over from a killed run.
_DRAFT_SUFFIX = ".partial"
_ABANDONED_SECONDS = 24 * 60 * 60


class NotArchived(DomainError):
    """The rows can't be archived, and none was deleted; the message says why."""


def archive_before(
    cutoff: datetime, folder: Path, *, despite_faults: bool = False
) -> Archive | None:
    """Move the rows from before `cutoff` to a new file in `folder`; return None if there are none.

    Whole seals are moved, in order: a row stays until the newest row of its seal is old enough. Raises
    OSError; and NotArchived if the file differs from what was written, or if rows do not verify.
    `despite_faults` moves those too; then the file shows the faults.
    """
    remove_archived()
    _remove_abandoned_drafts(folder)
    seal_waiting()
    first, previous = _end_of_archives()
    keeps = Seal.objects.filter(newest__gte=cutoff, number__gt=first).order_by("number")
    end = keeps.values_list("number", flat=True).first()
    leaving = Seal.objects.filter(number__gt=first)
    if end is not None:
        leaving = leaving.filter(number__lt=end)
    last = leaving.order_by("-number").first()
    if last is None:
        return None
    file = folder / f"audit-{first + 1:012}-{last.number:012}.jsonl"
    written = _Written(file)
    written.write(_lines(first + 1, previous, last))
    written.verify(last, despite_faults=despite_faults)
    archive = _record(written, first + 1, last)
    remove_archived()
    return archive


def _remove_abandoned_drafts(folder: Path) -> None:
    """Delete the drafts of killed runs, which would keep copies of rows forever."""
    for draft in folder.glob(f"audit-*{_DRAFT_SUFFIX}"):
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _ABANDONED_SECONDS:
                draft.unlink()


def _end_of_archives() -> tuple[int, str]:
    archive = Archive.objects.order_by("-last_seal").first()
    if archive is None:
        return 0, ""
    if archive_faults(archive):
        raise NotArchived(f"{archive} was changed, or created with a different secret key.")
    return archive.last_seal, archive.head


def _lines(first: int, previous: str, last: Seal) -> Iterator[dict[str, Any]]:
    yield {
        "archive": FORMAT,
        "account": settings.ACCOUNT_ID,
        "first_seal": first,
        "previous": previous,
    }
    seals = Seal.objects.filter(number__range=(first, last.number))
    events = 0
    for seal in sealed_rows(seals).iterator():
        ids = list(ids_of(seal))
        rows = rows_by_id(ids)
        events += len(rows)
        names = ("key_id", "hash", "countersigned_by", "countersignature")
        signature = {name: seal[name] for name in names if seal[name] is not None}
        yield {"seal": {**plain(seal, SEAL_FIELDS), **signature}}
        for id_ in (id_ for id_ in ids if id_ in rows):
            row = rows[id_]
            members = {**plain(row, FIELDS), "source_ip": row["source_ip"]}
            yield {"event": {"id": id_, **members, "tag": row["tag"]}}
    yield {"end": {"last_seal": last.number, "events": events, "head": last.hash}}


class _Written:
    """The file being written: readable only by its owner, and a draft until it is verified."""

    def __init__(self, file: Path) -> None:
        self.file, self.events, self.sha256 = file, 0, ""
        self._draft = file.with_name(f"{file.name}.{os.getpid()}{_DRAFT_SUFFIX}")

    def write(self, lines: Iterator[dict[str, Any]]) -> None:
        """Write the lines and flush them to disk."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = hashlib.sha256()
        descriptor = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            for line in lines:
                text = json.dumps(line).encode("ascii") + b"\n"
                digest.update(text)
                stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        self.sha256 = digest.hexdigest()

    def verify(self, last: Seal, *, despite_faults: bool) -> None:
        """Read the file back and rename it, or delete it and raise NotArchived."""
        try:
            report = verify_file(self._draft, expected=(last.number, last.hash))
            with self._draft.open("rb") as stream:
                is_as_written = hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256
            if not is_as_written:
                raise NotArchived("Nothing was deleted: the file differs from what was written.")
            if report.fault_count and not despite_faults:
                faults = "\n".join(report.faults[:10])
                raise NotArchived(f"Nothing was deleted, because rows do not verify:\n{faults}")
            self.events = report.events
            self._draft.replace(self.file)
        finally:
            self._draft.unlink(missing_ok=True)
        descriptor = os.open(self.file.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@transaction.atomic
def _record(written: "_Written", first: int, last: Seal) -> Archive:
    _lock()
    if _end_of_archives()[0] != first - 1:
        raise NotArchived("Nothing was deleted: another archive was created in the meantime.")
    archive = Archive(
        first_seal=first,
        last_seal=last.number,
        events=written.events,
        head=last.hash,
        file_name=written.file.name,
        file_sha256=written.sha256,
        made_at=timezone.now(),
        key_id=key_id(),
    )
    archive.hash = archive_hash(vars(archive))
    archive.save(force_insert=True)
    record(
        "archive",
        Entity("audit", str(last.number), archive.file_name),
        actor=Actor("system", "system"),
        changes={"events": [archive.events, 0]},
    )
    return archive


def remove_archived(should_continue: Callable[[], bool] = lambda: True) -> int:
    """Delete the rows that archives hold and return how many; can be interrupted.

    `should_continue` is called before each transaction. A background job calls this too, to finish
    after a killed `archive_audit`.
    """
    removed = 0
    while should_continue() and (count := _remove_batch()):
        removed += count
    return removed


@transaction.atomic
def _remove_batch() -> int:
    _lock()
    covered = Seal.objects.filter(number__lte=_end_of_archives()[0]).order_by("number")
    seals: list[int] = []
    ids: list[int] = []
    for seal in covered.values("number", "event_ids")[:_BATCH_SIZE]:
        seals.append(seal["number"])
        ids += ids_of(seal)
        if len(ids) >= _BATCH_SIZE:
            break
    PendingArchival.objects.bulk_create([PendingArchival(event_id=id_) for id_ in ids])
    AuditEvent.objects.filter(pk__in=PendingArchival.objects.values("event_id")).remove_archived()
    PendingArchival.objects.all().delete()
    Seal.objects.filter(number__in=seals).delete()
    Countersignature.objects.filter(kind="seal", number__in=seals).delete()
    return len(ids)


def _lock() -> None:
    """Block other archiving until this transaction ends; SQLite transactions are exclusive anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ARCHIVING])
