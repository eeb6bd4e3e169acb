"""May this subject do this here? The one place that decides.

A subject may do an action on a type of resource in a scope when an active rule of its own, or of one
of its groups, holds a role with that permission at the scope or above it. Everything else here is
that sentence asked in another way: where may it, which scopes and rules may it see, which roles may
it grant, whom may it handle. Nothing is allowed that no rule allows.

An `Authority` is one subject's rules, read with one query and then asked as often as needed; it is
made anew for every request, so a rule that was removed is gone with the next one.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from django.db.models import Exists, OuterRef, Q

from accessrules.catalogue import RESOURCE_TYPES, SYSTEM_ADMINISTRATOR_ID
from accessrules.models import (
    ACCOUNT_PATH,
    AccessRule,
    AccessRuleQuerySet,
    Role,
    Scope,
    ScopeQuerySet,
    Subject,
    at_or_below,
)
from runai_access.errors import Denied

ACTIONS = {"c": "create", "r": "read", "u": "update", "d": "delete"}

Permission = tuple[str, str]
"""An action and a resource type, for example ("read", "apps")."""


class Place(Protocol):
    """What a question needs to know of a scope: where it stands, and what to call it."""

    @property
    def path(self) -> str: ...
    @property
    def label(self) -> str: ...


@dataclass(frozen=True)
class _Account:
    path: str = ACCOUNT_PATH
    label: str = "the account"


ACCOUNT: Place = _Account()


@dataclass(frozen=True)
class Grant:
    """One active rule, as far as deciding needs it; its path and label are the scope's."""

    permissions: frozenset[Permission]
    path: str
    label: str
    role_id: int | None = None


