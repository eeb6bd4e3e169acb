"""Who may see and change scopes: the decision module's answers in the words of their page."""

from collections.abc import Iterable
from dataclasses import dataclass

from accessrules.authorization.authority import Authority
from accessrules.models import Scope, ScopeQuerySet
from runai_access.errors import NotFound

TYPES = (Scope.Type.TENANT, Scope.Type.CLUSTER, Scope.Type.DEPARTMENT, Scope.Type.PROJECT)
# What can be made: each below the one before.
MADE = TYPES[1:]


@dataclass(frozen=True)
class Possible:
    """What the caller may do with one scope."""

    actions: frozenset[str]
    can_see_access: bool

    def __str__(self) -> str:
        return " ".join(sorted(self.actions))


def require_reading(authority: Authority) -> None:
    """Raise Denied where the caller may read no type of scope at all."""
    if not any(authority.allows_anywhere("read", type_) for type_ in TYPES):
        authority.require_anywhere("read", Scope.Type.PROJECT)


def visible_scopes(authority: Authority) -> ScopeQuerySet:
    """Return the scopes in sight that a page shows; raise Denied where there can be none."""
    require_reading(authority)
    return authority.visible_scopes().selectable()


def get_visible_scope(authority: Authority, pk: int) -> Scope:
    """Return a scope in sight; raise NotFound for any other number."""
    scope = visible_scopes(authority).filter(pk=pk).select_related("parent").first()
    if scope is None:
        raise NotFound("There is no such scope.")
    return scope


def creatable_types(authority: Authority) -> list[Scope.Type]:
    """Return the types of scope that the caller may create somewhere."""
    return [type_ for type_ in MADE if authority.allows_anywhere("create", type_)]


def possible(authority: Authority, scope: Scope) -> Possible:
    """Return what may be done with `scope`. Asks no database."""
    actions = set(_making(authority, scope))
    if scope.type in MADE:
        if authority.allows("update", scope.type, scope):
            actions.add("rename")
        if scope.type != Scope.Type.CLUSTER and _can_be_moved(authority, scope):
            actions.add("move")
        if authority.allows("delete", scope.type, scope):
            actions.add("delete")
    return Possible(frozenset(actions), authority.allows("read", "access_rules", scope))


def possible_anywhere(authority: Authority) -> set[str]:
    """Return what the caller may do with some scope or other, as far as its own place tells."""
    rights = {"rename": "update", "move": "create", "delete": "delete"}
    return {
        name
        for name, action in rights.items()
        if any(authority.allows_anywhere(action, type_) for type_ in MADE)
    }


def _can_be_moved(authority: Authority, scope: Scope) -> bool:
    return authority.can_move_from(scope) and authority.allows_anywhere("create", scope.type)


def _making(authority: Authority, scope: Scope) -> Iterable[str]:
    child = Scope.CHILD_TYPE.get(Scope.Type(scope.type))
    if child is not None and authority.allows("create", child, scope):
        yield f"new-{child}"
