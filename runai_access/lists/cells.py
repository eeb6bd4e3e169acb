"""The cells that tables share. A cell is a function of a row and its table."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from runai_access.ui.markup import badge, clip, marked, markup, moment, muted

Cell = Callable[[Any, Any], str]
"""What is no SafeString is escaped where the cell is shown."""


def named(record: Any, table: Any, name: str) -> str:
    """Return the name of a row, which opens its page, and whether it is disabled."""
    link = markup(
        '<a class="clip row-name" href="{}" title="{}">{}</a>',
        table.address_of(record), name, marked(name, table.search),
    )  # fmt: skip
    return link if record.enabled else markup("{}\n{}", link, badge("Disabled"))


def creator(record: Any, table: Any) -> str:
    """Who made it."""
    return clip(record.created_by, table.search)


def creation(record: Any, _: object) -> str:
    """When it was made."""
    return moment(record.created_at, in_column=True)


def update(record: Any, table: Any) -> str:
    """When it changed last, which leads whoever may see the record to all that happened to it."""
    history = table.history_of(record)
    if not history:
        return moment(record.updated_at, in_column=True)
    return markup(
        '<a class="cell-link" href="{}" title="Its history">{}</a>',
        history, moment(record.updated_at, in_column=True),
    )  # fmt: skip


def last_login(record: Any, _: object) -> str:
    """How long ago it signed in."""
    time: datetime | None = record.last_login
    return moment(time, relative=True) if time else muted("Never")


def status(record: Any, _: object) -> str:
    """Whether it may sign in."""
    return "Enabled" if record.enabled else "Disabled"
