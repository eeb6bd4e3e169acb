"""The list of applications, and the way from a selected row to its dialog."""

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accessrules.authorization import ACCOUNT
from accessrules.callers import caller_of
from applications import policy
from applications.tables import ApplicationTable
from runai_access.ui.dialogs import asks_for

ROW_ACTIONS = ("access-rules", "regenerate", "enable", "disable", "delete")


@require_safe
def application_list(request: HttpRequest) -> HttpResponse:
    """Show the applications in sight: a page of them, sorted."""
    caller = caller_of(request)
    applications = policy.visible(caller).with_access_rules(caller.authority)
    table = ApplicationTable.for_request(
        request,
        applications,
        authority=caller.authority,
        selected=_selected_id(request),
    )
    context = {
        "table": table,
        "address": _address(request),
        "may": {action: policy.may(caller, action) for action in ("create", "update", "delete")},
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
    """Go to the dialog that the toolbar names, of the row that is selected."""
    action, id_ = request.GET.get("action"), _selected_id(request)
    if action not in ROW_ACTIONS or not id_:
        messages.warning(request, "Select an application first.")
        return redirect("applications:list")
    return redirect(f"applications:{action}", id_)


def _selected_id(request: HttpRequest) -> str:
    try:
        return str(uuid.UUID(request.GET.get("selected", "")))
    except ValueError:
        return ""


def _address(request: HttpRequest) -> str:
    """Return the list's own address, without the row that is selected just now."""
    kept = [(key, value) for key, value in request.GET.items() if key != "selected"]
    return f"{request.path}?{urlencode(kept)}" if kept else request.path
