"""What a text must be before a database is asked about it, and what a name may be."""

import re
import unicodedata

from django.core.exceptions import ValidationError

from runai_access.db.normalization import stored_form

MAX_NAME_LENGTH = 255
# ZERO WIDTH NON-JOINER and JOINER between two characters beyond ASCII: elsewhere they change nothing.
_JOINERS = re.compile(r"(?<=[^\x00-\x7f\u200c\u200d])[\u200c\u200d](?=[^\x00-\x7f\u200c\u200d])")
# Letters and symbols that show nothing: the blank of Braille and the fillers of Hangul.
_BLANKS = frozenset("\u2800\u115f\u1160\u3164\uffa0")
_SCOPE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}", re.ASCII)


def is_storable(text: str) -> bool:
    """Return whether every database can hold `text`: no NUL (PostgreSQL), no lone surrogate.

    A stranger may send either; what can't be held is not there, and is never looked up.
    """
    return not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text)


def check_name(name: str) -> str:
    """Return the stored form of a group's or scope's name; raise ValidationError.

    A name is 1 to 255 characters long, after space around it is removed. It has at least one visible
    character, none that does not print, and none that looks like a space. Joiners are allowed inside:
    Persian names and emoji sequences need them.
    """
    name = stored_form(name).strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise ValidationError({"name": f"A name is 1 to {MAX_NAME_LENGTH} characters long."})
    if not _JOINERS.sub("", name).isprintable():
        raise ValidationError({"name": "A name must not contain characters that don't print."})
    if any(character in _BLANKS for character in name):
        raise ValidationError({"name": "A name must not contain characters that look like spaces."})
    if not any(unicodedata.category(character)[0] in "LNPS" for character in name):
        raise ValidationError({"name": "A name must have at least one visible character."})
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
