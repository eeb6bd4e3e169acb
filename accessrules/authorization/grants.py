"""What access rules give, as the database holds it: read as far as deciding needs it, and no further.

`accessrules.authorization.authority` decides by it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, TextField, UUIDField
from django.db.models.functions import Cast

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

Permission = tuple[str, str]
"""An action and a resource type, for example ("read", "apps")."""


# What of a rule is read to decide, and no more: the columns of `_grant`.
_COLUMNS = (Cast("role__permissions", TextField()), "scope__path", "scope__type", "scope__name")
_ANYBODY = Subject(id=UUID(int=0))
_ID: "UUIDField[UUID, UUID]" = UUIDField()


@dataclass(frozen=True)
class Grant:
    """One active rule, as far as deciding needs it; its path and label are the scope's."""

    permissions: frozenset[Permission]
    path: str
    label: str


def is_active(subject: Subject) -> bool:
    """Return whether the subject may do anything at all."""
    return subject.enabled and subject.retired_at is None


def rules_in_force(subject: Subject) -> AccessRuleQuerySet:
    """Return the living rules of the subject and its enabled groups: those that decide.

    Whether the subject itself is enabled is not asked here.
    """
    return _rules_of(subject, _living_groups().filter(enabled=True))


def rules_of(subject: Subject) -> AccessRuleQuerySet:
    """Return the living rules of the subject and all its groups: also those switched off now."""
    return _rules_of(subject, _living_groups())


def grant_of(rule: AccessRule) -> Grant:
    """Return what one rule gives."""
    scope = rule.scope
    return Grant(
        effective_permissions(permissions_of(rule.role), scope.path), scope.path, scope.label
    )


def grants_of(rules: AccessRuleQuerySet) -> list[Grant]:
    """Return what `rules` give. One query."""
    return [_grant(*row) for row in rules.order_by().values_list(*_COLUMNS)]


def grants_in_force(subject: Subject) -> list[Grant]:
    """Return the grants of `rules_in_force`, none where the subject is disabled or retired by now.

    The database is asked for that too: `subject` may have been read a while ago. By the same query,
    written out once per process: Django puts a query's text together anew each time, which takes ten
    times as long as running it.
    """
    sql, parameters = _query_of_anybody()
    anybody, this = (_ID.get_db_prep_value(s.pk, connection) for s in (_ANYBODY, subject))
    with connection.cursor() as cursor:
        cursor.execute(sql, [this if value == anybody else value for value in parameters])
        return [_grant(*row) for row in cursor.fetchall()]


def grants_in_force_of(subjects: Iterable[Subject]) -> dict[UUID, list[Grant]]:
    """Return what `grants_in_force` does for each of `subjects`, by its id. Two queries in all."""
    active: dict[UUID, set[UUID]] = {s.pk: {s.pk} if is_active(s) else set() for s in subjects}
    memberships = GroupMembership.objects.filter(
        member__in=[pk for pk, own in active.items() if own],
        group__in=_living_groups().filter(enabled=True),
    )
    for member, group in memberships.values_list("member", "group"):
        active[member].add(group)
    holders = {holder for own in active.values() for holder in own}
    rules = AccessRule.objects.living().filter(subject__in=holders)
    grants: defaultdict[UUID, list[Grant]] = defaultdict(list)
    for holder, *row in rules.order_by().values_list("subject_id", *_COLUMNS):
        grants[holder].append(_grant(*row))
    return {
        subject: [grant for holder in own for grant in grants[holder]]
        for subject, own in active.items()
    }


def permissions_of(role: Role) -> frozenset[Permission]:
    """Return what `role` permits."""
    return _permissions(role.permissions)


def effective_permissions(permissions: frozenset[Permission], path: str) -> frozenset[Permission]:
    """Return which of a role's permissions a rule gives in the scope at `path`."""
    return permissions if ACCOUNT_PATH.startswith(path) else _below_the_account(permissions)


@lru_cache(maxsize=1024)
def _below_the_account(permissions: frozenset[Permission]) -> frozenset[Permission]:
    return frozenset(one for one in permissions if one[1] not in ACCOUNT_ONLY)


def _permissions(letters_of: Mapping[str, str]) -> frozenset[Permission]:
    return frozenset(
        (ACTIONS[letter], resource_type)
        for resource_type, letters in letters_of.items()
        for letter in letters
    )


@lru_cache(maxsize=1024)
def _permissions_in(text: str) -> frozenset[Permission]:
    """Read a role's permissions as the database holds them. The same text always means the same."""
    return _permissions(json.loads(text))


def _living_groups() -> SubjectQuerySet:
    return Subject.objects.living().filter(type=Subject.Type.GROUP)


def _rules_of(subject: Subject, groups: SubjectQuerySet) -> AccessRuleQuerySet:
    its_groups = groups.filter(memberships__member=subject.pk)
    # A union and not an "or": PostgreSQL would read every rule to answer that.
    holders = Subject.objects.filter(pk=subject.pk).values("pk").union(its_groups.values("pk"))
    return AccessRule.objects.living().filter(subject__in=holders)


def _grant(permissions: str, path: str, type_: str, name: str) -> Grant:
    return Grant(
        effective_permissions(_permissions_in(permissions), path), path, scope_label(type_, name)
    )


@cache
def _query_of_anybody() -> tuple[str, tuple[Any, ...]]:
    is_active_now = Exists(Subject.objects.living().filter(pk=_ANYBODY.pk, enabled=True))
    rows = rules_in_force(_ANYBODY).filter(is_active_now).order_by()
    return rows.values_list(*_COLUMNS).query.sql_with_params()
