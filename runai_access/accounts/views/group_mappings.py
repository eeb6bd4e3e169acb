"""The page of group mappings, and the dialogs that create and delete one."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_http_methods, require_safe

from accessrules.authorization.callers import caller_of
from runai_access.accounts import policy
from runai_access.accounts.forms import GroupMappingForm
from runai_access.accounts.models import GroupMapping
from runai_access.accounts.sso.actions import (
    create_group_mapping,
    delete_group_mapping,
    visible_mapping,
)
from runai_access.accounts.views.tabs import MAPPINGS, tabs
from runai_access.errors import Conflict
from runai_access.ui.dialogs import ParentPage, finish_dialog, is_htmx_target, render_dialog


@require_safe
def mappings(request: HttpRequest) -> HttpResponse:
    """Show the values of the groups claim that lead to visible groups."""
    caller = caller_of(request)
    shown = GroupMapping.objects.filter(group__in=policy.GROUPS.visible(caller))
    page = _page()
    context = {
        "page": page,
        "tabs": tabs(caller.authority),
        "mappings": shown.select_related("group").order_by("value", "group__normalized_name", "pk"),
        "provider": settings.OIDC,
        "can_update": policy.GROUPS.is_allowed(caller, "update"),
        "oob": is_htmx_target(request, "listing"),
    }
    return render(request, "groups/mappings.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Ask for a value and a group; create the mapping."""
    caller = caller_of(request)
    policy.GROUPS.require(caller, "update")
    groups = policy.GROUPS.visible(caller).order_by("normalized_name", "pk")
    form = GroupMappingForm(request.POST if request.method == "POST" else None, groups=groups)
    if request.method != "POST" or not form.is_valid():
        return _create_form(request, form, status=422 if form.errors else 200)
    value, group = form.cleaned_data["value"], form.chosen
    try:
        mapping = create_group_mapping(caller=caller, value=value, group=group)
    except Conflict as conflict:
        form.add_error("value", str(conflict))
        return _create_form(request, form, status=409)
    except ValidationError as error:
        form.add_error(None, error)
        return _create_form(request, form, status=422)
    messages.success(request, f"{mapping.value} leads to {group}.")
    return finish_dialog(request, _page(), changed=mapping.pk, is_new=True)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, mapping_id: UUID) -> HttpResponse:
    """Ask for confirmation; delete the mapping."""
    caller = caller_of(request)
    policy.GROUPS.require(caller, "update")
    if request.method == "POST":
        mapping = delete_group_mapping(caller=caller, mapping_id=mapping_id)
        messages.success(request, f"{mapping.value} no longer leads to {mapping.group}.")
        return finish_dialog(request, _page())
    context = {"mapping": visible_mapping(caller=caller, mapping_id=mapping_id)}
    return render_dialog(request, "groups/_delete_mapping.html", context, parent_page=_page())


def _create_form(request: HttpRequest, form: GroupMappingForm, *, status: int) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "provider": settings.OIDC}
    return render_dialog(
        request, "groups/_create_mapping.html", context, parent_page=_page(), status=status
    )


def _page() -> ParentPage:
    return ParentPage(MAPPINGS, resolve_url("groups:mappings"))
