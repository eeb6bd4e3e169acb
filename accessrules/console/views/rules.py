"""The list of access rules, and its dialogs to delete rules."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accessrules.actions.bulk import Outcome, run_in_batches
from accessrules.actions.rules import delete_access_rule, delete_access_rules
from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import caller_of
from accessrules.authorization.effective_access import changes_by_removing, sees_all_rules
from accessrules.console.tables.rules import AccessRuleTable
from accessrules.filters.rules import AccessRuleFilterSet
from accessrules.filters.search import permission_filter, search
from accessrules.models import AccessRule
from runai_access.errors import Conflict, NotFound
from runai_access.lists.selection import ListFilter
from runai_access.ui.dialogs import finish_dialog, render_dialog
from runai_access.ui.list_views import Action, ListView
from runai_access.ui.reports import ResultRow, missing_rows, render_report, result_row

DELETE = Action("delete", "DELETE", "trash-2", is_danger=True)


class AccessRulePage(ListView):
    """Access > Access rules."""

    namespace = "accessrules"
    title, noun, plural = "Access rules", "access rule", "access rules"
    new = "NEW ACCESS RULE"
    searched = "subjects, roles and scopes"
    empty_template = "accessrules/_no_rules.html"
    table, filters = AccessRuleTable, AccessRuleFilterSet

    def rows(self, request: HttpRequest) -> QuerySet[AccessRule]:
        authority = caller_of(request).authority
        authority.require_anywhere("read", "access_rules")
        return authority.visible_rules().living()

    def authority(self, request: HttpRequest) -> Authority:
        return caller_of(request).authority

    def search(self, text: str, authority: Authority) -> ListFilter:
        return search(text, authority)

    def permission_filter(self, authority: Authority) -> ListFilter | None:
        return permission_filter(authority)

    def can_create(self, request: HttpRequest) -> bool:
        return caller_of(request).authority.allows_anywhere("create", "access_rules")

    def actions(self, request: HttpRequest) -> list[Action]:
        can_delete = caller_of(request).authority.allows_anywhere("delete", "access_rules")
        return [DELETE] if can_delete else []

    def extra_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"sees_all": sees_all_rules(caller_of(request).authority)}


PAGE = AccessRulePage()


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, rule_id: int) -> HttpResponse:
    """Preview the effects of deleting a rule; delete it."""
    caller = caller_of(request)
    caller.authority.require_anywhere("delete", "access_rules")
    rule = _rules(caller.authority).filter(pk=rule_id).first()
    if rule is None:
        raise NotFound("Access rule not found. It might have been deleted.")
    caller.authority.require("delete", "access_rules", rule.scope)
    error, status = "", 200
    if request.method == "POST":
        try:
            delete_access_rule(caller=caller, rule_id=rule_id)
        except Conflict as conflict:
            error, status = str(conflict), 409
        else:
            messages.success(request, f"Access rule removed: {rule}.")
            return finish_dialog(request, PAGE.parent_page)
    context = {
        "removals": changes_by_removing([rule], caller.authority),
        "rules": [rule],
        "error": error,
    }
    return render_dialog(
        request,
        "accessrules/_delete.html",
        context,
        parent_page=PAGE.parent_page,
        status=status,
        row=rule.pk,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def bulk_delete(request: HttpRequest) -> HttpResponse:
    """Preview the effects of deleting rules; delete them and report each outcome."""
    caller = caller_of(request)
    caller.authority.require_anywhere("delete", "access_rules")
    keys = PAGE.selected_keys(request)
    if not keys:
        return redirect(PAGE.address)
    rules = list(_rules(caller.authority).filter(pk__in=keys))
    missing = len(keys) - len(rules)
    if request.method == "POST":
        outcomes = run_in_batches(
            request,
            rules,
            lambda batch: delete_access_rules(caller=caller, rule_ids=[rule.pk for rule in batch]),
        )
        lines = [*map(_result_row, outcomes), *missing_rows(missing, "access rule")]
        return render_report(request, lines, parent_page=PAGE.parent_page)
    deletable, kept = list[AccessRule](), list[AccessRule]()
    for rule in rules:
        can_delete = caller.authority.allows("delete", "access_rules", rule.scope)
        (deletable if can_delete else kept).append(rule)
    context = {
        "rules": deletable,
        "kept": kept,
        "removals": changes_by_removing(deletable, caller.authority),
        "missing": missing,
    }
    return render_dialog(request, "accessrules/_delete.html", context, parent_page=PAGE.parent_page)


def _rules(authority: Authority) -> QuerySet[AccessRule]:
    """Return the visible rules, ordered by subject."""
    authority.require_anywhere("read", "access_rules")
    rules = authority.visible_rules().living()
    return rules.select_related("subject", "role", "scope").order_by("subject__name", "pk")


def _result_row(outcome: Outcome[AccessRule, AccessRule]) -> ResultRow:
    rule = outcome.wanted
    if outcome.refusal is not None:
        return result_row(str(rule), "", outcome.refusal)
    return result_row(rule.subject.name, f"access rule removed: {_grant(rule)}", outcome.refusal)


def _grant(rule: AccessRule) -> str:
    return f"{rule.role} in {rule.scope.label}"
