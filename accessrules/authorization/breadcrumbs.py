"""Full paths of scopes, from the account down."""

from collections.abc import Iterable

from accessrules.models import Scope

SEPARATOR = " / "


def full_names(scopes: Iterable[Scope]) -> dict[str, str]:
    """Return the full name of each scope by its path, for example "acme / cluster-a / research".

    One query. Callers who can see a scope can see the names of its ancestors.
    """
    scopes = list(scopes)
    names = {scope.path: scope.name for scope in [*_ancestors(scopes), *scopes]}
    return {
        scope.path: SEPARATOR.join(
            names[path] for path in [*scope.ancestor_paths, scope.path] if path in names
        )
        for scope in scopes
    }


def _ancestors(scopes: list[Scope]) -> list[Scope]:
    known = {scope.path for scope in scopes}
    paths = {path for scope in scopes for path in scope.ancestor_paths} - known
    return list(Scope.objects.selectable().filter(path__in=paths).only("path", "name"))
