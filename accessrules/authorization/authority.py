"""May this subject do this here? The one place that decides.

A subject may do an action on a type of resource in a scope when an active rule of its own, or of one
of its groups, holds a role with that permission at the scope or above it. Everything else here is
that sentence asked in another way: where may it, which scopes and rules may it see, which roles may
it grant, whom may it handle. Nothing is allowed that no rule allows.

An `Authority` is one subject's rules, read with one query and then asked as often as needed; it is
made anew for every request, so a rule that was removed is gone with the next one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.authorization.grants import (
    ACTIONS,
    Grant,
    Permission,
    effective_permissions,
    grant_of,
    grants_in_force,
    grants_in_force_of,
    grants_of,
    is_active,
    permissions_of,
    rules_of,
)
from accessrules.models import (
    ACCOUNT_PATH,
    LABEL_DIGITS,
    SYSTEM_PATH,
    AccessRule,
    AccessRuleQuerySet,
    Role,
    Scope,
    ScopeQuerySet,
    Subject,
    at_or_below,
)
from runai_access.errors import Denied


class Place(Protocol):
    """What a question needs to know of a scope: where it stands, and what to call it."""

    @property
    def path(self) -> str: ...
    @property
    def label(self) -> str: ...


@dataclass(frozen=True)
class _Place:
    path: str
    label: str


SYSTEM: Place = _Place(SYSTEM_PATH, "system")
ACCOUNT: Place = _Place(ACCOUNT_PATH, "the account")
_BELOW_ACCOUNT: Place = _Place(ACCOUNT_PATH + LABEL_DIGITS * "0", "a cluster")
_AUDIT_LOG: Permission = ("read", "events-history")


class Authority:
    """Everything that one subject may do."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self._grants = tuple(grants)
        self._reach: dict[Permission, tuple[str, ...]] = {}
        self._scopes: dict[tuple[str, ...], list[int]] = {}

    def scope_roots(self, action: str, resource_type: str) -> tuple[str, ...]:
        """Return the paths of the topmost scopes in which this is allowed; below them it is too."""
        permission = (action, resource_type)
        reach = self._reach.get(permission)
        if reach is None:
            paths = (grant.path for grant in self._grants if permission in grant.permissions)
            reach = self._reach[permission] = _topmost(paths)
        return reach

    def allows(self, action: str, resource_type: str, place: Place) -> bool:
        """Return whether this is allowed in `place`."""
        return place.path.startswith(self.scope_roots(action, resource_type))

    def allows_anywhere(self, action: str, resource_type: str) -> bool:
        """Return whether there is any scope in which this is allowed."""
        return bool(self.scope_roots(action, resource_type))

    def without(self, rules: Iterable[AccessRule]) -> "Authority":
        """Return what would be left without these rules, each of which holds for this subject."""
        left = list(self._grants)
        for rule in rules:
            gone = grant_of(rule)
            if gone in left:  # of two that are alike, from two groups, one stays
                left.remove(gone)
        return Authority(left)

    def permissions_at(self, place: Place) -> set[Permission]:
        """Return every permission that holds in `place`."""
        held: set[Permission] = set()
        for grant in self._grants:
            if place.path.startswith(grant.path):
                held |= grant.permissions
        return held

    def granted_right_in(self, place: Place) -> set[Permission]:
        """Return the permissions that rules on `place` itself give: those that move with it."""
        held = (grant.permissions for grant in self._grants if grant.path == place.path)
        return set().union(*held)

    def permissions(self) -> set[Permission]:
        """Return every permission that holds somewhere."""
        return {permission for grant in self._grants for permission in grant.permissions}

    def require(self, action: str, resource_type: str, place: Place) -> None:
        """Raise Denied unless this is allowed in `place`."""
        if not self.allows(action, resource_type, place):
            raise Denied(
                f"This takes {describe_permission((action, resource_type))} in {place.label}."
            )

    @property
    def reads_audit_log(self) -> bool:
        """Whether the audit log may be read: it belongs to the account (`ACCOUNT_ONLY`)."""
        return self.allows(*_AUDIT_LOG, ACCOUNT)

    def require_audit_log(self) -> None:
        """Raise Denied unless the audit log may be read."""
        self.require(*_AUDIT_LOG, ACCOUNT)

    def require_anywhere(self, action: str, resource_type: str) -> None:
        """Raise Denied unless this is allowed in some scope: asked before anything is looked up."""
        if not self.allows_anywhere(action, resource_type):
            raise Denied(
                f"This takes {describe_permission((action, resource_type))}, "
                "and no access rule gives it."
            )

    # Delegation: nobody hands out, or comes to hold, more than they hold themselves.

    def can_grant(self, role: Role, scope: Place) -> bool:
        """Return whether this subject may give `role` to someone in `scope`."""
        return not self._missing_to_grant(role, scope)

    def require_can_grant(self, role: Role, scope: Place) -> None:
        """Raise Denied unless `role` may be granted in `scope`; say what is missing."""
        missing = self._missing_to_grant(role, scope)
        if missing:
            raise Denied(
                f"Granting {role.name} in {scope.label} takes {_describe_some(missing)} there."
            )

    def require_can_impersonate(self, subject: Subject) -> None:
        """Raise Denied unless this subject holds every permission that `subject` holds.

        Whoever can make a credential for another can act as it. What `subject` would hold if it, or
        a group of its, were enabled counts too: enabling comes later, the credential is still good.
        """
        for grant in grants_of(rules_of(subject)):
            missing = grant.permissions - self.permissions_at(grant)
            if missing:
                raise Denied(
                    f"{subject.name} holds {_describe_some(missing)} in {grant.label}; "
                    f"{_handling(subject)} takes the same."
                )

    def require_can_move_from(self, scope: Scope, *, source: Place) -> None:
        """Raise Denied unless `scope` may be taken from below `source`.

        Rules stop to hold in it there: that is deleting.
        """
        self.require("update", scope.type, source)
        self.require("delete", "access_rules", source)

    def require_can_move(self, scope: Scope, *, source: Scope, target: Scope) -> None:
        """Raise Denied unless `scope` may be moved from below `source` to below `target`.

        Where it comes to, rules begin to hold in it: that is granting, and takes every such grant.
        """
        self.require_can_move_from(scope, source=source)
        self.require("create", scope.type, target)
        for role in _roles_gained_by_moving(source, target):
            self.require_can_grant(role, target)

    def can_move_from(self, scope: Scope) -> bool:
        """Return whether `scope` may be taken from where it stands; where to is asked of each place."""
        try:
            self.require_can_move_from(scope, source=_Place(scope.ancestor_paths[-1], label=""))
        except Denied:
            return False
        return True

    def _missing_to_grant(self, role: Role, scope: Place) -> frozenset[Permission]:
        return (
            effective_permissions(permissions_of(role), scope.path) | {("create", "access_rules")}
        ) - self.permissions_at(scope)

    # Sight: lists, single reads, counts and exports all start from these.

    def visible_q(self, resource_type: str) -> Q:
        """Return the condition on applications or people (by their subject's id) to be in sight.

        They belong to the account: who reads them there sees all. Who reads them in a narrower
        scope sees those that have a rule in it or below.
        """
        if self.allows("read", resource_type, ACCOUNT):
            return Q()
        rules = AccessRule.objects.living().if_within(self.scopes_to_read(resource_type))
        return Q(Exists(rules.filter(subject=OuterRef("pk"))))

    def scopes_to_read(self, resource_type: str) -> list[int]:
        """Return the scopes in which this may be read. One query, once.

        Where not all applications or people are in sight, a rule in one of these brings them there.
        """
        paths = self.scope_roots("read", resource_type)
        if paths not in self._scopes:
            scopes = Scope.objects.at_or_below(paths).order_by()
            self._scopes[paths] = list(scopes.values_list("pk", flat=True))
        return self._scopes[paths]

    def visible_scopes(self) -> ScopeQuerySet:
        """Return the scopes that may be read: each type of scope is a resource type of its own."""
        condition = Q(pk__in=[])
        for type_ in Scope.Type.values:
            condition |= Q(type=type_) & at_or_below(self.scope_roots("read", type_))
        return Scope.objects.filter(condition)

    def visible_rules(
        self, *, by_scope: bool = False, in_account: bool = False
    ) -> AccessRuleQuerySet:
        """Return the rules, deleted ones too, in scopes where access rules may be read.

        `by_scope` says that nothing else leaves fewer, and the index of scopes is to find them;
        `in_account`, that only rules of scopes in the account are asked for: others may come with them.
        """
        if self.allows("read", "access_rules", SYSTEM):
            return AccessRule.objects.all()
        if self.allows("read", "access_rules", ACCOUNT):
            if in_account:
                return AccessRule.objects.all()
            # The same, asked of the few scopes that are not there.
            return AccessRule.objects.exclude(scope__in=Scope.objects.above_the_account())
        scopes = self.scopes_to_read("access_rules")
        rules = AccessRule.objects.all()
        return rules.within(scopes) if by_scope else rules.if_within(scopes)

    def nameable_scopes(self) -> ScopeQuerySet:
        """Return the scopes that may be named in a request: to read, or to grant something in."""
        granting = self.scope_roots("create", "access_rules")
        return self.visible_scopes() | Scope.objects.at_or_below(granting)

    def grantable_scopes(self) -> ScopeQuerySet:
        """Return the scopes in which access rules may be created."""
        return Scope.objects.selectable().at_or_below(self.scope_roots("create", "access_rules"))

    def grantable_roles(self) -> list[Role]:
        """Return the assignable roles that may be granted in at least one scope."""
        places: list[Place] = [
            grant for grant in self._grants if self.allows("create", "access_rules", grant)
        ]
        # A role requires less where a permission of the account is not given.
        if any(ACCOUNT.path.startswith(place.path) for place in places):
            places.append(_BELOW_ACCOUNT)
        roles = Role.objects.filter(assignable=True)
        return [role for role in roles if any(self.can_grant(role, place) for place in places)]


