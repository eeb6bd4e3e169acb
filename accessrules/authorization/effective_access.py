"""Effective access: the permissions of a subject, each with the rule that grants it.

Also previews the effects of deleting a rule or moving a scope. Uses the rules of the decision module,
limited to those visible to the caller. Access to one scope is in `scope_access`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.lookups import Exact, IsNull

from accessrules.authorization.authority import ACCOUNT, SYSTEM, Authority, authorities_of
from accessrules.authorization.catalog import ACCOUNT_ONLY, RESOURCE_TYPES
from accessrules.authorization.grants import (
    ACTIONS,
    Permission,
    grant_of,
    is_active,
    permissions_of,
    rules_in_force,
)
from accessrules.models import (
    AccessRule,
    AccessRuleQuerySet,
    GroupMembership,
    Scope,
    Subject,
    SubjectQuerySet,
)
from runai_access.db.expressions import SQLiteNoIndexHint
from runai_access.db.normalization import is_storable
from runai_access.errors import NotFound

NOT_FOUND = "Resource id not found."
MAX_MEMBERS = 100

# The resource type whose read permission makes subjects of a type visible.
READ_AS = {Subject.Type.APP: "apps", Subject.Type.USER: "users", Subject.Type.GROUP: "groups"}


@dataclass(frozen=True)
class Access:
    """The actions one rule grants a subject on one resource type, in the rule's scope and below."""

    subject: Subject
    resource_type: str
    actions: tuple[str, ...]
    rule: AccessRule

    @property
    def resource_name(self) -> str:
        return RESOURCE_TYPES[self.resource_type].name

    @property
    def through(self) -> str:
        """The name of the group that has the rule; empty for the subject's own rule."""
        return self.rule.subject.name if self.rule.subject_id != self.subject.pk else ""


@dataclass(frozen=True)
class Change:
    """The permissions that a subject would lose or gain in a scope."""

    subject: Subject
    lost: frozenset[Permission]
    gained: frozenset[Permission]


@dataclass(frozen=True)
class Removal:
    """The effects of deleting a rule.

    `is_complete` is False if its group has members that are not visible, or more than MAX_MEMBERS.
    """

    rule: AccessRule
    changes: list[Change]
    is_complete: bool = True


def sees_all_rules(authority: Authority) -> bool:
    """Return whether the caller can see every access rule in the account."""
    return authority.allows("read", "access_rules", ACCOUNT)


def sees_all_members(authority: Authority) -> bool:
    """Return whether the caller can see every user and application."""
    return authority.allows("read", "users", ACCOUNT) and authority.allows("read", "apps", ACCOUNT)


def sees_all_subjects(authority: Authority) -> bool:
    """Return whether the caller can see every subject that has access to a scope."""
    sees_all = sees_all_rules(authority) and sees_all_members(authority)
    return sees_all and not _holds_above(AccessRule.objects.living(), authority)


def sees_all_access(subject: Subject, authority: Authority) -> bool:
    """Return whether the caller can see every rule that gives `subject` access."""
    return sees_all_rules(authority) and not _holds_above(rules_in_force(subject), authority)


def _holds_above(rules: AccessRuleQuerySet, authority: Authority) -> bool:
    """Return whether one of `rules` is on `system`, where the caller cannot see rules."""
    if authority.allows("read", "access_rules", SYSTEM):
        return False
    return rules.filter(scope__in=Scope.objects.above_the_account()).exists()


def visible_members(authority: Authority) -> QuerySet[GroupMembership]:
    """Return the memberships of visible users and applications.

    A caller who can read a rule can see its subject, but not all members if that is a group.
    """
    if sees_all_members(authority):
        # Start from the memberships: a million active subjects can be in no group.
        is_living = IsNull(SQLiteNoIndexHint(F("member__retired_at")), True)
        return GroupMembership.objects.filter(is_living)
    # SQLite would list all visible subjects for IN, but most are in no group.
    visible = visible_subjects(authority).filter(pk=OuterRef("member"))
    return GroupMembership.objects.filter(Exists(visible))


