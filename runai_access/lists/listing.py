"""One request for a list: parses its query string, runs the query, and builds URLs of related views.

The URL is the state: filters, search, sort, columns, page size and page. Parameters that cannot be
parsed are ignored and reported. See `ListConfig` for what a list needs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.db.models import F, Model, QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property

from runai_access.db.expressions import AsStored, InArray
from runai_access.db.normalization import is_storable, normalize_term
from runai_access.lists import export
from runai_access.lists.filter_sets import Chip, ListFilterSet
from runai_access.lists.keyset import COUNTED, Count, Page, Position, in_order, page_of, with_values
from runai_access.lists.selection import ListFilter, Selection
from runai_access.lists.sorts import BadCursor, Cursor, decode, without_index
from runai_access.lists.tables import ListTable
from runai_access.lists.times import current_zone_name, zone_named

PAGE_SIZES = (20, 50, 100)
# The widths that a column can get, in pixels.
MIN_WIDTH, MAX_WIDTH = 64, 960
SEARCH_LENGTH = 200
# The most rows of one bulk action; more would take too long for one request.
MAX_SELECTED = 1_000
# Values of the parameter `select`: every row of the page, or of the whole view.
PAGE, VIEW = "page", "view"
_PLACE = ("page", "after", "before")
_PASSING = ("selected", "changed", "new", "select")
_OWN = ("sort", "search", "zone", "columns", "size", *_PLACE, *_PASSING)
_MAX_KEY_LENGTH = 60


@dataclass(frozen=True)
class ListConfig:
    """The configuration of a list. `context` is the caller's authority; `rows` are the visible rows.

    `permission_filter` finds the visible rows by an index, for callers who see only a part.
    """

    table: type[ListTable]
    filters: type[ListFilterSet]
    rows: QuerySet[Any]
    search: Callable[[str, Any], ListFilter]
    context: Any
    path: str
    permission_filter: ListFilter | None = None

    def selection(
        self, filters: ListFilterSet, search: str = "", counted: int | None = None
    ) -> Selection:
        """Return the rows that match the filters and the search; for `counted`, see Selection."""
        found = self.search(search, self.context) if search else None
        rows, list_filters = filters.selection()
        more = [found, self.permission_filter]
        return Selection(rows, [*list_filters, *(one for one in more if one)], counted)

    def count(self, query: QueryDict) -> Count:
        """Return the number of rows that the list shows for these filters."""
        return self.selection(self.filters(query, self.rows, context=self.context)).count()


class Preference(Protocol):
    """What a user prefers for one table where the URL doesn't say otherwise.

    `columns` are the names of the columns to show, in order; empty for the table's defaults.
    `widths` are in pixels, by column; a column without one is as wide as its content.
    """

    columns: list[str]
    widths: dict[str, int]
    page_size: int
    density: str


class Listing:
    """One request for a list: `query` are the parameters of its URL."""

    def __init__(self, source: ListConfig, query: QueryDict, preference: Preference) -> None:
        self.source, self.path, self.preference = source, source.path, preference
        self.ignored: list[str] = []
        self.pinned: list[Any] = []
        self._given = query
        self.query = QueryDict(mutable=True)
        self.search = self._read_search()
        self.filters = self._read_filters()
        self._read_zone()
        self.sort = self._read_sort()
        self.columns = self._read_columns()
        self.size = self._read_size()
        self.changed = next(iter(self._read_ids("changed")), "")
        self.is_new = bool(self.changed and self._given.get("new"))
        self.selected = self._read_ids("selected")

    # Parsing the query string.

    def _read_search(self) -> str:
        text = self._given.get("search", "").strip()
        if not normalize_term(text):
            return ""
        if not is_storable(text) or len(text) > SEARCH_LENGTH:
            self.ignored.append(
                f"Ignored the search: it can have at most {SEARCH_LENGTH} characters."
            )
            return ""
        self.query["search"] = text
        return text

    def _read_filters(self) -> ListFilterSet:
        filters = self.source.filters(self._given, self.source.rows, context=self.source.context)
        for name in self._given:
            if name not in filters.filters and name not in _OWN:
                self.ignored.append(f"Ignored unknown URL parameter “{_short(name)}”.")
        self.ignored += filters.refused()
        for chip in filters.chips():
            for text in chip.texts:
                self.query.appendlist(chip.name, text)
        return filters

    def _read_zone(self) -> None:
        """Keep the time zone in the URL if a filter depends on it: others see the same rows."""
        given = self._given.get("zone", "")
        if given and not zone_named(given):
            self.ignored.append(f"Ignored unknown time zone “{_short(given)}”.")
            given = ""
        if any(chip.depends_on_zone for chip in self.chips):
            self.query["zone"] = given or current_zone_name()

    def _read_sort(self) -> str:
        table = self.source.table
        sort = self._given.get("sort", "")
        if not sort:
            return table.default_sort
        if not table.can_sort_by(sort):
            self.ignored.append(f"Ignored unknown sort column “{_short(sort)}”.")
            return table.default_sort
        self.query["sort"] = sort
        return sort

    def _read_columns(self) -> list[str]:
        table = self.source.table
        asked = [name for name in self._given.get("columns", "").split(",") if name]
        if not asked:
            kept = [name for name in self.preference.columns if name in table.base_columns]
            return kept or table.default_columns()
        unknown = [name for name in asked if name not in table.base_columns]
        for name in unknown[:3]:
            self.ignored.append(f"Ignored unknown column “{_short(name)}”.")
        known = [name for name in dict.fromkeys(asked) if name not in unknown]
        if not known:
            return table.default_columns()
        columns = _named_first(known, table.naming_column())
        self.query["columns"] = ",".join(columns)
        return columns

    def _read_size(self) -> int:
        text = self._given.get("size", "")
        if not text:
            return self.preference.page_size
        if text not in map(str, PAGE_SIZES):
            self.ignored.append(f"Ignored page size “{_short(text)}”: use 20, 50 or 100.")
            return self.preference.page_size
        self.query["size"] = text
        return int(text)

    def _read_ids(self, name: str) -> frozenset[str]:
        keys, refused = read_keys(self.source.rows.model, self._given.getlist(name))
        self.ignored += [f"Ignored row ID “{_short(text)}” in “{name}”." for text in refused]
        return frozenset(map(str, keys))

    def _read_position(self) -> Position:
        number = self._given.get("page", "1")
        is_last = number == "last"
        page = int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 0
        if not is_last and (page < 1 or (page > COUNTED // self.size and not self._has_cursor)):
            self.ignored.append(f"Ignored page “{_short(number)}”, which does not exist.")
            page = 1
        try:
            after, before = self._cursor("after"), self._cursor("before")
        except BadCursor:
            self.ignored.append("Ignored an invalid cursor in “after” or “before”.")
            return Position()
        if after and before:
            self.ignored.append("Ignored “after” and “before”: use only one of them.")
            return Position()
        return Position(max(page, 1), is_last, after, before)

    @property
    def _has_cursor(self) -> bool:
        return bool(self._given.get("after") or self._given.get("before"))

    def _cursor(self, name: str) -> Cursor | None:
        text = self._given.get(name, "")
        if not text:
            return None
        sort, _ = self.source.table.sort_of(self.sort, self.source.context)
        return decode(text, sort)

    # Results.

    @cached_property
    def selection(self) -> Selection:
        """The rows that match the filters and the search."""
        return self.source.selection(self.filters, self.search)

    @cached_property
    def table(self) -> ListTable:
        """The table of the requested page."""
        page = self.page
        return self.source.table(
            page,
            context=self.source.context,
            columns=self.columns,
            sort=self.sort,
            selected=self._selected_on_page,
            changed=self.changed,
            is_new=self.is_new,
            search=self.search,
            pinned=self.pinned,
            address=self.address,
        )

    @property
    def _selected_on_page(self) -> frozenset[str]:
        if self._given.get("select") in (PAGE, VIEW):
            return frozenset(str(row.pk) for row in self.page.rows)
        return self.selected

    @cached_property
    def page(self) -> Page[Any]:
        position = self._read_position()
        sort, is_descending = self.source.table.sort_of(self.sort, self.source.context)
        everything = self.source.table.model._default_manager.all()  # noqa: SLF001  # documented
        page = page_of(
            self.selection.listed(sort),
            position,
            is_descending=is_descending,
            size=self.size,
            whole=self.source.table.complete(everything, self.source.context),
            values=self.source.table.values,
        )
        if position.number > 1 and page.pages and position.number > page.pages:
            self.ignored.append(f"Ignored page “{position.number}”, which does not exist.")
        return self._with_changed(page)

    def _with_changed(self, page: Page[Any]) -> Page[Any]:
        """Pin the changed row to the top if the page does not contain it."""
        if not self.changed or any(str(row.pk) == self.changed for row in page.rows):
            return page
        table = self.source.table
        rows = table.complete(self.source.rows, self.source.context).filter(pk=self.changed)
        self.pinned = list(with_values(rows, table.values) if table.values else rows)
        return page

    @property
    def count(self) -> Count:
        return self.page.count

    @property
    def live_region_text(self) -> str:
        """What the list shows now, for screen readers after an update."""
        table = self.source.table
        direction = "descending" if self.sort.startswith("-") else "ascending"
        parts = [
            f"{self.count} {'row' if self.count.number == 1 else 'rows'}",
            f"sorted by {table.titles()[self.sort.removeprefix('-')]}, {direction}",
        ]
        if self.page.number and (self.page.has_previous or self.page.has_next):
            parts.append(f"page {self.page.number}")
        return ", ".join(parts)

    @property
    def is_filtered(self) -> bool:
        """True if filters or a search are active."""
        return bool(self.search or self.chips)

    @property
    def has_toolbar(self) -> bool:
        """True if there are rows, filters or a search to work with."""
        return bool(self.count or self.table.pinned_rows or self.is_filtered)

    @cached_property
    def chips(self) -> list[Chip]:
        return self.filters.chips()

    def exported(self) -> tuple[list[QuerySet[Any]], bool]:
        """Return the rows for an export, in consecutive parts, and whether the row limit cuts them."""
        parts, is_cut = self._in_order(self._for_file), self.is_cut
        if is_cut is not None:
            return parts, is_cut
        # Counting would read the same keys, so read them once for both.
        keys = self._keys(self._for_file, AsStored("pk"), export.ROW_LIMIT + 1)
        sort, is_descending = self.source.table.sort_of(self.sort, self.source.context)
        rows = self.source.rows.filter(InArray("pk", keys))
        parts = in_order(rows, without_index(sort), is_descending=is_descending)
        return parts, len(keys) > export.ROW_LIMIT

    @property
    def is_cut(self) -> bool | None:
        """True if the row limit cuts an export; None if finding out would take too long."""
        return self._for_file.exists_more_than(export.ROW_LIMIT)

    @property
    def row_limit(self) -> str:
        """The row limit of exports, for display."""
        return f"{export.ROW_LIMIT:,}"

    @cached_property
    def _for_file(self) -> Selection:
        return self.source.selection(self.filters, self.search, export.ROW_LIMIT + 1)

    def _in_order(self, selection: Selection) -> list[QuerySet[Any]]:
        sort, is_descending = self.source.table.sort_of(self.sort, self.source.context)
        return in_order(selection.rows(sort), selection.order(sort), is_descending=is_descending)

    # URLs.

    def url(self, path: str = "", /, **changes: Any) -> str:
        """Return the URL of this list (or of `path` with the list's state) with `changes`."""
        parts = [text for name, text in self._state if name not in changes]
        parts += [_pair(name, new) for name, new in changes.items() if new not in (None, "")]
        return self._address(path, parts)

    @cached_property
    def _state(self) -> list[tuple[str, str]]:
        """The state shared by the URLs of this page: parameter names, each with its encoded pair."""
        return [(name, _pair(name, value)) for name, value in self.hidden]

    def url_without(self, chip: Chip, path: str = "") -> str:
        """Return the URL without one filter."""
        gone = {(chip.name, text) for text in chip.texts}
        if not any(other.depends_on_zone for other in self.chips if other != chip):
            gone.add(("zone", self.query.get("zone", "")))
        return self._address(path, [_pair(*pair) for pair in self.hidden if pair not in gone])

    def _address(self, path: str, parts: list[str]) -> str:
        return f"{path or self.path}?{'&'.join(parts)}" if parts else path or self.path

    @property
    def address(self) -> str:
        """The URL of this page of the list."""
        place = {name: self._given[name] for name in _PLACE if self._given.get(name)}
        return self.url(**place)

    @property
    def address_selecting_all(self) -> str:
        """The URL of this page with every row selected, for use without JavaScript."""
        return self._with(f"select={PAGE}")

    @property
    def address_selecting_view(self) -> str:
        """The URL of this page with the rows of all pages selected."""
        return self._with(f"select={VIEW}")

    @property
    def has_more_to_select(self) -> bool:
        """True if the view has rows on other pages."""
        return self.count.number > len(self.page.rows)

    @property
    def selects_view(self) -> bool:
        """True if the rows of all pages are selected."""
        return self._given.get("select") == VIEW and self.has_more_to_select

    @property
    def whole_view(self) -> str:
        """What `address_selecting_view` selects, for display: "all 120" or "the first 1,000"."""
        if self.count.is_exact and self.count.number <= MAX_SELECTED:
            return f"all {self.count}"
        return f"the first {MAX_SELECTED:,}"

    def keys_of_view(self) -> list[Any]:
        """Return the primary keys of the first MAX_SELECTED rows of the view, in its order.

        Empty if parts of the URL were ignored, because the user then saw another view.
        """
        return self._keys(self.selection, F("pk"), MAX_SELECTED) if not self.ignored else []

    def _keys(self, selection: Selection, key: F | AsStored, most: int) -> list[Any]:
        keys: list[Any] = []
        for part in self._in_order(selection):
            keys += part.values_list(key, flat=True)[: most - len(keys)]
        return keys

    def _with(self, more: str) -> str:
        address = self.address
        return f"{address}{'&' if '?' in address else '?'}{more}"

    @property
    def cleared(self) -> str:
        """The URL of this list without filters and search."""
        names = [*self.filters.filters, "search", "zone"]
        return self.url(**dict.fromkeys(names))

    @property
    def url_without_search(self) -> str:
        return self.url(search=None)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """The state as name and value pairs, for hidden fields of a form."""
        return [(name, value) for name, values in self.query.lists() for value in values]


def read_keys(model: type[Model], texts: Sequence[str]) -> tuple[list[Any], list[str]]:
    """Parse primary keys: return the valid ones without duplicates, and the invalid texts."""
    field: Any = model._meta.pk  # documented for this
    while field.remote_field:
        field = field.target_field
    keys, refused = [], []
    for text in texts[:MAX_SELECTED]:
        try:
            keys.append(field.clean(text[:_MAX_KEY_LENGTH], None))
        except ValidationError:
            refused.append(text)
    return list(dict.fromkeys(keys)), refused


def _pair(name: str, value: object) -> str:
    return f"{name}={quote(str(value), safe=',')}"


def _named_first(columns: list[str], naming: str) -> list[str]:
    return [naming, *(name for name in columns if name != naming)]


def _short(text: str) -> str:
    printable = "".join(c if c.isprintable() else "\ufffd" for c in text[:60])
    return printable + ("…" if len(text) > 60 else "")
