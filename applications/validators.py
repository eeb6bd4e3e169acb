"""Valid application names (contract/README.md, Resources) and token lifetimes."""

import re
import uuid

from django.core.exceptions import ValidationError

NAME_MAX_LENGTH = 255
MIN_TOKEN_LIFETIME = 120  # seconds
NAME_PATTERN = "^[a-z][-_a-z0-9]*[a-z0-9]$"
_NAME = re.compile(NAME_PATTERN)


def validate_name(name: str) -> None:
    """Raise ValidationError, with the reason, unless `name` is valid."""
    if not name:
        raise ValidationError("Enter a name.")
    if not 2 <= len(name) <= NAME_MAX_LENGTH:
        raise ValidationError(
            f"A name must have 2 to {NAME_MAX_LENGTH} characters; this one has {len(name)}."
        )
    if not _NAME.fullmatch(name):
        raise ValidationError(
            "A name must start with a lowercase letter, end with a lowercase letter or a digit, and "
            "contain only lowercase letters, digits, hyphens and underscores."
        )
    if _is_uuid(name):
        raise ValidationError("A name can't be a UUID, because it could be mistaken for an ID.")


def is_name(text: str) -> bool:
    """Return whether `text` is a valid application name."""
    try:
        validate_name(text)
    except ValidationError:
        return False
    return True


def _is_uuid(text: str) -> bool:
    if len(text) < 32:  # most names, without the cost of an exception
        return False
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
