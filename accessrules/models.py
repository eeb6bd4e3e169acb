"""Subjects, roles and scopes, and the access rules that join them."""

import secrets
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce
from itertools import groupby
from operator import or_
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Left, Length
from django.db.models.lookups import Exact, In
from django.utils import timezone
from django.utils.functional import cached_property

from runai_access.db.denormalization import denormalized
from runai_access.db.expressions import BinaryCollation, InArray, SQLiteNoIndexHint
from runai_access.db.normalization import normalize
from runai_access.row_urls import row_url

models.CharField.register_lookup(Length, "length")

# A scope's path joins the labels of its ancestors and its own; each has this many decimal digits.
# Digits sort the same in every collation, and with a fixed width a prefix test means "at or below".
LABEL_DIGITS = 16
SYSTEM_PATH = "0" * LABEL_DIGITS
ACCOUNT_PATH = SYSTEM_PATH + "1".zfill(LABEL_DIGITS)
# Each range can use the index, but SQLite limits the depth of an expression to 1,000.
MAX_RANGES = 100


def at_or_below(paths: Iterable[str], field: str = "path") -> Q:
    """Return the condition that `field` is at or below one of `paths`. No paths match nothing."""
    paths = list(paths)
    if len(paths) > MAX_RANGES:
        return _has_prefix_among(paths, field)
    condition = Q(pk__in=[])
    for path in paths:
        # "a" sorts after every digit, so the range is exactly the paths with this prefix.
        condition |= Q(**{f"{field}__gte": path, f"{field}__lt": path + "a"})
    return condition


def _has_prefix_among(paths: list[str], field: str) -> Q:
    """Return the same condition with one prefix comparison for each depth instead of each path."""
    by_length = groupby(sorted(paths, key=len), key=len)
    conditions = (Q(In(Left(field, length), list(group))) for length, group in by_length)
    return reduce(or_, conditions)


class NormalizedField(models.TextField):  # type: ignore[type-arg]  # not subscriptable at run time
    """The normalized form of the field `source`, for search, sorting and comparison.

    Migrations see a plain TextField, so they do not depend on this class.
    """

    def __init__(self, *, source: str = "", **options: Any) -> None:
        super().__init__(**{"default": "", "editable": False, **options})
        self.source = source

    def deconstruct(self) -> Any:
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.TextField", args, options

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        normalized = normalize(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, normalized)
        return normalized


class SubjectQuerySet(models.QuerySet["Subject"]):
    def living(self) -> Self:
        return self.filter(retired_at=None)

    def same_name(self, name: str) -> Self:
        """Return the subjects whose names compare equal to `name`.

        Only databases of earlier versions can have more than one of a type.
        """
        return self.filter(Exact(BinaryCollation(F("normalized_name")), normalize(name)))

    def one_named(self, name: str) -> "Subject | None":
        """Return the subject with exactly this name, or else the only one whose name compares equal."""
        same = list(self.same_name(name).order_by("pk"))
        exact = [subject for subject in same if subject.name == name]
        return (exact or same)[0] if exact or len(same) == 1 else None