def get_visible_subject(authority: Authority, subject_id: str | UUID) -> Subject:
    """Return a visible, active subject.

    Raises Denied if the caller can read no access rules, or no applications, users and groups;
    NotFound if the subject is not visible.
    """
    authority.require_anywhere("read", "access_rules")
    if not any(authority.allows_anywhere("read", name) for name in READ_AS.values()):
        authority.require_anywhere("read", READ_AS[Subject.Type.APP])
    try:
        return visible_subjects(authority).get(pk=UUID(str(subject_id)))
    except (ValueError, Subject.DoesNotExist):
        raise NotFound(NOT_FOUND) from None


def visible_subjects(authority: Authority) -> SubjectQuerySet:
    """Return the visible active applications, users and groups."""
    visible = Q(pk__in=[])
    for type_, name in READ_AS.items():
        if authority.allows_anywhere("read", name):
            # The type is not selective: its index would return most rows, still to be sorted.
            visible |= Q(Exact(SQLiteNoIndexHint(F("type")), type_.value)) & authority.visible_q(
                name
            )
    return Subject.objects.living().filter(visible)


def get_scope_with_readable_rules(authority: Authority, **key: Any) -> Scope:
    """Return a scope whose access rules the caller can read.

    Raises Denied if the caller can't read rules anywhere, NotFound if the scope is not visible,
    Denied if the scope is visible but its rules are not.
    """
    authority.require_anywhere("read", "access_rules")
    visible = authority.visible_scopes() | Scope.objects.at_or_below(
        authority.scope_roots("read", "access_rules")
    )
    storable = all(is_storable(value) for value in key.values() if isinstance(value, str))
    scope = visible.filter(**key).first() if storable else None
    if scope is None:
        raise NotFound(NOT_FOUND)
    authority.require("read", "access_rules", scope)
    return scope


def effective_access(subject: Subject, authority: Authority) -> list[Access]:
    """Return the access of `subject` from the rules visible to `authority`. One query."""
    if not is_active(subject):
        return []
    rules = rules_in_force(subject) & authority.visible_rules()
    found = [
        Access(subject, resource_type, actions, rule)
        for rule in rules.select_related("subject", "role", "scope")
        for resource_type, actions in actions_by_type(rule).items()
    ]
    return sorted(found, key=_order)


def ineffective_rules(subject: Subject, authority: Authority) -> dict[str, list[AccessRule]]:
    """Return rules with account-only permissions that have no effect in their narrower scope.

    By name of the resource type, without types that another rule grants. One query.
    """
    rules = list(
        (rules_in_force(subject) & authority.visible_rules()).select_related("role", "scope")
    )
    held = {permission for rule in rules for permission in grant_of(rule).permissions}
    return {
        RESOURCE_TYPES[type_].name: ineffective
        for type_ in sorted(ACCOUNT_ONLY)
        if (ineffective := [rule for rule in rules if _lacks(rule, type_, held)])
    }


def _lacks(rule: AccessRule, resource_type: str, held: set[Permission]) -> bool:
    return any(type_ == resource_type for _, type_ in permissions_of(rule.role) - held)


def actions_by_type(rule: AccessRule) -> dict[str, tuple[str, ...]]:
    """Return the actions that a rule grants, by resource type."""
    permissions = grant_of(rule).permissions
    found = {
        type_: tuple(action for action in ACTIONS.values() if (action, type_) in permissions)
        for type_ in RESOURCE_TYPES
    }
    return {type_: actions for type_, actions in found.items() if actions}


# Previews of changes: compare decisions with and without the change.


