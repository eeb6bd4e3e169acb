"""The handover of the audit log to a new secret key.

Seals and tags of the former key can be verified only with that key. So the whole log is verified while
both keys are accepted, and each seal gets a countersignature of the new key, which also covers the
contents of its rows. Afterwards the former key is no longer needed.
"""

from collections.abc import Iterator

from django.db import transaction

from runai_access.audit.chain import (
    archive_countersignature,
    key_id,
    seal_countersignature,
)
from runai_access.audit.models import Archive, Countersignature, Seal
from runai_access.audit.rows import EventRow, content_digest, rows_by_id
from runai_access.audit.verification import (
    Report,
    archive_faults,
    ids_of,
    row_faults,
    seal_faults,
    sealed_rows,
    verify,
)
from runai_access.errors import DomainError

# Seals that are countersigned in one transaction.
_BATCH = 200


class NotHandedOver(DomainError):
    """The audit log has faults, which a countersignature would hide; the message names them."""


def countersign(known: tuple[int, str] | None) -> Report:
    """Verify the audit log, and countersign it with the current secret key; return the report.

    `known` is the newest known head. Safe to interrupt and to run again. Raises NotHandedOver.
    """
    report = verify(known=known)
    _require(report.faults)
    for archive in Archive.objects.all():
        _require(archive_faults(archive))
        _save("archive", {archive.last_seal: archive_countersignature(vars(archive))})
    for batch in _batches(report.head[0]):
        _save("seal", {seal["number"]: _countersigned(seal) for seal in batch})
    return report


def _countersigned(seal: EventRow) -> str:
    _require(seal_faults(seal))
    ids = list(ids_of(seal))
    rows = rows_by_id(ids)
    _require(row_faults(seal, ids, rows))
    return seal_countersignature(seal, content_digest(ids, rows))


def _batches(last: int) -> Iterator[list[EventRow]]:
    """Yield the seals up to `last` that the current key has not countersigned."""
    number = 0
    while number < last:
        seals = Seal.objects.filter(number__gt=number, number__lte=last)
        batch = list(sealed_rows(seals)[:_BATCH])
        if not batch:
            return
        number = batch[-1]["number"]
        yield [seal for seal in batch if seal["countersigned_by"] != key_id()]


@transaction.atomic
def _save(kind: str, hashes: dict[int, str]) -> None:
    Countersignature.objects.filter(kind=kind, number__in=hashes).delete()
    Countersignature.objects.bulk_create(
        Countersignature(kind=kind, number=number, key_id=key_id(), hash=hash_)
        for number, hash_ in hashes.items()
    )


def _require(faults: list[str]) -> None:
    if faults:
        raise NotHandedOver(
            "The audit log has faults. Nothing was handed over:\n" + "\n".join(faults)
        )
