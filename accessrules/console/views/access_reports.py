"""Access reports: access to a scope, and the effects of deleting a rule."""

from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_safe

from accessrules.authorization import effective_access as effective
from accessrules.authorization.authority import Authority
from accessrules.authorization.breadcrumbs import full_names
from accessrules.authorization.callers import caller_of
from accessrules.authorization.grants import ACTION_LABELS
from accessrules.authorization.scope_access import AccessFilter, SubjectsWithAccess, access_of
from accessrules.console.forms import ScopeAccessForm
from accessrules.models import AccessRule, Scope
from runai_access.errors import NotFound
from runai_access.lists import export
from runai_access.row_urls import row_url
from runai_access.ui.dialogs import ParentPage, render_dialog

SUBJECTS_PER_PAGE = 25
SUBJECT_BATCH_SIZE = 500
CSV_HEADER = (
    "Subject", "Subject type", "Entity", "Resource type", "Action",
    "Scope", "Scope path", "Role", "Through group", "Access rule",
)  # fmt: skip


@require_safe
def scope_access(request: HttpRequest, scope_id: int) -> HttpResponse:
    """Show the subjects with access to a scope; the query string filters them."""
    authority = caller_of(request).authority
    scope = effective.get_scope_with_readable_rules(authority, pk=scope_id)
    form = ScopeAccessForm(request.GET)
    subjects = SubjectsWithAccess(scope, authority, form.access_filter)
    start = (form.number_of_page - 1) * SUBJECTS_PER_PAGE
    shown = subjects.some(start, SUBJECTS_PER_PAGE + 1)
    found = access_of(shown[:SUBJECTS_PER_PAGE], form.access_filter)
    context = {
        "scope": scope,
        "full_name": full_names([scope]).get(scope.path, scope.name),
        "sees_activity": authority.reads_audit_log,
        "form": form,
        "rows": _by_entity(found),
        "is_complete": effective.sees_all_subjects(authority),
        "previous": _page_query(form, form.number_of_page - 1) if form.number_of_page > 1 else "",
        "next": _page_query(form, form.number_of_page + 1)
        if len(shown) > SUBJECTS_PER_PAGE
        else "",
        "query": urlencode(form.asked),
        "json_url": resolve_url("accessrules-api:scope-access", scope.type, scope.uid),
    }
    return render(request, "accessrules/scope_access.html", context)


@require_safe
def scope_access_csv(request: HttpRequest, scope_id: int) -> HttpResponseBase:
    """Return the report as CSV, with one row for each action."""
    authority = caller_of(request).authority
    scope = effective.get_scope_with_readable_rules(authority, pk=scope_id)
    return _csv(
        f"access-in-{scope.name}",
        _rows_of_scope(scope, authority, ScopeAccessForm(request.GET).access_filter),
    )


@require_safe
def rule_changes(request: HttpRequest, rule_id: int) -> HttpResponse:
    """Preview which permissions subjects would lose if a rule were deleted."""
    authority = caller_of(request).authority
    authority.require_anywhere("read", "access_rules")
    rules = authority.visible_rules().living().select_related("subject", "role", "scope")
    rule: AccessRule | None = rules.filter(pk=rule_id).first()
    if rule is None:
        raise NotFound("Access rule not found.")
    context = {"rule": rule, "removals": effective.changes_by_removing([rule], authority)}
    parent_page = ParentPage(
        f"Access of {rule.subject}", resolve_url("accessrules:effective-access", rule.subject_id)
    )
    return render_dialog(
        request, "accessrules/_rule_changes.html", context, parent_page=parent_page
    )


def _with_full_names(found: list[effective.Access]) -> list[dict[str, Any]]:
    names = full_names(access.rule.scope for access in found)
    return [
        {
            "access": access,
            "labels": [
                label for action, label in ACTION_LABELS.items() if action in access.actions
            ],
            "full_name": names.get(access.rule.scope.path, ""),
        }
        for access in found
    ]


def _by_entity(found: list[effective.Access]) -> list[dict[str, Any]]:
    """Return one row for each entity. An entity can be several resource types: all data sources."""
    rows: dict[tuple[object, ...], dict[str, Any]] = {}
    for row in _with_full_names(found):
        access: effective.Access = row["access"]
        key = (access.subject.pk, access.resource_name, access.actions, access.rule.pk)
        url = row_url("accessrules:effective-access", access.subject.pk)
        rows.setdefault(key, {**row, "url": url, "types": []})["types"].append(access.resource_type)
    return sorted(
        rows.values(),
        key=lambda row: (row["access"].subject.normalized_name, row["access"].resource_name),
    )


def _page_query(form: ScopeAccessForm, page: int) -> str:
    return urlencode({**form.asked, "page": page})


def _rows_of_scope(
    scope: Scope, authority: Authority, access_filter: AccessFilter
) -> Iterator[tuple[object, ...]]:
    """Yield the rows in batches, because the number of ids in one query is limited."""
    subjects = iter(SubjectsWithAccess(scope, authority, access_filter))
    while batch := list(islice(subjects, SUBJECT_BATCH_SIZE)):
        yield from _csv_rows(access_of(batch, access_filter))


def _csv_rows(found: list[effective.Access]) -> Iterator[tuple[object, ...]]:
    for row in _with_full_names(found):
        access: effective.Access = row["access"]
        for label in row["labels"]:
            yield (
                access.subject.name,
                access.subject.get_type_display(),
                access.resource_name,
                access.resource_type,
                label,
                access.rule.scope.label,
                row["full_name"],
                access.rule.role.name,
                access.through,
                access.rule.pk,
            )


def _csv(name: str, rows: Iterator[tuple[object, ...]]) -> HttpResponseBase:
    kept, is_cut = export.within_limit(rows)
    return export.csv_response(name, CSV_HEADER, kept, is_cut=is_cut)
