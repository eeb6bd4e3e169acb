"""Choosing a scope, or several: a tree that is loaded branch by branch, and a search.

What stands open, what is looked for and what is chosen travels in the form itself, so the picker is
the same with and without scripts. Nothing here grows with the tree: a branch shows its first scopes
and says how many more there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import QueryDict

from accessrules.authorization import Authority
from accessrules.models import ACCOUNT_PATH, Role, Scope, ScopeQuerySet
from accessrules.scope_tree import full_names
from runai_access.folding import fold

SHOWN = 50
_FEW_CLUSTERS = 5  # no more than these stand open from the first
_LONGEST_SEARCH = 200


@dataclass
class PickedBranch:
    """One scope in the tree. One that may not be chosen is there to show the way."""

    scope: Scope
    may_be_chosen: bool
    is_open: bool = False
    has_more: bool = False
    below: list["PickedBranch"] = field(default_factory=list)
    left_out: int = 0


@dataclass(frozen=True)
class Found:
    """One scope that a search found, with its full path."""

    scope: Scope
    full_name: str


class ScopePicker:
    """The picker as its form stands: `posted` is what the form sent, None when it is new.

    With `takes_several` any number may be chosen, else one.
    """

    def __init__(
        self, authority: Authority, posted: QueryDict | None, *, takes_several: bool = False
    ) -> None:
        self._authority = authority
        self.takes_several = takes_several
        given = posted if posted is not None else QueryDict()
        self.find = given.get("find", "").strip()[:_LONGEST_SEARCH].replace("\x00", "")
        self.role = given.get("role", "")
        self.scope = given.get("scope", "")
        self.ticked = _numbers(
            dict.fromkeys(given.getlist("scope")) if takes_several else [self.scope]
        )
        self.toggled = given.get("toggle", "")
        self.is_looking = bool(self.toggled) or given.get("do") == "look"
        self.left_out = 0
        self._open_above = 0
        self._shown: set[int] = set()
        self._opened = set(_numbers(given.getlist("open")))
        self._closed = set(_numbers(given.getlist("closed")))
        for pk in _numbers([self.toggled.removeprefix("-")]):
            here, there = self._opened, self._closed
            if self.toggled.startswith("-"):
                here, there = there, here
            here.add(pk)
            there.discard(pk)

    @property
    def open_ids(self) -> list[int]:
        return sorted(self._opened)

    @property
    def closed_ids(self) -> list[int]:
        return sorted(self._closed)

    @cached_property
    def chosen(self) -> list[Found]:
        """What is chosen, as far as it may be; each with its full path."""
        scopes = list(self._grantable.filter(pk__in=self.ticked)) if self.ticked else []
        names = full_names(scopes) if scopes else {}
        return [Found(scope, names[scope.path]) for scope in scopes]

    @property
    def hidden_choices(self) -> list[Found]:
        """What is chosen and not among those that are shown."""
        return [found for found in self.chosen if found.scope.pk not in self._shown]

    @cached_property
    def is_uniform(self) -> bool:
        """Whether the same may be granted everywhere, so that no choice narrows the other."""
        return len(self._authority.where("create", "access_rules")) <= 1 and not any(
            scope.depth > 1 for scope in self._tops()
        )

    def roles(self, roles: Iterable[Role]) -> list[Role]:
        """Return the roles that may be granted where it is chosen, or all while nothing is."""
        places = [found.scope for found in self.chosen]
        return [
            role
            for role in roles
            if not places or any(self._authority.may_grant(role, place) for place in places)
        ]

    @property
    def found(self) -> list[Found]:
        """The first scopes with the search's text in their names."""
        term = fold(self.find)
        names = self._grantable.order_by("depth", "name", "pk").values_list("pk", "name")
        pks = [pk for pk, name in names if term in fold(name)]
        self.left_out = max(0, len(pks) - SHOWN)
        scopes = list(self._grantable.filter(pk__in=pks[:SHOWN]).order_by("depth", "name", "pk"))
        full = full_names(scopes)
        self._shown |= {scope.pk for scope in scopes}
        return [Found(scope, full[scope.path]) for scope in scopes]

    def tree(self) -> list[PickedBranch]:
        """Return the tree as far as it stands open: account, clusters, and what was opened."""
        tops = self._tops()
        clusters = self._grantable.filter(type=Scope.Type.CLUSTER)[: _FEW_CLUSTERS + 1].count()
        top_depth = max((scope.depth for scope in tops), default=0)
        self._open_above = 1 + max(top_depth, 2 if clusters <= _FEW_CLUSTERS else 1)
        roots: list[PickedBranch] = []
        known: dict[str, PickedBranch] = {}
        ways = {path for scope in tops for path in scope.ancestor_paths}
        way = list(Scope.objects.offered().filter(path__in=ways).order_by("path"))
        for scope in [*way, *tops]:
            branch = PickedBranch(scope, scope in tops, is_open=scope not in tops)
            known[scope.path] = branch
            above = [known[path] for path in scope.ancestor_paths if path in known]
            (above[-1].below if above else roots).append(branch)
            if scope in tops:
                self._fill(branch)
        return roots

    def _fill(self, branch: PickedBranch) -> None:
        """Bring what is below a branch that stands open; of others, whether there is anything."""
        scope = branch.scope
        self._shown.add(scope.pk)
        branch.has_more = getattr(scope, "has_children", True)
        opened = scope.depth < self._open_above or scope.pk in self._opened
        opened = opened or any(
            found.scope.path.startswith(scope.path) and found.scope.path != scope.path
            for found in self.chosen
        )
        branch.is_open = branch.has_more and opened and scope.pk not in self._closed
        if not branch.is_open:
            return
        grandchildren = Scope.objects.filter(parent=OuterRef("pk"))
        children = Scope.objects.filter(parent=scope).annotate(has_children=Exists(grandchildren))
        children = children.order_by("name", "pk")
        shown = list(children[: SHOWN + 1])
        if len(shown) > SHOWN:
            shown.pop()
            branch.left_out = children.count() - SHOWN
        branch.has_more = bool(shown)
        for child in shown:
            below = PickedBranch(child, may_be_chosen=True)
            branch.below.append(below)
            self._fill(below)

    def _tops(self) -> list[Scope]:
        paths = self._authority.where("create", "access_rules")
        return list(self._grantable.filter(path__in=[*paths, *_account_of(paths)]).order_by("path"))

    @property
    def _grantable(self) -> ScopeQuerySet:
        return self._authority.grantable_scopes()


def _account_of(paths: Iterable[str]) -> list[str]:
    """Return the account's path where everything may be granted from above it (the system)."""
    return [ACCOUNT_PATH] if any(ACCOUNT_PATH.startswith(path) for path in paths) else []


def _numbers(texts: Iterable[Any]) -> list[int]:
    """Return those texts that could be primary keys."""
    good = [text for text in texts if text.isascii() and text.isdecimal() and len(text) < 19]
    return [int(text) for text in good][:200]
