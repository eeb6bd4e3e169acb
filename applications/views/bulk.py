"""What is done to several applications: a summary of what will happen, and a report of what did.

Each has its own audit row and its own line in the report; what is refused for one is done for the
others. A hundred at a time are one action and one transaction; a rule is granted to each by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accessrules.actions.bulk import Outcome, run_bulk
from accessrules.actions.rules import create_access_rule
from accessrules.authorization.callers import Caller, caller_of, record_denial
from accessrules.console.forms import AccessRuleForm
from accessrules.console.pickers.scopes import ScopePicker
from accessrules.console.tables.subjects import named_rules
from applications import actions, policy
from applications.models import Application
from applications.views.listing import PAGE
from runai_access.errors import Denied, NotFound
from runai_access.ui.dialogs import render_dialog
from runai_access.ui.reports import ResultRow, line_of, missing_rows, render_report

# So many are one transaction. On SQLite nobody else can write meanwhile.
BATCH_SIZE = 100


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
        outcomes = _done(request, caller, bulk, applications)
        return render_report(request, _told(outcomes, len(ids)), parent_page=PAGE.parent_page)
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
    return render_dialog(request, "applications/_bulk.html", context, parent_page=PAGE.parent_page)


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
    authority_on = posted is None or picker.is_searching
    form = AccessRuleForm(
        None if authority_on else posted, authority=caller.authority,
        initial={"role": picker.role, "scope": picker.scope},
    )  # fmt: skip
    if not authority_on and form.is_valid():
        role, scope = form.chosen
        try:
            caller.authority.require_can_grant(role, scope)
        except Denied as denied:
            record_denial(request, denied)
            form.add_error(None, str(denied))
        else:
            outcomes = run_bulk(request, applications, lambda one: _grant(caller, one, role, scope))
            return render_report(request, _told(outcomes, len(ids)), parent_page=PAGE.parent_page)
    context = {"applications": applications, "form": form, "picker": picker}
    status = 200 if authority_on else 422
    return render_dialog(
        request,
        "applications/_bulk_rule.html",
        context,
        parent_page=PAGE.parent_page,
        status=status,
    )


def _applications(caller: Caller, ids: list[UUID]) -> list[Application]:
    return list(policy.visible(caller).filter(pk__in=ids).order_by("subject__name"))


def _done(
    request: HttpRequest, caller: Caller, bulk: Bulk, applications: list[Application]
) -> list[Outcome[Application, str]]:
    """Do it to a hundred in a transaction, and return what came of each."""
    wanted = [one for one in applications if not bulk.skips(one)]
    hundreds = [wanted[start : start + BATCH_SIZE] for start in range(0, len(wanted), BATCH_SIZE)]
    outcomes: dict[UUID, Outcome[Application, str]] = {}
    for some in run_bulk(request, hundreds, lambda hundred: _do(caller, bulk, hundred)):
        refusals = some.made or {}
        for one in some.wanted:
            refusal = refusals.get(one.pk, some.refusal or NotFound("It is gone already."))
            done = None if refusal else bulk.done
            outcomes[one.pk] = Outcome(one, made=done, refusal=refusal)
        for refusal in refusals.values():
            if refusal:
                record_denial(request, refusal)
    return [
        outcomes.get(one.pk) or Outcome(one, made=f"{bulk.skips(one)}, nothing to do")
        for one in applications
    ]


def _do(
    caller: Caller, bulk: Bulk, applications: list[Application]
) -> Mapping[UUID, Denied | None]:
    """Do it, and return for each that is still there why it is refused, if it is."""
    if bulk.name == "delete":
        deleted = actions.delete_applications(caller=caller, applications=applications)
        return {application.pk: None for application in deleted}
    return actions.set_applications_enabled(
        caller=caller, applications=applications, enabled=bulk.name == "enable"
    )


def _grant(caller: Caller, application: Application, role: Any, scope: Any) -> str:
    create_access_rule(caller=caller, subject=application.subject, role=role, scope=scope)
    return f"is now {role} in {scope.label}"


def _told(outcomes: list[Outcome[Application, str]], asked: int) -> list[ResultRow]:
    """Return the report: a line for each, and one for those of the `asked` that were gone before."""
    lines = [
        line_of(outcome.wanted.name, outcome.made or "", outcome.refusal) for outcome in outcomes
    ]
    return [*lines, *missing_rows(asked - len(lines), "application")]