class Authority:
    """Everything that one subject may do."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self._grants = tuple(grants)
        reach: defaultdict[Permission, list[str]] = defaultdict(list)
        for grant in self._grants:
            for permission in grant.permissions:
                reach[permission].append(grant.path)
        self._reach = {permission: _topmost(paths) for permission, paths in reach.items()}

    def where(self, action: str, resource_type: str) -> tuple[str, ...]:
        """Return the paths of the topmost scopes in which this is allowed; below them it is too."""
        return self._reach.get((action, resource_type), ())

    def allows(self, action: str, resource_type: str, place: Place) -> bool:
        """Return whether this is allowed in `place`."""
        return place.path.startswith(self.where(action, resource_type))

    def allows_anywhere(self, action: str, resource_type: str) -> bool:
        """Return whether there is any scope in which this is allowed."""
        return bool(self.where(action, resource_type))

    def permissions_at(self, place: Place) -> set[Permission]:
        """Return every permission that holds in `place`."""
        held: set[Permission] = set()
        for grant in self._grants:
            if place.path.startswith(grant.path):
                held |= grant.permissions
        return held

    def permissions(self) -> set[Permission]:
        """Return every permission that holds somewhere."""
        return set(self._reach)

    def require(self, action: str, resource_type: str, place: Place) -> None:
        """Raise Denied unless this is allowed in `place`."""
        if not self.allows(action, resource_type, place):
            raise Denied(f"This takes {_words((action, resource_type))} in {place.label}.")

    def require_administrator(self) -> None:
        """Raise Denied unless a System administrator rule holds on the account."""
        if not any(
            grant.role_id == SYSTEM_ADMINISTRATOR_ID and ACCOUNT.path.startswith(grant.path)
            for grant in self._grants
        ):
            raise Denied(f"This takes the role System administrator in {ACCOUNT.label}.")

    def require_anywhere(self, action: str, resource_type: str) -> None:
        """Raise Denied unless this is allowed in some scope: asked before anything is looked up."""
        if not self.allows_anywhere(action, resource_type):
            raise Denied(
                f"This takes {_words((action, resource_type))}, and no access rule gives it."
            )

    # Delegation: nobody hands out, or comes to hold, more than they hold themselves.

    def may_grant(self, role: Role, scope: Place) -> bool:
        """Return whether this subject may give `role` to someone in `scope`."""
        return not self._missing_to_grant(role, scope)

    def require_may_grant(self, role: Role, scope: Place) -> None:
        """Raise Denied unless `role` may be granted in `scope`; say what is missing."""
        missing = self._missing_to_grant(role, scope)
        if missing:
            raise Denied(
                f"Granting {role.name} in {scope.label} takes {_some_words(missing)} there."
            )

    def require_may_handle(self, subject: Subject) -> None:
        """Raise Denied unless this subject holds every permission that `subject` holds.

        Whoever can make a credential for another can act as it.
        """
        for grant in _grants_of(subject):
            missing = grant.permissions - self.permissions_at(grant)
            if missing:
                raise Denied(
                    f"{subject.name} holds {_some_words(missing)} in {grant.label}; "
                    "handling its credentials takes the same."
                )

    def _missing_to_grant(self, role: Role, scope: Place) -> frozenset[Permission]:
        return (permissions_of(role) | {("create", "access_rules")}) - self.permissions_at(scope)

    # Sight: lists, single reads, counts and exports all start from these.

    def in_sight(self, resource_type: str) -> Q:
        """Return the condition on applications or people (by their subject's id) to be in sight.

        They belong to the account: who reads them there sees all. Who reads them in a narrower
        scope sees those that have a rule in it or below.
        """
        if self.allows("read", resource_type, ACCOUNT):
            return Q()
        rules = AccessRule.objects.living().at_or_below(self.where("read", resource_type))
        return Q(Exists(rules.filter(subject=OuterRef("pk"))))

    def visible_scopes(self) -> ScopeQuerySet:
        """Return the scopes that may be read: each type of scope is a resource type of its own."""
        condition = Q(pk__in=[])
        for type_ in Scope.Type.values:
            condition |= Q(type=type_) & at_or_below(self.where("read", type_))
        return Scope.objects.filter(condition)

    def visible_rules(self) -> AccessRuleQuerySet:
        """Return the rules, deleted ones too, in scopes where access rules may be read."""
        return AccessRule.objects.at_or_below(self.where("read", "access_rules"))

    def nameable_scopes(self) -> ScopeQuerySet:
        """Return the scopes that may be named in a request: to read, or to grant something in."""
        granting = self.where("create", "access_rules")
        return self.visible_scopes() | Scope.objects.at_or_below(granting)

    def grantable_scopes(self) -> ScopeQuerySet:
        """Return the scopes in which access rules may be created."""
        return Scope.objects.offered().at_or_below(self.where("create", "access_rules"))

    def grantable_roles(self) -> list[Role]:
        """Return the assignable roles that may be granted in at least one scope."""
        places = [grant for grant in self._grants if self.allows("create", "access_rules", grant)]
        roles = Role.objects.filter(assignable=True)
        return [role for role in roles if any(self.may_grant(role, place) for place in places)]


def authority_of(subject: Subject) -> Authority:
    """Return what `subject` may do now; a disabled or retired one may do nothing. One query."""
    if not subject.enabled or subject.retired_at:
        return Authority([])
    return Authority(_grants_of(subject))


def unlimited_authority() -> Authority:
    """Return the authority of commands and first start: whoever runs them holds the machine anyway."""
    everything = frozenset(
        (action, resource_type) for action in ACTIONS.values() for resource_type in RESOURCE_TYPES
    )
    return Authority([Grant(everything, path="", label="everything")])


def allowed(subject: Subject, action: str, resource_type: str, place: Place) -> bool:
    """Return whether `subject` may do `action` on `resource_type` in `place`."""
    return authority_of(subject).allows(action, resource_type, place)


def permissions_of(role: Role) -> frozenset[Permission]:
    """Return what `role` permits."""
    return frozenset(
        (ACTIONS[letter], resource_type)
        for resource_type, letters in role.permissions.items()
        for letter in letters
    )


def _grants_of(subject: Subject) -> list[Grant]:
    """Return the grants of the subject's living rules and its enabled groups', whatever its state."""
    groups = Subject.objects.living().filter(
        type=Subject.Type.GROUP, memberships__member=subject.pk, enabled=True
    )
    rules = (
        AccessRule.objects.living()
        .filter(Q(subject=subject.pk) | Q(subject__in=groups))
        .select_related("role", "scope")
    )
    return [Grant(permissions_of(r.role), r.scope.path, r.scope.label, r.role_id) for r in rules]


def _topmost(paths: Iterable[str]) -> tuple[str, ...]:
    """Drop every path that is below another one."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not kept or not path.startswith(kept[-1]):
            kept.append(path)
    return tuple(kept)


def _words(permission: Permission) -> str:
    action, resource_type = permission
    return f"{action} on {RESOURCE_TYPES[resource_type].name}"


def _some_words(permissions: Iterable[Permission]) -> str:
    ordered = sorted(permissions)
    shown = ", ".join(_words(permission) for permission in ordered[:3])
    rest = len(ordered) - 3
    return f"{shown} and {rest} more" if rest > 0 else shown
