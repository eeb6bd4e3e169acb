"""What all replicas share so that the API keeps its promises: counts and idempotency keys."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

KEY_RETENTION = timedelta(days=1)


class AttemptCount(models.Model):
    """How often something was tried since the count began; see `throttles`."""

    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} until {self.expires_at:%H:%M:%S}"


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def expired(self) -> "IdempotencyKeyQuerySet":
        """Return the keys that are no longer kept: the same request is carried out again."""
        return self.filter(created_at__lt=timezone.now() - KEY_RETENTION)


class IdempotencyKey(models.Model):
    """That a caller's request under this key was carried out, and the id of what it made.

    Never the answer: it may have held a secret.
    """

    caller = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    made_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.key} made {self.made_id}"
