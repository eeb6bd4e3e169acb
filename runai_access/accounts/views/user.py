"""The detail page of a user, and the dialogs that rename, disconnect, reset and delete them."""

from typing import Any
from uuid import UUID

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_http_methods, require_safe

from accessrules.authorization.callers import caller_of
from accessrules.authorization.effective_access import sees_all_rules
from accessrules.authorization.grants import rules_of
from accessrules.console.tables.history import last_events
from accessrules.console.tables.rules_of_subject import listed
from runai_access.accounts import policy
from runai_access.accounts.actions import delete_user, rename_user
from runai_access.accounts.forms import NameForm
from runai_access.accounts.mfa.actions import reset_factors
from runai_access.accounts.sso.actions import disconnect_identity
from runai_access.accounts.views.users import PAGE
from runai_access.errors import Conflict
from runai_access.ui.dialogs import finish_dialog, is_htmx_target, leave_for, render_dialog


@require_safe
def detail(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show the details, visible groups, rules and recent activity of a user."""
    caller = caller_of(request)
    authority = caller.authority
    user = policy.visible_one(caller, id_)
    rules = rules_of(user.subject) & authority.visible_rules()
    groups = policy.GROUPS.visible_rows(authority).filter(memberships__member=user.subject)
    context: dict[str, Any] = {
        "object": user,
        "is_oneself": user.subject == caller.subject,
        "groups": groups.order_by("normalized_name", "pk"),
        "sees_all_groups": policy.GROUPS.sees_all(authority),
        "rules": listed(rules, user.subject, authority),
        "sees_all_rules": sees_all_rules(authority),
        "sees_rules": authority.allows_anywhere("read", "access_rules"),
        "can_update": policy.is_allowed(caller, "update"),
        "can_delete": policy.is_allowed(caller, "delete"),
        "can_change_groups": policy.GROUPS.is_allowed(caller, "update"),
        "can_grant": authority.allows_anywhere("create", "access_rules"),
        "sees_activity": caller.authority.reads_audit_log,
        "identities": SocialAccount.objects.filter(user=user).order_by("pk"),
        "factors": policy.factors_of(user),
        "can_sign_in_locally": policy.can_sign_in_locally(user),
        "oob": is_htmx_target(request, "listing"),
    }
    if context["sees_activity"]:
        context["events"] = last_events(user.subject, "user")
    return render(request, "users/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Ask for the display name of a user; set it."""
    caller = caller_of(request)
    user = policy.visible_one(caller, id_)
    policy.require(caller, "update")
    form = NameForm(request.POST or {"display_name": user.display_name})
    if request.method == "POST" and form.is_valid():
        try:
            rename_user(caller=caller, user_id=id_, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Name of {user} saved.")
            return finish_dialog(request, PAGE.parent_page, changed=id_)
    return render_dialog(
        request, "users/_rename.html", {"form": form, "object": user},
        parent_page=PAGE.parent_page, status=422 if form.errors else 200, row=id_,
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def disconnect(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show the identities of a user; remove them."""
    caller = caller_of(request)
    user = policy.visible_one(caller, id_)
    policy.require(caller, "update")
    caller.authority.require_can_impersonate(user.subject)
    if request.method == "POST":
        disconnect_identity(caller=caller, user_id=id_)
        messages.success(request, f"{user} disconnected.")
        return finish_dialog(request, PAGE.parent_page, changed=id_)
    context = {"object": user, "identities": SocialAccount.objects.filter(user=user).order_by("pk")}
    return render_dialog(
        request, "users/_disconnect.html", context, parent_page=PAGE.parent_page, row=id_
    )


@require_http_methods(["GET", "HEAD", "POST"])
def reset_second_factors(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show the second factors of a user who lost them; remove them."""
    caller = caller_of(request)
    user = policy.visible_one(caller, id_)
    policy.require(caller, "update")
    caller.authority.require_can_impersonate(user.subject)
    caller.require_recent_authentication()
    if request.method == "POST":
        reset_factors(caller=caller, user_id=id_)
        messages.success(request, f"Second factors of {user} removed.")
        if user.subject == caller.subject:  # their own session has ended, too
            return leave_for(request, resolve_url(settings.LOGIN_URL))
        return finish_dialog(request, PAGE.parent_page, changed=id_)
    context = {"object": user, "factors": policy.factors_of(user)}
    return render_dialog(
        request, "users/_reset_factors.html", context, parent_page=PAGE.parent_page, row=id_
    )


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show what is deleted with the user; delete them."""
    caller = caller_of(request)
    user = policy.visible_one(caller, id_)
    policy.require(caller, "delete")
    caller.authority.require_can_impersonate(user.subject)
    error, status = "", 200
    if request.method == "POST":
        try:
            delete_user(caller=caller, user_id=id_)
        except Conflict as conflict:
            error, status = str(conflict), 409
        else:
            messages.success(request, f"User {user} deleted.")
            return finish_dialog(request, PAGE.parent_page, gone=user.get_absolute_url())
    rules = caller.authority.visible_rules().living().filter(subject=user.subject)
    context = {
        "object": user,
        "is_oneself": user.subject == caller.subject,
        "rule_count": rules.count(),
        "sees_all_rules": sees_all_rules(caller.authority),
        "error": error,
    }
    return render_dialog(
        request, "users/_delete.html", context,
        parent_page=PAGE.parent_page, status=status, row=id_,
    )  # fmt: skip
