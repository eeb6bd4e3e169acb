"""The NEW ACCESS RULE dialog: one role for up to 10 subjects in up to 10 scopes, with a report."""

from itertools import product
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from accessrules.actions.bulk import Outcome, run_in_batches
from accessrules.actions.rules import NewRule, create_access_rules
from accessrules.authorization.callers import caller_of
from accessrules.console.forms import AccessRulesForm
from accessrules.console.pickers.scopes import ScopePicker
from accessrules.console.pickers.subjects import SubjectPicker
from accessrules.console.views.rules import PAGE
from accessrules.models import AccessRule
from runai_access.ui.dialogs import render_dialog
from runai_access.ui.reports import ResultRow, render_report, result_row


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Add a rule for each combination of subject and scope. `?subject=` preselects subjects."""
    caller = caller_of(request)
    caller.authority.require_anywhere("create", "access_rules")
    posted = request.POST if request.method == "POST" else None
    subjects = SubjectPicker(caller.authority, request.GET if posted is None else posted)
    scopes = ScopePicker(caller.authority, posted, accepts_bulk=True)
    is_unsaved = posted is None or scopes.is_searching
    form = AccessRulesForm(
        None if is_unsaved else posted, authority=caller.authority, subjects=subjects, scopes=scopes,
        initial={"role": scopes.role, "expires": request.POST.get("expires", "")},
    )  # fmt: skip
    if not is_unsaved and form.is_valid():
        chosen_subjects, role, chosen_scopes = form.chosen
        new = [
            NewRule(subject, role, scope, form.expires_at)
            for subject, scope in product(chosen_subjects, chosen_scopes)
        ]
        outcomes = run_in_batches(
            request, new, lambda rules: create_access_rules(caller=caller, rules=rules)
        )
        created = [outcome.made.pk for outcome in outcomes if outcome.made is not None]
        lines = [_result_row(outcome) for outcome in outcomes]
        only = created[0] if len(created) == 1 else ""
        return render_report(request, lines, parent_page=PAGE.parent_page, created=only)
    context: dict[str, Any] = {"form": form, "picker": scopes, "subjects": subjects}
    return render_dialog(
        request,
        "accessrules/_new.html",
        context,
        parent_page=PAGE.parent_page,
        status=200 if is_unsaved else 422,
    )


def _result_row(outcome: Outcome[NewRule, AccessRule]) -> ResultRow:
    subject, role, scope, _ = outcome.wanted
    if outcome.made is None:
        return result_row(f"{subject.name} in {scope.label}", "", outcome.refusal)
    return result_row(subject.name, f"access rule added: {role} in {scope.label}", None)
