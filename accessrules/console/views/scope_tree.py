"""The Scopes page: the tree, redirects to the dialogs of the selected scope, and the CSV file."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from accessrules.authorization import scope_policy
from accessrules.authorization.callers import caller_of
from accessrules.console.pickers.scope_tree_page import ScopeList, ScopeRow
from accessrules.console.tables.scopes import ScopeTable
from accessrules.console.views.scope_list import CHANGES, PAGE, tabs, tree_parent_page
from accessrules.scope_import.rows import COLUMNS
from accessrules.scope_import.writers import csv_rows
from runai_access.lists import export
from runai_access.ui.dialogs import finish_dialog, is_htmx_target, query_with_return_url
from runai_access.ui.list_views import Action

# In the order of the toolbar; `scope_policy.possible_actions` decides which apply to a scope.
ACTIONS = (
    *(
        Action(f"new-{type_}", f"NEW {type_.upper()}", "plus", for_bulk=False)
        for type_ in scope_policy.CREATABLE_TYPES
    ),
    *CHANGES,
)


@require_safe
def scopes(request: HttpRequest) -> HttpResponse:
    """Show the open part of the tree, or the search results."""
    authority = caller_of(request).authority
    scope_policy.require_can_read_scopes(authority)
    tree = ScopeList(authority, tree_parent_page().address, request.GET)
    rows = tree.rows()
    kept = PAGE.listing(request, QueryDict())
    table = ScopeTable.in_tree(
        [row.scope for row in rows if isinstance(row, ScopeRow) and not row.is_only_ancestor],
        authority=authority, columns=kept.columns, search=tree.find, address=tree.address,
    )  # fmt: skip
    names = {name for possible in table.possible.values() for name in possible.actions}
    context: dict[str, Any] = {
        "tree": tree,
        "rows": rows,
        "table": table,
        "width": len(table.shown_columns) + 1,  # with the menu column
        "list": kept,
        "urls": PAGE.urls,
        "page": tree_parent_page(),
        "tabs": tabs(),
        "count": f"{tree.scopes.count():,}",
        "actions": [action for action in ACTIONS if action.name in names],
        "can_create": bool(scope_policy.creatable_types(authority)),
        "is_empty": not tree.scopes.filter(depth__gt=1).exists(),
    }
    is_part = is_htmx_target(request, "listing")
    name = "_listing_part" if is_part else "list"
    response = render(request, f"accessrules/scopes/{name}.html", context)
    if is_part and tree.is_navigation:
        replace_url(response, tree.address)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


@require_safe
def selected(request: HttpRequest) -> HttpResponse:
    """Redirect to a toolbar action's dialog for the selected scope."""
    authority = caller_of(request).authority
    scope_policy.require_can_read_scopes(authority)
    action, pk = request.GET.get("action", ""), request.GET.get("selected", "")
    if action not in {action.name for action in ACTIONS} or not pk.isdecimal() or len(pk) > 18:
        messages.warning(request, "Select a scope first.")
        return finish_dialog(request, tree_parent_page())
    if action.startswith("new-"):
        return redirect(
            resolve_url("scopes:create")
            + query_with_return_url(request, tree_parent_page(), scope=pk)
        )
    return redirect(
        resolve_url(f"scopes:{action}", int(pk))
        + query_with_return_url(request, tree_parent_page())
    )


@require_safe
def csv(request: HttpRequest) -> HttpResponseBase:
    """Return the visible scopes as a CSV file that `import_scopes` can read."""
    authority = caller_of(request).authority
    found = scope_policy.visible_scopes(authority).filter(depth__gt=1).select_related("parent")
    kept, is_cut = export.within_limit(found.order_by("depth", "name", "pk"))
    return export.csv_response("scopes", COLUMNS, csv_rows(kept), is_cut=is_cut)
