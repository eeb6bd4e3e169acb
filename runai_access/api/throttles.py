"""Attempts counted in the database, so that replicas and parallel guesses share one count."""

import hashlib
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
    now = timezone.now()
    until = now + timedelta(seconds=seconds)
    with transaction.atomic():
        AttemptCount.objects.bulk_create(
            [AttemptCount(key=key, expires_at=now)], ignore_conflicts=True
        )
        row = AttemptCount.objects.select_for_update().get(key=key)
        if row.expires_at <= now:
            row.count = 0
            row.expires_at = until
        if row.count >= limit:
            return Attempt(key, max(1, math.ceil((row.expires_at - now).total_seconds())))
        row.count += 1
        row.expires_at = until if extend else row.expires_at
        row.save()
    return Attempt(key)


def forget_expired() -> None:
    """Remove counts that no longer hold; called at start-up, as nothing else needs them gone."""
    AttemptCount.objects.filter(expires_at__lt=timezone.now()).delete()
