"""What a text must be before a database is asked about it, and what a name may be."""

from django.core.exceptions import ValidationError

LONGEST_NAME = 255


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
