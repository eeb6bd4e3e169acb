"""What a text must be before a database is asked about it, and what a name may be."""

import re

from django.core.exceptions import ValidationError

LONGEST_NAME = 255
_SCOPE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}", re.ASCII)


def is_storable(text: str) -> bool:
    """Return whether every database can hold `text`: no NUL (PostgreSQL), no lone surrogate.

    A stranger may send either; what can't be held is not there, and is never looked up.
    """
    return not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text)


def check_name(name: str) -> str:
    """Return the name of a group or scope without space around it; raise ValidationError.

    A name is shown in lists and sentences: it is 1 to 255 characters long and all of them print.
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise ValidationError({"name": f"A name is 1 to {LONGEST_NAME} characters long."})
    if not name.isprintable():
        raise ValidationError({"name": "A name must not contain characters that don't print."})
    return name


def check_scope_id(id_: str) -> str:
    """Return the id that a file gives a scope; raise ValidationError.

    It stands in addresses of the API, so it holds nothing that would have to be quoted there, and no
    underscore: the official client makes hyphens of them (contract/README.md, Resources).
    """
    if not _SCOPE_ID.fullmatch(id_):
        message = (
            "An id is 1 to 64 letters (a to z), digits, dots and hyphens, and begins with a letter "
            "or digit."
        )
        raise ValidationError({"id": message})
    return id_
