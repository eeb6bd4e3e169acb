"""The append-only audit log, its seals and its archives."""

from collections.abc import Collection, Iterable
from typing import Any, NoReturn, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact
from django.utils import timezone

from runai_access.audit.chain import tag_of
from runai_access.audit.expressions import HttpMethod, SubjectType
from runai_access.db.expressions import SQLiteNoIndexHint
from runai_access.db.normalization_sql import LowerAscii, is_exactly


class AppendOnly(Exception):
    """Code tried to change or delete a row of the audit log."""


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Audit events cannot be changed.")

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
            raise AppendOnly("Audit events cannot be changed.")
        events = list(objs)
        for event in events:
            event.tag = tag_of(vars(event))
        return super().bulk_create(events, batch_size, ignore_conflicts)

    def delete(self) -> NoReturn:
        raise AppendOnly("Audit events cannot be deleted.")

    def remove_archived(self) -> None:
        """Delete archived events. The database refuses events that are not in `PendingArchival`."""
        super().delete()


class AuditEvent(models.Model):
    """One audit event: subject, action, entity, source and result.

    Names are copied, not referenced, so that events stay readable after their entities are deleted.
    `tag` authenticates rows that this product wrote (see `chain`). The database adds each new row to
    `Unsealed`, and refuses to change or delete rows (see `guards`).
    """

    class Result(models.TextChoices):
        SUCCEEDED = "Succeeded"
        FAILED = "Failed"

    time = models.DateTimeField(default=timezone.now, db_index=True)
    subject_type = models.CharField(max_length=16)
    subject_id = models.UUIDField(null=True)
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
    # Set on events that are logged once a minute: a digest that equal events of that minute share.
    deduplication_key = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001  (NULLs never collide)
    tag = models.CharField(max_length=64, db_default="")

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        # One for each filter that can drive a query of the audit log: see `activity.bounded_query`.
        # One for each sort of the API, too: by the column, then by the time.
        indexes = [
            models.Index(fields=["entity_type", "entity_id", "time"], name="audit_entity_time"),
            models.Index(fields=["entity_type", "time"], name="audit_entity_type_time"),
            models.Index(fields=["subject_id", "time"], name="audit_subject_time"),
            # With the result, because queries for failures of one action are common.
            models.Index(fields=["action", "time", "result"], name="audit_action_time"),
            # With the action, because the API lists the events of some actions only. With the ID, so
            # that PostgreSQL tests the action without reading the row.
            models.Index(fields=["result", "time", "id", "action"], name="audit_by_result"),
            models.Index(fields=["source_ip", "time"], name="audit_source_ip_time"),
            models.Index(SubjectType("subject_type"), F("time"), name="audit_subject_type_time"),
            models.Index(HttpMethod(), F("time"), name="audit_http_method_time"),
            *(
                models.Index(LowerAscii(F(column)), F("time"), name=name)
                for column, name in (
                    ("subject_name", "audit_by_subject_name"),
                    ("entity_name", "audit_by_entity_name"),
                    ("entity_id", "audit_by_entity_id"),
                    ("path", "audit_by_path"),
                )
            ),
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
            raise AppendOnly("Audit events cannot be changed.")
        self.tag = tag_of(vars(self))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Audit events cannot be deleted.")


def is_known_by_name(entity_type: str, *names: str) -> Q:
    """Return the condition for events about an entity of which only the name is known.

    Such as failed sign-ins. The index on the name serves it: those on the type would read more.
    """
    type_, id_ = SQLiteNoIndexHint(F("entity_type")), SQLiteNoIndexHint(F("entity_id"))
    return is_exactly("entity_name", *names) & Q(Exact(type_, entity_type), Exact(id_, ""))


class Unsealed(models.Model):
    """An event without a seal. A trigger adds each new event here."""

    event_id = models.BigIntegerField(primary_key=True)


class SealQuerySet(models.QuerySet["Seal"]):
    def with_countersignatures(self) -> Self:
        """Add `countersigned_by`, the key's identifier, and `countersignature`."""
        found = Countersignature.objects.filter(kind="seal", number=models.OuterRef("number"))
        return self.annotate(
            countersigned_by=models.Subquery(found.values("key_id")[:1]),
            countersignature=models.Subquery(found.values("hash")[:1]),
        )


class Seal(models.Model):
    """One link of the hash chain. It covers the events in `event_ids` and the previous seal.

    `event_ids` are ascending ranges ("17-40,43"). An event that is committed late is in a later seal,
    whatever its id. The events of a seal are of one day (UTC).
    """

    number = models.BigIntegerField(primary_key=True)
    sealed_at = models.DateTimeField()
    newest = models.DateTimeField()
    event_ids = models.TextField()
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    key_id = models.CharField(max_length=16)
    hash = models.CharField(max_length=64)

    objects = SealQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Seal {self.number} of rows {self.event_ids}"


class Archive(models.Model):
    """A file with the seals up to `last_seal` and their events, which are deleted from the database.

    `head` is the hash of the last seal; the remaining chain continues from it.
    """

    first_seal = models.BigIntegerField()
    last_seal = models.BigIntegerField(primary_key=True)
    events = models.BigIntegerField()
    head = models.CharField(max_length=64)
    file_name = models.CharField(max_length=255)
    file_sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"Seals {self.first_seal} to {self.last_seal} in {self.file_name}"


class Countersignature(models.Model):
    """Authenticates a seal or an archive of a former secret key with the current one.

    `number` is that of the seal, or of the last seal of the archive. Without it, the entry can't be
    verified once the former key is gone.
    """

    class Kind(models.TextChoices):
        SEAL = "seal"
        ARCHIVE = "archive"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    number = models.BigIntegerField()
    key_id = models.CharField(max_length=16)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="audit_countersignature_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["seal", "archive"]), name="audit_countersignature_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"Countersignature of {self.kind} {self.number}"


class OutputPosition(models.Model):
    """The last seal whose rows were written to RUNAI_ACCESS_AUDIT_LOG."""

    NAME = "log"

    name = models.CharField(max_length=16, primary_key=True)
    seal = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name}: seal {self.seal}"


class PendingArchival(models.Model):
    """An archived event that the current transaction deletes. Outside of it the table is empty."""

    event_id = models.BigIntegerField(primary_key=True)
