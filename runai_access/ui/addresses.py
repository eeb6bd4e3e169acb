"""Addresses that links of every page lead to."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from runai_access.ui.dialogs import FROM


def dialog_url(view: str, *args: Any, back: str = "", **query: Any) -> str:
    """Return the address of a dialog, which knows that it was opened from the address `back`."""
    text = urlencode({**query, **({FROM: back} if back else {})})
    return f"{reverse(view, args=args)}?{text}" if text else reverse(view, args=args)


def history_url(entity_type: str, id_: object) -> str:
    """Return the address of what happened to, or was done by, one thing.

    The type is that in the record: application, user, group, access_rule, or the type of a scope,
    whose id is its `uid`. Only administrators have business there; ask `accessrules.history` first.
    """
    return f"{reverse('activity:list')}?{urlencode({'history__is': f'{entity_type}:{id_}'})}"
