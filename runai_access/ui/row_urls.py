"""Addresses of rows, of which a page has hundreds."""

from functools import cache
from uuid import UUID

from django.urls import reverse

# Keys that no address of ours has anything like in another place.
_SAMPLES: dict[type, int | UUID] = {int: 987_654_321, UUID: UUID(int=0)}


def row_url(view: str, key: int | UUID) -> str:
    """Return the address of a view of one row: as `reverse`, which takes long for hundreds."""
    before, after = _around_key(view, type(key))
    return f"{before}{key}{after}"


@cache
def _around_key(view: str, kind: type) -> tuple[str, str]:
    sample = _SAMPLES[kind]
    before, _, after = reverse(view, args=[sample]).partition(str(sample))
    return before, after
