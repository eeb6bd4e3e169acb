"""Ids as they come in addresses: anything, until shown to be one."""

import uuid

from runai_access.errors import NotFound

MAX_ID = 2**31 - 1


def integer_id(text: str) -> int:
    """Return the id; raise NotFound for what can't be one."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= MAX_ID):
        raise NotFound(f"{text[:80]!r} is no id: it must be a whole number.")
    return int(text)


def uuid_id(text: str) -> uuid.UUID:
    """Return the id; raise NotFound for what can't be one."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound(f"{text[:80]!r} is no id: it must be a UUID.") from None
