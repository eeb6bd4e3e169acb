"""Detects changed, removed, added or reordered rows of the audit log.

One pass reads the chain and its rows, a second one the ids of all rows. Memory holds only one bit per
id and the first faults.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from runai_access.audit import guards
from runai_access.audit.chain import (
    SEAL_FIELDS,
    archive_countersignature,
    archive_hash,
    digest_of,
    ranges_of,
    seal_countersignature,
    seal_hash,
    secret_key_of,
    spans_in,
)
from runai_access.audit.models import (
    Archive,
    AuditEvent,
    Countersignature,
    PendingArchival,
    Seal,
    Unsealed,
)
from runai_access.audit.rows import EventRow, content_digest, rows_by_id, tags_of, true_tag

MAX_REPORTED_FAULTS = 100
SEALED_LATE = timedelta(hours=1)
_CHUNK = 500
_ID_BATCH_SIZE = 10_000
_PAGE = 1 << 16


@dataclass
class Report:
    """Counts of what was checked, and the faults found."""

    seals: int = 0
    events: int = 0
    waiting: int = 0
    archives: int = 0
    archived_events: int = 0
    leaving: int = 0
    sealed_late: int = 0
    start: tuple[int, str] = (0, "")
    head: tuple[int, str] = (0, "")
    fault_count: int = 0
    faults: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        """Add a fault; above MAX_REPORTED_FAULTS, faults are only counted."""
        self.fault_count += 1
        if len(self.faults) < MAX_REPORTED_FAULTS:
            self.faults.append(text)


class Ids:
    """A set of ids that uses one bit per id, in pages."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def __contains__(self, id_: int) -> bool:
        page = self._pages.get(id_ // _PAGE)
        return page is not None and bool(page[id_ % _PAGE >> 3] & 1 << id_ % 8)

    def add(self, id_: int) -> bool:
        """Add an id; return whether it is new."""
        page = self._pages.setdefault(id_ // _PAGE, bytearray(_PAGE >> 3))
        index, bit = id_ % _PAGE >> 3, 1 << id_ % 8
        is_new = not page[index] & bit
        page[index] |= bit
        return is_new


def verify(expected: tuple[int, str] | None = None, known: tuple[int, str] | None = None) -> Report:
    """Verify the whole audit log in one snapshot.

    `expected` is the number and hash of a seal that was stored elsewhere, and `known` the newest head
    that this installation remembers. Only they detect an end that was removed with its seals, or a
    chain rebuilt by somebody who knows the secret key. An archive can contain `known`.
    """
    report, named = Report(), Ids()
    with _snapshot():
        for name in guards.missing(connection):
            report.fault(f"Trigger {name} is missing or disabled.")
        archived = _check_archives(report)
        _check_chain(report, named, archived)
        waiting = _check_waiting(report, named)
        _check_for_strays(report, named, waiting)
        _check_pending_archival(report)
        if expected:
            _check_expected(report, expected, archived)
        if known and known != expected and known[0] >= archived[0]:
            _check_expected(report, known, archived)
    return report


@contextmanager
def _snapshot() -> Iterator[None]:
    """Read from one snapshot of the database, without blocking writes."""
    if connection.in_atomic_block:
        yield  # in the caller's transaction
        return
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def _check_archives(report: Report) -> tuple[int, str]:
    """Check the archives; return the number and hash of the last archived seal."""
    last, head = 0, ""
    for archive in Archive.objects.order_by("last_seal").iterator():
        for fault in archive_faults(archive):
            report.fault(fault)
        if archive.first_seal != last + 1:
            report.fault(
                f"{seals_missing(last + 1, archive.first_seal - 1)} No archive contains them."
            )
        last, head = archive.last_seal, archive.head
        report.archives += 1
        report.archived_events += archive.events
    report.head = last, head
    return last, head


def _check_chain(report: Report, named: Ids, archived: tuple[int, str]) -> None:
    seals = sealed_rows(Seal.objects.all()).iterator()
    number, previous = archived
    batch: list[tuple[EventRow, list[int]]] = []
    for seal in seals:
        if seal["number"] <= archived[0]:
            report.leaving += sum(1 for id_ in ids_of(seal) if named.add(id_))
            continue
        is_next = seal["number"] == number + 1
        if not is_next:
            report.fault(seals_missing(number + 1, seal["number"] - 1))
        faults = seal_faults(seal)
        if is_next and not faults and seal["previous"] != previous:
            report.fault(f"Seal {seal['number']} does not follow seal {number}: it was replaced.")
        number, previous = seal["number"], seal["hash"]
        report.seals += 1
        report.head = number, previous
        for fault in faults:
            report.fault(fault)
        if not faults:
            batch.append((seal, list(ids_of(seal))))
        if sum(len(ids) for _, ids in batch) >= _CHUNK:
            _check_rows(report, named, batch)
            batch = []
    _check_rows(report, named, batch)


def _check_rows(report: Report, named: Ids, batch: list[tuple[EventRow, list[int]]]) -> None:
    rows = rows_by_id(sorted({id_ for _, ids in batch for id_ in ids}))
    for seal, ids in batch:
        for id_ in ids:
            if not named.add(id_):
                report.fault(f"Row {id_} is in more than one seal.")
        for fault in row_faults(seal, ids, rows):
            report.fault(fault)
        late = seal["sealed_at"] - SEALED_LATE
        report.events += sum(1 for id_ in ids if id_ in rows)
        report.sealed_late += sum(1 for id_ in ids if id_ in rows and rows[id_]["time"] < late)


def sealed_rows(seals: QuerySet[Seal]) -> Any:
    """Return the seals in order as mappings, with their countersignatures."""
    columns = (*SEAL_FIELDS, "key_id", "hash", "countersigned_by", "countersignature")
    return seals.with_countersignatures().order_by("number").values(*columns)  # type: ignore[attr-defined]


def archive_faults(archive: Archive) -> list[str]:
    """Return the faults of the entry of an archive."""
    secret, members = secret_key_of(archive.key_id), vars(archive)
    changed = [f"The entry of the archive {archive.file_name} was changed."]
    if secret is not None:
        return changed if archive_hash(members, secret) != archive.hash else []
    found = Countersignature.objects.filter(kind="archive", number=archive.last_seal).first()
    secret = secret_key_of(found.key_id) if found else None
    if found is None or secret is None:
        return [f"{archive} was created with a different secret key and can't be checked."]
    return changed if archive_countersignature(members, secret) != found.hash else []


def seal_faults(seal: EventRow) -> list[str]:
    """Return the faults of a seal itself. `row_faults` checks its countersignature."""
    number, secret = seal["number"], secret_key_of(seal["key_id"])
    if secret is None and secret_key_of(seal.get("countersigned_by")) is None:
        return [f"Seal {number} was created with a different secret key and can't be checked."]
    if secret is not None and seal_hash(seal, secret) != seal["hash"]:
        return [f"Seal {number} was changed."]
    try:
        list(spans_in(seal["event_ids"]))
    except ValueError:
        return [f"Seal {number} has invalid row ids."]
    return []


def ids_of(seal: EventRow) -> Iterator[int]:
    """Yield the ids of the rows in a seal."""
    for first, last in spans_in(seal["event_ids"]):
        yield from range(first, last + 1)


def row_faults(seal: EventRow, ids: list[int], rows: Mapping[int, EventRow]) -> list[str]:
    """Return the faults of the rows of a seal."""
    number = seal["number"]
    countersigner = secret_key_of(seal.get("countersigned_by"))
    if countersigner is not None:
        contents = content_digest(ids, rows)
        if seal_countersignature(seal, contents, countersigner) == seal["countersignature"]:
            return []
        if secret_key_of(seal["key_id"]) is None:
            rows_ = seal["event_ids"]
            return [f"Seal {number} or its rows {rows_} were changed since the secret key changed."]
    is_as_sealed = digest_of(tags_of(ids, rows)) == seal["digest"]
    when = "before it was sealed" if is_as_sealed else "after it was sealed"
    faults = []
    for id_ in ids:
        row = rows.get(id_)
        if row is None:
            faults.append(f"Row {id_} of seal {number} is missing: it was removed {when}.")
        elif row["tag"] != true_tag(row):
            faults.append(
                f"Row {id_} of seal {number} was changed or added {when}: {_describe(row)}"
            )
    if not faults and not is_as_sealed:
        faults.append(
            f"Rows {seal['event_ids']} of seal {number} are not the rows that were sealed: they were "
            "reordered or replaced by copies of other rows."
        )
    return faults


def _check_waiting(report: Report, named: Ids) -> Ids:
    """Check the rows that are not sealed yet, and return their ids."""
    waiting = Ids()
    for ids in _chunks(Unsealed.objects.filter(event_id__gt=0)):
        rows = rows_by_id(ids)
        for id_ in ids:
            waiting.add(id_)
            if id_ in named:
                report.fault(f"Row {id_} is sealed, and waits for a seal once more.")
            elif id_ not in rows:
                report.fault(f"Row {id_} was removed before it was sealed.")
            elif rows[id_]["tag"] != true_tag(rows[id_]):
                report.fault(
                    f"Row {id_}, not sealed yet, was changed or added: {_describe(rows[id_])}"
                )
        report.waiting += len(rows)
    return waiting


def _check_for_strays(report: Report, named: Ids, waiting: Ids) -> None:
    for ids in _chunks(AuditEvent.objects.all(), _ID_BATCH_SIZE):
        strays = [id_ for id_ in ids if id_ not in named and id_ not in waiting]
        if strays:
            ranges = ranges_of(strays)
            shown = ranges if len(ranges) < 200 else f"{ranges[:200]}…"
            report.fault(
                f"{_rows(len(strays))} in no valid seal, and not waiting to be sealed: {shown}"
            )


def _check_pending_archival(report: Report) -> None:
    """Check that no row is marked for removal: only a transaction that removes rows marks them."""
    marked = PendingArchival.objects.count()
    if marked:
        report.fault(f"{_rows(marked)} marked for removal, but not being archived.")


def _check_expected(report: Report, expected: tuple[int, str], archived: tuple[int, str]) -> None:
    number, hash_ = expected
    found = Seal.objects.filter(number=number).values_list("hash", flat=True).first()
    if number == archived[0]:
        found = archived[1]
    if found is None and number < archived[0]:
        report.fault(f"Seal {number} is in an archive: verify its file with --expect.")
    elif found is None:
        report.fault(
            f"The end was removed: expected seal {number}, but the last one is {report.head[0]}."
        )
    elif found != hash_:
        report.fault(f"Seal {number} does not have the expected hash: the chain was rebuilt.")


def _chunks(queryset: Any, size: int = _CHUNK) -> Iterator[list[int]]:
    """Yield all primary keys in order, in lists of `size`."""
    past = None
    while True:
        rest = queryset if past is None else queryset.filter(pk__gt=past)
        ids = list(rest.order_by("pk").values_list("pk", flat=True)[:size])
        if not ids:
            return
        yield ids
        past = ids[-1]


def seals_missing(first: int, last: int) -> str:
    """Return the message for missing seals."""
    return f"Seal {first} is missing." if first == last else f"Seals {first} to {last} are missing."


def _rows(count: int) -> str:
    return f"{count:,} row{' is' if count == 1 else 's are'}"


def _describe(row: EventRow) -> str:
    return " ".join(str(row[name]) for name in ("subject_name", "action", "entity_name", "result"))


def printable(texts: Iterable[str]) -> Iterator[str]:
    """Escape unprintable characters: a row that was changed by hand can't forge a line."""
    for text in texts:
        yield "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
