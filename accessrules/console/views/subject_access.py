"""The effective access of a subject: a page and a CSV file, also compared with another subject."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.functional import cached_property
from django.views.decorators.http import require_safe

from accessrules.authorization import effective_access as effective
from accessrules.authorization.breadcrumbs import full_names
from accessrules.authorization.callers import caller_of
from accessrules.authorization.grants import ACTION_LABELS
from accessrules.console.forms import EffectiveAccessForm
from accessrules.console.tables.access_by_entity import (
    Difference,
    EntityAccess,
    by_entity,
    differences,
)
from accessrules.console.tables.subject_links import own_page
from accessrules.models import Subject
from runai_access.errors import NotFound
from runai_access.lists import export

CSV_HEADER = (
    "Subject", "Subject type", "Entity", "Resource types", *ACTION_LABELS.values(),
    "Widest scope", "Scope path", "Role", "Through group", "Access rule", "Also granted by",
)  # fmt: skip


class _Report:
    """The access of a subject, filtered by the query string, and the subject it is compared with."""

    def __init__(self, request: HttpRequest, subject_id: UUID) -> None:
        self.authority = caller_of(request).authority
        self.subject = effective.get_visible_subject(self.authority, subject_id)
        self.form = EffectiveAccessForm(request.GET)
        self.other = self.form.other_of(effective.visible_subjects(self.authority))

    @property
    def is_filtered(self) -> bool:
        return bool(self.form.text or self.form.chosen_action)

    @cached_property
    def all_rows(self) -> list[EntityAccess]:
        """One row for each entity."""
        return self._rows_of(self.subject)

    @cached_property
    def rows(self) -> list[EntityAccess]:
        """The rows that match the filters."""
        return self._matching(self.all_rows)

    @cached_property
    def differences(self) -> list[Difference]:
        """The entities to which the two subjects have different access."""
        if self.other is None:
            return []
        return differences(self.rows, self._matching(self._rows_of(self.other)))

    def _rows_of(self, subject: Subject) -> list[EntityAccess]:
        return by_entity(effective.effective_access(subject, self.authority))

    def _matching(self, rows: list[EntityAccess]) -> list[EntityAccess]:
        return [row for row in rows if row.matches(self.form.text, self.form.chosen_action)]


@require_safe
def effective_access(request: HttpRequest, subject_id: UUID) -> HttpResponse:
    """Show the effective access of an application, a user or a group."""
    report = _Report(request, subject_id)
    subject, authority, form = report.subject, report.authority, report.form
    context: dict[str, Any] = {
        "subject": subject,
        "back_url": own_page(subject),
        "form": form,
        "rows": report.rows,
        "has_access": bool(report.all_rows),
        "is_filtered": report.is_filtered,
        "other": report.other,
        "differences": report.differences,
        "not_found": "" if report.other else form.other_name,
        "ineffective": effective.ineffective_rules(subject, authority) if subject.enabled else {},
        "is_complete": effective.sees_all_access(subject, authority),
        "query": urlencode(form.asked if report.other else form.filters),
        "json_url": resolve_url("accessrules-api:effective-access", subject.pk),
    }
    return render(request, "accessrules/effective_access.html", context)


@require_safe
def effective_access_csv(request: HttpRequest, subject_id: UUID) -> HttpResponseBase:
    """Return the page's table as CSV: one row for each entity, or for each difference."""
    report = _Report(request, subject_id)
    subject, other = report.subject, report.other
    if other is not None:
        header = ("Entity", subject.name, other.name)
        name = f"access-of-{subject.name}-and-{other.name}"
        return export.csv_response(name, header, _rows_of_differences(report), is_cut=False)
    if report.form.other_name:
        raise NotFound(f"No subject you can see is named “{report.form.other_name}”.")
    rows = _rows_of_entities(subject, report.rows)
    return export.csv_response(f"access-of-{subject.name}", CSV_HEADER, rows, is_cut=False)


def _rows_of_entities(
    subject: Subject, rows: Sequence[EntityAccess]
) -> Iterator[tuple[object, ...]]:
    names = full_names(row.widest.rule.scope for row in rows)
    for row in rows:
        rule = row.widest.rule
        yield (
            subject.name,
            subject.get_type_display(),
            row.name,
            "; ".join(row.types),
            *(cell.scopes if cell.is_narrower else cell.answer for cell in row.cells),
            rule.scope.label,
            names.get(rule.scope.path, ""),
            rule.role.name,
            row.widest.through,
            rule.pk,
            "; ".join(row.other_texts),
        )


def _rows_of_differences(report: _Report) -> Iterator[tuple[object, ...]]:
    for difference in report.differences:
        texts = ("; ".join(of) for of in (difference.of_first, difference.of_second))
        yield (difference.name, *texts)
