"""The ACCESS RULES dialog of an application: lists, adds and deletes its rules."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.views.decorators.http import require_http_methods, require_POST

from accessrules.actions import rules as rule_actions
from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import Caller, caller_of, record_denial
from accessrules.authorization.effective_access import changes_by_removing, sees_all_rules
from accessrules.console.forms import AccessRuleForm
from accessrules.console.pickers.scopes import ScopePicker
from accessrules.console.tables.rules_of_subject import ListedRule, listed
from accessrules.models import Role, Scope
from applications import policy
from applications.models import Application
from applications.views.listing import PAGE
from runai_access.errors import Conflict, Denied, NotFound
from runai_access.ui.dialogs import (
    finish_dialog,
    is_htmx_target,
    query_with_return_url,
    render_dialog,
)
from runai_access.ui.undo import TOO_LATE, read_token, report_undoable

MAX_REMOVAL_PREVIEWS = 30


@require_http_methods(["GET", "HEAD", "POST"])
def access_rules(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show the visible rules, and with `?add` the form for a new rule; a POST saves it."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    if request.method == "POST":
        return _save(request, caller, application)
    if "add" not in request.GET:
        return _dialog(request, application)
    caller.authority.require_anywhere("create", "access_rules")
    return _dialog(request, application, AccessRuleForm(authority=caller.authority))


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, id_: UUID, rule_id: int) -> HttpResponse:
    """Delete a rule of this application and show the remaining ones."""
    if request.method != "POST":
        return redirect("applications:access-rules", id_)
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    effect = _effect_of_deleting(rule_id, application, caller.authority)
    try:
        rule = rule_actions.delete_access_rule(
            caller=caller, rule_id=rule_id, of=application.subject
        )
    except NotFound:
        error, status = "This access rule was already deleted.", 404
    except Denied as denied:
        record_denial(request, denied)
        error, status = str(denied), 403
    except Conflict as conflict:
        error, status = str(conflict), 409
    else:
        report_undoable(
            request,
            f"Access rule removed: {rule.role} in {rule.scope.label}{effect}.",
            resolve_url("applications:restore-access-rule", application.pk),
            role=rule.role_id,
            scope=rule.scope_id,
            expires=rule.expires_at and rule.expires_at.isoformat(),
        )
        return _saved(request, application)
    return _dialog(request, application, error=error, status=status)


def _effect_of_deleting(rule_id: int, application: Application, authority: Authority) -> str:
    """Return what deleting a rule revokes, for the message: " · 74 permissions revoked"."""
    rules = authority.visible_rules().living().filter(subject=application.subject, pk=rule_id)
    rules = rules.select_related("subject", "role", "scope")
    changes = [change for r in changes_by_removing(rules, authority) for change in r.changes]
    lost = sum(len(change.lost) for change in changes)
    return f" · {lost} permission{'' if lost == 1 else 's'} revoked" if lost else ""


@require_POST
def restore(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Undo a deletion: add a rule with the same role and scope, if the caller can grant it."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    deleted = read_token(request)
    role = Role.objects.filter(pk=deleted["role"]).first() if deleted else None
    scope = Scope.objects.filter(pk=deleted["scope"]).first() if deleted else None
    if role is None or scope is None:
        messages.error(request, TOO_LATE)
    else:
        try:
            rule_actions.create_access_rule(
                caller=caller, subject=application.subject, role=role, scope=scope,
                expires_at=_expiry_of(deleted),
            )  # fmt: skip
        except ValidationError:
            messages.error(request, "The access rule has expired.")
        except Conflict as conflict:
            messages.error(request, str(conflict))
        else:
            messages.success(request, f"Access rule restored: {role} in {scope.label}.")
    if request.POST.get("stays"):
        return _saved(request, application)
    return finish_dialog(request, PAGE.parent_page, changed=application.pk)


def _expiry_of(deleted: dict[str, Any] | None) -> datetime | None:
    """Return when the deleted rule would have expired; None means never."""
    text = deleted.get("expires") if deleted else None
    return datetime.fromisoformat(text) if text else None


def _save(request: HttpRequest, caller: Caller, application: Application) -> HttpResponse:
    picker = ScopePicker(caller.authority, request.POST)
    if picker.is_searching:
        caller.authority.require_anywhere("create", "access_rules")
        expires = request.POST.get("expires", "")
        chosen = {"role": picker.role, "scope": picker.scope, "expires": expires}
        unsaved = AccessRuleForm(authority=caller.authority, initial=chosen)
        return _dialog(request, application, unsaved)
    form = AccessRuleForm(request.POST, authority=caller.authority)
    if not form.is_valid():
        caller.authority.require_anywhere("create", "access_rules")
        return _dialog(request, application, form, status=422)
    role, scope = form.chosen
    try:
        rule_actions.create_access_rule(
            caller=caller, subject=application.subject, role=role, scope=scope,
            expires_at=form.expires_at,
        )  # fmt: skip
    except Denied as denied:
        record_denial(request, denied)
        form.add_error(None, str(denied))
        return _dialog(request, application, form, status=403)
    except Conflict as conflict:
        form.add_error(None, str(conflict))
        return _dialog(request, application, form, status=409)
    messages.success(request, f"Access rule added: {role} in {scope.label}.")
    return _saved(request, application)


def _saved(request: HttpRequest, application: Application) -> HttpResponse:
    """Show the rules again. A full page redirects, so that a reload does not submit the form twice."""
    if not is_htmx_target(request, "dialog"):
        url = resolve_url("applications:access-rules", application.pk)
        return redirect(url + query_with_return_url(request, PAGE.parent_page))
    return _dialog(request, application, changed=application.pk)


def _dialog(
    request: HttpRequest,
    application: Application,
    form: AccessRuleForm | None = None,
    *,
    error: str = "",
    status: int = 200,
    changed: UUID | None = None,
) -> HttpResponse:
    authority = caller_of(request).authority
    visible = authority.visible_rules().living().filter(subject=application.subject)
    rules = listed(visible, application.subject, authority)
    context: dict[str, Any] = {
        "application": application,
        "rules": _with_removal_previews(rules, authority),
        "sees_all_rules": sees_all_rules(authority),
        "can_add": authority.allows_anywhere("create", "access_rules"),
        "form": form,
        "picker": ScopePicker(authority, request.POST or None) if form else None,
        "error": error,
    }
    return render_dialog(
        request, "applications/_access_rules.html", context,
        parent_page=PAGE.parent_page, status=status, changed=changed, row=application.pk,
    )  # fmt: skip


def _with_removal_previews(rules: list[ListedRule], authority: Authority) -> list[ListedRule]:
    """Add the effect of removing a rule to the first rules that the caller can delete."""
    deletable = [item.rule for item in rules if item.can_delete][:MAX_REMOVAL_PREVIEWS]
    removals = changes_by_removing(deletable, authority, each_alone=True)
    previews = {removal.rule.pk: removal for removal in removals}
    return [replace(item, removal=previews.get(item.rule.pk)) for item in rules]
