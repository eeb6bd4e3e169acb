"""Attempts counted in the database, so that replicas and parallel guesses share one count."""

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
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


def attempt(*parts: str, limit: int, seconds: int) -> Attempt:
    """Take one of `limit` attempts at what `parts` name, before it is tried.

    Counting first is what stops parallel guesses: of a hundred sent at once, `limit` are tried. The
    count ends `seconds` after the last attempt that was let through; refused ones don't extend it.
    """
    key = hashlib.sha256("\x00".join(parts).encode()).hexdigest()
    now = timezone.now()
    with transaction.atomic():
        AttemptCount.objects.bulk_create(
            [AttemptCount(key=key, expires_at=now)], ignore_conflicts=True
        )
        row = AttemptCount.objects.select_for_update().get(key=key)
        if row.expires_at <= now:
            row.count = 0
        if row.count >= limit:
            return Attempt(key, max(1, math.ceil((row.expires_at - now).total_seconds())))
        row.count += 1
        row.expires_at = now + timedelta(seconds=seconds)
        row.save()
    return Attempt(key)


def forget_expired() -> None:
    """Remove counts that no longer hold; called at start-up, as nothing else needs them gone."""
    AttemptCount.objects.filter(expires_at__lt=timezone.now()).delete()
