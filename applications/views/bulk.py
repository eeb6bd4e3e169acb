"""What is done to several applications: a summary of what will happen, and a report of what did.

Each application is an action and a transaction of its own, with its own permission check and audit
row; what is refused for one is done for the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accessrules.actions import create_access_rule
from accessrules.callers import Caller, caller_of
from accessrules.denials import record_denial
from accessrules.forms import AccessRuleForm
from accessrules.scope_picker import ScopePicker
from accessrules.several import each, line_of, lines_of_gone
from applications import actions, policy
from applications.models import Application
from applications.views.listing import PAGE
from runai_access.errors import Denied
from runai_access.ui.dialogs import render_dialog
from runai_access.ui.reports import Line, render_report


@dataclass(frozen=True)
class Bulk:
    """One thing that can be done to several."""

    name: str
    verb: str
    done: str
    says: str
    permission: str

    def skips(self, application: Application) -> str:
        """Return why there is nothing to do for it, if so."""
        if self.name == "enable" and application.enabled:
            return "enabled already"
        if self.name == "disable" and not application.enabled:
            return "disabled already"
        return ""


BULK = {
    bulk.name: bulk
    for bulk in (
        Bulk(
            "delete", "DELETE", "deleted",
            "Their client IDs, client secrets and every token obtained with them stop working at "
            "once, and their access rules are deleted. This can't be undone.", "delete",
        ),
        Bulk(
            "disable", "DISABLE", "disabled",
            "Their client secrets and every token obtained with them stop working at once. They "
            "keep their access rules and can be enabled again.", "update",
        ),
        Bulk(
            "enable", "ENABLE", "enabled",
            "Their client secrets work again and they can obtain new tokens. Tokens from before "
            "they were disabled stay invalid.", "update",
        ),
    )
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def several(request: HttpRequest, action: str) -> HttpResponse:
    """Summarize, then delete, disable or enable several applications."""
    caller, bulk = caller_of(request), BULK[action]
    policy.require(caller, bulk.permission)
    ids = PAGE.selected_keys(request)
    if not ids:
        return redirect("applications:list")
    applications = _applications(caller, ids)
    if request.method == "POST":
        lines = _done(request, applications, ids, lambda one: _do(caller, bulk, one))
        return render_report(request, lines, home=PAGE.home)
    items = [
        {"application": one, "rules": len(one.subject.visible_rules), "skips": bulk.skips(one)}  # type: ignore[attr-defined]  # brought
        for one in applications
    ]
    context = {
        "bulk": bulk,
        "items": items,
        "affected": [item for item in items if not item["skips"]],
        "missing": len(ids) - len(items),
    }
    return render_dialog(request, "applications/_bulk.html", context, home=PAGE.home)


@require_http_methods(["GET", "HEAD", "POST"])
def add_rule(request: HttpRequest) -> HttpResponse:
    """Choose a role and a scope, and add that rule to several applications."""
    caller = caller_of(request)
    caller.authority.require_anywhere("create", "access_rules")
    posted = request.POST if request.method == "POST" else None
    ids = PAGE.selected_keys(request)
    applications = _applications(caller, ids)
    if not applications:
        return redirect("applications:list")
    picker = ScopePicker(caller.authority, posted)
    asks_on = posted is None or picker.is_looking
    form = AccessRuleForm(
        None if asks_on else posted, authority=caller.authority,
        initial={"role": picker.role, "scope": picker.scope},
    )  # fmt: skip
    if not asks_on and form.is_valid():
        role, scope = form.chosen
        try:
            caller.authority.require_may_grant(role, scope)
        except Denied as denied:
            record_denial(request, denied)
            form.add_error(None, str(denied))
        else:
            lines = _done(
                request, applications, ids,
                lambda one: _grant(caller, one, role, scope),
            )  # fmt: skip
            return render_report(request, lines, home=PAGE.home)
    context = {"applications": applications, "form": form, "picker": picker}
    status = 200 if asks_on else 422
    return render_dialog(
        request, "applications/_bulk_rule.html", context, home=PAGE.home, status=status
    )


def _applications(caller: Caller, ids: list[UUID]) -> list[Application]:
    rows = policy.visible(caller).with_access_rules(caller.authority).filter(pk__in=ids)
    return list(rows.order_by("subject__name"))


def _do(caller: Caller, bulk: Bulk, application: Application) -> str:
    if skipped := bulk.skips(application):
        return f"{skipped}, nothing to do"
    if bulk.name == "delete":
        actions.delete_application(caller=caller, application_id=application.pk)
    else:
        actions.set_application_enabled(
            caller=caller, application_id=application.pk, enabled=bulk.name == "enable"
        )
    return bulk.done


def _grant(caller: Caller, application: Application, role: Any, scope: Any) -> str:
    create_access_rule(caller=caller, subject=application.subject, role=role, scope=scope)
    return f"is now {role} in {scope.label}"


def _done(
    request: HttpRequest,
    applications: list[Application],
    ids: list[UUID],
    do: Callable[[Application], str],
) -> list[Line]:
    lines = [
        line_of(outcome.wanted.name, outcome, outcome.made or "")
        for outcome in each(request, applications, do)
    ]
    return [*lines, *lines_of_gone(len(ids) - len(applications), "application")]
