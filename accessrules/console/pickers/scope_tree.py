"""The scope tree, loaded branch by branch, and its search.

The form or URL carries the open branches, so the tree works without JavaScript. The cost does not
depend on the size of the tree: a branch or a search shows at most SHOWN scopes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat
from django.http import QueryDict
from django.utils.functional import cached_property

from accessrules.authorization.breadcrumbs import full_names
from accessrules.authorization.scope_policy import TYPES
from accessrules.models import ACCOUNT_PATH, Scope, ScopeQuerySet, at_or_below
from runai_access.db.normalization import normalize, normalize_term

SHOWN = 50
MAX_SEARCH_LENGTH = 200
_MAX_OPEN_CLUSTERS = 5  # up to this many clusters are open initially


@dataclass
class Branch:
    """One scope in the tree. A scope that is not selectable is shown as an ancestor of others."""

    scope: Scope
    is_selectable: bool
    is_open: bool = False
    has_more: bool = False
    below: list["Branch"] = field(default_factory=list)
    first: int = 0
    """The number of child scopes before those shown."""
    left_out: int = 0
    """The number of child scopes after those shown."""


@dataclass(frozen=True)
class Found:
    """A scope with its full name."""

    scope: Scope
    full_name: str


class ScopeTree:
    """The state of a scope tree. `reach` has the paths under which each type is selectable.

    Other scopes are shown only as ancestors of selectable ones.
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
            target, other = self._opened, self._closed
            if self.toggled.startswith("-"):
                target, other = other, target
            target.add(pk)
            other.discard(pk)

    @property
    def open_ids(self) -> list[int]:
        return sorted(self._opened)

    @property
    def closed_ids(self) -> list[int]:
        return sorted(self._closed)

    @property
    def scopes(self) -> ScopeQuerySet:
        """The selectable scopes."""
        return Scope.objects.filter(self._selectable_q)

    @cached_property
    def _selectable_q(self) -> Q:
        condition = Q(pk__in=[])
        for type_, paths in self._reach.items():
            if paths:
                condition |= Q(type=type_) & at_or_below(paths)
        return condition

    def is_selectable(self, scope: Scope) -> bool:
        """Return whether the scope is selectable, not only shown as an ancestor."""
        return scope.path.startswith(self._reach.get(scope.type, ()))

    @cached_property
    def chosen(self) -> list[Found]:
        """The chosen scopes that are selectable."""
        scopes = list(self.scopes.filter(pk__in=self.ticked)) if self.ticked else []
        names = full_names(scopes) if scopes else {}
        return [Found(scope, names[scope.path]) for scope in scopes]

    @property
    def hidden_choices(self) -> list[Found]:
        """The chosen scopes that the tree or search does not show."""
        return [item for item in self.chosen if item.scope.pk not in self._shown]

    @property
    def found(self) -> list[Found]:
        """The first SHOWN scopes whose name contains the search text."""
        term = normalize_term(self.find)
        names = self.scopes.order_by("depth", "name", "pk").values_list("pk", "name")
        pks = [pk for pk, name in names if term in normalize(name)]
        self.left_out = max(0, len(pks) - SHOWN)
        scopes = list(self.scopes.filter(pk__in=pks[:SHOWN]).order_by("depth", "name", "pk"))
        full_name = full_names(scopes)
        self._shown |= {scope.pk for scope in scopes}
        return [Found(scope, full_name[scope.path]) for scope in scopes]

    def tree(self) -> list[Branch]:
        """Return the open part of the tree: the account, clusters and opened branches."""
        tops = self.tops()
        clusters = self._shown_of(Scope.objects.filter(type=Scope.Type.CLUSTER))
        top_depth = max((scope.depth for scope in tops), default=0)
        opens_clusters = clusters[: _MAX_OPEN_CLUSTERS + 1].count() <= _MAX_OPEN_CLUSTERS
        self._open_above = 1 + max(top_depth, 2 if opens_clusters else 1)
        roots: list[Branch] = []
        known: dict[str, Branch] = {}
        paths = {path for scope in tops for path in scope.ancestor_paths}
        ancestors = list(Scope.objects.selectable().filter(path__in=paths).order_by("path"))
        for scope in [*ancestors, *tops]:
            branch = Branch(scope, self.is_selectable(scope), is_open=scope not in tops)
            known[scope.path] = branch
            parents = [known[path] for path in scope.ancestor_paths if path in known]
            (parents[-1].below if parents else roots).append(branch)
            if scope in tops:
                self._fill(branch)
        return roots

    def tops(self) -> list[Scope]:
        """Return the topmost selectable scopes."""
        paths = {path for paths in self._reach.values() for path in paths}
        if any(ACCOUNT_PATH.startswith(path) for path in paths):
            paths = {ACCOUNT_PATH}  # a rule on `system` covers the whole account too
        tops = [p for p in paths if not any(p != top and p.startswith(top) for top in paths)]
        return list(Scope.objects.selectable().filter(path__in=tops).order_by("path"))

    def first_shown(self, scope: Scope, children: ScopeQuerySet) -> int:
        """Return the index of the first child to show."""
        return 0

    def _fill(self, branch: Branch) -> None:
        """Load the children of an open branch; of a closed one, only whether it has any."""
        scope = branch.scope
        self._shown.add(scope.pk)
        branch.has_more = getattr(scope, "has_children", scope.type != Scope.Type.PROJECT)
        opened = scope.depth < self._open_above or scope.pk in self._opened
        opened = opened or any(
            item.scope.path.startswith(scope.path) and item.scope.path != scope.path
            for item in self.chosen
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
            child_branch = Branch(child, self.is_selectable(child))
            branch.below.append(child_branch)
            self._fill(child_branch)

    def _with_children(self, children: ScopeQuerySet, parent: Scope) -> ScopeQuerySet:
        if parent.type == Scope.Type.DEPARTMENT:
            return children  # projects have no child scopes
        below = self._shown_of(Scope.objects.filter(parent=OuterRef("pk")))
        return children.annotate(has_children=Exists(below))

    def _shown_of(self, scopes: ScopeQuerySet) -> ScopeQuerySet:
        """Return the selectable scopes and the ancestors of selectable scopes."""
        if not self._has_gaps:
            return scopes.filter(self._selectable_q)
        below = self.scopes.filter(
            path__gt=OuterRef("path"), path__lt=Concat(OuterRef("path"), Value("a"))
        )
        return scopes.filter(self._selectable_q | Exists(below))

    @cached_property
    def _has_gaps(self) -> bool:
        """Whether a selectable scope can have an ancestor below the tops that is not selectable."""
        return any(
            not all(path.startswith(self._reach.get(upper, ())) for path in self._reach[lower])
            for depth, upper in enumerate(TYPES)
            for lower in TYPES[depth + 1 :]
            if self._reach.get(lower)
        )


def numbers(texts: Iterable[Any]) -> list[int]:
    """Return the texts that are valid primary keys, as numbers. At most 200."""
    valid = [text for text in texts if text.isascii() and text.isdecimal() and len(text) < 19]
    return [int(text) for text in valid][:200]
