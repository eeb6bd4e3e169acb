"""Scope pickers of forms: the scopes of new rules, and the parent of a scope."""

from collections.abc import Iterable

from django.http import QueryDict
from django.utils.functional import cached_property

from accessrules.authorization.authority import Authority
from accessrules.authorization.scope_policy import TYPES
from accessrules.console.pickers.scope_tree import ScopeTree, numbers
from accessrules.models import Role, Scope


class ScopePicker(ScopeTree):
    """The picker of scopes for new rules. `posted` is None when the form is first shown.

    With `accepts_bulk`, any number of scopes can be chosen, otherwise one.
    """

    @property
    def legend(self) -> str:
        """The label of the field."""
        return "Scopes" if self.accepts_bulk else "Scope"

    @property
    def nothing_found(self) -> str:
        """The message for a search without results."""
        return f"No results for “{self.find}” among the scopes where you can add access rules."

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
        self.is_searching = bool(self.toggled) or given.get("do") == "refresh"

    @cached_property
    def is_uniform(self) -> bool:
        """Whether the same roles can be granted in all scopes, so the choices are independent."""
        return len(self._authority.scope_roots("create", "access_rules")) <= 1 and not any(
            scope.depth > 1 for scope in self.tops()
        )

    def roles(self, roles: Iterable[Role]) -> list[Role]:
        """Return the roles that can be granted in a chosen scope; all if none is chosen."""
        scopes = [item.scope for item in self.chosen]
        return [
            role
            for role in roles
            if not scopes or any(self._authority.can_grant(role, scope) for scope in scopes)
        ]


class ParentPicker(ScopeTree):
    """The picker of a parent: scopes in which the caller can create one of `types`."""

    legend = "Parent"
    accepts_bulk = False
    is_uniform = False  # the dialog previews the effect of the choice

    @property
    def nothing_found(self) -> str:
        """The message for a search without results."""
        return f"No results for “{self.find}” among the possible parents."

    def __init__(self, authority: Authority, given: QueryDict, types: Iterable[str]) -> None:
        self.scope = given.get("scope", "")
        reach: dict[str, tuple[str, ...]] = {
            parent: authority.scope_roots("create", child)
            for parent, child in Scope.CHILD_TYPE.items()
            if child in types and parent in TYPES
        }
        super().__init__(reach, given, find=given.get("find", ""), chosen=numbers([self.scope]))
        self.is_searching = bool(self.toggled) or given.get("do") == "refresh"
