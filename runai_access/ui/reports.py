"""The report of a bulk action: what was done and what was refused, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from runai_access.errors import DomainError, NotFound
from runai_access.ui.dialogs import ParentPage, render_dialog


@dataclass(frozen=True)
class ResultRow:
    """The result of a bulk action for one row."""

    name: str
    result: str
    went_well: bool = True


def line_of(name: str, done: str, refusal: DomainError | None) -> ResultRow:
    """Return the result of one row: what was done, or why it was refused."""
    if refusal is None:
        return ResultRow(name, done)
    is_gone = isinstance(refusal, NotFound)
    return ResultRow(name, "deleted meanwhile" if is_gone else str(refusal), went_well=False)


def missing_rows(count: int, noun: str) -> list[ResultRow]:
    """Return a result for rows that were deleted before the action started; [] if none were."""
    words = f"{noun} is" if count == 1 else f"{noun}s are"
    return (
        [ResultRow(f"{count} {words} gone", "deleted meanwhile", went_well=False)] if count else []
    )


def render_report(
    request: HttpRequest,
    lines: Sequence[ResultRow],
    *,
    parent_page: ParentPage,
    changed: object = "",
) -> HttpResponse:
    """Show the results row by row, failures first.

    The list behind the dialog is refreshed; `changed` is the row to highlight, if there is just one.
    """
    context = {
        "lines": sorted(lines, key=lambda line: line.went_well),
        "well": sum(line.went_well for line in lines),
        "failed": sum(not line.went_well for line in lines),
    }
    return render_dialog(
        request, "ui/_report.html", context, parent_page=parent_page, changed=changed
    )
