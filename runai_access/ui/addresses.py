"""Addresses that links of every page lead to."""

from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote_plus, urlencode
from uuid import UUID

from django.urls import reverse

from runai_access.db.row_urls import row_url
from runai_access.ui.dialogs import FROM


def dialog_url(view: str, *args: Any, back: str = "", **query: Any) -> str:
    """Return the address of a dialog, which knows that it was opened from the address `back`."""
    match args:
        case (int() | UUID() as key,):
            address = row_url(view, key)
        case _:
            address = reverse(view, args=args)
    text = _from(back)
    if query:
        text = f"{urlencode(query)}&{text}" if text else urlencode(query)
    return f"{address}?{text}" if text else address


def history_url(entity_type: str, id_: object) -> str:
    """Return the address of what happened to, or was done by, one thing.

    The type is that in the record: application, user, group, access_rule, or the type of a scope,
    whose id is its `uid`. Only administrators have business there; ask
    `accessrules.console.tables.history` first.
    """
    return f"{_activity()}?history__is={quote_plus(f'{entity_type}:{id_}')}"


@lru_cache(maxsize=16)
def _from(back: str) -> str:
    """Return the part of the query that all links of a page have."""
    return urlencode({FROM: back}) if back else ""


@cache
def _activity() -> str:
    return reverse("activity:list")
