"""Valid emails, names and group values of users."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accessrules.validators import check_name
from runai_access.db.normalization import is_ignorable, is_storable

EMAIL_MAX_LENGTH = 255
DISPLAY_NAME_MAX_LENGTH = 100
# A value of the groups claim of an identity provider.
GROUP_VALUE_MAX_LENGTH = 255
_HAN = frozenset({"CJK", "IDEOGRAPHIC"})
# Scripts that one label can mix (UTS #39 section 5.2, "Highly Restrictive"), by the first word of the
# names of their characters: Python's `unicodedata` does not know scripts.
_MIXTURES = (
    {"LATIN", "HIRAGANA", "KATAKANA"} | _HAN,
    {"LATIN", "BOPOMOFO"} | _HAN,
    {"LATIN", "HANGUL"} | _HAN,
)
_LABEL = re.compile(r"[^@.]+")


def check_email(email: str) -> str:
    """Return a normalized `email`. Raises ValidationError on the field `email` if it is invalid.

    Refuses ignorable characters and labels with mixed scripts, which can imitate another address.
    """
    if len(email) > EMAIL_MAX_LENGTH:
        raise ValidationError(
            {"email": f"An email can have at most {EMAIL_MAX_LENGTH} characters."}
        )
    if any(map(is_ignorable, email)):
        raise ValidationError({"email": "An email can't contain invisible characters."})
    for label in _LABEL.findall(email):
        if is_mixed(label):
            message = f"An email can't mix scripts, such as Latin and Cyrillic: “{label}”."
            raise ValidationError({"email": message})
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError(
            {"email": "Enter a valid email, for example rosa@example.com."}
        ) from error
    return email


def check_display_name(name: str) -> str:
    """Return the stored form of a display name, which can be empty.

    Raises ValidationError on the field `display_name`.
    """
    name = " ".join(name.split())
    if len(name) > DISPLAY_NAME_MAX_LENGTH:
        message = f"A name can have at most {DISPLAY_NAME_MAX_LENGTH} characters."
        raise ValidationError({"display_name": message})
    try:
        return check_name(name) if name else ""
    except ValidationError as error:
        raise ValidationError({"display_name": error.messages}) from error


def is_email(text: str) -> bool:
    """Return whether `text` is a valid email."""
    try:
        check_email(text)
    except ValidationError:
        return False
    return True


def is_mixed(label: str) -> bool:
    """Return whether `label` mixes scripts that are not used together.

    Digits, punctuation and marks belong to all scripts.
    """
    compatible = unicodedata.normalize("NFKC", label)
    letters = (c for c in compatible if unicodedata.category(c).startswith("L"))
    scripts = {_script(letter) for letter in letters} - {"MODIFIER"}
    return len(scripts) > 1 and not any(scripts <= mixture for mixture in _MIXTURES)


def _script(letter: str) -> str:
    """Return the first word of a letter's name, its script, as in "CYRILLIC SMALL LETTER A"."""
    return re.split("[ -]", unicodedata.name(letter, "UNKNOWN"))[0]


def check_group_value(value: str) -> str:
    """Return a value of the groups claim as it is stored. Raises ValidationError."""
    value = value.strip()
    is_short = 0 < len(value) <= GROUP_VALUE_MAX_LENGTH
    if not (is_short and is_storable(value) and value.isprintable()):
        raise ValidationError(f"Enter a value of at most {GROUP_VALUE_MAX_LENGTH} characters.")
    return value
