"""A naive model of access rules: plain sets, and loops over all of them.

Based only on the design document. It uses no paths, queries or modules of the product, so that the
two implementations are independent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Key = Any
"""The key of a subject, role or scope; only compared for equality."""
Permission = tuple[str, str]
EVERYBODY = None
"""The actor of management commands, which is allowed everything."""


@dataclass
class Person:
    """A user, an application or a group."""

    kind: str
    enabled: bool = True
    members: set[Key] = field(default_factory=set)


@dataclass
class Table:
    """All subjects, roles, scopes and active rules."""

    root: Key
    parents: dict[Key, Key] = field(default_factory=dict)
    people: dict[Key, Person] = field(default_factory=dict)
    roles: dict[Key, set[Permission]] = field(default_factory=dict)
    rules: set[tuple[Key, Key, Key]] = field(default_factory=set)

    def scopes(self) -> set[Key]:
        return {self.root, *self.parents}

    def above(self, scope: Key) -> Iterator[Key]:
        """Yield a scope and its ancestors."""
        while True:
            yield scope
            if scope == self.root:
                return
            scope = self.parents[scope]

    def below(self, scope: Key) -> set[Key]:
        return {place for place in self.scopes() if scope in self.above(place)}

    def groups_of(self, who: Key, *, also_disabled: bool) -> set[Key]:
        return {
            key
            for key, group in self.people.items()
            if who in group.members and (group.enabled or also_disabled)
        }

    def allows(self, who: Key, permission: Permission, scope: Key) -> bool:
        if who is EVERYBODY:
            return True
        if not self.people[who].enabled:
            return False
        hands = {who} | self.groups_of(who, also_disabled=False)
        return any(
            holder in hands and permission in self.roles[role] and place in set(self.above(scope))
            for holder, role, place in self.rules
        )

    def allows_anywhere(self, who: Key, permission: Permission) -> bool:
        return any(self.allows(who, permission, scope) for scope in self.scopes())

    def can_grant(self, who: Key, role: Key, scope: Key) -> bool:
        needed = {*self.roles[role], ("create", "access_rules")}
        return all(self.allows(who, permission, scope) for permission in needed)

    def can_impersonate(self, who: Key, other: Key) -> bool:
        """Return whether `who` has all permissions `other` would have with everything enabled."""
        hands = {other} | self.groups_of(other, also_disabled=True)
        return all(
            self.allows(who, permission, place)
            for holder, role, place in self.rules
            if holder in hands
            for permission in self.roles[role]
        )

    def sees(self, who: Key, type_: str, other: Key) -> bool:
        """Return whether `other`, a subject of resource type `type_`, is visible to `who`."""
        reads = ("read", type_)
        return self.allows(who, reads, self.root) or any(
            holder == other and self.allows(who, reads, place) for holder, _, place in self.rules
        )

    def topmost(self, who: Key, permission: Permission) -> set[Key]:
        """Return the topmost scopes in which `who` has this permission."""
        is_allowed = {scope for scope in self.scopes() if self.allows(who, permission, scope)}
        return {
            scope
            for scope in is_allowed
            if scope == self.root or self.parents[scope] not in is_allowed
        }

    def can_move(self, who: Key, kind: str, scope: Key, target: Key) -> bool:
        source = self.parents[scope]
        new = set(self.above(target)) - set(self.above(source))
        return (
            self.allows(who, ("update", kind), source)
            and self.allows(who, ("delete", "access_rules"), source)
            and self.allows(who, ("create", kind), target)
            and all(
                self.can_grant(who, role, target) for _, role, place in self.rules if place in new
            )
        )

    def everything(self) -> set[tuple[Key, Permission, Key]]:
        """Return all decisions that are allowed."""
        every = {permission for held in self.roles.values() for permission in held}
        return {
            (who, permission, scope)
            for who in self.people
            for permission in every
            for scope in self.scopes()
            if self.allows(who, permission, scope)
        }
