"""The confirmation dialogs: delete, disable and enable."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.views.decorators.http import require_http_methods

from accessrules.authorization.callers import caller_of
from accessrules.authorization.effective_access import sees_all_rules
from applications import policy
from applications.actions.deletion import delete_application
from applications.actions.status import set_application_enabled
from applications.actions.token_lifetime import set_token_lifetime
from applications.forms import TokenLifetimeForm
from applications.models import TRASH_DAYS
from applications.views.listing import PAGE
from runai_access.errors import Conflict
from runai_access.ui.dialogs import finish_dialog, render_dialog
from runai_access.ui.undo import report_undoable


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show what is deleted with the application; delete it."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    policy.require(caller, "delete")
    if request.method == "POST":
        delete_application(caller=caller, application_id=id_)
        messages.success(request, f"Application {application} deleted.")
        return finish_dialog(request, PAGE.parent_page, gone=application.get_absolute_url())
    rules = caller.authority.visible_rules().living().filter(subject=application.subject)
    context = {
        "application": application,
        "rule_count": rules.count(),
        "sees_all_rules": sees_all_rules(caller.authority),
        "trash_days": TRASH_DAYS,
    }
    return render_dialog(
        request, "applications/_delete.html", context, parent_page=PAGE.parent_page, row=id_
    )


@require_http_methods(["GET", "HEAD", "POST"])
def set_enabled(request: HttpRequest, id_: UUID, enabled: bool) -> HttpResponse:
    """Show the effect of disabling or enabling; do it."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    policy.require(caller, "update")
    old_secrets = application.secrets_from_before_containment()
    if enabled:
        caller.authority.require_can_impersonate(application.subject)
        if old_secrets:
            caller.require_recent_authentication_for(application.subject)
    error, status = "", 200
    if request.method == "POST":
        trusts_old_secrets = "trusts_old_secrets" in request.POST
        try:
            set_application_enabled(
                caller=caller, application_id=id_, enabled=enabled,
                trusts_old_secrets=trusts_old_secrets,
            )  # fmt: skip
        except Conflict as conflict:
            error, status = str(conflict), 409
        else:
            if enabled:
                messages.success(request, f"Application {application} enabled.")
            else:
                enable = resolve_url("applications:enable", id_)
                report_undoable(request, f"Application {application} disabled.", enable)
            return finish_dialog(request, PAGE.parent_page, changed=id_)
    context = {
        "application": application,
        "enabled": enabled,
        "old_secrets": old_secrets,
        "error": error,
    }
    return render_dialog(
        request, "applications/_set_enabled.html", context,
        parent_page=PAGE.parent_page, status=status, row=id_,
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def token_lifetime(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Ask for the lifetime of the application's new tokens; set it."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    policy.require(caller, "update")
    form = TokenLifetimeForm(request.POST or None, initial={"seconds": application.token_lifetime})
    if request.method == "POST" and form.is_valid():
        seconds = form.cleaned_data["seconds"]
        set_token_lifetime(caller=caller, application_id=id_, seconds=seconds)
        messages.success(request, f"Token lifetime of {application} changed.")
        return finish_dialog(request, PAGE.parent_page, changed=id_)
    context = {
        "application": application,
        "form": form,
        "default": settings.TOKEN_LIFETIME_SECONDS,
    }
    return render_dialog(
        request, "applications/_token_lifetime.html", context, parent_page=PAGE.parent_page,
        row=id_, status=422 if form.is_bound else 200,
    )  # fmt: skip
