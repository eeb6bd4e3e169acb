"""The table of `throttles`. Its migrations and its name belong to the app `api`."""

from django.db import models


class AttemptCount(models.Model):
    """The number of attempts under one limit until `expires_at`; see `throttles`."""

    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        app_label = "api"

    def __str__(self) -> str:
        return f"{self.count} until {self.expires_at:%H:%M:%S}"
