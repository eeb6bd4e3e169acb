"""Deleted applications, which can be restored."""

import uuid
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from django.db import models
from django.db.models import F
from django.utils import timezone

from accessrules.models import AccessRule, Subject
from applications.models.applications import Application
from applications.validators import DESCRIPTION_MAX_LENGTH
from runai_access.db.expressions import BinaryCollation

# How long a deleted application can be restored.
TRASH_DAYS = 30


class DeletedRule(NamedTuple):
    """An access rule that was deleted with its application. Its role or scope can be gone, too."""

    role_id: int
    role: str
    scope_id: int
    scope: str
    expires: str | None  # in ISO 8601; None: never

    @property
    def expires_at(self) -> datetime | None:
        return datetime.fromisoformat(self.expires) if self.expires else None

    def __str__(self) -> str:
        return f"{self.role} in {self.scope}"


class DeletedApplicationQuerySet(models.QuerySet["DeletedApplication"]):
    """Deleted applications; a background job removes those that can no longer be restored."""

    def restorable(self) -> Self:
        return self.filter(deleted_at__gt=_trash_begin())

    def expired(self) -> Self:
        return self.filter(deleted_at__lte=_trash_begin())

    def keep(
        self, applications: Collection["DeletedApplication"], rules: Collection[AccessRule]
    ) -> None:
        """Store `applications` with `rules`, which were deleted with them."""
        rules_of: defaultdict[uuid.UUID, list[DeletedRule]] = defaultdict(list)
        for rule in rules:
            expires = rule.expires_at.isoformat() if rule.expires_at else None
            role, scope = rule.role, rule.scope
            kept = DeletedRule(role.pk, role.name, scope.pk, scope.label, expires)
            rules_of[rule.subject_id].append(kept)
        for application in applications:
            application.rules = rules_of[application.pk]
        self.bulk_create(applications)


# The fields of an application that restoring it brings back.
KEPT_FIELDS = (
    "created_by", "created_at", "last_login", "token_lifetime",
    "owner_id", "description", "labels", "allowed_addresses",
)  # fmt: skip


def _trash_begin() -> datetime:
    return timezone.now() - timedelta(days=TRASH_DAYS)


class DeletedApplication(models.Model):
    """What is kept of a deleted application for TRASH_DAYS, to restore it.

    Its subject is kept, retired. Its client secrets and tokens are not kept.
    """

    subject = models.OneToOneField(
        Subject, models.CASCADE, primary_key=True, related_name="deleted_application"
    )
    name = models.CharField(max_length=255)
    was_enabled = models.BooleanField()
    # `DeletedRule`s, as arrays.
    rules = models.JSONField(default=list)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    last_login = models.DateTimeField(null=True)
    token_lifetime = models.PositiveIntegerField(null=True)
    owner = models.ForeignKey(Subject, models.PROTECT, null=True, related_name="+", db_index=False)
    description = models.CharField(max_length=DESCRIPTION_MAX_LENGTH)
    labels = models.JSONField(default=dict)
    allowed_addresses = models.TextField()
    deleted_by = models.CharField(max_length=255)
    deleted_at = models.DateTimeField(default=timezone.now)

    objects = DeletedApplicationQuerySet.as_manager()

    class Meta:
        # One for each sort of the list, with the tie-break of `runai_access.lists.sorts`.
        indexes = [
            models.Index(
                BinaryCollation(F("name")), F("subject"), name="deleted_application_by_name"
            ),
            models.Index(
                BinaryCollation(F("created_by")), F("subject"), name="deleted_app_by_creator"
            ),
            models.Index(
                BinaryCollation(F("deleted_by")), F("subject"), name="deleted_app_by_deleter"
            ),
            models.Index(fields=["created_at", "subject"], name="deleted_app_by_creation"),
            models.Index(fields=["deleted_at", "subject"], name="deleted_app_by_deletion"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def id(self) -> uuid.UUID:
        return self.subject_id

    @classmethod
    def of(cls, application: Application, *, deleted_by: str) -> Self:
        """Return a new, unsaved entry for an application that is about to be deleted."""
        return cls(
            subject_id=application.pk,
            name=application.name,
            was_enabled=application.enabled,
            deleted_by=deleted_by,
            **{name: getattr(application, name) for name in KEPT_FIELDS},
        )

    @property
    def deleted_rules(self) -> list[DeletedRule]:
        """The access rules that were deleted with the application."""
        return [DeletedRule(*values) for values in self.rules]

    @property
    def restorable_until(self) -> datetime:
        return self.deleted_at + timedelta(days=TRASH_DAYS)
