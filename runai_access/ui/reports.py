"""The report of a bulk action: what was done and what was refused, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from runai_access.errors import DomainError, NotFound
from runai_access.ui.dialogs import ParentPage, render_dialog


@dataclass(frozen=True)
class ResultRow:
    """The outcome for one row."""

    name: str
    result: str
    went_well: bool = True


def result_row(name: str, done: str, refusal: DomainError | None) -> ResultRow:
    """Return the report row: `done` if there was no refusal, else the reason."""
    if refusal is None:
        return ResultRow(name, done)
    is_deleted = isinstance(refusal, NotFound)
    reason = "already deleted" if is_deleted else str(refusal)
    return ResultRow(name, reason, went_well=False)


def missing_rows(count: int, noun: str) -> list[ResultRow]:
    """Return a report row for the selected items that no longer exist, if any."""
    if not count:
        return []
    items = noun if count == 1 else f"{noun}s"
    return [ResultRow(f"{count} {items} not found", "already deleted", went_well=False)]


def render_report(
    request: HttpRequest,
    rows: Sequence[ResultRow],
    *,
    parent_page: ParentPage,
    created: object = "",
) -> HttpResponse:
    """Show the results row by row, failures first.

    The list behind the dialog is refreshed; `created` is its new row, if there is just one.
    """
    context = {
        "rows": sorted(rows, key=lambda row: row.went_well),
        "succeeded": sum(row.went_well for row in rows),
        "failed": sum(not row.went_well for row in rows),
    }
    return render_dialog(
        request, "ui/_report.html", context, parent_page=parent_page,
        changed=created, is_new=bool(created),
    )  # fmt: skip
