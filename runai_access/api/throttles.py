"""Attempts counted in the database, so that replicas and parallel guesses share one count."""

import hashlib
import ipaddress
import math
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from runai_access.api.models import AttemptCount


@dataclass(frozen=True)
class Attempt:
    """A place taken among the allowed attempts, or none: then `retry_after` says the seconds."""

    key: str
    retry_after: int = 0

    @property
    def refused(self) -> bool:
        return self.retry_after > 0

    def forget(self) -> None:
        """Start the count anew; for an attempt that succeeded."""
        AttemptCount.objects.filter(key=self.key).delete()

    def give_back(self) -> None:
        """Take this one attempt out of the count; for one that succeeded among others' failures."""
        AttemptCount.objects.filter(key=self.key, count__gt=0).update(count=F("count") - 1)


def attempt(*parts: str, limit: int, seconds: int, extend: bool = True) -> Attempt:
    """Take one of `limit` attempts at what `parts` name, before it is tried.

    Counting first is what stops parallel guesses: of a hundred sent at once, `limit` are tried. The
    count ends `seconds` after the last attempt that was let through or, where they don't `extend`
    it, after the first. Refused ones never do.
    """
    key = hashlib.sha256("\x00".join(parts).encode(errors="replace")).hexdigest()
    with transaction.atomic():
        row = _locked_row(key)
        now = timezone.now()  # only now: others may have held the row for a while
        until = now + timedelta(seconds=seconds)
        if row.expires_at <= now:
            row.count = 0
            row.expires_at = until
        if row.count >= limit:
            return Attempt(key, max(1, math.ceil((row.expires_at - now).total_seconds())))
        row.count += 1
        row.expires_at = until if extend else row.expires_at
        row.save()
    return Attempt(key)


def network_of(address: str | None) -> str:
    """Return what counts as one place for a limit: an IPv4 address, or an IPv6 network of 64 bits.

    Whoever has one IPv6 address has all of its network, so single ones would be no limit.
    """
    if not address or ":" not in address:
        return address or ""
    return str(ipaddress.ip_network((address, 64), strict=False))


def _locked_row(key: str) -> AttemptCount:
    """Return the count of `key`, locked; begin it where there is none."""
    while True:
        AttemptCount.objects.bulk_create(
            [AttemptCount(key=key, expires_at=timezone.now())], ignore_conflicts=True
        )
        row = AttemptCount.objects.select_for_update().filter(key=key).first()
        if row is not None:  # else a success has forgotten the count just now: begin it again
            return row


def forget_expired() -> None:
    """Remove counts that no longer hold; called at start-up, as nothing else needs them gone."""
    AttemptCount.objects.filter(expires_at__lt=timezone.now()).delete()