def changes_by_removing(
    rules: Collection[AccessRule], authority: Authority, *, each_alone: bool = False
) -> list[Removal]:
    """Return the permissions that subjects would lose, by rule, if `rules` were deleted.

    Permissions that another rule grants are not lost. With `each_alone`, each rule is deleted alone,
    so the others in `rules` count too. Includes only visible group members. Always three queries.
    """
    affected, is_complete = _affected_subjects(rules, authority, limit=MAX_MEMBERS)
    is_complete = is_complete and sees_all_members(authority)
    holding: defaultdict[UUID, list[AccessRule]] = defaultdict(list)
    for rule in rules:
        for subject in affected[rule.pk]:
            holding[subject.pk].append(rule)
    authorities = authorities_of({s for subjects in affected.values() for s in subjects})
    removals = []
    for rule in rules:
        changes = []
        for subject in affected[rule.pk]:
            before = authorities[subject.pk]
            after = before.without([rule] if each_alone else holding[subject.pk])
            changes.append(
                (subject, before.permissions_at(rule.scope), after.permissions_at(rule.scope))
            )
        is_group = rule.subject.type == Subject.Type.GROUP
        removals.append(Removal(rule, _changes(changes), is_complete or not is_group))
    return removals


def changes_by_moving(scope: Scope, target: Scope, authority: Authority) -> list[Change]:
    """Return the permissions that subjects would lose or gain in `scope` if it moved to `target`.

    Includes only changes by rules visible to `authority`; see `sees_changes_by_moving`.
    """
    rules = _rules_that_change(scope, target) & authority.visible_rules()
    affected, _ = _affected_subjects(rules.select_related("subject"), authority)
    subjects = _by_name({s for subjects in affected.values() for s in subjects})
    authorities = authorities_of(subjects)
    return _changes(
        (
            s,
            authorities[s.pk].permissions_at(scope),
            authorities[s.pk].permissions_at(target) | authorities[s.pk].granted_right_in(scope),
        )
        for s in subjects
    )


def sees_changes_by_moving(scope: Scope, target: Scope, authority: Authority) -> bool:
    """Return whether the caller can see every subject that would lose or gain by the move."""
    rules = _rules_that_change(scope, target)
    if not sees_all_members(authority) and rules.filter(subject__type=Subject.Type.GROUP).exists():
        return False
    return rules.count() == (rules & authority.visible_rules()).count()


def _rules_that_change(scope: Scope, target: Scope) -> AccessRuleQuerySet:
    left, entered = set(scope.ancestor_paths), {*target.ancestor_paths, target.path}
    return AccessRule.objects.living().filter(scope__path__in=left ^ entered)


def _changes(
    found: Iterable[tuple[Subject, set[Permission], set[Permission]]],
) -> list[Change]:
    changes = [
        Change(subject, lost=frozenset(before - after), gained=frozenset(after - before))
        for subject, before, after in found
    ]
    return [change for change in changes if change.lost or change.gained]


def _affected_subjects(
    rules: Iterable[AccessRule], authority: Authority, *, limit: int | None = None
) -> tuple[dict[int, list[Subject]], bool]:
    """Return the active subjects to which each rule applies, and whether the result is complete.

    These are the rule's subject and, for a group, its visible members. Reads at most `limit`
    memberships.
    """
    rules = list(rules)
    active = [rule for rule in rules if is_active(rule.subject)]
    groups = {rule.subject_id for rule in active if rule.subject.type == Subject.Type.GROUP}
    members: defaultdict[UUID, list[Subject]] = defaultdict(list)
    memberships = visible_members(authority).filter(group__in=groups).select_related("member")
    found = list(memberships.order_by("pk")[: limit + 1] if limit else memberships)
    for membership in found[:limit]:
        if is_active(membership.member):
            members[membership.group_id].append(membership.member)
    affected: dict[int, list[Subject]] = {rule.pk: [] for rule in rules}
    for rule in active:
        affected[rule.pk] = [rule.subject, *_by_name(members[rule.subject_id])]
    return affected, limit is None or len(found) <= limit


def _by_name(subjects: Iterable[Subject]) -> list[Subject]:
    return sorted(subjects, key=lambda subject: (subject.name, str(subject.pk)))


def _order(access: Access) -> tuple[str, str, str, int]:
    scope = access.rule.scope
    return (access.resource_name, access.resource_type, scope.path, access.rule.pk)
