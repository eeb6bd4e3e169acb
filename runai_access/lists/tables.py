"""Base class of the tables of list pages."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from itertools import chain, islice
from typing import Any, Self

import django_tables2 as tables
from django.db.models import Func, Model, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django_tables2.data import TableData

from runai_access.db.expressions import AsStored
from runai_access.lists.export import SpreadsheetTime, in_zone
from runai_access.lists.keyset import Page
from runai_access.lists.markup import clip, markup, moment
from runai_access.lists.sorts import Sort
from runai_access.lists.times import current_zone_name
from runai_access.row_urls import history_url

CHUNK = 500


class PageData(TableData):  # type: ignore[misc]  # django-tables2 has no types
    """The rows of one page, already sorted by the database."""

    def __init__(self, page: Page[Any], pinned: Sequence[Any]) -> None:
        super().__init__([*pinned, *page.rows])

    def __len__(self) -> int:
        return len(self.data)

    def order_by(self, aliases: Sequence[str]) -> None:
        """Do nothing: only the whole list can be sorted, not one page."""


class ListColumn(tables.Column):  # type: ignore[misc]  # django-tables2 has no types
    """A column: title, sort key, and text in a file. Its table renders the cells.

    A list can't be sorted by a column without `sort`.

    `exports` are the lookup paths or expressions of the values for the file. `as_text` turns them into
    the text of a cell, or without `exports` the row's result of the table's `related`. With `says_zone`
    the header names the time zone, so that the cells do not.
    """

    def __init__(
        self,
        title: str,
        *,
        sort: Sort | Callable[[Any], Sort] | None = None,
        exports: tuple[str | Func, ...] = (),
        as_text: Callable[..., Any] | None = None,
        is_shown: bool = True,
        says_zone: bool = False,
    ) -> None:
        super().__init__(verbose_name=title, orderable=sort is not None, empty_values=())
        self._sort, self.exports, self.as_text = sort, exports, as_text
        self.is_shown, self.says_zone = is_shown, says_zone

    def __deepcopy__(self, memo: object) -> Self:
        """Return a shallow copy. django-tables2 copies all columns for each page; they never change."""
        return copy(self)

    @property
    def file_title(self) -> str:
        """The title of the column in a file. For a time it names the zone."""
        return f"{self.verbose_name} ({current_zone_name()})" if self.is_time else self.verbose_name

    @property
    def is_time(self) -> bool:
        return any(isinstance(path, SpreadsheetTime) for path in self.exports)

    def sort_for(self, context: Any) -> Sort:
        if self._sort is None:
            raise ValueError("This column can't be sorted by.")
        return self._sort if isinstance(self._sort, Sort) else self._sort(context)

    def file_cell(self, paths: Sequence[str | Func]) -> Callable[[Sequence[Any], Any], Any]:
        """Return a function that turns the values of `paths` and the related data into a cell."""
        indexes, as_text = [paths.index(path) for path in self.exports], self.as_text
        if self.is_time and current_zone_name() != "UTC":
            as_text = in_zone(timezone.get_current_timezone())
        if as_text is None:
            (index,) = indexes
            return lambda values, _: values[index]
        if not indexes:
            return lambda _, related: as_text(related)
        return lambda values, _: as_text(*(values[index] for index in indexes))


def creator_column() -> ListColumn:
    """Return a column for the creator of the row."""
    sort = Sort.text("created_by")
    return ListColumn("Created by", sort=sort, exports=("created_by",))


def creation_column(*, is_shown: bool = True) -> ListColumn:
    """Return a column for the creation time of the row."""
    return _time_column("Creation time", "created_at", is_shown=is_shown)


def update_column(*, is_shown: bool = True) -> ListColumn:
    """Return a column for the time of the row's last change."""
    return _time_column("Last updated", "updated_at", is_shown=is_shown)


def _time_column(title: str, path: str, *, is_shown: bool = True) -> ListColumn:
    exports = (SpreadsheetTime(path),)
    return ListColumn(
        title, sort=Sort.time(path), exports=exports, is_shown=is_shown, says_zone=True
    )


