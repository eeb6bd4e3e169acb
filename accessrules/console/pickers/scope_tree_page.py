"""The scope tree of the Scopes page: visible scopes, with paging inside a branch."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q
from django.http import QueryDict

from accessrules.authorization import scope_policy
from accessrules.authorization.authority import Authority
from accessrules.console.pickers import scope_tree
from accessrules.console.pickers.scope_tree import Branch, ScopeTree, numbers
from accessrules.models import Scope, ScopeQuerySet


@dataclass(frozen=True)
class ScopeRow:
    """A row of the page. `full_name` is set in search results.

    A scope that is not visible itself `is_only_ancestor` of visible ones.
    """

    scope: Scope
    level: int = 1
    branch: Branch | None = None
    full_name: str = ""

    @property
    def is_only_ancestor(self) -> bool:
        return self.branch is not None and not self.branch.is_selectable


@dataclass(frozen=True)
class Pages:
    """The paging controls of a branch with many child scopes."""

    branch: Branch
    level: int

    @property
    def range(self) -> str:
        """The range shown, for example "51-100 of 5,000" with an en dash."""
        last = self.branch.first + len(self.branch.below)
        return f"{self.branch.first + 1:,}\u2013{last:,} of {last + self.branch.left_out:,}"

    @property
    def previous(self) -> str:
        """The value of the Previous button; empty on the first page."""
        return self._page(-1) if self.branch.first else ""

    @property
    def next(self) -> str:
        return self._page(1) if self.branch.left_out else ""

    def _page(self, step: int) -> str:
        number = self.branch.first // scope_tree.SHOWN + step
        return f"{self.branch.scope.pk}-{number}"


class ScopeList(ScopeTree):
    """The scope tree as the URL describes it."""

    def __init__(self, authority: Authority, path: str, given: QueryDict) -> None:
        reach = {type_.value: authority.scope_roots("read", type_) for type_ in scope_policy.TYPES}
        self.is_new = bool(given.get("new"))
        self.selected, self.changed = (
            numbers([given.get(name, "")]) for name in ("selected", "changed")
        )
        super().__init__(
            reach, given, find=given.get("search", ""), chosen=[*self.changed, *self.selected]
        )
        self._path = path
        turned = list(_pages([given.get("turn", "")]))
        self._pages = dict([*_pages(given.getlist("at")), *turned])
        self.is_navigation = bool(self.toggled or turned)
        """Whether this request opens, closes or pages a branch."""

    @property
    def pages(self) -> list[str]:
        """The pages of branches, as hidden fields of the form."""
        return [f"{pk}-{page}" for pk, page in sorted(self._pages.items()) if page]

    @property
    def address(self) -> str:
        """The URL of this view."""
        return self._address(self.find)

    @property
    def cleared(self) -> str:
        """The URL without the search."""
        return self._address("")

    def _address(self, find: str) -> str:
        state = {
            "search": [find] if find else [],
            "open": self.open_ids,
            "closed": self.closed_ids,
            "at": self.pages,
        }
        query = urlencode(state, doseq=True)
        return f"{self._path}?{query}" if query else self._path

    def rows(self) -> list[ScopeRow | Pages]:
        """Return the rows in order. Two queries for each open branch."""
        if self.find:
            return [ScopeRow(item.scope, full_name=item.full_name) for item in self.found]
        return [row for branch in self.tree() for row in _flat(branch, level=1)]

    def first_shown(self, scope: Scope, children: ScopeQuerySet) -> int:
        """Return the index of the first child on the requested page, or the page of the selection."""
        if (page := self._pages.get(scope.pk)) is None:
            page = self._page_of_chosen(scope, children)
        first = page * scope_tree.SHOWN
        return first if first == 0 or children[first : first + 1] else 0

    def _page_of_chosen(self, scope: Scope, children: ScopeQuerySet) -> int:
        for item in self.chosen:
            if item.scope.parent_id == scope.pk:
                name, pk = item.scope.name, item.scope.pk
                before = children.filter(Q(name__lt=name) | Q(name=name, pk__lt=pk))
                return before.count() // scope_tree.SHOWN
        return 0


def _flat(branch: Branch, level: int) -> Iterator[ScopeRow | Pages]:
    yield ScopeRow(branch.scope, level, branch)
    for below in branch.below:
        yield from _flat(below, level + 1)
    if branch.first or branch.left_out:
        yield Pages(branch, level + 1)


def _pages(texts: Iterable[str]) -> Iterator[tuple[int, int]]:
    for text in texts:
        parts = numbers(text.split("-"))
        if len(parts) == 2 and parts[1] < 1_000_000:
            yield parts[0], parts[1]