def authority_of(subject: Subject) -> Authority:
    """Return what `subject` may do now; a disabled or retired one may do nothing. One query."""
    return Authority(grants_in_force(subject) if is_active(subject) else [])


def authorities_of(subjects: Iterable[Subject]) -> dict[UUID, Authority]:
    """Return what each of `subjects` may do now, by its id. Two queries, however many they are."""
    grants = grants_in_force_of(subjects)
    return {subject: Authority(own) for subject, own in grants.items()}


def unlimited_authority() -> Authority:
    """Return the authority of commands and first start: whoever runs them holds the machine anyway."""
    everything = frozenset(
        (action, resource_type) for action in ACTIONS.values() for resource_type in RESOURCE_TYPES
    )
    return Authority([Grant(everything, path="", label="everything")])


def allowed(subject: Subject, action: str, resource_type: str, place: Place) -> bool:
    """Return whether `subject` may do `action` on `resource_type` in `place`."""
    return authority_of(subject).allows(action, resource_type, place)


def _roles_gained_by_moving(source: Scope, target: Scope) -> QuerySet[Role]:
    """Return the roles of the rules that hold at `target` and not at `source`."""
    gained = {*target.ancestor_paths, target.path} - {*source.ancestor_paths, source.path}
    rules = AccessRule.objects.living().filter(scope__path__in=gained, role=OuterRef("pk"))
    return Role.objects.filter(Exists(rules))


def _handling(subject: Subject) -> str:
    is_group = subject.type == Subject.Type.GROUP
    return "handing that to others" if is_group else "handling its credentials"


def _topmost(paths: Iterable[str]) -> tuple[str, ...]:
    """Drop every path that is below another one."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not kept or not path.startswith(kept[-1]):
            kept.append(path)
    return tuple(kept)


def describe_permission(permission: Permission) -> str:
    """Return a permission as a sentence names it, for example "create on Applications"."""
    action, resource_type = permission
    return f"{action} on {RESOURCE_TYPES[resource_type].name}"


def _describe_some(permissions: Iterable[Permission]) -> str:
    ordered = sorted(permissions)
    shown = ", ".join(describe_permission(permission) for permission in ordered[:3])
    rest = len(ordered) - 3
    return f"{shown} and {rest} more" if rest > 0 else shown
