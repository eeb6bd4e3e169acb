"""Policy for scopes: which are visible, and which actions the caller can perform on each."""

from collections.abc import Iterable
from dataclasses import dataclass

from accessrules.authorization.authority import Authority
from accessrules.models import Scope, ScopeQuerySet
from runai_access.errors import NotFound

TYPES = (Scope.Type.TENANT, Scope.Type.CLUSTER, Scope.Type.DEPARTMENT, Scope.Type.PROJECT)
# The types that can be created.
CREATABLE_TYPES = TYPES[1:]


@dataclass(frozen=True)
class PossibleActions:
    """The actions that the caller can perform on one scope."""

    actions: frozenset[str]
    can_see_access: bool

    def __str__(self) -> str:
        return " ".join(sorted(self.actions))


def require_can_read_scopes(authority: Authority) -> None:
    """Raise Denied unless the caller can read some type of scope."""
    if not any(authority.allows_anywhere("read", type_) for type_ in TYPES):
        authority.require_anywhere("read", Scope.Type.PROJECT)


def visible_scopes(authority: Authority) -> ScopeQuerySet:
    """Return the visible scopes except `system`. Raises Denied if there can be none."""
    require_can_read_scopes(authority)
    return authority.visible_scopes().selectable()


def get_visible_scope(authority: Authority, pk: int) -> Scope:
    """Return a visible scope. Raises NotFound for any other id."""
    scope = visible_scopes(authority).filter(pk=pk).select_related("parent").first()
    if scope is None:
        raise NotFound("Scope not found.")
    return scope


def creatable_types(authority: Authority) -> list[Scope.Type]:
    """Return the types of scope that the caller can create in some parent."""
    return [type_ for type_ in CREATABLE_TYPES if authority.allows_anywhere("create", type_)]


def possible_actions(authority: Authority, scope: Scope) -> PossibleActions:
    """Return the actions that the caller can perform on `scope`. No queries."""
    actions = set(_creating(authority, scope))
    if scope.type in CREATABLE_TYPES:
        if authority.allows("update", scope.type, scope):
            actions.add("rename")
        if scope.type != Scope.Type.CLUSTER and _can_be_moved(authority, scope):
            actions.add("move")
        if authority.allows("delete", scope.type, scope):
            actions.add("delete")
    return PossibleActions(frozenset(actions), authority.allows("read", "access_rules", scope))


def possible_actions_anywhere(authority: Authority) -> set[str]:
    """Return the actions that the caller might perform on at least one scope."""
    required = {"rename": "update", "move": "create", "delete": "delete"}
    return {
        name
        for name, action in required.items()
        if any(authority.allows_anywhere(action, type_) for type_ in CREATABLE_TYPES)
    }


def _can_be_moved(authority: Authority, scope: Scope) -> bool:
    return authority.can_move_from(scope) and authority.allows_anywhere("create", scope.type)


def _creating(authority: Authority, scope: Scope) -> Iterable[str]:
    child = Scope.CHILD_TYPE.get(Scope.Type(scope.type))
    if child is not None and authority.allows("create", child, scope):
        yield f"new-{child}"
