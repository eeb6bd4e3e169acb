"""What an application may be called (contract/README.md, Resources)."""

import re
import uuid

from django.core.exceptions import ValidationError

NAME_MAX_LENGTH = 255
NAME_PATTERN = "^[a-z][-_a-z0-9]*[a-z0-9]$"
_NAME = re.compile(NAME_PATTERN)


def validate_name(name: str) -> None:
    """Raise ValidationError with a sentence that says what is wrong with `name`."""
    if not name:
        raise ValidationError("Enter a name.")
    if not 2 <= len(name) <= NAME_MAX_LENGTH:
        raise ValidationError(
            f"A name has 2 to {NAME_MAX_LENGTH} characters; this one has {len(name)}."
        )
    if not _NAME.fullmatch(name):
        raise ValidationError(
            "A name begins with a lower-case letter, ends with a letter or a digit, and has only "
            "lower-case letters, digits, hyphens and underscores."
        )
    if _reads_as_uuid(name):
        raise ValidationError("A name must not read as a UUID; it could pass for another's id.")


def is_name(text: str) -> bool:
    """Return whether an application could be called `text`."""
    try:
        validate_name(text)
    except ValidationError:
        return False
    return True


def _reads_as_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
