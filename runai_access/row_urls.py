"""URLs of rows. A page has hundreds of them, too many for `reverse`."""

from functools import cache
from urllib.parse import quote_plus
from uuid import UUID

from django.urls import reverse

# Sample keys that occur nowhere else in a URL of this product.
_NUMBER, _UUID = 987_654_321, UUID(int=0)


def row_url(view: str, key: int | UUID) -> str:
    """Return the URL of a view of one row."""
    before, after = _around_key(view, isinstance(key, int))
    return f"{before}{key}{after}"


@cache
def list_url(view: str) -> str:
    """Return the URL of a view without arguments, such as the list, and cache it."""
    return reverse(view)


def history_url(entity_type: str, id_: object) -> str:
    """Return the URL of the audit events of one entity: those it caused and those that changed it.

    `entity_type` is as in the audit log: application, user, group, access_rule, or the type of a
    scope, whose id is its `uid`. The page requires permission to view the audit log.
    """
    return f"{list_url('activity:list')}?history__is={quote_plus(f'{entity_type}:{id_}')}"


@cache
def _around_key(view: str, is_number: bool) -> tuple[str, str]:
    sample = _NUMBER if is_number else _UUID
    before, _, after = reverse(view, args=[sample]).partition(str(sample))
    return before, after
