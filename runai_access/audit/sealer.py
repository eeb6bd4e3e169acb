"""Sealing: appends new audit rows to the chain within seconds, outside requests.

A background job; every server process also seals when it stops. One process at a time seals: under
an advisory lock on PostgreSQL, under the write lock on SQLite. A process that does not get the lock
does nothing.
"""

import logging
import time
from collections.abc import Callable, Iterable
from itertools import groupby

from django.db import connection, transaction
from django.utils import timezone

from runai_access.audit import known_head
from runai_access.audit.chain import digest_of, key_id, ranges_of, seal_hash
from runai_access.audit.models import Seal, Unsealed
from runai_access.audit.rows import EventRow, rows_by_id, tags_of

BATCH_SIZE = 500
# An arbitrary number that no other advisory lock in this database uses.
_SEALING = 7_240_1002

# How often the head of the chain is logged.
LOG_SECONDS = 60 * 60.0

logger = logging.getLogger(__name__)
head_logger = logging.getLogger("runai_access.audit.head")


def seal_waiting(should_continue: Callable[[], bool] = lambda: True) -> int:
    """Seal the waiting rows and return how many; 0 also while another process is sealing.

    `should_continue` is called before each transaction.
    """
    sealed = 0
    while should_continue() and Unsealed.objects.exists() and (count := _seal_batch()):
        sealed += count
    return sealed


@transaction.atomic
def _seal_batch() -> int:
    if not _try_lock():
        return 0
    # No sequence creates ids below 1, so such rows are never sealed.
    waiting = Unsealed.objects.filter(event_id__gt=0).order_by("event_id")
    ids = list(waiting.values_list("event_id", flat=True)[:BATCH_SIZE])
    rows = rows_by_id(ids)
    number, previous = known_head.head()
    seals = []
    for part in _split_by_day(ids, rows):
        number += 1
        seal = _seal(number, previous, part, rows)
        previous = seal.hash
        seals.append(seal)
    Seal.objects.bulk_create(seals)
    Unsealed.objects.filter(event_id__in=ids).delete()
    return len(ids)


def _try_lock() -> bool:
    """Try to become the only process that seals until this transaction ends."""
    if connection.vendor == "sqlite":
        return True  # a transaction holds the only write lock
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SEALING])
        return bool(cursor.fetchone()[0])


def _split_by_day(ids: list[int], rows: dict[int, EventRow]) -> Iterable[list[int]]:
    """Split ids by the day of their rows, so that complete days can be archived."""
    today = timezone.now().date()
    days = groupby(ids, key=lambda id_: rows[id_]["time"].date() if id_ in rows else today)
    return [list(part) for _, part in days]


def _seal(number: int, previous: str, ids: list[int], rows: dict[int, EventRow]) -> Seal:
    now = timezone.now()
    values = {
        "number": number,
        "sealed_at": now,
        "newest": max((rows[id_]["time"] for id_ in ids if id_ in rows), default=now),
        "event_ids": ranges_of(ids),
        "previous": previous,
        "digest": digest_of(tags_of(ids, rows)),
    }
    return Seal(**values, key_id=key_id(), hash=seal_hash(values))


class SealingJob:
    """Seals the waiting rows, and remembers the head in this process, in a file and in the log.

    Reports if a head that it remembers is gone: nothing else shows that the end was removed.
    """

    def __init__(self) -> None:
        self._head = (0, "")
        self._logs_at = 0.0

    def __call__(self, should_continue: Callable[[], bool]) -> None:
        if seal_waiting(should_continue):
            self._remember(known_head.head())

    def _remember(self, newest: known_head.Head) -> None:
        gone = {known for known in (self._head, self._in_file()) if known[0]}
        gone = {known for known in gone if not known_head.is_in_chain(known)}
        for number, hash_ in sorted(gone):
            logger.error(
                "The audit log was truncated or changed: seal %d:%s is gone.", number, hash_
            )
        self._head = newest
        if gone:
            return  # the file still contains the evidence
        try:
            known_head.write(newest)
        except OSError as error:
            logger.warning("Can't remember the head of the audit log: %s", error)
        if time.monotonic() >= self._logs_at:
            self._logs_at = time.monotonic() + LOG_SECONDS
            head_logger.info("The head of the audit log is %d:%s", *newest)

    def _in_file(self) -> known_head.Head:
        try:
            return known_head.read() or (0, "")
        except (OSError, ValueError) as error:
            logger.warning("Can't read the remembered head of the audit log: %s", error)
            return (0, "")
