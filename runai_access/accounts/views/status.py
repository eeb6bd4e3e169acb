"""Enabling and disabling users and groups, one by one or in bulk.

In bulk, each is its own action and transaction, with its own permission check and audit row. A refusal
of one does not stop the rest.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accessrules.actions.bulk import Outcome, run_bulk
from accessrules.actions.groups import set_group_enabled
from accessrules.authorization.callers import Caller, caller_of
from accessrules.authorization.policies import Policy
from runai_access.accounts import policy
from runai_access.accounts.actions import set_user_enabled
from runai_access.accounts.models import Group, User
from runai_access.accounts.views import groups, users
from runai_access.errors import Conflict
from runai_access.ui.dialogs import finish_dialog, render_dialog
from runai_access.ui.list_views import ListView
from runai_access.ui.reports import ResultRow, missing_rows, render_report, result_row

Row = User | Group


@dataclass(frozen=True)
class SubjectKind:
    """Users or groups: their page, policy, action and texts."""

    page: ListView
    policy: Policy[Any]
    act: Callable[..., Any]
    template: str
    disabling: str
    enabling: str


USERS = SubjectKind(
    users.PAGE,
    policy.USERS,
    lambda caller, row, enabled: set_user_enabled(caller=caller, user_id=row.pk, enabled=enabled),
    "users/_set_enabled.html",
    "They are signed out everywhere immediately and can't sign in. They keep their access rules and "
    "groups, and you can enable them again.",
    "They can sign in again with their previous passwords, and get back their access rules and groups.",
)
GROUPS = SubjectKind(
    groups.PAGE,
    policy.GROUPS,
    lambda caller, row, enabled: set_group_enabled(caller=caller, group=row, enabled=enabled),
    "groups/_set_enabled.html",
    "Their members lose the access rules of the groups immediately. The groups keep their members and "
    "access rules, and you can enable them again.",
    "Their members get the access rules of the groups again immediately.",
)


@require_http_methods(["GET", "HEAD", "POST"])
def set_enabled(request: HttpRequest, kind: SubjectKind, id_: UUID, enabled: bool) -> HttpResponse:
    """Show the effect of disabling or enabling; do it."""
    caller = caller_of(request)
    row: Row = kind.policy.visible_one(caller, id_)
    kind.policy.require(caller, "update")
    subject = row.subject if isinstance(row, User) else row
    if enabled:
        caller.authority.require_can_impersonate(subject)
    error, status = "", 200
    if request.method == "POST":
        try:
            kind.act(caller, row, enabled)
        except Conflict as conflict:
            error, status = str(conflict), 409
        else:
            noun, status_text = kind.page.noun.capitalize(), "enabled" if enabled else "disabled"
            messages.success(request, f"{noun} {row} {status_text}.")
            return finish_dialog(request, kind.page.parent_page, changed=id_)
    context = {
        "row": row,
        "enabled": enabled,
        "is_oneself": subject == caller.subject,
        "error": error,
    }
    return render_dialog(
        request, kind.template, context, parent_page=kind.page.parent_page, status=status, row=id_
    )


@require_http_methods(["GET", "HEAD", "POST"])
def bulk_set_enabled(request: HttpRequest, kind: SubjectKind, enabled: bool) -> HttpResponse:
    """Show the confirmation; then disable or enable the selection, and report each outcome."""
    caller = caller_of(request)
    kind.policy.require(caller, "update")
    keys = kind.page.selected_keys(request)
    if not keys:
        return redirect(kind.page.address)
    rows = _visible_rows(kind, caller, keys)
    missing = len(keys) - len(rows)
    affected, unaffected = _partition(rows, enabled)
    if request.method == "POST":
        outcomes = run_bulk(request, affected, partial(_act, kind, caller, enabled))
        status_text = "enabled" if enabled else "disabled"
        report = [
            *_report_rows(outcomes, status_text),
            *[ResultRow(str(row), f"already {status_text}") for row in unaffected],
        ]
        return render_report(
            request,
            [*report, *missing_rows(missing, kind.page.noun)],
            parent_page=kind.page.parent_page,
        )
    context = {
        "page": kind.page,
        "enabled": enabled,
        "effect": kind.enabling if enabled else kind.disabling,
        "rows": rows,
        "affected": affected,
        "missing": missing,
    }
    return render_dialog(request, "users/_bulk.html", context, parent_page=kind.page.parent_page)


def _partition(rows: Iterable[Row], enabled: bool) -> tuple[list[Row], list[Row]]:
    """Return the rows to change, and those that already have this status."""
    affected, unaffected = list[Row](), list[Row]()
    for row in rows:
        (unaffected if row.enabled == enabled else affected).append(row)
    return affected, unaffected


def _visible_rows(kind: SubjectKind, caller: Caller, keys: Sequence[Any]) -> list[Row]:
    return sorted(kind.policy.visible(caller).filter(pk__in=keys), key=str)


def _act(kind: SubjectKind, caller: Caller, enabled: bool, row: Row) -> Row:
    kind.act(caller, row, enabled)
    return row


def _report_rows(outcomes: list[Outcome[Row, Row]], done: str) -> list[ResultRow]:
    return [result_row(str(outcome.wanted), done, outcome.refusal) for outcome in outcomes]
