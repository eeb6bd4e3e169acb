"""The rows of a list's table."""

from collections.abc import Iterator
from typing import Any

from django.utils.safestring import SafeString

from runai_access.lists.markup import escaped, icon, markup
from runai_access.lists.tables import ListTable

_SELECT = (
    '<input type="checkbox" name="selected" value="{}" form="selection" data-enabled="{}"'
    ' id="select-{}"{} aria-label="{}"{}>'
)
_MENU = (
    '<td role="cell" class="column-menu"><a class="icon-button" id="menu-{}" href="{}"'
    ' data-row-menu="{}"{} aria-label="Actions of {}">{}</a></td>'
)
_ROW = '<tr role="row" data-row>'
_CHANGED_ROW = '<tr role="row" data-row class="row-changed">'
_MARK = '\n<span class="badge badge-changed">{}</span>'
_ELLIPSIS = icon("ellipsis")


def table_rows(table: ListTable, *, have_actions: bool) -> SafeString:
    """Return the rows of the page, with checkboxes and menus if the list has actions."""
    naming_start = f'<th scope="row" role="rowheader" class="column-{table.naming_column()}">'
    pieces: list[str] = []
    for record in table.data:
        key, title = str(record.pk), table.title_of(record)
        is_changed = key == table.changed
        pieces += (
            _CHANGED_ROW if is_changed else _ROW,
            naming_start,
            _checkbox(record, key, title, table) if have_actions else "",
            "\n",
            naming_cell(table, record),
            _changed_badge(record, table) if is_changed else "",
            "</th>",
        )
        pieces += _cells(table, record)
        if have_actions:
            url, history = table.address_of(record), history_attribute(table, record)
            pieces.append(markup(_MENU, key, url, key, history, title, _ELLIPSIS))
        pieces.append("</tr>\n")
    return SafeString("".join(pieces))


def naming_cell(table: ListTable, record: Any) -> SafeString:
    """Return the content of a row's first cell."""
    return SafeString(escaped(table.render_name_cell(record)))


def other_cells(table: ListTable, record: Any) -> SafeString:
    """Return the cells of the other columns, for the rows of the scope tree."""
    return SafeString("".join(_cells(table, record)))


def _cells(table: ListTable, record: Any) -> Iterator[str]:
    for start, render in table.cell_renderers:
        yield from (start, escaped(render(record)), "</td>")


def history_attribute(table: ListTable, record: Any) -> SafeString:
    """Return the attribute with the URL of a row's history, for the row's menu."""
    history = table.history_of(record)
    return markup(' data-history="{}"', history) if history else SafeString("")


def _checkbox(record: Any, key: str, title: str, table: ListTable) -> SafeString:
    is_enabled = "true" if getattr(record, "enabled", False) else "false"
    is_selected = SafeString(" checked" if key in table.selected else "")
    allowed_actions = table.allowed_actions(record)
    allowed = "" if allowed_actions is None else markup(' data-allowed="{}"', allowed_actions)
    return markup(_SELECT, key, is_enabled, key, allowed, title, is_selected)


def _changed_badge(record: Any, table: ListTable) -> SafeString:
    mark = "New" if table.is_new else "Changed"
    is_pinned = record in table.pinned_rows
    return markup(_MARK, f"{mark}, shown out of order" if is_pinned else mark)
