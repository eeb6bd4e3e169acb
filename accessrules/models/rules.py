"""Roles, and the access rules that give them to subjects in scopes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accessrules.models.scopes import Scope
from accessrules.models.subjects import Subject
from runai_access.db.denormalization import denormalized
from runai_access.db.expressions import BinaryCollation, InArray, SQLiteNoIndexHint
from runai_access.row_urls import row_url


class Role(models.Model):
    """A named set of permissions. Ids are those of the contract."""

    id = models.PositiveIntegerField(primary_key=True)
    name = models.CharField(max_length=100, unique=True)
    description = models.TextField()
    assignable = models.BooleanField(default=True)
    # Resource type to the initials of the permitted actions, for example {"apps": "crud"}.
    permissions = models.JSONField(default=dict)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the URL of the role's page."""
        return row_url("roles:detail", self.pk)


class AccessRuleQuerySet(models.QuerySet["AccessRule"]):
    def living(self) -> Self:
        return self.filter(deleted_at=None)

    def deleted(self) -> Self:
        # SQLite uses the partial index for "IS NOT NULL", but not for the "NOT ... IS NULL" of exclude.
        return self.filter(deleted_at__isnull=False)

    def unexpired(self, at: datetime | None = None) -> Self:
        """Return the active rules that have not expired, by default now: only these give access."""
        now = timezone.now() if at is None else at
        return self.living().filter(Q(expires_at=None) | Q(expires_at__gt=now))

    def expired(self) -> Self:
        """Return the active rules that have expired. A background job deletes them within a minute."""
        return self.living().filter(expires_at__lte=timezone.now())

    def in_scopes(self, scopes: Sequence[int], *, use_index: bool) -> Self:
        """Return the rules in `scopes`. Databases estimate ids better than paths.

        Without `use_index`, SQLite tests each row: for queries with a more selective condition.
        """
        return self.filter(InArray("scope" if use_index else SQLiteNoIndexHint(F("scope")), scopes))


class AccessRule(models.Model):
    """`<subject> is a <role> in a <scope>`. Only its expiry changes; a deleted rule is history."""

    # Meta.indexes has covering indexes for these, which serve queries without reading the row.
    subject = models.ForeignKey(
        Subject, models.PROTECT, related_name="access_rules", db_index=False
    )
    role = models.ForeignKey(Role, models.PROTECT, related_name="access_rules", db_index=False)
    scope = models.ForeignKey(Scope, models.PROTECT, related_name="access_rules", db_index=False)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)  # NULL: never
    # Denormalized columns to sort and filter millions of rows by. Triggers maintain them (see
    # `triggers`). Authorization never reads them.
    subject_type = denormalized(models.CharField(max_length=8, db_default=""))
    subject_name = denormalized(models.TextField(db_default=""))
    role_name = denormalized(models.TextField(db_default=""))
    scope_name = denormalized(models.TextField(db_default=""))
    # When the subject's application was created; NULL if the subject is a user or a group.
    application_created_at = denormalized(models.DateTimeField(null=True))

    objects = AccessRuleQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["subject", "deleted_at", "scope", "role"], name="access_rule_of_subject"
            ),
            # In the default order of applications. Scope and type make it covering: it answers
            # whether a rule is visible, and its subject's type, without reading the row.
            models.Index(
                fields=[
                    "role",
                    "deleted_at",
                    "application_created_at",
                    "subject",
                    "scope",
                    "subject_type",
                    "id",
                ],
                name="access_rule_of_role",
            ),
            models.Index(
                fields=["scope", "deleted_at", "application_created_at", "subject"],
                name="access_rule_of_scope",
            ),
            # In the order of the list of a scope's subjects, by name.
            models.Index(
                F("scope"),
                F("deleted_at"),
                BinaryCollation(F("subject_name")),
                F("subject"),
                F("id"),
                F("role"),
                F("subject_type"),
                name="access_rule_in_scope",
            ),
            # One for each sort of the list, with the tie-break of `runai_access.lists.sorts`, and the
            # scope, to test visibility.
            *(
                models.Index(
                    BinaryCollation(F(path)),
                    F("id"),
                    F("scope"),
                    name=name,
                    condition=Q(deleted_at=None),
                )
                for path, name in (
                    ("subject_name", "access_rule_by_subject"),
                    ("subject_type", "access_rule_by_type"),
                    ("role_name", "access_rule_by_role"),
                    ("scope_name", "access_rule_by_scope"),
                    ("created_by", "access_rule_by_authorizer"),
                )
            ),
            *(
                models.Index(fields=[path, "id", "scope"], name=name, condition=Q(deleted_at=None))
                for path, name in (
                    ("created_at", "access_rule_by_creation"),
                    ("updated_at", "access_rule_by_update"),
                    ("expires_at", "access_rule_by_expiry"),
                )
            ),
            # The default order of the API.
            models.Index(
                fields=["id", "scope"], name="access_rule_by_id", condition=Q(deleted_at=None)
            ),
            # Deleted rules, with what their list is filtered and sorted by, so that it reads no rows.
            models.Index(
                fields=[
                    "id",
                    "scope",
                    "role",
                    "subject_name",
                    "subject_type",
                    "created_by",
                    "created_at",
                    "updated_at",
                    "deleted_at",
                    "expires_at",
                ],
                name="access_rule_deleted",
                condition=Q(deleted_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "role", "scope"],
                condition=Q(deleted_at=None),
                name="access_rule_unique_unless_deleted",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at=None) | Q(deleted_at__gte=F("created_at")),
                name="access_rule_deleted_after_created",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} is {self.role} in {self.scope.label}"

    def facts(self) -> dict[str, Any]:
        """Return the values of the rule that audit events store."""
        expiry = {"expiresAt": self.expires_at.isoformat()} if self.expires_at else {}
        return {
            "subject": self.subject.name,
            "role": self.role.name,
            "scope": self.scope.label,
            **expiry,
        }


class RuleCount(models.Model):
    """A change of the number of living access rules with a role in a scope. Their sum is the number.

    Triggers insert a row for each change, so that transactions do not wait for each other (see
    `triggers`). A background job adds up the rows of each role and scope.
    """

    # Without constraints: a change can outlive its role or scope until it is added up.
    role = models.ForeignKey(
        Role, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    scope = models.ForeignKey(
        Scope, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    number = models.IntegerField()

    class Meta:
        indexes = (
            models.Index(fields=["role", "scope", "id"], name="rule_count_by_role_and_scope"),
        )

    def __str__(self) -> str:
        return f"{self.number:+} of role {self.role_id} in scope {self.scope_id}"
