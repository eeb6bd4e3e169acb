"""Idempotency keys, shared by all replicas."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from runai_access.security.models import AttemptCount  # noqa: F401  # Django finds models here

KEY_RETENTION = timedelta(days=1)


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def expired(self) -> "IdempotencyKeyQuerySet":
        """Return the expired keys. A request with such a key is processed again."""
        return self.filter(created_at__lt=timezone.now() - KEY_RETENTION)


class IdempotencyKey(models.Model):
    """The key of a processed request, and the ID of the created object or operation.

    The response is not stored, because it can contain a secret.
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
        return f"{self.key}: {self.result_id}"
