"""Access rules as a child would play them: cards on a table, looked through one by one.

Written from the sentence in the design alone, without paths, queries or anything of the product's
modules, so that both can only agree by being right.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Key = Any
"""Whatever names a subject, a role or a scope; only ever compared."""
Permission = tuple[str, str]
EVERYBODY = None
"""The actor of commands, who may do everything."""


@dataclass
class Person:
    """A person, an application or a group."""

    kind: str
    enabled: bool = True
    members: set[Key] = field(default_factory=set)


@dataclass
class Table:
    """Everything that was ever granted and is not taken away."""

    root: Key
    parents: dict[Key, Key] = field(default_factory=dict)
    people: dict[Key, Person] = field(default_factory=dict)
    roles: dict[Key, set[Permission]] = field(default_factory=dict)
    rules: set[tuple[Key, Key, Key]] = field(default_factory=set)

    def scopes(self) -> set[Key]:
        return {self.root, *self.parents}

    def above(self, scope: Key) -> Iterator[Key]:
        """Walk up from a scope, beginning with itself."""
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

    def may(self, who: Key, permission: Permission, scope: Key) -> bool:
        if who is EVERYBODY:
            return True
        if not self.people[who].enabled:
            return False
        hands = {who} | self.groups_of(who, also_disabled=False)
        return any(
            holder in hands and permission in self.roles[role] and place in set(self.above(scope))
            for holder, role, place in self.rules
        )

    def may_anywhere(self, who: Key, permission: Permission) -> bool:
        return any(self.may(who, permission, scope) for scope in self.scopes())

    def can_grant(self, who: Key, role: Key, scope: Key) -> bool:
        needed = {*self.roles[role], ("create", "access_rules")}
        return all(self.may(who, permission, scope) for permission in needed)

    def can_impersonate(self, who: Key, other: Key) -> bool:
        """Whether `who` holds all that `other` would hold with everything switched on."""
        hands = {other} | self.groups_of(other, also_disabled=True)
        return all(
            self.may(who, permission, place)
            for holder, role, place in self.rules
            if holder in hands
            for permission in self.roles[role]
        )

    def sees(self, who: Key, type_: str, other: Key) -> bool:
        """Whether `who` sees `other`, an application, a person or a group as `type_` says."""
        reads = ("read", type_)
        return self.may(who, reads, self.root) or any(
            holder == other and self.may(who, reads, place) for holder, _, place in self.rules
        )

    def topmost(self, who: Key, permission: Permission) -> set[Key]:
        """Return the scopes in which `who` may do this, without those below another one."""
        may = {scope for scope in self.scopes() if self.may(who, permission, scope)}
        return {scope for scope in may if scope == self.root or self.parents[scope] not in may}

    def can_move(self, who: Key, kind: str, scope: Key, target: Key) -> bool:
        source = self.parents[scope]
        new = set(self.above(target)) - set(self.above(source))
        return (
            self.may(who, ("update", kind), source)
            and self.may(who, ("delete", "access_rules"), source)
            and self.may(who, ("create", kind), target)
            and all(
                self.can_grant(who, role, target) for _, role, place in self.rules if place in new
            )
        )

    def everything(self) -> set[tuple[Key, Permission, Key]]:
        """Return who may do what where, all of it."""
        every = {permission for held in self.roles.values() for permission in held}
        return {
            (who, permission, scope)
            for who in self.people
            for permission in every
            for scope in self.scopes()
            if self.may(who, permission, scope)
        }
