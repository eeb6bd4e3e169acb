"""Idempotency keys, which all replicas share."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from runai_access.security.models import AttemptCount  # noqa: F401  # Django looks for it here

KEY_RETENTION = timedelta(days=1)


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
    result_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.key} made {self.result_id}"
