"""What an email address must be before anybody is called by it."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from runai_access.db.normalization import is_ignorable

EMAIL_MAX_LENGTH = 255
_HAN = frozenset({"CJK", "IDEOGRAPHIC"})
# Scripts that one label may mix (UTS #39 section 5.2, "Highly Restrictive"), by the first word of the
# names of their characters: Python's `unicodedata` does not know scripts.
_MIXTURES = (
    {"LATIN", "HIRAGANA", "KATAKANA"} | _HAN,
    {"LATIN", "BOPOMOFO"} | _HAN,
    {"LATIN", "HANGUL"} | _HAN,
)
_LABEL = re.compile(r"[^@.]+")


def check_email(email: str) -> str:
    """Return `email`, in its stored form; raise ValidationError beside the field of that name.

    It has no ignorable character, and no label that mixes scripts: either can imitate another address.
    """
    if len(email) > EMAIL_MAX_LENGTH:
        raise ValidationError({"email": f"An email has {EMAIL_MAX_LENGTH} characters at most."})
    if any(map(is_ignorable, email)):
        raise ValidationError({"email": "An email must not contain invisible characters."})
    for label in _LABEL.findall(email):
        if is_mixed(label):
            message = f"An email must not mix scripts, such as Latin and Cyrillic: “{label}”."
            raise ValidationError({"email": message})
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError({"email": "This is no email like rosa@example.com."}) from error
    return email


def is_email(text: str) -> bool:
    """Return whether a person could be called `text`."""
    try:
        check_email(text)
    except ValidationError:
        return False
    return True


def is_mixed(label: str) -> bool:
    """Return whether `label` has letters of scripts that are not written together.

    Digits, punctuation and marks belong to every script.
    """
    compatible = unicodedata.normalize("NFKC", label)
    letters = (c for c in compatible if unicodedata.category(c).startswith("L"))
    scripts = {_script(letter) for letter in letters} - {"MODIFIER"}
    return len(scripts) > 1 and not any(scripts <= mixture for mixture in _MIXTURES)


def _script(letter: str) -> str:
    """Return the first word of a letter's name, its script, as in "CYRILLIC SMALL LETTER A"."""
    return re.split("[ -]", unicodedata.name(letter, "UNKNOWN"))[0]
