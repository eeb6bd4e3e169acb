"""What came of a thing that was done to several rows, one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from runai_access.ui.dialogs import ParentPage, render_dialog


@dataclass(frozen=True)
class ResultRow:
    """What came of it for one row."""

    name: str
    result: str
    went_well: bool = True


def render_report(
    request: HttpRequest,
    lines: Sequence[ResultRow],
    *,
    parent_page: ParentPage,
    changed: object = "",
) -> HttpResponse:
    """Show line by line what was done and what was not; that comes first, to be seen among many.

    The list behind is out of date; `changed` is its one row that is new or different, if it is one.
    """
    context = {
        "lines": sorted(lines, key=lambda line: line.went_well),
        "well": sum(line.went_well for line in lines),
        "failed": sum(not line.went_well for line in lines),
    }
    return render_dialog(
        request, "ui/_report.html", context, parent_page=parent_page, changed=changed
    )
