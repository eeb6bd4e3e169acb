"""The append-only record of what happened."""

from collections.abc import Collection, Iterable
from typing import Any, NoReturn

from django.db import models
from django.utils import timezone


class AppendOnly(Exception):
    """A row of the record was about to be changed or removed."""


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Audit events are never changed.")

    def bulk_create(
        self,
        objs: Iterable["AuditEvent"],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list["AuditEvent"]:
        if update_conflicts:
            raise AppendOnly("Audit events are never changed.")
        return super().bulk_create(objs, batch_size, ignore_conflicts)

    def delete(self) -> NoReturn:
        raise AppendOnly("Audit events are never deleted.")


class AuditEvent(models.Model):
    """One thing that happened: who did what, on what, from where, with what result.

    Names are copied, not referenced, so that a row still reads when what it names is gone.
    """

    class Result(models.TextChoices):
        SUCCEEDED = "Succeeded"
        FAILED = "Failed"

    time = models.DateTimeField(default=timezone.now, db_index=True)
    subject_type = models.CharField(max_length=16)
    subject_id = models.UUIDField(null=True, db_index=True)
    subject_name = models.CharField(max_length=255)
    action = models.CharField(max_length=32)
    entity_type = models.CharField(max_length=32)
    entity_id = models.CharField(max_length=64)
    entity_name = models.CharField(max_length=600)
    result = models.CharField(max_length=16, choices=Result.choices)
    reason = models.CharField(max_length=600, blank=True)
    changes = models.JSONField(default=dict, blank=True)
    source_ip = models.GenericIPAddressField(null=True)
    http_method = models.CharField(max_length=8, blank=True)
    path = models.CharField(max_length=600, blank=True)
    request_id = models.UUIDField(null=True)
    # Set on events that are told once a minute only: the digest of what makes two of them the same.
    once_key = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001  (NULLs never collide)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["entity_type", "entity_id", "time"], name="audit_entity_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(result__in=["Succeeded", "Failed"]), name="audit_result_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_name} {self.action} {self.entity_type} {self.entity_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk or not self._state.adding:
            raise AppendOnly("Audit events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Audit events are never deleted.")
