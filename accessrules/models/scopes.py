"""Where a role is held: the scope tree, and conditions on the paths of its nodes."""

import secrets
import uuid
from collections.abc import Iterable
from functools import reduce
from itertools import groupby
from operator import or_
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Left
from django.db.models.lookups import In
from django.utils import timezone
from django.utils.functional import cached_property

# A scope's path joins the labels of its ancestors and its own; each has this many decimal digits.
# Digits sort the same in every collation, and with a fixed width a prefix test means "at or below".
LABEL_DIGITS = 16
SYSTEM_PATH = "0" * LABEL_DIGITS
ACCOUNT_PATH = SYSTEM_PATH + "1".zfill(LABEL_DIGITS)
# Each range can use the index, but SQLite limits the depth of an expression to 1,000.
_MAX_RANGES = 100


def at_or_below(paths: Iterable[str], field: str = "path") -> Q:
    """Return the condition that `field` is at or below one of `paths`. No paths match nothing."""
    paths = list(paths)
    if len(paths) > _MAX_RANGES:
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
