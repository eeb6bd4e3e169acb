"""Why may this subject do this here, or why not?

Nothing is decided here: yes and no are the decision module's, and so are the rules looked at.
"""

from dataclasses import dataclass, field

from accessrules.authorization.authority import ACCOUNT, allowed, describe_permission
from accessrules.authorization.catalog import ACCOUNT_ONLY, RESOURCE_TYPES
from accessrules.authorization.grants import (
    Permission,
    grant_of,
    is_active,
    permissions_of,
    rules_in_force,
    rules_of,
)
from accessrules.models import LABEL_DIGITS, AccessRule, AccessRuleQuerySet, Role, Scope, Subject

MAX_NEAR_MISSES = 3


@dataclass(frozen=True)
class NearMiss:
    """A rule that almost allows it, and what keeps it from doing so."""

    rule: AccessRule
    why_not: str


@dataclass(frozen=True)
class Explanation:
    """The answer to one question. `rules` allow it; where nothing does, the rest says why not.

    `is_switched_off` says that a rule would allow it, were not the subject or its group disabled;
    else `remedy` makes the narrowest rule that would: the role that permits least to change, and then
    least at all, right there, or on the account where nothing narrower would do (`ACCOUNT_ONLY`).
    """

    subject: Subject
    permission: Permission
    scope: Scope
    allowed: bool
    rules: list[AccessRule] = field(default_factory=list)
    near_misses: list[NearMiss] = field(default_factory=list)
    is_switched_off: bool = False
    remedy: Role | None = None

    def lines(self) -> list[str]:
        """Return the explanation as a person reads it, the answer first."""
        may = "may" if self.allowed else "may not"
        action, resource_type = self.permission
        named = f"{action} {RESOURCE_TYPES[resource_type].name}"
        what = f"{self.subject.name} {may} {named} in {self.scope.label}."
        return [f"{'Yes' if self.allowed else 'No'}: {what}", *self._reasons()]

    def _reasons(self) -> list[str]:
        if self.allowed:
            return [f"  allowed by: {_sentence(rule, self.subject)}" for rule in self.rules]
        reasons = []
        if not is_active(self.subject):
            reasons.append(f"  {self.subject.name} is disabled, and so may do nothing.")
        if not self.near_misses:
            reasons.append("  No access rule of its own or of its groups comes near.")
        reasons += [
            f"  not by: {_sentence(miss.rule, self.subject)}: {miss.why_not}"
            for miss in self.near_misses
        ]
        if self.remedy:
            _, resource_type = self.permission
            place = ACCOUNT.label if resource_type in ACCOUNT_ONLY else self.scope.label
            would = f"{self.subject.name} is {self.remedy.name} in {place}"
            reasons.append(f"  the narrowest rule that would: {would}.")
        elif not self.is_switched_off:
            reasons.append("  No role that can be assigned permits this.")
        return reasons


def explain(subject: Subject, action: str, resource_type: str, scope: Scope) -> Explanation:
    """Say whether `subject` may do `action` on `resource_type` in `scope`, and why."""
    permission = (action, resource_type)
    if allowed(subject, action, resource_type, scope):
        rules = _with_names(rules_in_force(subject))
        giving = [rule for rule in rules if _permits(rule, permission) and _covers(rule, scope)]
        return Explanation(subject, permission, scope, allowed=True, rules=giving)
    near = _near_misses(subject, permission, scope)
    is_switched_off = any(
        _permits(miss.rule, permission) and _covers(miss.rule, scope) for miss in near
    )
    return Explanation(
        subject,
        permission,
        scope,
        allowed=False,
        near_misses=near[:MAX_NEAR_MISSES],
        is_switched_off=is_switched_off,
        remedy=None if is_switched_off else _narrowest_role(permission),
    )


def _near_misses(subject: Subject, permission: Permission, scope: Scope) -> list[NearMiss]:
    """Return the rules that permit it elsewhere or cover the scope, the nearest first."""
    rules = _with_names(rules_of(subject))
    near = [rule for rule in rules if _names(rule, permission) or _covers(rule, scope)]
    near.sort(
        key=lambda rule: (
            not (_permits(rule, permission) and _covers(rule, scope)),
            not _names(rule, permission),
            -_levels_shared(rule.scope.path, scope.path),
            len(rule.scope.path),
            rule.pk,
        )
    )
    return [NearMiss(rule, _why_not(rule, subject, permission, scope)) for rule in near]


def _why_not(rule: AccessRule, subject: Subject, permission: Permission, scope: Scope) -> str:
    if not _names(rule, permission):
        return f"{rule.role.name} does not permit {describe_permission(permission)}."
    if not _permits(rule, permission):
        return f"{describe_permission(permission)} can only be given on the account."
    if not _covers(rule, scope):
        return f"it holds in {rule.scope.label} and below, and {scope.label} is not there."
    disabled = rule.subject if rule.subject_id != subject.pk else subject
    return f"{disabled.name} is disabled; once it is enabled, this rule allows it."


def _narrowest_role(permission: Permission) -> Role | None:
    roles = Role.objects.filter(assignable=True)
    fitting = [role for role in roles if permission in permissions_of(role)]
    return min(fitting, key=lambda role: (*_breadth(role), role.name), default=None)


def _breadth(role: Role) -> tuple[int, int]:
    """Return how much a role permits to change, and how much at all: to read is the least."""
    permissions = permissions_of(role)
    return sum(action != "read" for action, _ in permissions), len(permissions)


def _with_names(rules: AccessRuleQuerySet) -> list[AccessRule]:
    return list(rules.select_related("subject", "role", "scope").order_by("pk"))


def _permits(rule: AccessRule, permission: Permission) -> bool:
    return permission in grant_of(rule).permissions


def _names(rule: AccessRule, permission: Permission) -> bool:
    """Return whether the rule's role has the permission, which might need a rule on the account."""
    return permission in permissions_of(rule.role)


def _covers(rule: AccessRule, scope: Scope) -> bool:
    return scope.path.startswith(rule.scope.path)


def _levels_shared(one: str, other: str) -> int:
    """Return how many scopes stand above both, counting a scope as above itself."""
    levels = range(LABEL_DIGITS, min(len(one), len(other)) + 1, LABEL_DIGITS)
    return sum(one[:end] == other[:end] for end in levels)


def _sentence(rule: AccessRule, subject: Subject) -> str:
    through = f" through group {rule.subject.name}" if rule.subject_id != subject.pk else ""
    return f"{subject.name} is {rule.role.name} in {rule.scope.label}{through} (rule {rule.pk})"
