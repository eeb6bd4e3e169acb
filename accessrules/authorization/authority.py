"""Authorization decisions: the only module that decides what a subject can do.

A subject can perform an action on a resource type in a scope if an active rule, its own or one of its
groups', has a role with that permission at the scope or above it. Everything else derives from that
sentence: visible scopes and rules, grantable roles, impersonation. Owners of applications can do a
little more with these: see them, and manage their secrets. Anything else is denied.

An `Authority` holds one subject's rules, read with one query. Each request reads them again, so a
removed rule no longer applies to the next request.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.authorization.grants import (
    ACTION_LABELS,
    ACTIONS,
    Grant,
    Permission,
    effective_permissions,
    grant_of,
    grants_in_force,
    grants_in_force_of,
    grants_of,
    is_active,
    owners_for,
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
    """The two attributes of a scope that a decision needs: its path, and its label for messages."""

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
_SYSTEM: Permission = ("read", "settings")
# The Overview has figures of all of these.
_OVERVIEW: tuple[Permission, ...] = (
    ("read", "apps"), ("read", "access_rules"), _AUDIT_LOG, _SYSTEM,
)  # fmt: skip
_WHO_CAN_HELP = "Ask someone who manages access rules."
_MAX_SHOWN = 3


class Authority:
    """Everything that one subject is allowed to do. Without a `subject`, it owns no applications."""

    def __init__(self, grants: Iterable[Grant], subject: UUID | None = None) -> None:
        self._grants, self._subject = tuple(grants), subject
        self._roots: dict[Permission, tuple[str, ...]] = {}
        self._scopes: dict[tuple[str, ...], list[int]] = {}

    def scope_roots(self, action: str, resource_type: str) -> tuple[str, ...]:
        """Return the paths of the topmost scopes in which this is allowed."""
        permission = (action, resource_type)
        roots = self._roots.get(permission)
        if roots is None:
            paths = (grant.path for grant in self._grants if permission in grant.permissions)
            roots = self._roots[permission] = _topmost(paths)
        return roots

    def allows(self, action: str, resource_type: str, place: Place) -> bool:
        """Return whether this is allowed in `place`."""
        return place.path.startswith(self.scope_roots(action, resource_type))

    def allows_anywhere(self, action: str, resource_type: str) -> bool:
        """Return whether this is allowed in at least one scope."""
        return bool(self.scope_roots(action, resource_type))

    def without(self, rules: Iterable[AccessRule]) -> "Authority":
        """Return this authority without `rules`, each of which applies to this subject."""
        remaining, now = list(self._grants), timezone.now()
        for rule in rules:
            if rule.expires_at and rule.expires_at <= now:  # it grants nothing
                continue
            removed = grant_of(rule)
            if removed in remaining:  # two groups can give equal grants: remove only one
                remaining.remove(removed)
        return Authority(remaining, self._subject)

    def permissions_at(self, place: Place) -> set[Permission]:
        """Return every permission held in `place`."""
        held: set[Permission] = set()
        for grant in self._grants:
            if place.path.startswith(grant.path):
                held |= grant.permissions
        return held

    def granted_right_in(self, place: Place) -> set[Permission]:
        """Return the permissions from rules on `place` itself: they move with the scope."""
        held = (grant.permissions for grant in self._grants if grant.path == place.path)
        return set().union(*held)

    def permissions(self) -> set[Permission]:
        """Return every permission held in any scope."""
        return {permission for grant in self._grants for permission in grant.permissions}

    def require(self, action: str, resource_type: str, place: Place) -> None:
        """Raise Denied unless this is allowed in `place`."""
        if not self.allows(action, resource_type, place):
            raise Denied(
                f"You need the {describe_permission((action, resource_type))} permission "
                f"in {place.label}. {_WHO_CAN_HELP}"
            )

    @property
    def reads_audit_log(self) -> bool:
        """Whether this subject can read the audit log, which belongs to the account."""
        return self.allows(*_AUDIT_LOG, ACCOUNT)

    def require_audit_log(self) -> None:
        """Raise Denied unless this subject can read the audit log."""
        self.require(*_AUDIT_LOG, ACCOUNT)

    @property
    def reads_system(self) -> bool:
        """Whether this subject can open the System page."""
        return self.allows(*_SYSTEM, ACCOUNT)

    def require_system(self) -> None:
        """Raise Denied unless this subject can open the System page."""
        self.require(*_SYSTEM, ACCOUNT)

    @property
    def reads_overview(self) -> bool:
        """Whether this subject can open the Overview, as administrators can."""
        return all(self.allows(*permission, ACCOUNT) for permission in _OVERVIEW)

    def require_overview(self) -> None:
        """Raise Denied unless this subject can open the Overview."""
        for permission in _OVERVIEW:
            self.require(*permission, ACCOUNT)

    def require_anywhere(self, action: str, resource_type: str) -> None:
        """Raise Denied unless this is allowed in some scope. Call before any lookup."""
        if not self.allows_anywhere(action, resource_type):
            raise Denied(
                f"You need the {describe_permission((action, resource_type))} permission. "
                f"{_WHO_CAN_HELP}"
            )

    # Delegation: nobody can grant, or gain, more than they hold themselves (privilege escalation).

    def can_grant(self, role: Role, scope: Place) -> bool:
        """Return whether this subject can grant `role` in `scope`."""
        return not self._missing_to_grant(role, scope)

    def require_can_grant(self, role: Role, scope: Place) -> None:
        """Raise Denied, with the missing permissions, unless this subject can grant `role`."""
        missing = self._missing_to_grant(role, scope)
        if missing:
            raise Denied(
                f"To assign {role.name} in {scope.label}, you need {_describe_permissions(missing)} "
                f"there. {_WHO_CAN_HELP}"
            )

    def require_can_impersonate(
        self, subject: Subject, grants: Iterable[Grant] | None = None
    ) -> None:
        """Raise Denied unless this subject holds every permission that `subject` holds.

        A caller who can create a credential for a subject can act as that subject. Rules of disabled
        subjects and groups count too: the credential still works when they are enabled later. Pass
        the subject's `grants_held_by` if they are known.
        """
        for grant in grants_of(rules_of(subject)) if grants is None else grants:
            missing = grant.permissions - self.permissions_at(grant)
            if missing:
                raise Denied(
                    f"{subject.name} has {_describe_permissions(missing)} in {grant.label}. "
                    f"To {_impersonation(subject)}, you need the same."
                )

    def require_can_move_from(self, scope: Scope, *, source: Place) -> None:
        """Raise Denied unless `scope` can be moved away from its parent `source`.

        The rules at and above `source` stop applying to it, so this requires deleting rules there.
        """
        self.require("update", scope.type, source)
        self.require("delete", "access_rules", source)

    def require_can_move(self, scope: Scope, *, source: Scope, target: Scope) -> None:
        """Raise Denied unless `scope` can be moved from `source` to `target`.

        The rules at and above `target` start applying to it, so this requires every such grant.
        """
        self.require_can_move_from(scope, source=source)
        self.require("create", scope.type, target)
        for role in _roles_gained_by_moving(source, target):
            self.require_can_grant(role, target)

    def can_move_from(self, scope: Scope) -> bool:
        """Return whether `scope` can be moved away from its parent, whatever the target."""
        try:
            self.require_can_move_from(scope, source=_Place(scope.ancestor_paths[-1], label=""))
        except Denied:
            return False
        return True

    def _missing_to_grant(self, role: Role, scope: Place) -> frozenset[Permission]:
        return (
            effective_permissions(permissions_of(role), scope.path) | {("create", "access_rules")}
        ) - self.permissions_at(scope)

    # Ownership: an owner needs no rule where the application has one, but a permission in any scope.

    def owners(self) -> QuerySet[Subject, Any]:
        """Return the ids of this subject and its enabled groups: what they own, it owns."""
        return owners_for(self._subject)

    def owns(self, owner: UUID | None) -> bool:
        """Return whether an application with this owner belongs to this subject."""
        if owner is None or self._subject is None:
            return False
        return (
            owner == self._subject
            or Subject.objects.filter(pk=owner, pk__in=self.owners()).exists()
        )

    def can_manage_secrets(self, application: Subject, owner: UUID | None) -> bool:
        """Return whether this subject can add, regenerate and revoke secrets of an application."""
        try:
            self.require_can_manage_secrets(application, owner)
        except Denied:
            return False
        return True

    def require_can_manage_secrets(self, application: Subject, owner: UUID | None) -> None:
        """Raise Denied unless this subject can add, regenerate and revoke secrets of an application.

        That requires updating applications on the account. Its owner needs this permission in any
        scope, and every permission that the application holds.
        """
        if self.allows("update", "apps", ACCOUNT):
            return
        if not self.owns(owner):
            self.require("update", "apps", ACCOUNT)
        self.require_anywhere("update", "apps")
        self.require_can_impersonate(application)

    # Visibility: lists, single reads, counts and exports all start from these.

    def visible_q(self, resource_type: str) -> Q:
        """Return the condition for visible applications or users, by their subject's id.

        A caller with read permission on the account sees all of them. In a narrower scope, a caller
        sees those with a rule in that scope or below, and the applications that the caller owns.
        """
        if self.allows("read", resource_type, ACCOUNT):
            return Q()
        rules = AccessRule.objects.living().in_scopes(
            self.scopes_to_read(resource_type), use_index=False
        )
        visible = Q(Exists(rules.filter(subject=OuterRef("pk"))))
        if resource_type == "apps":
            owned = Subject.objects.filter(application__owner__in=self.owners())
            visible |= Q(pk__in=owned.values("pk"))
        return visible

    def scopes_to_read(self, resource_type: str) -> list[int]:
        """Return the ids of the scopes in which the caller can read this. One query, cached.

        If the caller can't see all applications or users, a rule in one of these makes one visible;
        an application is also visible to its owner.
        """
        paths = self.scope_roots("read", resource_type)
        if paths not in self._scopes:
            scopes = Scope.objects.at_or_below(paths).order_by()
            self._scopes[paths] = list(scopes.values_list("pk", flat=True))
        return self._scopes[paths]

    def visible_scopes(self) -> ScopeQuerySet:
        """Return the scopes that the caller can read. Each type of scope is its own resource type."""
        condition = Q(pk__in=[])
        for type_ in Scope.Type.values:
            condition |= Q(type=type_) & at_or_below(self.scope_roots("read", type_))
        return Scope.objects.filter(condition)

    def visible_rules(
        self, *, by_scope: bool = False, in_account: bool = False
    ) -> AccessRuleQuerySet:
        """Return the rules, including deleted ones, in scopes where the caller can read rules.

        `by_scope`: use the index on scopes, because no other condition is more selective.
        `in_account`: the query is limited to scopes in the account, so `system` need not be excluded.
        """
        if self.allows("read", "access_rules", SYSTEM):
            return AccessRule.objects.all()
        if self.allows("read", "access_rules", ACCOUNT):
            if in_account:
                return AccessRule.objects.all()
            # The same, but faster: exclude the one scope outside the account. Comparing with one value
            # is faster than with a set, and PostgreSQL expects that most rules are left.
            system = Scope.objects.above_the_account().order_by()
            return AccessRule.objects.exclude(scope=system[:1])
        scopes = self.scopes_to_read("access_rules")
        rules = AccessRule.objects.all()
        return rules.in_scopes(scopes, use_index=by_scope)

    def nameable_scopes(self) -> ScopeQuerySet:
        """Return the scopes that a request can refer to: visible, or a target for new rules."""
        granting = self.scope_roots("create", "access_rules")
        return self.visible_scopes() | Scope.objects.at_or_below(granting)

    def grantable_scopes(self) -> ScopeQuerySet:
        """Return the scopes in which the caller can create access rules."""
        return Scope.objects.selectable().at_or_below(self.scope_roots("create", "access_rules"))

    def grantable_roles(self) -> list[Role]:
        """Return the assignable roles that the caller can grant in at least one scope."""
        places: list[Place] = [
            grant for grant in self._grants if self.allows("create", "access_rules", grant)
        ]
        # Below the account, granting a role requires less: account-only permissions do not apply.
        if any(ACCOUNT.path.startswith(place.path) for place in places):
            places.append(_BELOW_ACCOUNT)
        roles = Role.objects.filter(assignable=True)
        return [role for role in roles if any(self.can_grant(role, place) for place in places)]


def authority_of(subject: Subject) -> Authority:
    """Return the authority of `subject`: empty if it is disabled or retired. One query."""
    return Authority(grants_in_force(subject) if is_active(subject) else [], subject.pk)


def authorities_of(subjects: Iterable[Subject]) -> dict[UUID, Authority]:
    """Return the authority of each subject, by id. Always two queries."""
    grants = grants_in_force_of(subjects)
    return {subject: Authority(own, subject) for subject, own in grants.items()}


def unlimited_authority() -> Authority:
    """Return the authority of management commands: their operator controls the host anyway."""
    everything = frozenset(
        (action, resource_type) for action in ACTIONS.values() for resource_type in RESOURCE_TYPES
    )
    return Authority([Grant(everything, path="", label="everything")])


def allowed(subject: Subject, action: str, resource_type: str, place: Place) -> bool:
    """Return whether `subject` can perform `action` on `resource_type` in `place`."""
    return authority_of(subject).allows(action, resource_type, place)


def _roles_gained_by_moving(source: Scope, target: Scope) -> QuerySet[Role]:
    """Return the roles of rules that apply at `target` but not at `source`."""
    gained = {*target.ancestor_paths, target.path} - {*source.ancestor_paths, source.path}
    rules = AccessRule.objects.living().filter(scope__path__in=gained, role=OuterRef("pk"))
    return Role.objects.filter(Exists(rules))


def _impersonation(subject: Subject) -> str:
    is_group = subject.type == Subject.Type.GROUP
    return "give its access to members" if is_group else "manage its credentials"


def _topmost(paths: Iterable[str]) -> tuple[str, ...]:
    """Drop paths that are descendants of another path."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not kept or not path.startswith(kept[-1]):
            kept.append(path)
    return tuple(kept)


def describe_permission(permission: Permission) -> str:
    """Return a permission as the console shows it, in quotes: “View applications”."""
    action, resource_type = permission
    return f"“{ACTION_LABELS[action]} {RESOURCE_TYPES[resource_type].name.lower()}”"


def _describe_permissions(permissions: Iterable[Permission]) -> str:
    """Return up to three permissions by name, and the number of the others."""
    names = [describe_permission(permission) for permission in sorted(permissions)]
    if len(names) == 1:
        return f"the {names[0]} permission"
    shown = ", ".join(names[:_MAX_SHOWN])
    rest = len(names) - _MAX_SHOWN
    return f"the permissions {shown} and {rest} more" if rest > 0 else f"the permissions {shown}"
