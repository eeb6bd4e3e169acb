"""What an e-mail must be before anybody is called by it."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

EMAIL_MAX_LENGTH = 255


def check_email(email: str) -> str:
    """Return `email`; raise ValidationError beside the field of that name for what is none."""
    if len(email) > EMAIL_MAX_LENGTH:
        raise ValidationError({"email": f"An e-mail has {EMAIL_MAX_LENGTH} characters at most."})
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError({"email": "This is no e-mail like rosa@example.com."}) from error
    return email


def is_email(text: str) -> bool:
    """Return whether a person could be called `text`."""
    try:
        check_email(text)
    except ValidationError:
        return False
    return True
