"""Attempt limits, counted in the database so that replicas and parallel guesses share one count."""

import hashlib
import ipaddress
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from runai_access.db.batches import ROWS_PER_BATCH
from runai_access.security.models import AttemptCount


@dataclass(frozen=True)
class Limit:
    """At most `attempts` within `seconds` for the target that `parts` identify.

    The count expires `seconds` after the first attempt, or with `extend` after the last allowed one.
    A success removes its own attempt from the count, or with `clears` deletes the count.
    """

    parts: tuple[str, ...]
    attempts: int
    seconds: int
    extend: bool = False
    clears: bool = False

    @property
    def key(self) -> str:
        """The digest under which the count is stored; the table contains no names or addresses."""
        text = "\x00".join(self.parts)
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()


@dataclass(frozen=True)
class Attempt:
    """An attempt, counted under every limit or, if refused, under none.

    `waits` maps each exhausted limit to the seconds until it expires.
    """

    limits: tuple[Limit, ...]
    waits: dict[Limit, int] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        return bool(self.waits)

    @property
    def retry_after(self) -> int:
        return max(self.waits.values(), default=0)

    def forget(self) -> None:
        """Delete the counts, for an attempt that succeeded."""
        _settle(lower=(), remove=self.limits)

    def give_back(self) -> None:
        """Remove this attempt from the counts, if it was not tried."""
        _settle(lower=self.limits, remove=())

    def succeed(self) -> None:
        """Remove this attempt from the counts, and delete the counts that a success clears."""
        lower = [limit for limit in self.limits if not limit.clears]
        _settle(lower=lower, remove=[limit for limit in self.limits if limit.clears])


def attempt(*parts: str, limit: int, seconds: int, extend: bool = True) -> Attempt:
    """Count one attempt for `parts` under a single limit, before it is tried; see `attempt_all`."""
    single = Limit(parts, limit, seconds, extend=extend)
    waits = used_up(single)
    return Attempt((single,), waits) if waits else attempt_all(single)


def attempt_all(*limits: Limit) -> Attempt:
    """Count one attempt under each limit before it is tried, or none if a limit is exhausted.

    Counting first stops parallel guesses: of a hundred sent together, only as many are tried as the
    limit allows. A refused attempt writes nothing and never extends a wait. Call `used_up` first,
    which refuses most attempts without a lock.
    """
    while True:
        taken = _take(limits)
        if taken is not None:
            return taken


def used_up(*limits: Limit) -> dict[Limit, int]:
    """Return the exhausted limits with the seconds until each expires. Counts nothing."""
    rows = AttemptCount.objects.filter(key__in=[limit.key for limit in limits])
    return _waits(limits, rows, timezone.now())


def network_of(address: str | None, *, prefix: int = 64) -> str:
    """Return the unit that limits count: an IPv4 address, or an IPv6 network of `prefix` bits.

    A client with one IPv6 address can usually use all 2^64 addresses of its network, so a limit per
    address would be useless.
    """
    if not address or ":" not in address:
        return address or ""
    return str(ipaddress.ip_network((address, prefix), strict=False))


def forget_expired(should_continue: Callable[[], bool] = lambda: True) -> None:
    """Delete expired counts, one batch per transaction.

    Skips counts that an attempt has locked: waiting for them could deadlock, because attempts lock
    counts in a different order.
    """
    unlocked = AttemptCount.objects.select_for_update(skip_locked=True)
    expired = unlocked.filter(expires_at__lt=timezone.now())[:ROWS_PER_BATCH]
    while should_continue():
        with transaction.atomic():
            # Read first: a subquery could run again for each row and lock different rows each time.
            keys = list(expired.values_list("pk", flat=True))
            if not keys:
                return
            AttemptCount.objects.filter(pk__in=keys).delete()


def _waits(
    limits: Iterable[Limit], rows: Iterable[AttemptCount], now: datetime
) -> dict[Limit, int]:
    counts = {row.key: row for row in rows if row.expires_at > now}
    return {
        limit: max(1, math.ceil((counts[limit.key].expires_at - now).total_seconds()))
        for limit in limits
        if limit.key in counts and counts[limit.key].count >= limit.attempts
    }


@transaction.atomic
def _take(limits: tuple[Limit, ...]) -> Attempt | None:
    """Count one attempt under each limit; return None if a count was deleted concurrently.

    Every transaction locks its rows in key order, so that transactions can't deadlock.
    """
    keys = sorted({limit.key for limit in limits})
    new = [AttemptCount(key=key, expires_at=timezone.now()) for key in keys]
    AttemptCount.objects.bulk_create(new, ignore_conflicts=True)
    rows = {row.key: row for row in _locked(keys)}
    now = timezone.now()  # after waiting for the locks
    if len(rows) < len(keys):  # a success or `forget_expired` has just deleted one
        transaction.set_rollback(True)
        return None
    waits = _waits(limits, rows.values(), now)
    if waits:
        transaction.set_rollback(True)  # also removes new rows of the other limits
        return Attempt(limits, waits)
    for limit in limits:
        _count(rows[limit.key], now, limit)
    AttemptCount.objects.bulk_update(rows.values(), ["count", "expires_at"])
    return Attempt(limits)


def _count(row: AttemptCount, now: datetime, limit: Limit) -> None:
    is_over = row.expires_at <= now
    row.count = 1 if is_over else row.count + 1
    if is_over or limit.extend:
        row.expires_at = now + timedelta(seconds=limit.seconds)


def _settle(*, lower: Iterable[Limit], remove: Iterable[Limit]) -> None:
    """Lower the counts of `lower` by one and delete those of `remove`."""
    lowered = [limit.key for limit in lower]
    removed = [limit.key for limit in remove]
    with transaction.atomic():
        list(_locked(sorted([*lowered, *removed])))
        AttemptCount.objects.filter(key__in=lowered, count__gt=0).update(count=F("count") - 1)
        AttemptCount.objects.filter(key__in=removed).delete()


def _locked(keys: list[str]) -> QuerySet[AttemptCount]:
    return AttemptCount.objects.select_for_update().filter(key__in=keys).order_by("key")
