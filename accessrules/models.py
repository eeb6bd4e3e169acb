"""Subject, role, scope and the access rule that joins them: who is what, where."""

import secrets
import uuid
from collections.abc import Iterable, Sequence
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

from runai_access.db.expressions import BinaryCollation, InArray, SQLiteNoIndexHint
from runai_access.db.normalization import normalize
from runai_access.row_urls import row_url

models.CharField.register_lookup(Length, "length")

# A scope's path is the labels from the root down to itself, each this many decimal digits. Digits
# alone sort the same under every collation, and a fixed width makes "starts with" mean "is below".
LABEL_DIGITS = 16
SYSTEM_PATH = "0" * LABEL_DIGITS
ACCOUNT_PATH = SYSTEM_PATH + "1".zfill(LABEL_DIGITS)
# Each range can use the index, but SQLite takes no expression that is deeper than 1,000.
MAX_RANGES = 100


def at_or_below(paths: Iterable[str], field: str = "path") -> Q:
    """Return the condition that `field` is one of `paths` or below one; no paths match nothing."""
    paths = list(paths)
    if len(paths) > MAX_RANGES:
        return _among_ancestors(paths, field)
    condition = Q(pk__in=[])
    for path in paths:
        # "a" sorts after every digit, so the range holds just what begins with the path.
        condition |= Q(**{f"{field}__gte": path, f"{field}__lt": path + "a"})
    return condition


def _among_ancestors(paths: list[str], field: str) -> Q:
    """Ask the same by comparing beginnings: as many conditions as there are depths, not paths."""
    by_length = groupby(sorted(paths, key=len), key=len)
    conditions = (Q(In(Left(field, length), list(group))) for length, group in by_length)
    return reduce(or_, conditions)


class NormalizedField(models.TextField):  # type: ignore[type-arg]  # not subscriptable at run time
    """The normalized form of another field, `source`, to search, sort and compare by.

    In migrations it is a TextField: no migration names this class.
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
        """Find those whose names compare equal to `name`: more than one only from earlier versions."""
        return self.filter(Exact(BinaryCollation(F("normalized_name")), normalize(name)))

    def one_named(self, name: str) -> "Subject | None":
        """Return the subject of exactly that name, else the only one whose name compares equal."""
        same = list(self.same_name(name).order_by("pk"))
        exact = [subject for subject in same if subject.name == name]
        return (exact or same)[0] if exact or len(same) == 1 else None


class Subject(models.Model):
    """Whoever can hold a role: a person, an application, a group.

    Its owner (User, Application) shares its id as primary key. A retired subject stays, so that
    the history of its rules still reads; a new one of the same name inherits nothing from it.
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


class GroupMembership(models.Model):
    """One subject's membership of a group; the group's rules hold for it at once."""

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
    """A named set of permissions. Ids are those of the wire contract."""

    id = models.PositiveIntegerField(primary_key=True)
    name = models.CharField(max_length=100, unique=True)
    description = models.TextField()
    assignable = models.BooleanField(default=True)
    # Resource type to the letters of what may be done with it, for example {"apps": "crud"}.
    permissions = models.JSONField(default=dict)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of its own page."""
        return row_url("roles:detail", self.pk)


class ScopeQuerySet(models.QuerySet["Scope"]):
    def at_or_below(self, paths: Iterable[str]) -> Self:
        """Find those at one of `paths` or below one. The account has all but one: by the index of paths
        those would be found one by one."""
        paths = frozenset(paths)
        if SYSTEM_PATH in paths:
            return self.all()
        return self.selectable() if ACCOUNT_PATH in paths else self.filter(at_or_below(paths))

    def above_the_account(self) -> Self:
        return self.filter(type=Scope.Type.SYSTEM)

    def selectable(self) -> Self:
        """Return what the console offers: everything but `system`, which it never shows."""
        return self.exclude(type=Scope.Type.SYSTEM)


class Scope(models.Model):
    """A place in the one tree: system > account > cluster > department > project.

    `uid` is the id that the wire contract shows; `path` answers "at or below" by comparison.
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
    # A copy of the parent's type, so that the database itself can check what may stand below what.
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
        """The scope as a sentence names it, for example "project vision-train"."""
        return scope_label(self.type, self.name)

    @classmethod
    def below(cls, parent: "Scope", *, name: str, created_by: str, uid: str = "") -> "Scope":
        """Return a new, unsaved scope under `parent`, of the one type that may stand there."""
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
        """The paths of the scopes above, from the root down."""
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
        """The id of the cluster that holds the scope or is it. See `load_ancestors`."""
        if self.type == self.Type.CLUSTER:
            return self.uid
        return self.parent.cluster_uid if self.parent else None


def load_ancestors(scopes: Iterable[Scope]) -> None:
    """Load the parents of `scopes`, their parents and so on, all with one query."""
    scopes = list(scopes)
    paths = {path for scope in scopes for path in scope.ancestor_paths}
    above = {scope.path: scope for scope in Scope.objects.filter(path__in=paths)}
    for scope in (*above.values(), *scopes):
        if scope.ancestor_paths:
            scope.parent = above[scope.ancestor_paths[-1]]


def scope_label(type_: str, name: str) -> str:
    """Return a scope as a sentence names it, for example "project vision-train"."""
    return f"{Scope.Type(type_).label.lower()} {name}"


class AccessRuleQuerySet(models.QuerySet["AccessRule"]):
    def living(self) -> Self:
        return self.filter(deleted_at=None)

    def within(self, scopes: Sequence[int]) -> Self:
        """Find those in `scopes`, given by their ids: a database judges these better than paths."""
        return self.filter(InArray("scope", scopes))

    def if_within(self, scopes: Sequence[int]) -> Self:
        """Leave the same, where something else finds fewer: each is asked for its scope."""
        return self.filter(InArray(SQLiteNoIndexHint(F("scope")), scopes))


class AccessRule(models.Model):
    """`<subject> is a <role> in a <scope>`. Never edited; deleting keeps the row as history."""

    # Their indexes are below: those also tell what is asked of a rule, without a look at the row.
    subject = models.ForeignKey(
        Subject, models.PROTECT, related_name="access_rules", db_index=False
    )
    role = models.ForeignKey(Role, models.PROTECT, related_name="access_rules", db_index=False)
    scope = models.ForeignKey(Scope, models.PROTECT, related_name="access_rules", db_index=False)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)
    # Copies to sort and to find millions by; `triggers` has the database keep them right. Nothing that
    # decides reads them.
    subject_type = models.CharField(max_length=8, db_default="", editable=False)
    subject_name = models.TextField(db_default="", editable=False)
    role_name = models.TextField(db_default="", editable=False)
    scope_name = models.TextField(db_default="", editable=False)
    # When the application that is the subject was created; NULL if a user or a group is the subject.
    application_created_at = models.DateTimeField(null=True, editable=False)

    objects = AccessRuleQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["subject", "deleted_at", "scope", "role"], name="access_rule_of_subject"
            ),
            # In the usual order of the applications that hold them; with the scope and the type, to
            # tell without a look at the row whether it is in sight, and what kind of subject holds it.
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
            # By name, as those who hold something in a scope are listed.
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
            # One for each order that the table has, with the tie-break of `ui.keyset`, and the scope,
            # to tell whether the rule is in sight.
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
                )
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
        """Return what the audit record keeps of a rule."""
        return {"subject": self.subject.name, "role": self.role.name, "scope": self.scope.label}
