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
