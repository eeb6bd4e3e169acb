"""The table that every list page builds on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import django_tables2 as tables
from django.db.models import Model, QuerySet
from django_tables2.data import TableData

from runai_access.ui.keyset import Page, Sort

CHUNK = 500


class PageData(TableData):  # type: ignore[misc]  # django-tables2 has no types
    """The rows of one page, sorted by the database already."""

    def __init__(self, page: Page[Any], pinned: Sequence[Any]) -> None:
        super().__init__([*pinned, *page.rows])

    def __len__(self) -> int:
        return len(self.data)

    def order_by(self, aliases: Sequence[str]) -> None:
        """Leave the rows as they are: a page can't be sorted, only the whole list."""


class ListColumn(tables.TemplateColumn):  # type: ignore[misc]  # django-tables2 has no types
    """A column: the template of its cell, what it is sorted by, and what a file says of it.

    A column without `sort` can't be sorted by.

    `exports` are the paths whose values the file needs; `as_text` makes a cell of them, and of what
    the table's `related` found for the row.
    """

    def __init__(
        self,
        title: str,
        template: str,
        *,
        sort: Sort | Callable[[Any], Sort] | None = None,
        exports: tuple[str, ...] = (),
        as_text: Callable[..., Any] | None = None,
        is_shown: bool = True,
    ) -> None:
        super().__init__(template_name=template, verbose_name=title, orderable=sort is not None)
        self._sort, self.exports, self.as_text = sort, exports, as_text
        self.is_shown = is_shown

    def sort_for(self, context: Any) -> Sort:
        if self._sort is None:
            raise ValueError("This column can't be sorted by.")
        return self._sort if isinstance(self._sort, Sort) else self._sort(context)


def creator_column(title: str = "Created by") -> ListColumn:
    """A column of who made the row."""
    sort = Sort.text("created_by")
    return ListColumn(title, "ui/cells/_created_by.html", sort=sort, exports=("created_by",))


def creation_column() -> ListColumn:
    """A column of when the row was made."""
    return _time_column("Creation time", "ui/cells/_creation_time.html", "created_at")


def update_column(*, is_shown: bool = True) -> ListColumn:
    """A column of when the row was last changed."""
    template = "ui/cells/_last_updated.html"
    return _time_column("Last updated", template, "updated_at", is_shown=is_shown)


def _time_column(title: str, template: str, path: str, *, is_shown: bool = True) -> ListColumn:
    return ListColumn(title, template, sort=Sort.time(path), exports=(path,), is_shown=is_shown)


class ListTable(tables.Table):  # type: ignore[misc]  # django-tables2 has no types
    """A table of `ListColumn`s. The first one names the row and can't be hidden.

    A subclass has a `name`, a `default_sort` and the `model` of its rows, and says with `complete`
    what its cells need. Rows have pages of their own unless `has_row_pages` says otherwise.
    `pinned` are rows that were just changed and that the page itself does not show.
    """

    name = ""
    default_sort = ""
    model: type[Model]
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
    ) -> None:
        self.page_read, self.asks = page, context
        self.pinned_rows = pinned
        self.selected, self.changed, self.search = selected, changed, search
        hidden = [name for name in self.base_columns if name not in columns]
        super().__init__(
            PageData(page, pinned), order_by=sort, sequence=[*columns, *hidden], exclude=hidden
        )

    @classmethod
    def titles(cls) -> dict[str, str]:
        return {name: column.verbose_name for name, column in cls.base_columns.items()}

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
    def related(cls, pks: list[Any], context: Any) -> dict[Any, Any]:  # noqa: ARG003
        """Return what a file says of these rows besides their own values."""
        return {}

    @classmethod
    def exported(
        cls, parts: Sequence[QuerySet[Any]], columns: Sequence[str], context: Any, limit: int
    ) -> Iterator[list[Any]]:
        """Yield the rows of a file, in constant memory and few queries."""
        chosen = [cls.base_columns[name] for name in columns]
        paths = list(dict.fromkeys(["pk", *(path for column in chosen for path in column.exports)]))
        read = (part.values_list(*paths)[:limit].iterator(chunk_size=CHUNK) for part in parts)
        for chunk in _chunks(islice(chain.from_iterable(read), limit), CHUNK):
            related = cls.related([row[0] for row in chunk], context)
            for row in chunk:
                values = dict(zip(paths, row, strict=True))
                yield [_exported(column, values, related.get(row[0])) for column in chosen]


def _exported(column: ListColumn, values: dict[str, Any], related: Any) -> Any:
    own = [values[path] for path in column.exports]
    if column.as_text is None:
        return own[0]
    return column.as_text(*own) if own else column.as_text(related)


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk
