"""What a subject may do, each with the rule that gives it; who may do what in a scope is in
`scope_access`.

Also what would change if a rule went or a scope moved. All of it is the decision module's rules,
read in another order, and shown as far as they are in the sight of whoever asks.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
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
from accessrules.validators import is_storable
from runai_access.db.expressions import SQLiteNoIndexHint
from runai_access.errors import NotFound

NOT_FOUND = "Resource id not found."
MAX_MEMBERS = 100

# Whoever may read these may see subjects of that type, as far as they are in sight.
READ_AS = {Subject.Type.APP: "apps", Subject.Type.USER: "users", Subject.Type.GROUP: "groups"}


@dataclass(frozen=True)
class Access:
    """What one rule lets one subject do with one type of resource, in the rule's scope and below."""

    subject: Subject
    resource_type: str
    actions: tuple[str, ...]
    rule: AccessRule

    @property
    def resource_name(self) -> str:
        return RESOURCE_TYPES[self.resource_type].name

    @property
    def through(self) -> str:
        """The group that hands the rule on; empty for the subject's own."""
        return self.rule.subject.name if self.rule.subject_id != self.subject.pk else ""


@dataclass(frozen=True)
class Change:
    """What a subject loses or gains in a place by something that is about to be done."""

    subject: Subject
    lost: frozenset[Permission]
    gained: frozenset[Permission]


@dataclass(frozen=True)
class Removal:
    """What the end of a rule changes; not `is_complete` where its group has very many members, or
    some that are out of sight."""

    rule: AccessRule
    changes: list[Change]
    is_complete: bool = True


def sees_all_rules(authority: Authority) -> bool:
    """Return whether no rule in the account is out of sight: else every list may leave some out."""
    return authority.allows("read", "access_rules", ACCOUNT)


def sees_all_members(authority: Authority) -> bool:
    """Return whether no person and no application is out of sight, whatever group it is in."""
    return authority.allows("read", "users", ACCOUNT) and authority.allows("read", "apps", ACCOUNT)


def sees_all_subjects(authority: Authority) -> bool:
    """Return whether everyone who may do something in a scope is named to `authority`."""
    sees_all = sees_all_rules(authority) and sees_all_members(authority)
    return sees_all and not _holds_above(AccessRule.objects.living(), authority)


def sees_all_access(subject: Subject, authority: Authority) -> bool:
    """Return whether no rule that lets `subject` do something is out of sight."""
    return sees_all_rules(authority) and not _holds_above(rules_in_force(subject), authority)


def _holds_above(rules: AccessRuleQuerySet, authority: Authority) -> bool:
    """Return whether one of `rules` holds from above the account, where `authority` sees none."""
    if authority.allows("read", "access_rules", SYSTEM):
        return False
    return rules.filter(scope__in=Scope.objects.above_the_account()).exists()


def visible_members(authority: Authority) -> QuerySet[GroupMembership]:
    """Return the memberships of the people and applications in sight.

    A rule names its subject to whoever may read the rule; the members of a group it does not.
    """
    if sees_all_members(authority):
        # By the memberships: there may be a million living subjects in none.
        is_living = IsNull(SQLiteNoIndexHint(F("member__retired_at")), True)
        return GroupMembership.objects.filter(is_living)
    return GroupMembership.objects.filter(member__in=visible_subjects(authority).values("pk"))


def get_visible_subject(authority: Authority, subject_id: str | UUID) -> Subject:
    """Return a living subject in sight.

    Raises Denied where the caller may read no access rules, or no applications, people and groups
    at all; NotFound out of sight.
    """
    authority.require_anywhere("read", "access_rules")
    if not any(authority.allows_anywhere("read", name) for name in READ_AS.values()):
        authority.require_anywhere("read", READ_AS[Subject.Type.APP])
    try:
        return visible_subjects(authority).get(pk=UUID(str(subject_id)))
    except (ValueError, Subject.DoesNotExist):
        raise NotFound(NOT_FOUND) from None


def visible_subjects(authority: Authority) -> SubjectQuerySet:
    """Return the living applications, people and groups in sight."""
    visible = Q(pk__in=[])
    for type_, name in READ_AS.items():
        if authority.allows_anywhere("read", name):
            # Types tell few apart: by their index, all would be found and then sorted by name.
            visible |= Q(Exact(SQLiteNoIndexHint(F("type")), type_.value)) & authority.visible_q(
                name
            )
    return Subject.objects.living().filter(visible)


def get_visible_scope(authority: Authority, **key: Any) -> Scope:
    """Return a scope whose access rules the caller may read.

    Raises Denied where it may read none anywhere, NotFound out of sight, Denied where it sees the
    scope and not its rules.
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
    """Return everything `subject` may do, by the rules in the sight of `authority`. One query."""
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
    """Return the rules that would give a permission of the account if they were on the account.

    By the name of the resource type; types that another rule gives are left out. One query.
    """
    rules = list(
        (rules_in_force(subject) & authority.visible_rules()).select_related("role", "scope")
    )
    held = {permission for rule in rules for permission in grant_of(rule).permissions}
    return {
        RESOURCE_TYPES[type_].name: lacking
        for type_ in sorted(ACCOUNT_ONLY)
        if (lacking := [rule for rule in rules if _lacks(rule, type_, held)])
    }


def _lacks(rule: AccessRule, resource_type: str, held: set[Permission]) -> bool:
    return any(type_ == resource_type for _, type_ in permissions_of(rule.role) - held)


def actions_by_type(rule: AccessRule) -> dict[str, tuple[str, ...]]:
    """Return what a rule gives: for each type of resource its actions, in their usual order."""
    permissions = grant_of(rule).permissions
    found = {
        type_: tuple(action for action in ACTIONS.values() if (action, type_) in permissions)
        for type_ in RESOURCE_TYPES
    }
    return {type_: actions for type_, actions in found.items() if actions}


# What would change: asked of the same module, with and without.


def changes_by_removing(
    rules: Collection[AccessRule], authority: Authority, *, each_alone: bool = False
) -> list[Removal]:
    """Return for each rule who would lose what in its scope if all of them went.

    Nothing that another rule gives is lost; with `each_alone`, the others among `rules` give too. Of
    a group's members those in the sight of `authority` are named. Three queries, however many they
    are.
    """
    reach, is_complete = _reach(rules, authority, most=MAX_MEMBERS)
    is_complete = is_complete and sees_all_members(authority)
    holding: defaultdict[UUID, list[AccessRule]] = defaultdict(list)
    for rule in rules:
        for subject in reach[rule.pk]:
            holding[subject.pk].append(rule)
    authorities = authorities_of({s for reached in reach.values() for s in reached})
    removals = []
    for rule in rules:
        changes = []
        for subject in reach[rule.pk]:
            now = authorities[subject.pk]
            then = now.without([rule] if each_alone else holding[subject.pk])
            held, left = now.permissions_at(rule.scope), then.permissions_at(rule.scope)
            changes.append((subject, held, left))
        is_group = rule.subject.type == Subject.Type.GROUP
        removals.append(Removal(rule, _changes(changes), is_complete or not is_group))
    return removals


def changes_by_moving(scope: Scope, target: Scope, authority: Authority) -> list[Change]:
    """Return who would lose and gain what in `scope` if it stood below `target`.

    Only by rules in the sight of `authority` is anyone named: see `sees_changes_by_moving`.
    """
    rules = _rules_that_change(scope, target) & authority.visible_rules()
    reach, _ = _reach(rules.select_related("subject"), authority)
    subjects = _by_name({subject for reached in reach.values() for subject in reached})
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
    """Return whether nobody who loses or gains by such a move is out of the sight of `authority`."""
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
        Change(subject, lost=frozenset(now - then), gained=frozenset(then - now))
        for subject, now, then in found
    ]
    return [change for change in changes if change.lost or change.gained]


def _reach(
    rules: Iterable[AccessRule], authority: Authority, *, most: int | None = None
) -> tuple[dict[int, list[Subject]], bool]:
    """Return for each rule the active subjects for whom it holds: its own, and members of a group
    as far as they are in sight.

    Also whether these are all: no more than `most` memberships are looked at.
    """
    rules = list(rules)
    active = [rule for rule in rules if is_active(rule.subject)]
    groups = {rule.subject_id for rule in active if rule.subject.type == Subject.Type.GROUP}
    members: defaultdict[UUID, list[Subject]] = defaultdict(list)
    memberships = visible_members(authority).filter(group__in=groups).select_related("member")
    found = list(memberships.order_by("pk")[: most + 1] if most else memberships)
    for membership in found[:most]:
        if is_active(membership.member):
            members[membership.group_id].append(membership.member)
    reach: dict[int, list[Subject]] = {rule.pk: [] for rule in rules}
    for rule in active:
        reach[rule.pk] = [rule.subject, *_by_name(members[rule.subject_id])]
    return reach, most is None or len(found) <= most


def _by_name(subjects: Iterable[Subject]) -> list[Subject]:
    return sorted(subjects, key=lambda subject: (subject.name, str(subject.pk)))


def _order(access: Access) -> tuple[str, str, str, int]:
    scope = access.rule.scope
    return (access.resource_name, access.resource_type, scope.path, access.rule.pk)
