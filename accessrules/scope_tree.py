"""Scopes as a tree to choose from, and the full path that says where a scope stands."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from accessrules.authorization import Authority
from accessrules.models import Scope

_CLUSTER_DEPTH = 2


@dataclass
class Branch:
    """A scope with what is below it. One that may not be chosen is there to show the way."""

    scope: Scope
    may_be_chosen: bool
    is_open: bool
    below: list["Branch"] = field(default_factory=list)

    @property
    def holds(self) -> str:
        """What is directly below, for example "3 departments"."""
        count = len(self.below)
        kind = Scope.Type(self.below[0].scope.type).label.lower() if self.below else ""
        return f"{count} {kind}{'s' if count != 1 else ''}"


def grantable_tree(authority: Authority, chosen: str = "") -> list[Branch]:
    """Return the scopes in which the caller may grant, below the scopes that lead to them.

    The way to the scope whose primary key is `chosen` stands open, as do account and clusters.
    """
    grantable = list(authority.grantable_scopes().order_by("path"))
    may_be_chosen = {scope.path for scope in grantable}
    chosen_path = next((scope.path for scope in grantable if str(scope.pk) == chosen), "")
    roots: list[Branch] = []
    branches: dict[str, Branch] = {}
    for scope in sorted([*grantable, *_ancestors(grantable)], key=lambda scope: scope.path):
        is_open = scope.depth <= _CLUSTER_DEPTH or chosen_path.startswith(scope.path)
        branch = Branch(scope, scope.path in may_be_chosen, is_open)
        branches[scope.path] = branch
        above = [branches[path] for path in scope.ancestor_paths if path in branches]
        (above[-1].below if above else roots).append(branch)
    for branch in branches.values():
        branch.below.sort(key=lambda b: b.scope.name)
    return roots


def full_names(scopes: Iterable[Scope]) -> dict[str, str]:
    """Return for each scope's path the names from the account down, "acme / cluster-a / research".

    One query. Whoever sees a scope may know where it stands.
    """
    scopes = list(scopes)
    names = {scope.path: scope.name for scope in [*_ancestors(scopes), *scopes]}
    return {
        scope.path: " / ".join(
            names[path] for path in [*scope.ancestor_paths, scope.path] if path in names
        )
        for scope in scopes
    }


def _ancestors(scopes: list[Scope]) -> list[Scope]:
    known = {scope.path for scope in scopes}
    paths = {path for scope in scopes for path in scope.ancestor_paths} - known
    return list(Scope.objects.offered().filter(path__in=paths))
