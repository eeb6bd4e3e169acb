"""The full path that says where a scope stands."""

from collections.abc import Iterable

from accessrules.models import Scope

SEPARATOR = " / "


def full_names(scopes: Iterable[Scope]) -> dict[str, str]:
    """Return for each scope's path the names from the account down, "acme / cluster-a / research".

    One query. Whoever sees a scope may know where it stands.
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
