"""Parses the IDs in URLs."""

import uuid

from runai_access.errors import NotFound

MAX_ID = 2**31 - 1


def integer_id(text: str) -> int:
    """Parse an ID. Raises NotFound if it is malformed."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= MAX_ID):
        raise NotFound(f"{text[:80]!r} is not a valid ID: it must be an integer.")
    return int(text)


def uuid_id(text: str) -> uuid.UUID:
    """Parse an ID. Raises NotFound if it is malformed."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound(f"{text[:80]!r} is not a valid ID: it must be a UUID.") from None