class ListTable(tables.Table):  # type: ignore[misc]  # django-tables2 has no types
    """A table of `ListColumn`s. The first column names the row and can't be hidden.

    `render_<column>(record)`, the hook of django-tables2, returns a cell: HTML as a SafeString, or text
    to be escaped.

    A subclass sets `name`, `default_sort` and the `model` of its rows, and loads what its cells need in
    `complete`. If it sets `values`, rows are named tuples of these instead of model instances, which
    halves the time. If `has_row_pages` is false, rows have no detail pages.

    `changed` is the key of the row that was just changed, or created if `is_new`. It is in `pinned` if
    it is not on the page. `address` is the URL of the list
    in its current state.
    """

    name = ""
    default_sort = ""
    model: type[Model]
    values: tuple[str, ...] = ()
    has_row_pages = True

    def __init__(  # noqa: PLR0913  # the state of the page
        self,
        page: Page[Any],
        *,
        context: Any,
        columns: Sequence[str],
        sort: str,
        selected: frozenset[str] = frozenset(),
        changed: str = "",
        is_new: bool = False,
        search: str = "",
        pinned: Sequence[Any] = (),
        address: str = "",
    ) -> None:
        self.page_read, self.authority, self.address = page, context, address
        self.pinned_rows = pinned
        self.selected, self.search = selected, search
        self.changed, self.is_new = changed, is_new
        hidden = [name for name in self.base_columns if name not in columns]
        super().__init__(
            PageData(page, pinned), order_by=sort, sequence=[*columns, *hidden], exclude=hidden
        )

    @cached_property
    def shown_columns(self) -> list[tuple[str, ListColumn]]:
        """The columns that are shown, with their names."""
        return [(column.name, column.column) for column in self.columns]

    @cached_property
    def render_name_cell(self) -> Callable[[Any], str]:
        """The `render_*` method of the first column."""
        return self._render_method(self.naming_column())

    @cached_property
    def cell_renderers(self) -> list[tuple[SafeString, Callable[[Any], str]]]:
        """The start tag and the `render_*` method of each further column.

        `rows` calls the methods with only the record. The rows of django-tables2 resolve a value and
        the method's arguments for each cell, which is about nine times slower.
        """
        _, *others = self.shown_columns
        start = '<td role="cell" class="column-{}" data-label="{}">'
        return [
            (markup(start, name, column.verbose_name), self._render_method(name))
            for name, column in others
        ]

    def _render_method(self, column: str) -> Callable[[Any], str]:
        method: Callable[[Any], str] = getattr(self, f"render_{column}")
        return method

    def render_created_by(self, record: Any) -> str:
        return clip(record.created_by, self.search)

    def render_creation_time(self, record: Any) -> str:
        return moment(record.created_at, in_column=True)

    def render_last_updated(self, record: Any) -> str:
        """Link the time to the row's history, if the caller can see it."""
        shown = moment(record.updated_at, in_column=True)
        history = self.history_of(record)
        if not history:
            return shown
        return markup('<a class="cell-link" href="{}" title="View history">{}</a>', history, shown)

    @cached_property
    def history_type(self) -> str:
        """The entity type of the rows in the audit log; "" if the caller can't view their history."""
        return ""

    def history_of(self, record: Any) -> str:
        """Return the URL of a row's history; "" if the caller can't view it."""
        return f"{self._histories}{record.pk}" if self.history_type else ""

    @cached_property
    def _histories(self) -> str:
        return history_url(self.history_type, "")

    def allowed_actions(self, record: Any) -> object:  # subclasses use the record
        """Return an object whose text names the allowed actions of a row; None if all are allowed."""
        return None

    def title_of(self, record: Any) -> str:
        """Return the name of a row in labels."""
        return str(record)

    def address_of(self, record: Any) -> str:
        """Return the URL of a row's page, or without one that of the list with the row selected."""
        return self._addresses[record.pk]

    @cached_property
    def _addresses(self) -> dict[Any, str]:
        if self.has_row_pages:
            return {record.pk: record.get_absolute_url() for record in self.data}
        start = f"{self.address}{'&' if '?' in self.address else '?'}selected="
        return {record.pk: f"{start}{record.pk}" for record in self.data}

    @classmethod
    def titles(cls) -> dict[str, str]:
        return {name: column.verbose_name for name, column in cls.base_columns.items()}

    @classmethod
    def file_titles(cls, columns: Sequence[str]) -> list[str]:
        """Return the titles of these columns for the header of a file."""
        return [cls.base_columns[name].file_title for name in columns]

    @classmethod
    def default_columns(cls) -> list[str]:
        return [name for name, column in cls.base_columns.items() if column.is_shown]

    @classmethod
    def naming_column(cls) -> str:
        return str(next(iter(cls.base_columns)))

    @classmethod
    def can_sort_by(cls, sort: str) -> bool:
        """Return whether `sort` names a sortable column; "-" means descending."""
        column = cls.base_columns.get(sort.removeprefix("-"))
        return column is not None and column.orderable is not False

    @classmethod
    def sort_of(cls, sort: str, context: Any) -> tuple[Sort, bool]:
        """Return the sort key of a valid `sort`, and whether it is descending."""
        return cls.base_columns[sort.lstrip("-")].sort_for(context), sort.startswith("-")

    @classmethod
    def complete(cls, queryset: QuerySet[Any], context: Any) -> QuerySet[Any]:  # noqa: ARG003
        """Return the rows of one page with all data that the cells show."""
        return queryset

    @classmethod
    def related(cls, keys: list[Any], context: Any) -> dict[Any, Any]:  # noqa: ARG003
        """Return the data for a file that comes from other tables, by the keys of the rows.

        Keys are in the form that the database stores; see `AsStored`.
        """
        return {}

    @classmethod
    def exported(
        cls, parts: Sequence[QuerySet[Any]], columns: Sequence[str], context: Any, limit: int
    ) -> Iterator[list[Any]]:
        """Return the rows of a file in constant memory, with one set of queries for each chunk."""
        chosen = [cls.base_columns[name] for name in columns]
        paths = list(dict.fromkeys(path for column in chosen for path in column.exports))
        # Now, and not when the rows are sent: the request's time zone is then no longer active.
        cells = [column.file_cell(paths) for column in chosen]
        return cls._rows_of_file(parts, paths, cells, context, limit)

    @classmethod
    def _rows_of_file(
        cls,
        parts: Sequence[QuerySet[Any]],
        paths: Sequence[str | Func],
        cells: Sequence[Callable[[Sequence[Any], Any], Any]],
        context: Any,
        limit: int,
    ) -> Iterator[list[Any]]:
        rows = (part.values_list(*paths, AsStored("pk"))[:limit] for part in parts)
        iterators = (part.iterator(chunk_size=CHUNK) for part in rows)
        for chunk in _chunks(islice(chain.from_iterable(iterators), limit), CHUNK):
            related = cls.related([row[-1] for row in chunk], context)
            for row in chunk:
                related_data = related.get(row[-1])
                yield [cell(row, related_data) for cell in cells]


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk
