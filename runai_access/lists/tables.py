"""The table that every list page builds on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from itertools import chain, islice
from typing import Any, Self

import django_tables2 as tables
from django.db.models import Func, Model, QuerySet
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django_tables2.data import TableData

from runai_access.db.expressions import AsStored
from runai_access.lists.export import SpreadsheetTime
from runai_access.lists.keyset import Page, Sort
from runai_access.lists.markup import clip, markup, moment
from runai_access.row_urls import history_url

CHUNK = 500


class PageData(TableData):  # type: ignore[misc]  # django-tables2 has no types
    """The rows of one page, sorted by the database already."""

    def __init__(self, page: Page[Any], pinned: Sequence[Any]) -> None:
        super().__init__([*pinned, *page.rows])

    def __len__(self) -> int:
        return len(self.data)

    def order_by(self, aliases: Sequence[str]) -> None:
        """Leave the rows as they are: a page can't be sorted, only the whole list."""


class ListColumn(tables.Column):  # type: ignore[misc]  # django-tables2 has no types
    """A column: its title, its sort key, and its text in a file. Its table renders its cells.

    A column without `sort` can't be sorted by.

    `exports` are the values that the file needs, by their paths; `as_text` makes a cell of them, or
    else of what the table's `related` found for the row. `says_zone` lets the header say the zone of
    the times below, so that each of them need not.
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
        """Return a copy to bind to one table: nothing that it shares with this one ever changes.

        django-tables2 copies all columns for each page.
        """
        return copy(self)

    @property
    def file_title(self) -> str:
        """The title of the column in a file: that of a time also names the zone."""
        is_time = any(isinstance(path, SpreadsheetTime) for path in self.exports)
        return f"{self.verbose_name} (UTC)" if is_time else str(self.verbose_name)

    def sort_for(self, context: Any) -> Sort:
        if self._sort is None:
            raise ValueError("This column can't be sorted by.")
        return self._sort if isinstance(self._sort, Sort) else self._sort(context)

    def file_cell(self, paths: Sequence[str | Func]) -> Callable[[Sequence[Any], Any], Any]:
        """Return what makes a cell of a file out of the values of `paths` and of what is related."""
        places, as_text = [paths.index(path) for path in self.exports], self.as_text
        if as_text is None:
            (place,) = places
            return lambda values, _: values[place]
        if not places:
            return lambda _, related: as_text(related)
        return lambda values, _: as_text(*(values[place] for place in places))


def creator_column(title: str = "Created by") -> ListColumn:
    """A column of who made the row."""
    sort = Sort.text("created_by")
    return ListColumn(title, sort=sort, exports=("created_by",))


def creation_column(*, is_shown: bool = True) -> ListColumn:
    """A column of when the row was made."""
    return _time_column("Creation time", "created_at", is_shown=is_shown)


def update_column(*, is_shown: bool = True) -> ListColumn:
    """A column of when the row was last changed."""
    return _time_column("Last updated", "updated_at", is_shown=is_shown)


def _time_column(title: str, path: str, *, is_shown: bool = True) -> ListColumn:
    exports = (SpreadsheetTime(path),)
    return ListColumn(
        title, sort=Sort.time(path), exports=exports, is_shown=is_shown, says_zone=True
    )


class ListTable(tables.Table):  # type: ignore[misc]  # django-tables2 has no types
    """A table of `ListColumn`s. The first one names the row and can't be hidden.

    `render_<column>(record)`, the hook of django-tables2, returns a cell: HTML as a SafeString, or a
    text that is escaped where it is shown.

    A subclass has a `name`, a `default_sort` and the `model` of its rows, and says with `complete`
    what its cells need; with `values`, by their names, that this is all of it. Then rows are tuples of
    those and never models, which takes half the time. Rows have pages of their own unless
    `has_row_pages` says otherwise.
    `pinned` are rows that were just changed and that the page itself does not show; `address` is
    that of the list as it is.
    """

    name = ""
    default_sort = ""
    model: type[Model]
    values: tuple[str, ...] = ()
    has_row_pages = True

    def __init__(  # noqa: PLR0913  # what a page shows of its rows
        self,
        page: Page[Any],
        *,
        context: Any,
        columns: Sequence[str],
        sort: str,
        selected: frozenset[str] = frozenset(),
        changed: str = "",
        search: str = "",
        pinned: Sequence[Any] = (),
        address: str = "",
    ) -> None:
        self.page_read, self.authority, self.address = page, context, address
        self.pinned_rows = pinned
        self.selected, self.changed, self.search = selected, changed, search
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

        `rows` calls the methods with just the record. The rows of django-tables2, which look up a
        value and the arguments of the method for each cell, take about nine times as long.
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
        return markup('<a class="cell-link" href="{}" title="Its history">{}</a>', history, shown)

    @cached_property
    def history_type(self) -> str:
        """What the record calls a row, if whoever asks may see the history of rows; else ""."""
        return ""

    def history_of(self, record: Any) -> str:
        """Return the address of all that happened to a row, if whoever asks may see that; else ""."""
        return f"{self._histories}{record.pk}" if self.history_type else ""

    @cached_property
    def _histories(self) -> str:
        return history_url(self.history_type, "")

    def allowed_actions(self, record: Any) -> object:  # a table may look at the row
        """Return the names of the actions that this row is offered, in a text; None where all are."""
        return None

    def title_of(self, record: Any) -> str:
        """Return what a row is called where it is spoken of."""
        return str(record)

    def address_of(self, record: Any) -> str:
        """Return the address of a row's own page; where there is none, of the list with it selected."""
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
        """Return the header of a file with these columns."""
        return [cls.base_columns[name].file_title for name in columns]

    @classmethod
    def default_columns(cls) -> list[str]:
        return [name for name, column in cls.base_columns.items() if column.is_shown]

    @classmethod
    def naming_column(cls) -> str:
        return str(next(iter(cls.base_columns)))

    @classmethod
    def can_sort_by(cls, sort: str) -> bool:
        """Return whether `sort` names a column, with or without the sign for downwards."""
        column = cls.base_columns.get(sort.removeprefix("-"))
        return column is not None and column.orderable is not False

    @classmethod
    def sort_of(cls, sort: str, context: Any) -> tuple[Sort, bool]:
        """Return what a known sort means, and whether it goes down."""
        return cls.base_columns[sort.lstrip("-")].sort_for(context), sort.startswith("-")

    @classmethod
    def complete(cls, queryset: QuerySet[Any], context: Any) -> QuerySet[Any]:  # noqa: ARG003
        """Return the rows with all that their cells show; for one page."""
        return queryset

    @classmethod
    def related(cls, keys: list[Any], context: Any) -> dict[Any, Any]:  # noqa: ARG003
        """Return what a file says of these rows besides their own values.

        Keys are as the database holds them; see `AsStored`.
        """
        return {}

    @classmethod
    def exported(
        cls, parts: Sequence[QuerySet[Any]], columns: Sequence[str], context: Any, limit: int
    ) -> Iterator[list[Any]]:
        """Yield the rows of a file, in constant memory and few queries."""
        chosen = [cls.base_columns[name] for name in columns]
        paths = list(dict.fromkeys(path for column in chosen for path in column.exports))
        cells = [column.file_cell(paths) for column in chosen]
        rows = (part.values_list(*paths, AsStored("pk"))[:limit] for part in parts)
        read = (some.iterator(chunk_size=CHUNK) for some in rows)
        for chunk in _chunks(islice(chain.from_iterable(read), limit), CHUNK):
            related = cls.related([row[-1] for row in chunk], context)
            for row in chunk:
                of_row = related.get(row[-1])
                yield [cell(row, of_row) for cell in cells]


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk
