"""The tree of scopes, loaded branch by branch, and a search through it.

What stands open travels in the form or address itself, so a tree is the same with and without
scripts. Nothing here grows with the tree: a branch shows SHOWN scopes at a time, and a search its
first SHOWN.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat
from django.http import QueryDict
from django.utils.functional import cached_property

from accessrules.authorization.breadcrumbs import full_names
from accessrules.models import ACCOUNT_PATH, Scope, ScopeQuerySet, at_or_below
from runai_access.db.normalization import normalize, normalize_term

SHOWN = 50
MAX_SEARCH_LENGTH = 200
TYPES = (Scope.Type.TENANT, Scope.Type.CLUSTER, Scope.Type.DEPARTMENT, Scope.Type.PROJECT)
_FEW_CLUSTERS = 5  # no more than these stand open from the first


@dataclass
class Branch:
    """One scope in the tree. One that may not be chosen is there to show the way."""

    scope: Scope
    is_selectable: bool
    is_open: bool = False
    has_more: bool = False
    below: list["Branch"] = field(default_factory=list)
    first: int = 0
    """How many of those below stand before the ones that are shown."""
    left_out: int = 0
    """How many stand behind them."""


@dataclass(frozen=True)
class Found:
    """One scope that a search found, with its full path."""

    scope: Scope
    full_name: str


class ScopeTree:
    """A tree as its form stands. `reach` says of each type of scope where it may be chosen.

    What is not in it is shown only where something below it is.
    """

    def __init__(
        self,
        reach: Mapping[str, tuple[str, ...]],
        given: QueryDict,
        *,
        find: str,
        chosen: list[int],
    ) -> None:
        self._reach = reach
        self.find = find.strip()[:MAX_SEARCH_LENGTH].replace("\x00", "")
        self.ticked = chosen
        self.toggled = given.get("toggle", "")
        self.left_out = 0
        self._open_above = 0
        self._shown: set[int] = set()
        self._opened = set(numbers(given.getlist("open")))
        self._closed = set(numbers(given.getlist("closed")))
        for pk in numbers([self.toggled.removeprefix("-")]):
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

    @property
    def scopes(self) -> ScopeQuerySet:
        """The scopes that may be chosen."""
        return Scope.objects.filter(self._choosable)

    @cached_property
    def _choosable(self) -> Q:
        condition = Q(pk__in=[])
        for type_, paths in self._reach.items():
            if paths:
                condition |= Q(type=type_) & at_or_below(paths)
        return condition

    def is_selectable(self, scope: Scope) -> bool:
        """Return whether this one may be chosen, or only shows the way."""
        return scope.path.startswith(self._reach.get(scope.type, ()))

    @cached_property
    def chosen(self) -> list[Found]:
        """What is chosen, as far as it may be; each with its full path."""
        scopes = list(self.scopes.filter(pk__in=self.ticked)) if self.ticked else []
        names = full_names(scopes) if scopes else {}
        return [Found(scope, names[scope.path]) for scope in scopes]

    @property
    def hidden_choices(self) -> list[Found]:
        """What is chosen and not among those that are shown."""
        return [found for found in self.chosen if found.scope.pk not in self._shown]

    @property
    def found(self) -> list[Found]:
        """The first scopes with the search's text in their names."""
        term = normalize_term(self.find)
        names = self.scopes.order_by("depth", "name", "pk").values_list("pk", "name")
        pks = [pk for pk, name in names if term in normalize(name)]
        self.left_out = max(0, len(pks) - SHOWN)
        scopes = list(self.scopes.filter(pk__in=pks[:SHOWN]).order_by("depth", "name", "pk"))
        full = full_names(scopes)
        self._shown |= {scope.pk for scope in scopes}
        return [Found(scope, full[scope.path]) for scope in scopes]

    def tree(self) -> list[Branch]:
        """Return the tree as far as it stands open: account, clusters, and what was opened."""
        tops = self.tops()
        clusters = self._shown_of(Scope.objects.filter(type=Scope.Type.CLUSTER))
        top_depth = max((scope.depth for scope in tops), default=0)
        few = clusters[: _FEW_CLUSTERS + 1].count() <= _FEW_CLUSTERS
        self._open_above = 1 + max(top_depth, 2 if few else 1)
        roots: list[Branch] = []
        known: dict[str, Branch] = {}
        ways = {path for scope in tops for path in scope.ancestor_paths}
        way = list(Scope.objects.selectable().filter(path__in=ways).order_by("path"))
        for scope in [*way, *tops]:
            branch = Branch(scope, self.is_selectable(scope), is_open=scope not in tops)
            known[scope.path] = branch
            above = [known[path] for path in scope.ancestor_paths if path in known]
            (above[-1].below if above else roots).append(branch)
            if scope in tops:
                self._fill(branch)
        return roots

    def tops(self) -> list[Scope]:
        """Return the scopes that the tree, or each of its parts, begins with."""
        paths = {path for paths in self._reach.values() for path in paths}
        if any(ACCOUNT_PATH.startswith(path) for path in paths):
            paths = {ACCOUNT_PATH}  # everything, also where it may be chosen from above the account
        tops = [p for p in paths if not any(p != top and p.startswith(top) for top in paths)]
        return list(Scope.objects.selectable().filter(path__in=tops).order_by("path"))

    def first_shown(self, scope: Scope, children: ScopeQuerySet) -> int:
        """Return how many of the children stand before those to show."""
        return 0

    def _fill(self, branch: Branch) -> None:
        """Bring what is below a branch that stands open; of others, whether there is anything."""
        scope = branch.scope
        self._shown.add(scope.pk)
        branch.has_more = getattr(scope, "has_children", scope.type != Scope.Type.PROJECT)
        opened = scope.depth < self._open_above or scope.pk in self._opened
        opened = opened or any(
            found.scope.path.startswith(scope.path) and found.scope.path != scope.path
            for found in self.chosen
        )
        branch.is_open = branch.has_more and opened and scope.pk not in self._closed
        if not branch.is_open:
            return
        children = self._shown_of(Scope.objects.filter(parent=scope)).order_by("name", "pk")
        first = self.first_shown(scope, children)
        shown = list(self._with_children(children, scope)[first : first + SHOWN + 1])
        if len(shown) > SHOWN:
            shown.pop()
            branch.left_out = children.count() - first - SHOWN
        branch.first, branch.has_more = first, bool(shown)
        for child in shown:
            below = Branch(child, self.is_selectable(child))
            branch.below.append(below)
            self._fill(below)

    def _with_children(self, children: ScopeQuerySet, parent: Scope) -> ScopeQuerySet:
        if parent.type == Scope.Type.DEPARTMENT:
            return children  # nothing stands below a project
        below = self._shown_of(Scope.objects.filter(parent=OuterRef("pk")))
        return children.annotate(has_children=Exists(below))

    def _shown_of(self, scopes: ScopeQuerySet) -> ScopeQuerySet:
        """Return those that may be chosen, and those that lead to one."""
        if not self._has_gaps:
            return scopes.filter(self._choosable)
        below = self.scopes.filter(
            path__gt=OuterRef("path"), path__lt=Concat(OuterRef("path"), Value("a"))
        )
        return scopes.filter(self._choosable | Exists(below))

    @cached_property
    def _has_gaps(self) -> bool:
        """Whether some scope may be chosen and one above it, below the tops, not."""
        return any(
            not all(path.startswith(self._reach.get(upper, ())) for path in self._reach[lower])
            for depth, upper in enumerate(TYPES)
            for lower in TYPES[depth + 1 :]
            if self._reach.get(lower)
        )


def numbers(texts: Iterable[Any]) -> list[int]:
    """Return those texts that could be primary keys."""
    good = [text for text in texts if text.isascii() and text.isdecimal() and len(text) < 19]
    return [int(text) for text in good][:200]
