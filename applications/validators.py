"""Valid application names (contract/README.md, Resources), token lifetimes, and details."""

import re
import uuid
from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError

from runai_access.db.normalization import stored_form

NAME_MAX_LENGTH = 255
MIN_TOKEN_LIFETIME = 120  # seconds
NAME_PATTERN = "^[a-z][-_a-z0-9]*[a-z0-9]$"
_NAME = re.compile(NAME_PATTERN)
DESCRIPTION_MAX_LENGTH = 500
MAX_LABELS = 20
LABEL_KEY_MAX_LENGTH = 63
LABEL_VALUE_MAX_LENGTH = 100
LABEL_KEY_PATTERN = "^[a-z0-9]([-._/a-z0-9]*[a-z0-9])?$"
_LABEL_KEY = re.compile(LABEL_KEY_PATTERN)


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


def valid_description(text: str) -> str:
    """Return a description as it is stored. Raises ValidationError."""
    text = text.strip()
    if len(text) > DESCRIPTION_MAX_LENGTH:
        raise ValidationError(
            f"A description must have at most {DESCRIPTION_MAX_LENGTH} characters; "
            f"this one has {len(text)}."
        )
    if not text.isprintable():
        raise ValidationError("A description can't contain line breaks or control characters.")
    return stored_form(text)


def valid_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels as they are stored. Raises ValidationError for invalid or too many labels."""
    check_label_count(labels)
    return {key: _valid_label(key, value) for key, value in labels.items()}


def check_label_count(labels: Mapping[str, str]) -> None:
    """Raise ValidationError if these are too many labels for one application."""
    if len(labels) > MAX_LABELS:
        raise ValidationError(
            f"An application can have at most {MAX_LABELS} labels; these are {len(labels)}."
        )


def read_labels(texts: Iterable[str]) -> dict[str, str]:
    """Return the labels that are written as `key=value`. Raises ValidationError."""
    labels: dict[str, str] = {}
    for text in filter(None, map(str.strip, texts)):
        key, separator, value = text.partition("=")
        if not separator:
            raise ValidationError(
                f"“{_short(text)}” is not a label. Write key=value, for example env=prod."
            )
        if key.strip() in labels:
            raise ValidationError(f"The label {_short(key.strip())} occurs twice.")
        labels[key.strip()] = value
    return valid_labels(labels)


def _valid_label(key: str, value: str) -> str:
    value = value.strip()
    if len(key) > LABEL_KEY_MAX_LENGTH:
        raise ValidationError(
            f"The key of a label must have at most {LABEL_KEY_MAX_LENGTH} characters; "
            f"“{_short(key)}” has {len(key)}."
        )
    if not _LABEL_KEY.fullmatch(key):
        raise ValidationError(
            f"“{_short(key)}” is not the key of a label. It must start and end with a lowercase "
            "letter or a digit, and contain only these and the characters - . _ /."
        )
    if len(value) > LABEL_VALUE_MAX_LENGTH:
        raise ValidationError(
            f"The value of a label must have at most {LABEL_VALUE_MAX_LENGTH} characters; "
            f"that of {key} has {len(value)}."
        )
    if not value.isprintable():
        raise ValidationError(f"The value of the label {key} contains control characters.")
    return stored_form(value)


def _short(text: str) -> str:
    return f"{text[:40]}…" if len(text) > 40 else text
