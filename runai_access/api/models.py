"""Counters that all replicas share."""

from django.db import models


class AttemptCount(models.Model):
    """How often something was tried since the count began; see `throttles`."""

    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} until {self.expires_at:%H:%M:%S}"
