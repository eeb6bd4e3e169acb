"""Addresses in rows, of which a page has hundreds: `reverse` takes long for those."""

from functools import cache
from uuid import UUID

from django.urls import reverse

# Keys that no address of ours has anything like in another place.
_NUMBER, _UUID = 987_654_321, UUID(int=0)


def row_url(view: str, key: int | UUID) -> str:
    """Return the address of a view of one row."""
    before, after = _around_key(view, isinstance(key, int))
    return f"{before}{key}{after}"


@cache
def list_url(view: str) -> str:
    """Return the address of a view of none of them: the list itself, or where all rows lead to."""
    return reverse(view)


@cache
def _around_key(view: str, is_number: bool) -> tuple[str, str]:
    sample = _NUMBER if is_number else _UUID
    before, _, after = reverse(view, args=[sample]).partition(str(sample))
    return before, after
