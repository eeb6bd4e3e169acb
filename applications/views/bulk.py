"""Bulk actions on applications: a confirmation, then a report.

Each application has its own audit row and its own report row; a refusal of one does not stop the rest.
They run in batches, one transaction each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accessrules.actions.bulk import Outcome, run_in_batches
from accessrules.actions.rules import NewRule, create_access_rules
from accessrules.authorization.callers import Caller, caller_of, record_denial
from accessrules.console.forms import AccessRuleForm
from accessrules.console.pickers.scopes import ScopePicker
from accessrules.console.tables.subjects import named_rules
from applications import policy
from applications.actions.deletion import delete_applications
from applications.actions.status import set_applications_enabled
from applications.models import TRASH_DAYS, Application
from applications.views.listing import PAGE
from runai_access.errors import Denied, NotFound, Refusal
from runai_access.ui.dialogs import render_dialog
from runai_access.ui.reports import ResultRow, missing_rows, render_report, result_row


@dataclass(frozen=True)
class BulkAction:
    """A bulk action on applications. `effect` is the text of its confirmation."""

    name: str
    verb: str
    done: str
    effect: str
    permission: str

    def skips(self, application: Application) -> str:
        """Return why this action does not apply to an application, or an empty string."""
        if self.name == "enable" and application.enabled:
            return "already enabled"
        if self.name == "disable" and not application.enabled:
            return "already disabled"
        return ""


BULK = {
    bulk.name: bulk
    for bulk in (
        BulkAction(
            "delete", "DELETE", "deleted",
            "Their client IDs, client secrets and tokens stop working immediately, and their access "
            "rules are deleted. The applications and their access rules can be restored for "
            f"{TRASH_DAYS} days, their client secrets and tokens can't.", "delete",
        ),
        BulkAction(
            "disable", "DISABLE", "disabled",
            "Their client secrets and tokens stop working immediately. They keep their access rules, "
            "and you can enable them again.", "update",
        ),
        BulkAction(
            "enable", "ENABLE", "enabled",
            "Their client secrets work again, and they can get new tokens. Tokens issued before they "
            "were disabled stay invalid. Contained applications with live client secrets from before "
            "are refused.", "update",
        ),
    )
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def bulk_action(request: HttpRequest, action: str) -> HttpResponse:
    """Show the confirmation; then delete, disable or enable the selected applications."""
    caller, bulk = caller_of(request), BULK[action]
    policy.require(caller, bulk.permission)
    ids = PAGE.selected_keys(request)
    if not ids:
        return redirect("applications:list")
    applications = selected_applications(caller, ids)
    if request.method == "POST":
        outcomes = _run(request, caller, bulk, applications)
        return render_report(request, report_rows(outcomes, len(ids)), parent_page=PAGE.parent_page)
    rules = named_rules([application.pk for application in applications], caller.authority)
    items = [
        {
            "application": application,
            "rules": len(rules[application.pk]),
            "skips": bulk.skips(application),
        }
        for application in applications
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
    """Add an access rule with the same role and scope to the selected applications."""
    caller = caller_of(request)
    caller.authority.require_anywhere("create", "access_rules")
    posted = request.POST if request.method == "POST" else None
    ids = PAGE.selected_keys(request)
    applications = selected_applications(caller, ids)
    if not applications:
        return redirect("applications:list")
    picker = ScopePicker(caller.authority, posted)
    is_unsaved = posted is None or picker.is_searching
    form = AccessRuleForm(
        None if is_unsaved else posted, authority=caller.authority,
        initial={
            "role": picker.role, "scope": picker.scope,
            "expires": request.POST.get("expires", ""),
        },
    )  # fmt: skip
    if not is_unsaved and form.is_valid():
        role, scope = form.chosen
        try:
            caller.authority.require_can_grant(role, scope)
        except Denied as denied:
            record_denial(request, denied)
            form.add_error(None, str(denied))
        else:
            done = f"access rule added: {role} in {scope.label}"

            def grant(batch: Sequence[Application]) -> list[str | Refusal]:
                rules = [NewRule(one.subject, role, scope, form.expires_at) for one in batch]
                results = create_access_rules(caller=caller, rules=rules)
                return [result if isinstance(result, Refusal) else done for result in results]

            outcomes = run_in_batches(request, applications, grant)
            return render_report(
                request, report_rows(outcomes, len(ids)), parent_page=PAGE.parent_page
            )
    context = {"applications": applications, "form": form, "picker": picker}
    status = 200 if is_unsaved else 422
    return render_dialog(
        request,
        "applications/_bulk_rule.html",
        context,
        parent_page=PAGE.parent_page,
        status=status,
    )


def selected_applications(caller: Caller, ids: list[UUID]) -> list[Application]:
    """Return the visible ones of the selected applications, by name."""
    return list(policy.visible(caller).filter(pk__in=ids).order_by("subject__name"))


def _run(
    request: HttpRequest, caller: Caller, bulk: BulkAction, applications: list[Application]
) -> list[Outcome[Application, str]]:
    """Run the action in batches and return the outcome of each application."""
    affected = [application for application in applications if not bulk.skips(application)]
    outcomes = {
        outcome.wanted.pk: outcome
        for outcome in run_in_batches(
            request, affected, lambda batch: _run_batch(caller, bulk, batch)
        )
    }
    return [
        outcomes.get(application.pk) or Outcome(application, made=bulk.skips(application))
        for application in applications
    ]


def _run_batch(
    caller: Caller, bulk: BulkAction, applications: Sequence[Application]
) -> list[str | Refusal]:
    refusals: Mapping[UUID, Refusal | None]
    if bulk.name == "delete":
        deleted = delete_applications(caller=caller, applications=applications)
        refusals = {application.pk: None for application in deleted}
    else:
        refusals = set_applications_enabled(
            caller=caller, applications=applications, enabled=bulk.name == "enable"
        )
    return results_of(applications, refusals, done=bulk.done)


def results_of(
    applications: Sequence[Application], refusals: Mapping[UUID, Refusal | None], *, done: str
) -> list[str | Refusal]:
    """Return the result of an action on applications: `done`, or the refusal.

    `refusals` has the refusal, or None, of each that still exists.
    """
    return [
        refusals.get(application.pk, NotFound("Already deleted.")) or done
        for application in applications
    ]


def report_rows(outcomes: list[Outcome[Application, str]], selected_count: int) -> list[ResultRow]:
    """Return a report row for each outcome, and one for selected applications that no longer exist."""
    rows = [
        result_row(outcome.wanted.name, outcome.made or "", outcome.refusal) for outcome in outcomes
    ]
    return [*rows, *missing_rows(selected_count - len(rows), "application")]
