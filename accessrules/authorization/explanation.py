"""Explanations: why a subject can, or cannot, perform an action in a scope.

Makes no decisions: the answer and the rules come from the decision module.
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
    """A rule that almost allows the action, and the reason it does not."""

    rule: AccessRule
    why_not: str


@dataclass(frozen=True)
class Explanation:
    """One decision with its reasons: the `rules` that allow it, or the near misses.

    `is_disabled`: a rule would allow it if the subject or its group were enabled. Otherwise `remedy`
    is the role for the narrowest rule that would: with the fewest write permissions, then the fewest
    permissions. That rule is for this scope, or for the account if the type is `ACCOUNT_ONLY`.
    """

    subject: Subject
    permission: Permission
    scope: Scope
    allowed: bool
    rules: list[AccessRule] = field(default_factory=list)
    near_misses: list[NearMiss] = field(default_factory=list)
    is_disabled: bool = False
    remedy: Role | None = None

    def lines(self) -> list[str]:
        """Return the explanation as text lines, the answer first."""
        answer, verb = ("Yes", "can") if self.allowed else ("No", "cannot")
        action, resource_type = self.permission
        resources = RESOURCE_TYPES[resource_type].name.lower()
        question = f"{self.subject.name} {verb} {action} {resources} in {self.scope.label}."
        return [f"{answer}: {question}", *(f"  {reason}" for reason in self.reasons())]

    def reasons(self) -> list[str]:
        """Return the reasons, one sentence each."""
        if self.allowed:
            return [f"allowed by: {sentence(rule, self.subject)}" for rule in self.rules]
        reasons = []
        if not is_active(self.subject):
            reasons.append(f"{self.subject.name} is disabled, so it has no permissions.")
        if not self.near_misses:
            reasons.append("No access rule, its own or from a group, comes close.")
        reasons += [
            f"not allowed by: {sentence(miss.rule, self.subject)}: {miss.why_not}"
            for miss in self.near_misses
        ]
        if self.remedy:
            _, resource_type = self.permission
            place = ACCOUNT.label if resource_type in ACCOUNT_ONLY else self.scope.label
            rule = f"{self.subject.name} is {self.remedy.name} in {place}"
            reasons.append(f"narrowest rule that would allow it: {rule}.")
        elif not self.is_disabled:
            reasons.append("No assignable role has this permission.")
        return reasons


def explain(subject: Subject, action: str, resource_type: str, scope: Scope) -> Explanation:
    """Explain whether `subject` can perform `action` on `resource_type` in `scope`."""
    permission = (action, resource_type)
    if allowed(subject, action, resource_type, scope):
        rules = _with_names(rules_in_force(subject))
        granting = [rule for rule in rules if _permits(rule, permission) and _covers(rule, scope)]
        return Explanation(subject, permission, scope, allowed=True, rules=granting)
    near_misses = _near_misses(subject, permission, scope)
    is_disabled = any(
        _permits(miss.rule, permission) and _covers(miss.rule, scope) for miss in near_misses
    )
    return Explanation(
        subject,
        permission,
        scope,
        allowed=False,
        near_misses=near_misses[:MAX_NEAR_MISSES],
        is_disabled=is_disabled,
        remedy=None if is_disabled else _narrowest_role(permission),
    )


def _near_misses(subject: Subject, permission: Permission, scope: Scope) -> list[NearMiss]:
    """Return rules with the permission, or in the scope or above it, the nearest first."""
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
        return f"{rule.role.name} does not have the {describe_permission(permission)} permission."
    if not _permits(rule, permission):
        return f"{describe_permission(permission)} requires a rule on the account."
    if not _covers(rule, scope):
        return f"it applies in {rule.scope.label} and below, not in {scope.label}."
    disabled = rule.subject if rule.subject_id != subject.pk else subject
    return f"{disabled.name} is disabled; if it is enabled, this rule allows it."


def _narrowest_role(permission: Permission) -> Role | None:
    roles = Role.objects.filter(assignable=True)
    matching = [role for role in roles if permission in permissions_of(role)]
    return min(matching, key=lambda role: (*_breadth(role), role.name), default=None)


def _breadth(role: Role) -> tuple[int, int]:
    """Return how many write permissions, and how many permissions, a role has."""
    permissions = permissions_of(role)
    return sum(action != "read" for action, _ in permissions), len(permissions)


def _with_names(rules: AccessRuleQuerySet) -> list[AccessRule]:
    return list(rules.select_related("subject", "role", "scope").order_by("pk"))


def _permits(rule: AccessRule, permission: Permission) -> bool:
    return permission in grant_of(rule).permissions


def _names(rule: AccessRule, permission: Permission) -> bool:
    """Return whether the rule's role has the permission, even if it has no effect in this scope."""
    return permission in permissions_of(rule.role)


def _covers(rule: AccessRule, scope: Scope) -> bool:
    return scope.path.startswith(rule.scope.path)


def _levels_shared(one: str, other: str) -> int:
    """Return how many levels two scopes' paths have in common."""
    levels = range(LABEL_DIGITS, min(len(one), len(other)) + 1, LABEL_DIGITS)
    return sum(one[:end] == other[:end] for end in levels)


def rules_permitting(subject: Subject, permission: Permission) -> list[AccessRule]:
    """Return the rules in force that give a subject a permission in any scope."""
    return [rule for rule in _with_names(rules_in_force(subject)) if _permits(rule, permission)]


def sentence(rule: AccessRule, subject: Subject) -> str:
    """Return a rule as a sentence about `subject`, which has it itself or through a group."""
    through = f" through group {rule.subject.name}" if rule.subject_id != subject.pk else ""
    return f"{subject.name} is {rule.role.name} in {rule.scope.label}{through} (rule {rule.pk})"
