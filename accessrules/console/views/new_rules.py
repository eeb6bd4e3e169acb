"""NEW ACCESS RULE: one role for up to ten subjects in up to ten scopes, with a report per rule."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from accessrules.actions.bulk import Outcome, create_access_rules
from accessrules.authorization.callers import caller_of
from accessrules.console.forms import AccessRulesForm
from accessrules.console.pickers.scopes import ScopePicker
from accessrules.console.pickers.subjects import SubjectPicker
from accessrules.console.views.rules import PAGE
from accessrules.models import AccessRule, Scope, Subject
from runai_access.ui.dialogs import render_dialog
from runai_access.ui.reports import ResultRow, line_of, render_report


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Choose subjects, a role and scopes; grant every pair. `?subject=` names some beforehand."""
    caller = caller_of(request)
    caller.authority.require_anywhere("create", "access_rules")
    posted = request.POST if request.method == "POST" else None
    subjects = SubjectPicker(caller.authority, request.GET if posted is None else posted)
    scopes = ScopePicker(caller.authority, posted, accepts_bulk=True)
    authority_on = posted is None or scopes.is_searching
    form = AccessRulesForm(
        None if authority_on else posted, authority=caller.authority, subjects=subjects, scopes=scopes,
        initial={"role": scopes.role},
    )  # fmt: skip
    if not authority_on and form.is_valid():
        holders, role, places = form.chosen
        outcomes = create_access_rules(
            request, caller=caller, subjects=holders, role=role, scopes=places
        )
        made = [outcome.made.pk for outcome in outcomes if outcome.made is not None]
        lines = [_line(outcome) for outcome in outcomes]
        changed = made[0] if len(made) == 1 else ""
        return render_report(request, lines, parent_page=PAGE.parent_page, changed=changed)
    context: dict[str, Any] = {"form": form, "picker": scopes, "subjects": subjects}
    return render_dialog(
        request,
        "accessrules/_new.html",
        context,
        parent_page=PAGE.parent_page,
        status=200 if authority_on else 422,
    )


def _line(outcome: Outcome[tuple[Subject, Scope], AccessRule]) -> ResultRow:
    subject, scope = outcome.wanted
    if outcome.made is None:
        return line_of(f"{subject.name} in {scope.label}", "", outcome.refusal)
    return line_of(subject.name, f"is now {outcome.made.role} in {scope.label}", None)
