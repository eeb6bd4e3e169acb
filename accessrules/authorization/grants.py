"""Grants: the permissions that access rules give, read with only the columns a decision needs.

`accessrules.authorization.authority` decides with them.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import DateTimeField, Exists, QuerySet, TextField, UUIDField
from django.db.models.functions import Cast
from django.utils import timezone

from accessrules.authorization.catalog import ACCOUNT_ONLY
from accessrules.models import (
    ACCOUNT_PATH,
    AccessRule,
    AccessRuleQuerySet,
    GroupMembership,
    Role,
    Subject,
    SubjectQuerySet,
    scope_label,
)

ACTIONS = {"c": "create", "r": "read", "u": "update", "d": "delete"}
# The words of the pages, in their order.
ACTION_LABELS = {"read": "View", "update": "Edit", "create": "Create", "delete": "Delete"}

Permission = tuple[str, str]
"""An action and a resource type, for example ("read", "apps")."""

# The permission that makes a role an administrator role.
GIVE_ACCESS: Permission = ("create", "access_rules")


# The columns of a rule that a decision needs, in the order of the arguments of `_grant`.
_COLUMNS = (Cast("role__permissions", TextField()), "scope__path", "scope__type", "scope__name")
_PLACEHOLDER = Subject(id=UUID(int=0))
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_ID: "UUIDField[UUID, UUID]" = UUIDField()
_TIME: "DateTimeField[datetime, datetime]" = DateTimeField()


@dataclass(frozen=True)
class Grant:
    """The permissions that one active rule gives; `path` and `label` are those of its scope."""

    permissions: frozenset[Permission]
    path: str
    label: str


def is_active(subject: Subject) -> bool:
    """Return whether the subject is enabled and not retired."""
    return subject.enabled and subject.retired_at is None


def rules_in_force(subject: Subject) -> AccessRuleQuerySet:
    """Return the active rules of the subject and its enabled groups.

    Does not check whether the subject itself is enabled.
    """
    return _rules_of(subject, _living_groups().filter(enabled=True))


def rules_of(subject: Subject) -> AccessRuleQuerySet:
    """Return the active rules of the subject and all its groups, including disabled groups."""
    return _rules_of(subject, _living_groups())


def owners_for(subject: UUID | None) -> QuerySet[Subject, Any]:
    """Return the ids of the owners whose applications a subject owns: itself and its enabled groups."""
    if subject is None:
        return Subject.objects.none().values("pk")
    return _and_its_groups(subject, _living_groups().filter(enabled=True))


def grant_of(rule: AccessRule) -> Grant:
    """Return the grant of one rule."""
    scope = rule.scope
    return Grant(
        effective_permissions(permissions_of(rule.role), scope.path), scope.path, scope.label
    )


def grants_of(rules: AccessRuleQuerySet) -> list[Grant]:
    """Return the grants of `rules`. One query."""
    return [_grant(*row) for row in rules.order_by().values_list(*_COLUMNS)]


def grants_in_force(subject: Subject) -> list[Grant]:
    """Return the grants of `rules_in_force`; none if the subject is now disabled or retired.

    The query checks that too, because `subject` can be stale. Its SQL is compiled once per process:
    compiling it takes Django ten times as long as running it.
    """
    sql, parameters = _cached_query()
    values = {
        _ID.get_db_prep_value(_PLACEHOLDER.pk, connection): _ID.get_db_prep_value(
            subject.pk, connection
        ),
        _TIME.get_db_prep_value(_ANY_TIME, connection): _TIME.get_db_prep_value(
            timezone.now(), connection
        ),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, [values.get(value, value) for value in parameters])
        return [_grant(*row) for row in cursor.fetchall()]


def grants_in_force_of(subjects: Iterable[Subject]) -> dict[UUID, list[Grant]]:
    """Return `grants_in_force` of each subject, by id. Two queries in total."""
    subjects = list(subjects)
    active = [subject for subject in subjects if is_active(subject)]
    inactive: dict[UUID, list[Grant]] = {subject.pk: [] for subject in subjects}
    return inactive | _grants_by_subject(active, _living_groups().filter(enabled=True))


def grants_held_by(subjects: Iterable[Subject]) -> dict[UUID, list[Grant]]:
    """Return the grants of `rules_of` each subject, by id. Two queries in total."""
    return _grants_by_subject(subjects, _living_groups())


def _grants_by_subject(
    subjects: Iterable[Subject], groups: SubjectQuerySet
) -> dict[UUID, list[Grant]]:
    """Return the grants of each subject and those of `groups` that it is in, by id."""
    holders_of: dict[UUID, set[UUID]] = {subject.pk: {subject.pk} for subject in subjects}
    memberships = GroupMembership.objects.filter(member__in=holders_of, group__in=groups)
    for member, group in memberships.values_list("member", "group"):
        holders_of[member].add(group)
    holders = set().union(*holders_of.values())
    rules = AccessRule.objects.unexpired().filter(subject__in=holders)
    grants: defaultdict[UUID, list[Grant]] = defaultdict(list)
    for holder, *row in rules.order_by().values_list("subject_id", *_COLUMNS):
        grants[holder].append(_grant(*row))
    return {
        subject: [grant for holder in own for grant in grants[holder]]
        for subject, own in holders_of.items()
    }


def permissions_of(role: Role) -> frozenset[Permission]:
    """Return the permissions of `role`."""
    return _permissions(role.permissions)


def gives_access(role: Role) -> bool:
    """Return whether `role` is an administrator role: it can give access to others."""
    return GIVE_ACCESS in permissions_of(role)


def can_give_access(subject: Subject) -> bool:
    """Return whether a rule of the subject or one of its groups has an administrator role."""
    return any(GIVE_ACCESS in grant.permissions for grant in grants_of(rules_of(subject)))


def effective_permissions(permissions: frozenset[Permission], path: str) -> frozenset[Permission]:
    """Return the permissions of a role that apply in the scope at `path`."""
    return permissions if ACCOUNT_PATH.startswith(path) else _below_the_account(permissions)


@lru_cache(maxsize=1024)
def _below_the_account(permissions: frozenset[Permission]) -> frozenset[Permission]:
    return frozenset(item for item in permissions if item[1] not in ACCOUNT_ONLY)


def _permissions(letters_of: Mapping[str, str]) -> frozenset[Permission]:
    return frozenset(
        (ACTIONS[letter], resource_type)
        for resource_type, letters in letters_of.items()
        for letter in letters
    )


@lru_cache(maxsize=1024)
def _permissions_in(text: str) -> frozenset[Permission]:
    """Parse a role's permissions from the JSON text in the database."""
    return _permissions(json.loads(text))


