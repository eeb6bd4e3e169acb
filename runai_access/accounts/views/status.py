"""Disabling and enabling people and groups: one by one, and several at once.

Each is an action and a transaction of its own, with its own permission check and audit row; what is
refused for one is done for the others.
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
from runai_access.ui.reports import ResultRow, line_of, missing_rows, render_report

Row = User | Group


@dataclass(frozen=True)
class SubjectKind:
    """What can be enabled and disabled here: people, or groups."""

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
    "They are signed out everywhere at once and can't sign in. They keep their access rules and "
    "groups, and can be enabled again.",
    "They can sign in again with the passwords they had, and hold their access rules and groups as "
    "before.",
)
GROUPS = SubjectKind(
    groups.PAGE,
    policy.GROUPS,
    lambda caller, row, enabled: set_group_enabled(caller=caller, group=row, enabled=enabled),
    "groups/_set_enabled.html",
    "Their members lose at once what the groups gave them. Members and access rules stay, and the "
    "groups can be enabled again.",
    "Their access rules hold for their members again, at once.",
)


@require_http_methods(["GET", "HEAD", "POST"])
def set_enabled(request: HttpRequest, kind: SubjectKind, id_: UUID, enabled: bool) -> HttpResponse:
    """Say what disabling or enabling does; do it."""
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
            noun, state = kind.page.noun.capitalize(), "enabled" if enabled else "disabled"
            messages.success(request, f"{noun} {row} is {state}.")
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
    """Summarize; then disable or enable several, and tell of each what came of it."""
    caller = caller_of(request)
    kind.policy.require(caller, "update")
    keys = kind.page.selected_keys(request)
    if not keys:
        return redirect(kind.page.address)
    rows = _named(kind, caller, keys)
    missing = len(keys) - len(rows)
    changing, done = _parted(rows, enabled)
    if request.method == "POST":
        outcomes = run_bulk(request, changing, partial(_act, kind, caller, enabled))
        state = "enabled" if enabled else "disabled"
        lines = [
            *_lines(outcomes, f"is {state}"),
            *[ResultRow(str(row), f"{state} already, nothing to do") for row in done],
        ]
        return render_report(
            request,
            [*lines, *missing_rows(missing, kind.page.noun)],
            parent_page=kind.page.parent_page,
        )
    context = {
        "page": kind.page,
        "enabled": enabled,
        "says": kind.enabling if enabled else kind.disabling,
        "rows": rows,
        "affected": changing,
        "missing": missing,
    }
    return render_dialog(
        request, "users/_bulk_result.html", context, parent_page=kind.page.parent_page
    )


def _parted(rows: Iterable[Row], enabled: bool) -> tuple[list[Row], list[Row]]:
    """Return the rows that are to change, and those that are so already."""
    changing, done = list[Row](), list[Row]()
    for row in rows:
        (done if row.enabled == enabled else changing).append(row)
    return changing, done


def _named(kind: SubjectKind, caller: Caller, keys: Sequence[Any]) -> list[Row]:
    return sorted(kind.policy.visible(caller).filter(pk__in=keys), key=str)


def _act(kind: SubjectKind, caller: Caller, enabled: bool, row: Row) -> Row:
    kind.act(caller, row, enabled)
    return row


def _lines(outcomes: list[Outcome[Row, Row]], done: str) -> list[ResultRow]:
    return [line_of(str(outcome.wanted), done, outcome.refusal) for outcome in outcomes]
