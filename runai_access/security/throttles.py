"""Attempts counted in the database, so that replicas and parallel guesses share one count."""

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
    """At most `attempts` in `seconds` at what `parts` name.

    With `extend` the count ends `seconds` after the last attempt that was let through, else after
    the first. A success takes its own attempt back, or ends the count where it `clears` it.
    """

    parts: tuple[str, ...]
    attempts: int
    seconds: int
    extend: bool = False
    clears: bool = False

    @property
    def key(self) -> str:
        """The digest that the count is stored under, so that the table names nobody."""
        text = "\x00".join(self.parts)
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()


@dataclass(frozen=True)
class Attempt:
    """One attempt that is counted under every limit, or under none: then `waits` names the limits
    that are used up, with the seconds until each ends."""

    limits: tuple[Limit, ...]
    waits: dict[Limit, int] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        return bool(self.waits)

    @property
    def retry_after(self) -> int:
        return max(self.waits.values(), default=0)

    def forget(self) -> None:
        """End the counts; for an attempt that succeeded."""
        _settle(lower=(), remove=self.limits)

    def give_back(self) -> None:
        """Take this one attempt out of the counts; for one that was never tried."""
        _settle(lower=self.limits, remove=())

    def succeed(self) -> None:
        """Take this attempt out of the counts, and end those that a success clears."""
        lower = [limit for limit in self.limits if not limit.clears]
        _settle(lower=lower, remove=[limit for limit in self.limits if limit.clears])


def attempt(*parts: str, limit: int, seconds: int, extend: bool = True) -> Attempt:
    """Take one of `limit` attempts at what `parts` name, before it is tried; see `attempt_all`."""
    one = Limit(parts, limit, seconds, extend=extend)
    waits = used_up(one)
    return Attempt((one,), waits) if waits else attempt_all(one)


def attempt_all(*limits: Limit) -> Attempt:
    """Take one attempt under each limit before it is tried, or none where a limit is used up.

    Counting first is what stops parallel guesses: of a hundred sent together, as many are tried as
    the limit allows. A refused attempt leaves nothing behind and never extends a wait. Ask `used_up`
    before: that refuses most without a lock.
    """
    while True:
        taken = _take(limits)
        if taken is not None:
            return taken


def used_up(*limits: Limit) -> dict[Limit, int]:
    """Return the limits without another attempt, and the seconds until each ends; count nothing."""
    rows = AttemptCount.objects.filter(key__in=[limit.key for limit in limits])
    return _waits(limits, rows, timezone.now())


def network_of(address: str | None, *, prefix: int = 64) -> str:
    """Return what counts as one place for a limit: an IPv4 address, or an IPv6 network.

    A client with one IPv6 address usually has all 2^64 of its network, so a limit for each address
    would be none.
    """
    if not address or ":" not in address:
        return address or ""
    return str(ipaddress.ip_network((address, prefix), strict=False))


def forget_expired(should_continue: Callable[[], bool] = lambda: True) -> None:
    """Delete counts that have expired, a batch in each transaction.

    Counts that an attempt is renewing are skipped: waiting for them could end in a deadlock, because
    attempts lock their counts in another order.
    """
    unlocked = AttemptCount.objects.select_for_update(skip_locked=True)
    expired = unlocked.filter(expires_at__lt=timezone.now())[:ROWS_PER_BATCH]
    while should_continue():
        with transaction.atomic():
            # Read first: as a subquery it could run again for each row, and lock other rows each time.
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
    """Count one attempt under each limit; return None where a count was removed meanwhile.

    Every transaction locks its rows in the order of their keys, so none waits for another in turn.
    """
    keys = sorted({limit.key for limit in limits})
    new = [AttemptCount(key=key, expires_at=timezone.now()) for key in keys]
    AttemptCount.objects.bulk_create(new, ignore_conflicts=True)
    rows = {row.key: row for row in _locked(keys)}
    now = timezone.now()  # only now: others may have held the rows for a while
    if len(rows) < len(keys):  # a success or `forget_expired` removed one just now
        transaction.set_rollback(True)
        return None
    waits = _waits(limits, rows.values(), now)
    if waits:
        transaction.set_rollback(True)  # the rows of the other limits, which may be new
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
    """Lower some counts by one and remove others."""
    lowered = [limit.key for limit in lower]
    removed = [limit.key for limit in remove]
    with transaction.atomic():
        list(_locked(sorted([*lowered, *removed])))
        AttemptCount.objects.filter(key__in=lowered, count__gt=0).update(count=F("count") - 1)
        AttemptCount.objects.filter(key__in=removed).delete()


def _locked(keys: list[str]) -> QuerySet[AttemptCount]:
    return AttemptCount.objects.select_for_update().filter(key__in=keys).order_by("key")
