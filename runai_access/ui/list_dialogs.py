"""The dialogs that customize a list page; a page's views hand in its `Listing`.

All of them carry the list's state along, in the address or in hidden inputs, and lead back to it.
"""

from collections.abc import Callable
from itertools import chain, islice
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect

from runai_access.lists import export
from runai_access.lists.filter_sets import Chip
from runai_access.lists.filters import ChoiceFilter
from runai_access.lists.listing import MAX_WIDTH, MIN_WIDTH, PAGE_SIZES, Listing
from runai_access.lists.operators import NEVER, Operator
from runai_access.lists.tables import CHUNK
from runai_access.lists.times import current_zone_name
from runai_access.ui.dialogs import FROM, ParentPage, finish_dialog, render_dialog, return_url
from runai_access.ui.models import TablePreference
from runai_access.ui.preferences import remember

_OWN = (
    "column", "operator", "value", "find", "edit", "shown", "order", "width", "up", "down", "density",
    "do", "csrfmiddlewaretoken", FROM,
)  # fmt: skip
_FROM_HERE = "size_chosen"
_MISSING = {
    "choices": "Choose at least one.",
    "date": "Enter a date.",
    "days": "Enter a number of days.",
    "moment": "Enter a date and time.",
}


def state_of(query: QueryDict) -> QueryDict:
    """Return the list's state from the parameters of a dialog, without those of the dialog itself."""
    state = query.copy()
    for name in (*_OWN, _FROM_HERE):
        state.pop(name, None)
    return state


def filter_dialog(
    request: HttpRequest, listing: Listing, *, path: str, parent_page: ParentPage
) -> HttpResponse:
    """Ask for a column, then for operator and value, then go to the filtered list.

    `edit` names the filter that the new one replaces.
    """
    column = request.GET.get("column", "")
    context: dict[str, Any] = {"list": listing, "path": path}
    if column not in listing.filters.field_filters:
        context["columns"] = listing.filters.listed()
        return render_dialog(
            request, "lists/_filter_columns.html", context, parent_page=parent_page
        )
    form = _FilterForm(request, listing, column)
    if request.GET.get("do") == "apply" and form.is_complete:
        return finish_dialog(request, parent_page, show=form.target)
    context |= {"form": form, "edit": request.GET.get("edit", "")}
    status = 422 if request.GET.get("do") == "apply" else 200
    return render_dialog(
        request, "lists/_filter.html", context, parent_page=parent_page, status=status
    )


