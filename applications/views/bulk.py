"""What is done to several applications: a summary of what will happen, and a report of what did.

Each has its own audit row and its own line in the report; what is refused for one is done for the
others. To enable, to disable and to grant is an action and a transaction for each, for what an
application holds may forbid it; they are deleted a hundred at a time.
"""

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
from accessrules.holders import named_rules
from accessrules.scope_picker import ScopePicker
from accessrules.several import Outcome, each, line_of, lines_of_gone
from applications import actions, policy
from applications.models import Application
from applications.views.listing import PAGE
from runai_access.errors import Denied, NotFound
from runai_access.ui.dialogs import render_dialog
from runai_access.ui.reports import Line, render_report

# So many are deleted in one transaction, while which nobody else can write on SQLite.
AT_ONCE = 100


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
        if bulk.name == "delete":
            outcomes = _deleted(request, caller, applications)
        else:
            outcomes = each(request, applications, lambda one: _set_enabled(caller, bulk, one))
        lines = _told(outcomes, len(ids))
        return render_report(request, lines, home=PAGE.home)
    rules = named_rules([one.pk for one in applications], caller.authority)
    items = [
        {"application": one, "rules": len(rules[one.pk]), "skips": bulk.skips(one)}
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
            outcomes = each(request, applications, lambda one: _grant(caller, one, role, scope))
            return render_report(request, _told(outcomes, len(ids)), home=PAGE.home)
    context = {"applications": applications, "form": form, "picker": picker}
    status = 200 if asks_on else 422
    return render_dialog(
        request, "applications/_bulk_rule.html", context, home=PAGE.home, status=status
    )


def _applications(caller: Caller, ids: list[UUID]) -> list[Application]:
    return list(policy.visible(caller).filter(pk__in=ids).order_by("subject__name"))


def _deleted(
    request: HttpRequest, caller: Caller, applications: list[Application]
) -> list[Outcome[Application, str]]:
    """Delete them, a hundred in a transaction, and return what came of each."""
    hundreds = [
        applications[start : start + AT_ONCE] for start in range(0, len(applications), AT_ONCE)
    ]
    deletions = each(
        request,
        hundreds,
        lambda some: actions.delete_applications(caller=caller, applications=some),
    )
    outcomes: list[Outcome[Application, str]] = []
    for some in deletions:
        refusal = some.refusal or NotFound("It is gone already.")
        deleted = {application.pk for application in some.made or ()}
        outcomes += [
            Outcome(one, made=BULK["delete"].done)
            if one.pk in deleted
            else Outcome(one, refusal=refusal)
            for one in some.wanted
        ]
    return outcomes


def _set_enabled(caller: Caller, bulk: Bulk, application: Application) -> str:
    if skipped := bulk.skips(application):
        return f"{skipped}, nothing to do"
    actions.set_application_enabled(
        caller=caller, application_id=application.pk, enabled=bulk.name == "enable"
    )
    return bulk.done


def _grant(caller: Caller, application: Application, role: Any, scope: Any) -> str:
    create_access_rule(caller=caller, subject=application.subject, role=role, scope=scope)
    return f"is now {role} in {scope.label}"


def _told(outcomes: list[Outcome[Application, str]], asked: int) -> list[Line]:
    """Return the report: a line for each, and one for those of the `asked` that were gone before."""
    lines = [line_of(outcome.wanted.name, outcome, outcome.made or "") for outcome in outcomes]
    return [*lines, *lines_of_gone(asked - len(lines), "application")]
