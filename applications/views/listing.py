"""The list of applications, and the way from the selected rows to their dialog."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.utils.cache import patch_vary_headers
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from accessrules.authorization import ACCOUNT
from accessrules.callers import caller_of
from applications import policy
from applications.filters import ApplicationFilterSet
from applications.search import search
from applications.tables import ApplicationTable
from runai_access.ui.dialogs import asks_for, finish_dialog
from runai_access.ui.listing import Listing, Source

OF_ONE = ("access-rules", "regenerate", "enable", "disable", "delete")
OF_SEVERAL = ("add-rule", "enable", "disable", "delete")


def listing_of(request: HttpRequest, query: QueryDict | None = None) -> Listing:
    """Return the list of applications as `query`, or else the request's address, asks for it."""
    caller = caller_of(request)
    source = Source(
        table=ApplicationTable,
        filters=ApplicationFilterSet,
        rows=policy.visible(caller),
        search=search,
        context=caller.authority,
        path=resolve_url("applications:list"),
    )
    return Listing(request, source, query)


@gzip_page  # holds no secret: its CSRF token is masked anew each time (BREACH)
@require_safe
def application_list(request: HttpRequest) -> HttpResponse:
    """Show the applications in sight: a page of those that the address asks for."""
    caller = caller_of(request)
    listing = listing_of(request)
    context: dict[str, Any] = {
        "list": listing,
        "may": {action: policy.may(caller, action) for action in ("create", "update", "delete")},
        "may_grant": caller.authority.allows_anywhere("create", "access_rules"),
        "sees_all": caller.authority.allows("read", "apps", ACCOUNT),
        "sees_all_rules": caller.authority.allows("read", "access_rules", ACCOUNT),
    }
    is_part = asks_for(request, "listing")
    template = "applications/_listing_part.html" if is_part else "applications/list.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


@require_safe
def selected(request: HttpRequest) -> HttpResponse:
    """Go to the dialog that the toolbar names, of the row or rows that are selected."""
    action, ids = request.GET.get("action", ""), ids_in(request.GET)
    if not ids or action not in {*OF_ONE, *OF_SEVERAL}:
        messages.warning(request, "Select an application first.")
        return finish_dialog(request, resolve_url("applications:list"))
    if len(ids) == 1 and action in OF_ONE:
        return redirect(f"applications:{action}", ids[0])
    if action not in OF_SEVERAL:
        messages.warning(request, "Select just one application for this.")
        query = urlencode({"selected": [str(id_) for id_ in ids]}, doseq=True)
        return finish_dialog(request, f"{resolve_url('applications:list')}?{query}")
    query = urlencode({"selected": [str(id_) for id_ in ids]}, doseq=True)
    return redirect(f"{resolve_url(f'applications:bulk-{action}')}?{query}")


def ids_in(query: QueryDict) -> list[UUID]:
    """Return the ids of the selected rows; what is none is left out."""
    ids = []
    for text in query.getlist("selected")[:100]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    return list(dict.fromkeys(ids))
