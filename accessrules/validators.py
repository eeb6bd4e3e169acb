"""Validation of texts before they reach the database, and of names and scope ids."""

import re
import unicodedata

from django.core.exceptions import ValidationError

from runai_access.db.normalization import stored_form

MAX_NAME_LENGTH = 255
# ZERO WIDTH (NON-)JOINER between two non-ASCII characters; elsewhere they have no effect.
_JOINERS = re.compile(r"(?<=[^\x00-\x7f\u200c\u200d])[\u200c\u200d](?=[^\x00-\x7f\u200c\u200d])")
# Letters and symbols without a visible form: the Braille blank and the Hangul fillers.
_BLANKS = frozenset("\u2800\u115f\u1160\u3164\uffa0")
_SCOPE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}", re.ASCII)


def check_name(name: str) -> str:
    """Return the stored form of the name of a group or scope. Raises ValidationError.

    After stripping, a name has 1 to 255 characters, at least one of them visible. Unprintable
    characters and those that look like spaces are rejected. Joiners are allowed inside: Persian names
    and emoji sequences need them.
    """
    name = stored_form(name).strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise ValidationError({"name": f"A name must have 1 to {MAX_NAME_LENGTH} characters."})
    if not _JOINERS.sub("", name).isprintable():
        raise ValidationError({"name": "A name can't contain unprintable characters."})
    if any(character in _BLANKS for character in name):
        raise ValidationError({"name": "A name can't contain characters that look like spaces."})
    if not any(unicodedata.category(character)[0] in "LNPS" for character in name):
        raise ValidationError({"name": "A name must have at least one visible character."})
    return name


def check_scope_id(id_: str) -> str:
    """Return the id that a file gives a scope. Raises ValidationError.

    Ids are part of API URLs, so they contain no characters that need escaping. Underscores are
    rejected because the official client replaces them by hyphens (contract/README.md, Resources).
    """
    if not _SCOPE_ID.fullmatch(id_):
        message = (
            "An id must have 1 to 64 letters (a to z), digits, dots or hyphens, and start with a "
            "letter or digit."
        )
        raise ValidationError({"id": message})
    return id_
