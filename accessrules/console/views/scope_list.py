"""The list of scopes: the alternative to the tree, with filters and sorting."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import resolve_url

from accessrules.authorization import scope_policy
from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import caller_of
from accessrules.console.tables.scopes import ScopeTable
from accessrules.filters.scopes import ScopeFilterSet
from accessrules.filters.search import search_scopes
from accessrules.models import Scope
from runai_access.lists.selection import ListFilter
from runai_access.ui.dialogs import ParentPage, return_url
from runai_access.ui.list_views import Action, ListView

# Actions on one scope, each with its own dialog.
CHANGES = (
    Action("rename", "RENAME", "pencil", for_bulk=False),
    Action("move", "MOVE", "folder-input", for_bulk=False),
    Action("delete", "DELETE", "trash-2", for_bulk=False, is_danger=True),
)


class ScopePage(ListView):
    """Access > Scopes > List."""

    namespace = "scopes"
    title, noun, plural = "Scopes", "scope", "scopes"
    new = "NEW SCOPE"
    searched = "names and IDs"
    empty_template = "accessrules/scopes/_none.html"
    template = "accessrules/scopes/table.html"
    table, filters = ScopeTable, ScopeFilterSet

    def rows(self, request: HttpRequest) -> QuerySet[Scope]:
        return scope_policy.visible_scopes(caller_of(request).authority)

    def authority(self, request: HttpRequest) -> Authority:
        return caller_of(request).authority

    def search(self, text: str, authority: Authority) -> ListFilter:
        return search_scopes(text, authority)

    def can_create(self, request: HttpRequest) -> bool:
        return bool(scope_policy.creatable_types(caller_of(request).authority))

    def actions(self, request: HttpRequest) -> list[Action]:
        possible = scope_policy.possible_actions_anywhere(caller_of(request).authority)
        return [action for action in CHANGES if action.name in possible]

    def extra_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"tabs": tabs()}


PAGE = ScopePage()


def tree_parent_page() -> ParentPage:
    """Return the page of the tree."""
    return ParentPage("Scopes", resolve_url("scopes:tree"))


def parent_page(request: HttpRequest) -> ParentPage:
    """Return the page from which a scope dialog was opened: the tree or the list."""
    tree = tree_parent_page()
    opened_from = return_url(request, tree).partition("?")[0]
    return PAGE.parent_page if opened_from == PAGE.address else tree


def tabs() -> list[ParentPage]:
    """Return the tabs for the tree and the list."""
    return [ParentPage("Tree", tree_parent_page().address), ParentPage("List", PAGE.address)]
