"""The last runs of maintenance commands, for the System page and the metrics."""

from contextlib import suppress

from django.db import DatabaseError, models, transaction
from django.utils import timezone


class MaintenanceRun(models.Model):
    """The last run of a command that operators run regularly; one row for each command."""

    command = models.CharField(max_length=32, primary_key=True)
    finished_at = models.DateTimeField()
    succeeded = models.BooleanField()
    # What it did, in one line.
    detail = models.CharField(max_length=600, blank=True)

    def __str__(self) -> str:
        return f"{self.command} at {self.finished_at}"


def record_run(command: str, *, succeeded: bool = True, detail: str = "") -> None:
    """Remember the end of a command, if the database can be written."""
    values = {"finished_at": timezone.now(), "succeeded": succeeded, "detail": detail[:600]}
    with suppress(DatabaseError), transaction.atomic():
        MaintenanceRun.objects.update_or_create(command=command, defaults=values)


class Replica(models.Model):
    """A server with this database, and when it was last seen."""

    # The host and the process ID of its main process.
    name = models.CharField(max_length=255, primary_key=True)
    version = models.CharField(max_length=32)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name


class SecretKeyUse(models.Model):
    """When a secret key was first used with this database."""

    key_id = models.CharField(max_length=16, primary_key=True)
    first_used_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key_id


class JobOutcome(models.Model):
    """The last run of a background job; `error` is empty if it succeeded."""

    name = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()
    seconds = models.FloatField()
    error = models.CharField(max_length=600, blank=True)

    def __str__(self) -> str:
        return self.name
