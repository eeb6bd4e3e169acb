"""Retention: rows that are old enough leave for a file, sealed as they are, and only then the database.

The file is JSON lines: one that opens it, then each seal followed by its rows, and one that closes
it. It is written aside, flushed to the disk, read back and verified, and given its name. Then an
`Archive` is recorded, and what that covers is removed in steps. Whoever is killed in between has
lost nothing: without the `Archive` the next run writes another file, with it the next run removes
the rest.
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
from runai_access.audit.models import Archive, AuditEvent, PendingArchival, Seal
from runai_access.audit.recorder import Actor, Entity, record
from runai_access.audit.rows import rows_by_id
from runai_access.audit.sealer import seal_waiting
from runai_access.audit.verification import ids_of
from runai_access.errors import DomainError

# So many rows are removed in one transaction, and perhaps those of a seal more.
_BATCH_SIZE = 2000
# Any number will do, as long as nobody else in the same database takes it for another purpose.
_ARCHIVING = 7_240_1003
# A file under this suffix that nobody has written to for so long is what a killed run left.
_DRAFT_SUFFIX = ".partial"
_ABANDONED_SECONDS = 24 * 60 * 60


class NotArchived(DomainError):
    """The rows can't leave, and none has; the text says why."""


def archive_before(
    cutoff: datetime, folder: Path, *, despite_faults: bool = False
) -> Archive | None:
    """Move the rows from before `cutoff` to a new file in `folder`; None where there are none.

    Seals leave whole and in their order, and those of one day together: a row stays until its
    seal's newest is old enough. Raises NotArchived where the rows do not verify (unless they may
    leave `despite_faults`, which their file then shows for ever) or the file is not what was
    written, and OSError.
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
    """Delete the unfinished files of runs that were killed: they hold copies of rows for ever."""
    for draft in folder.glob(f"audit-*{_DRAFT_SUFFIX}"):
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _ABANDONED_SECONDS:
                draft.unlink()


def _end_of_archives() -> tuple[int, str]:
    archive = Archive.objects.order_by("-last_seal").first()
    if archive is None:
        return 0, ""
    if archive_hash(vars(archive)) != archive.hash:
        raise NotArchived(f"{archive}: that was changed, or made under another secret key.")
    return archive.last_seal, archive.head


def _lines(first: int, previous: str, last: Seal) -> Iterator[dict[str, Any]]:
    yield {
        "archive": FORMAT,
        "account": settings.ACCOUNT_ID,
        "first_seal": first,
        "previous": previous,
    }
    seals = Seal.objects.filter(number__range=(first, last.number)).order_by("number")
    events = 0
    for seal in seals.values(*SEAL_FIELDS, "key_id", "hash").iterator():
        ids = list(ids_of(seal))
        rows = rows_by_id(ids)
        events += len(rows)
        told = {"key_id": seal["key_id"], "hash": seal["hash"]}
        yield {"seal": {**plain(seal, SEAL_FIELDS), **told}}
        for id_ in (id_ for id_ in ids if id_ in rows):
            row = rows[id_]
            text = {**plain(row, FIELDS), "source_ip": row["source_ip"]}
            yield {"event": {"id": id_, **text, "tag": row["tag"]}}
    yield {"end": {"last_seal": last.number, "events": events, "head": last.hash}}


class _Written:
    """The file that is being made: for its owner alone, and without its name until it is good."""

    def __init__(self, file: Path) -> None:
        self.file, self.events, self.sha256 = file, 0, ""
        self._draft = file.with_name(f"{file.name}.{os.getpid()}{_DRAFT_SUFFIX}")

    def write(self, lines: Iterator[dict[str, Any]]) -> None:
        """Write the lines until they are on the disk."""
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
        """Read the file back; give it its name, or remove it and raise NotArchived."""
        try:
            report = verify_file(self._draft, expected=(last.number, last.hash))
            with self._draft.open("rb") as stream:
                is_as_written = hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256
            if not is_as_written:
                raise NotArchived("Nothing was removed: the file is not what was written to it.")
            if report.fault_count and not despite_faults:
                told = "\n".join(report.faults[:10])
                raise NotArchived(f"Nothing was removed, for the rows do not verify:\n{told}")
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
        raise NotArchived("Nothing was removed: another archive was made meanwhile.")
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
    """Delete the rows that archives hold and return how many; it can be interrupted.

    `should_continue` is asked before each transaction. The background job continues in this way
    what a killed `archive_audit` left.
    """
    removed = 0
    while should_continue() and (count := _remove_some()):
        removed += count
    return removed


@transaction.atomic
def _remove_some() -> int:
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
    return len(ids)


def _lock() -> None:
    """Let nobody else archive until this transaction ends; SQLite's are alone anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ARCHIVING])