class _FilterForm:
    """The filter of one column as entered so far: operator and values."""

    def __init__(self, request: HttpRequest, listing: Listing, column: str) -> None:
        self.listing, self.column = listing, column
        self.title = listing.filters.title(column)
        self.field_filter = listing.filters.field_filters[column]
        self.operators = self.field_filter.operators
        given = request.GET
        self.replaced = self._chip(given.get("edit", ""))
        name = given.get("operator") or (self.replaced.name.split("__")[1] if self.replaced else "")
        self.operator: Operator = self.field_filter.operator(name) or self.operators[0]
        texts = [text for text in given.getlist("value") if text.strip()]
        starts_with_replaced = self.replaced and "operator" not in given
        self.texts = self.replaced.texts if starts_with_replaced and self.replaced else texts
        self.find = given.get("find", "")[:200].replace("\x00", "")
        self.errors: list[str] = []
        if given.get("do") == "apply":
            self._check()

    def _chip(self, name: str) -> Chip | None:
        """Return the filter to replace; `edit` is its index among the chips."""
        chips = self.listing.chips
        if name.isascii() and name.isdecimal() and int(name[:4]) < len(chips):
            chip = chips[int(name[:4])]
            return chip if chip.column == self.column else None
        return None

    def _check(self) -> None:
        field = self.listing.filters.values_field(self.column, self.operator)
        if not self.operator.takes:
            self.texts = ["1"]
        self.good = field.clean(self.texts)
        self.errors = field.refused
        if not self.good and not self.errors:
            self.errors = [_MISSING.get(self.operator.takes, "Enter a value.")]

    @property
    def is_complete(self) -> bool:
        return not self.errors

    @property
    def target(self) -> str:
        """The URL of the list with this filter."""
        name = f"{self.column}__{self.operator.name}"
        query = self.listing.query.copy()
        if self.replaced:
            kept = query.getlist(self.replaced.name)
            query.setlist(
                self.replaced.name, [text for text in kept if text not in self.replaced.texts]
            )
        query.setlist(name, list(dict.fromkeys([*query.getlist(name), *self.texts])))
        if self.operator.takes in ("date", "moment"):
            query["zone"] = current_zone_name()
        return f"{self.listing.path}?{query.urlencode(safe=',')}"

    @property
    def explanation(self) -> str:
        """What an operator without a value shows: "Shows applications without access rules."."""
        rows, title = self.listing.source.table.name.replace("-", " "), self.title.lower()
        article = "a " if self.operator == NEVER else ""
        return f"Shows {rows} without {article}{title.replace('(s)', 's')}."

    @property
    def choices(self) -> list[Any]:
        """The options: selected ones first, even if the search does not match them."""
        if not isinstance(self.field_filter, ChoiceFilter) or not self.operator.takes:
            return []
        context = self.listing.source.context
        chosen = (
            self.field_filter.chosen(self.texts, context) if self.field_filter.has_search else []
        )
        found = self.field_filter.choices(context, self.find)
        return [*chosen, *(choice for choice in found if choice not in chosen)]

    @property
    def suggestions(self) -> list[str]:
        suggest = getattr(self.field_filter, "suggest", None)
        return list(suggest(self.listing.source.context)) if suggest else []

    @property
    def text(self) -> str:
        return self.texts[0] if self.texts else ""


def columns_dialog(
    request: HttpRequest, listing: Listing, *, path: str, parent_page: ParentPage
) -> HttpResponse:
    """Show, hide and order columns; `reset` restores the default columns."""
    table = listing.source.table
    form = _ColumnsForm(request, listing)
    do = request.POST.get("do", "")
    if request.method == "POST" and do == "reset":
        density = TablePreference.Density.COMFORTABLE
        remember(request, table.name, columns=[], widths={}, density=density)
        return _show(request, parent_page, listing.url(columns=None))
    if request.method == "POST" and do == "save":
        chosen = [name for name in form.order if name in form.shown]
        remember(request, table.name, columns=chosen, widths=form.widths, density=form.density)
        return _show(request, parent_page, listing.url(columns=",".join(chosen)))
    context = {
        "list": listing,
        "form": form,
        "path": path,
        "is_elsewhere": _is_elsewhere(request, parent_page),
    }
    return render_dialog(request, "lists/_columns.html", context, parent_page=parent_page)


def _show(request: HttpRequest, parent_page: ParentPage, address: str) -> HttpResponse:
    """Go to the list at `address`, or to the page the dialog was opened from if it has columns, too."""
    return finish_dialog(
        request, parent_page, show="" if _is_elsewhere(request, parent_page) else address
    )


def _is_elsewhere(request: HttpRequest, parent_page: ParentPage) -> bool:
    """Return whether the dialog was opened from a page other than its list."""
    return return_url(request, parent_page).partition("?")[0] != parent_page.address


