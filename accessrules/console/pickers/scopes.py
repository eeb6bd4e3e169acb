"""Choosing a scope, or several, in a form: in which to grant, or below which to put another."""

from collections.abc import Iterable

from django.http import QueryDict
from django.utils.functional import cached_property

from accessrules.authorization.authority import Authority
from accessrules.console.pickers.scope_tree import TYPES, ScopeTree, numbers
from accessrules.models import Role, Scope


class ScopePicker(ScopeTree):
    """The picker of the scopes to grant a role in, as its form stands; `posted` is None when new.

    With `accepts_bulk` any number may be chosen, else one.
    """

    @property
    def legend(self) -> str:
        """What the choice is called."""
        return "Scopes" if self.accepts_bulk else "Scope"

    @property
    def nothing_found(self) -> str:
        """What is said of a search that finds nothing."""
        return f"No scope in which you may grant has “{self.find}” in its name."

    def __init__(
        self, authority: Authority, posted: QueryDict | None, *, accepts_bulk: bool = False
    ) -> None:
        self._authority = authority
        self.accepts_bulk = accepts_bulk
        given = posted if posted is not None else QueryDict()
        self.role = given.get("role", "")
        self.scope = given.get("scope", "")
        super().__init__(
            dict.fromkeys(TYPES, authority.scope_roots("create", "access_rules")),
            given,
            find=given.get("find", ""),
            chosen=numbers(dict.fromkeys(given.getlist("scope")) if accepts_bulk else [self.scope]),
        )
        self.is_searching = bool(self.toggled) or given.get("do") == "look"

    @cached_property
    def is_uniform(self) -> bool:
        """Whether the same may be granted everywhere, so that no choice narrows the other."""
        return len(self._authority.scope_roots("create", "access_rules")) <= 1 and not any(
            scope.depth > 1 for scope in self.tops()
        )

    def roles(self, roles: Iterable[Role]) -> list[Role]:
        """Return the roles that may be granted where it is chosen, or all while nothing is."""
        places = [found.scope for found in self.chosen]
        return [
            role
            for role in roles
            if not places or any(self._authority.can_grant(role, place) for place in places)
        ]


class ParentPicker(ScopeTree):
    """The picker of the scope to put another below: where one of `types` may be created."""

    legend = "Stands below"
    accepts_bulk = False
    is_uniform = False  # what is chosen says what will happen

    @property
    def nothing_found(self) -> str:
        """What is said of a search that finds nothing."""
        return f"No scope below which it may stand has “{self.find}” in its name."

    def __init__(self, authority: Authority, given: QueryDict, types: Iterable[str]) -> None:
        self.scope = given.get("scope", "")
        reach: dict[str, tuple[str, ...]] = {
            parent: authority.scope_roots("create", child)
            for parent, child in Scope.CHILD_TYPE.items()
            if child in types and parent in TYPES
        }
        super().__init__(reach, given, find=given.get("find", ""), chosen=numbers([self.scope]))
        self.is_searching = bool(self.toggled) or given.get("do") == "look"