def _living_groups() -> SubjectQuerySet:
    return Subject.objects.living().filter(type=Subject.Type.GROUP)


def _rules_of(subject: Subject, groups: SubjectQuerySet) -> AccessRuleQuerySet:
    holders = _and_its_groups(subject.pk, groups)
    return AccessRule.objects.unexpired().filter(subject__in=holders)


def _and_its_groups(subject: UUID, groups: SubjectQuerySet) -> QuerySet[Subject, Any]:
    its_groups = groups.filter(memberships__member=subject)
    # A UNION, not an OR: with OR, PostgreSQL reads every rule.
    return Subject.objects.filter(pk=subject).values("pk").union(its_groups.values("pk"))


def _grant(permissions: str, path: str, type_: str, name: str) -> Grant:
    return Grant(
        effective_permissions(_permissions_in(permissions), path), path, scope_label(type_, name)
    )


@cache
def _cached_query() -> tuple[str, tuple[Any, ...]]:
    is_active_now = Exists(Subject.objects.living().filter(pk=_PLACEHOLDER.pk, enabled=True))
    holders = _and_its_groups(_PLACEHOLDER.pk, _living_groups().filter(enabled=True))
    rules = AccessRule.objects.unexpired(at=_ANY_TIME).filter(subject__in=holders)
    rows = rules.filter(is_active_now).order_by()
    return rows.values_list(*_COLUMNS).query.sql_with_params()