class _ColumnsForm:
    """The columns in the form's current order, with their checkboxes."""

    def __init__(self, request: HttpRequest, listing: Listing) -> None:
        table = listing.source.table
        self.naming = table.naming_column()
        self._titles = table.titles()
        posted = request.POST if request.method == "POST" else None
        chosen = posted.getlist("order") if posted else listing.columns
        known = [name for name in dict.fromkeys(chosen) if name in self._titles]
        rest = [name for name in self._titles if name not in known]
        self.order = [self.naming, *(n for n in [*known, *rest] if n != self.naming)]
        shown = posted.getlist("shown") if posted else listing.columns
        self.shown = {self.naming, *(name for name in shown if name in self._titles)}
        density = posted.get("density", "") if posted else listing.preference.density
        known_density = density in TablePreference.Density.values
        self.density = density if known_density else TablePreference.Density.COMFORTABLE.value
        self.densities = TablePreference.Density.choices
        self.widths = listing.preference.widths
        if posted:
            widths = zip(chosen, posted.getlist("width"), strict=False)
            self.widths = {name: width for name, text in widths if (width := _width(text))}
        self.moved = ""
        if posted:
            self._move(posted.get("up", ""), -1)
            self._move(posted.get("down", ""), 1)

    def _move(self, name: str, by: int) -> None:
        if name not in self.order[1:]:
            return
        here = self.order.index(name)
        there = min(max(here + by, 1), len(self.order) - 1)
        self.order.insert(there, self.order.pop(here))
        self.moved = f"{self._titles[name]} is now column {there + 1} of {len(self.order)}."

    @property
    def rows(self) -> list[dict[str, Any]]:
        last = len(self.order) - 1
        return [
            {
                "name": name,
                "title": self._titles[name],
                "width": self.widths.get(name, ""),
                "is_shown": name in self.shown,
                "is_fixed": name == self.naming,
                "can_move_up": place > 1,
                "can_move_down": 0 < place < last,
            }
            for place, name in enumerate(self.order)
        ]


def keep_page_size(request: HttpRequest, listing: Listing) -> HttpResponse:
    """Save the page size and show the first page."""
    text = request.POST.get(_FROM_HERE, "")
    size = int(text) if text in map(str, PAGE_SIZES) else PAGE_SIZES[0]
    remember(request, listing.source.table.name, page_size=size)
    return redirect(listing.url(size=size))


def keep_width(request: HttpRequest, listing: Listing) -> HttpResponse:
    """Save the width of one column; without a valid width it follows the content again."""
    column = request.POST.get("column", "")
    table = listing.source.table
    if column not in table.base_columns:
        return HttpResponse(status=400)
    widths = {**listing.preference.widths, column: _width(request.POST.get("width", ""))}
    kept = {name: width for name, width in widths.items() if width}
    remember(request, table.name, widths=kept)
    return HttpResponse(status=204)


def _width(text: str) -> int | None:
    """Return a width in pixels, at least MIN_WIDTH and at most MAX_WIDTH; None if it is no number."""
    if not (text.isascii() and text.isdecimal()):
        return None
    return min(max(int(text[:6]), MIN_WIDTH), MAX_WIDTH)


def download_dialog(
    request: HttpRequest,
    listing: Listing,
    *,
    path: str,
    parent_page: ParentPage,
    json_path: str = "",
) -> HttpResponse:
    """Say before a download that the file will not contain every row."""
    context = {"list": listing, "csv_url": listing.url(path)}
    if json_path:
        context["json_url"] = listing.url(json_path)
    return render_dialog(request, "lists/_download.html", context, parent_page=parent_page)


def download(listing: Listing) -> HttpResponseBase:
    """Send the current view (filters, search, sort and columns) as CSV."""
    table, context = listing.source.table, listing.source.context
    parts, is_cut = listing.exported()
    return export.csv_response(
        table.name,
        table.file_titles(listing.columns),
        table.exported(parts, listing.columns, context, export.ROW_LIMIT),
        is_cut=is_cut,
    )


def download_json(listing: Listing, document: Callable[[Any], Any]) -> HttpResponseBase:
    """Send the current view as JSON; `document` converts each row."""
    parts, is_cut = listing.exported()
    rows = (part[: export.ROW_LIMIT].iterator(chunk_size=CHUNK) for part in parts)
    shown = islice(chain.from_iterable(rows), export.ROW_LIMIT)
    return export.json_response(listing.source.table.name, map(document, shown), is_cut=is_cut)