class Subject(models.Model):
    """A user, application or group: anything that can hold a role.

    Its owner (User, Application) uses its id as primary key. A retired subject is kept for the history
    of its rules. A new subject with the same name inherits nothing from it.
    """

    class Type(models.TextChoices):
        USER = "user", "User"
        APP = "app", "Application"
        GROUP = "group", "Group"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=8, choices=Type.choices)
    name = models.CharField(max_length=255)
    normalized_name = NormalizedField(source="name")
    enabled = models.BooleanField(default=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = SubjectQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(BinaryCollation(F("normalized_name")), F("id"), name="subject_by_name")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["type", "name"],
                condition=Q(retired_at=None),
                name="subject_name_unique_unless_retired",
            ),
            models.CheckConstraint(
                condition=Q(type__in=["user", "app", "group"]), name="subject_type_known"
            ),
            models.CheckConstraint(condition=Q(name__length__gte=1), name="subject_name_not_empty"),
            models.CheckConstraint(
                condition=Q(retired_at=None) | Q(enabled=False), name="subject_retired_is_disabled"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The type and name, for example "application ci-prod"."""
        return f"{self.get_type_display().lower()} {self.name}"


class GroupMembership(models.Model):
    """A subject's membership in a group. The group's access rules apply to its members immediately."""

    group = models.ForeignKey(Subject, models.CASCADE, related_name="memberships")
    member = models.ForeignKey(Subject, models.CASCADE, related_name="group_memberships")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "member"], name="membership_unique"),
            models.CheckConstraint(condition=~Q(group=F("member")), name="membership_not_self"),
        ]

    def __str__(self) -> str:
        return f"{self.member} in {self.group}"


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


class ScopeQuerySet(models.QuerySet["Scope"]):
    def at_or_below(self, paths: Iterable[str]) -> Self:
        """Return the scopes at or below one of `paths`.

        The account and the system need no path condition: they contain all scopes, or all but one.
        """
        paths = frozenset(paths)
        if SYSTEM_PATH in paths:
            return self.all()
        return self.selectable() if ACCOUNT_PATH in paths else self.filter(at_or_below(paths))

    def above_the_account(self) -> Self:
        return self.filter(type=Scope.Type.SYSTEM)

    def selectable(self) -> Self:
        """Return all scopes except `system`, which the console never shows."""
        return self.exclude(type=Scope.Type.SYSTEM)


class Scope(models.Model):
    """A node of the scope tree: system > account > cluster > department > project.

    `uid` is the id in the contract. `path` is a materialized path: "at or below" is a prefix test.
    """

    class Type(models.TextChoices):
        SYSTEM = "system", "System"
        TENANT = "tenant", "Account"
        CLUSTER = "cluster", "Cluster"
        DEPARTMENT = "department", "Department"
        PROJECT = "project", "Project"

    CHILD_TYPE = {
        Type.SYSTEM: Type.TENANT,
        Type.TENANT: Type.CLUSTER,
        Type.CLUSTER: Type.DEPARTMENT,
        Type.DEPARTMENT: Type.PROJECT,
    }

    type = models.CharField(max_length=16, choices=Type.choices)
    uid = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    # Denormalized, so that a check constraint can enforce the types of parent and child.
    parent_type = models.CharField(max_length=16, blank=True)
    depth = models.PositiveSmallIntegerField()
    path = models.CharField(max_length=5 * LABEL_DIGITS, unique=True)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = ScopeQuerySet.as_manager()

    class Meta:
        ordering = ["path"]
        constraints = [
            models.UniqueConstraint(fields=["type", "uid"], name="scope_id_unique"),
            models.UniqueConstraint(fields=["parent", "name"], name="scope_name_unique_in_parent"),
            models.UniqueConstraint(
                fields=["type"],
                condition=Q(type__in=["system", "tenant"]),
                name="scope_one_system_one_account",
            ),
            models.CheckConstraint(
                condition=Q(type="system", depth=0, parent=None, parent_type="")
                | Q(type="tenant", depth=1, parent__isnull=False, parent_type="system")
                | Q(type="cluster", depth=2, parent__isnull=False, parent_type="tenant")
                | Q(type="department", depth=3, parent__isnull=False, parent_type="cluster")
                | Q(type="project", depth=4, parent__isnull=False, parent_type="department"),
                name="scope_parent_type_matches",
            ),
            models.CheckConstraint(
                condition=Q(path__length=(F("depth") + 1) * LABEL_DIGITS),
                name="scope_path_matches_depth",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The type and name, for example "project vision-train"."""
        return scope_label(self.type, self.name)

    @classmethod
    def below(cls, parent: "Scope", *, name: str, created_by: str, uid: str = "") -> "Scope":
        """Return a new, unsaved child of `parent`. The parent's type determines the child's."""
        return cls(
            type=cls.CHILD_TYPE[cls.Type(parent.type)],
            uid=uid or str(uuid.uuid4()),
            name=name,
            parent=parent,
            parent_type=parent.type,
            depth=parent.depth + 1,
            path=parent.path + str(secrets.randbelow(10**LABEL_DIGITS)).zfill(LABEL_DIGITS),
            created_by=created_by,
        )

    @cached_property
    def ancestor_paths(self) -> list[str]:
        """The paths of the ancestors, from the root down."""
        return [self.path[:end] for end in range(LABEL_DIGITS, len(self.path), LABEL_DIGITS)]

    @cached_property
    def path_by_name(self) -> str:
        """The names from the account down, "acme/cluster-a/research". See `load_ancestors`."""
        if self.parent is None:
            return ""
        above = self.parent.path_by_name
        return f"{above}/{self.name}" if above else self.name

    @cached_property
    def cluster_uid(self) -> str | None:
        """The id of the cluster that contains the scope, or is the scope. See `load_ancestors`."""
        if self.type == self.Type.CLUSTER:
            return self.uid
        return self.parent.cluster_uid if self.parent else None


def load_ancestors(scopes: Iterable[Scope]) -> None:
    """Load all ancestors of `scopes` with one query."""
    scopes = list(scopes)
    paths = {path for scope in scopes for path in scope.ancestor_paths}
    above = {scope.path: scope for scope in Scope.objects.filter(path__in=paths)}
    for scope in (*above.values(), *scopes):
        if scope.ancestor_paths:
            scope.parent = above[scope.ancestor_paths[-1]]


def scope_label(type_: str, name: str) -> str:
    """Return the type and name of a scope, for example "project vision-train"."""
    return f"{Scope.Type(type_).label.lower()} {name}"


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
