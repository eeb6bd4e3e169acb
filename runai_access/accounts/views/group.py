"""The detail page of a group, and the dialogs that create and delete groups."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accessrules.actions.groups import create_group, delete_group
from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import caller_of
from accessrules.authorization.effective_access import sees_all_rules, visible_subjects
from accessrules.console.tables.history import last_events
from accessrules.console.tables.rules_of_subject import listed
from runai_access.accounts import policy
from runai_access.accounts.forms import NewGroupForm
from runai_access.accounts.models import Group
from runai_access.accounts.views.groups import PAGE
from runai_access.errors import Conflict
from runai_access.ui.dialogs import finish_dialog, is_htmx_target, render_dialog

MEMBERS_SHOWN = 100


@require_safe
def detail(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show the visible members, rules and recent activity of a group."""
    caller = caller_of(request)
    authority = caller.authority
    group = policy.visible_group(caller, id_)
    rules = authority.visible_rules().living().filter(subject=group)
    context: dict[str, Any] = {
        "group": group,
        **members_shown(group, authority),
        "rules": listed(rules, group, authority),
        "sees_all_rules": sees_all_rules(authority),
        "sees_rules": authority.allows_anywhere("read", "access_rules"),
        "can_update": policy.GROUPS.is_allowed(caller, "update"),
        "can_delete": policy.GROUPS.is_allowed(caller, "delete"),
        "can_grant": authority.allows_anywhere("create", "access_rules"),
        "sees_activity": caller.authority.reads_audit_log,
        "oob": is_htmx_target(request, "listing"),
    }
    if context["sees_activity"]:
        context["events"] = last_events(group, "group")
    return render(request, "groups/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Ask for a name; create the group."""
    caller = caller_of(request)
    policy.GROUPS.require(caller, "create")
    if request.method != "POST":
        return _create_form(request, NewGroupForm())
    form = NewGroupForm(request.POST)
    if not form.is_valid():
        return _create_form(request, form, status=422)
    try:
        group = create_group(caller=caller, name=form.cleaned_data["name"])
    except Conflict:
        form.add_error(
            "name",
            f"A group named {form.cleaned_data['name']} already exists. Choose another name.",
        )
        return _create_form(request, form, status=409)
    except ValidationError as error:
        form.add_error(None, error)
        return _create_form(request, form, status=422)
    messages.success(request, f"Group {group} created.")
    return finish_dialog(request, PAGE.parent_page, changed=group.pk, is_new=True)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show what is deleted with the group; delete it."""
    caller = caller_of(request)
    group = policy.visible_group(caller, id_)
    policy.GROUPS.require(caller, "delete")
    if request.method == "POST":
        delete_group(caller=caller, group=group)
        messages.success(request, f"Group {group} deleted.")
        return finish_dialog(request, PAGE.parent_page, gone=group.get_absolute_url())
    context = {
        "group": group,
        **members_shown(group, caller.authority),
        "rule_count": caller.authority.visible_rules().living().filter(subject=group).count(),
        "sees_all_rules": sees_all_rules(caller.authority),
    }
    return render_dialog(
        request, "groups/_delete.html", context, parent_page=PAGE.parent_page, row=id_
    )


def members_shown(group: Group, authority: Authority) -> dict[str, Any]:
    """Return the first visible members, their number, and whether all members are visible."""
    members = visible_subjects(authority).filter(group_memberships__group=group)
    count = members.count()
    total = group.memberships.filter(member__retired_at=None).count()
    return {
        "members": members.order_by("normalized_name", "pk")[:MEMBERS_SHOWN],
        "member_count": count,
        "more_members": max(0, count - MEMBERS_SHOWN),
        "sees_all_members": total == count,
    }


def _create_form(request: HttpRequest, form: NewGroupForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form}
    return render_dialog(
        request, "groups/_create.html", context, parent_page=PAGE.parent_page, status=status
    )
