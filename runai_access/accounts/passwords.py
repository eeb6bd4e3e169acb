"""Validates and generates passwords."""

import secrets

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError

from runai_access.accounts.models import User
from runai_access.db.normalization import normalize_password

PASSWORD_MAX_LENGTH = 1024
# 32 unambiguous letters and digits: 5 bits each.
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LENGTH = 4, 6


def new_password() -> str:
    """Return a random password: 120 bits that are easy to read out and type."""
    groups = (
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


def set_password(user: User, password: str | None, *, field: str = "password") -> None:
    """Set the password of `user` without saving it; None makes it unusable.

    Raises ValidationError on `field` for an invalid password; long ones are refused without hashing.
    """
    if password is None:
        user.set_unusable_password()
        return
    try:
        check_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from error
    user.set_password(normalize_password(password))


def check_password(password: str, user: User) -> None:
    """Raise ValidationError if `user` can't have this password."""
    password = normalize_password(password)
    if len(password) > PASSWORD_MAX_LENGTH:
        raise ValidationError(f"A password can have at most {PASSWORD_MAX_LENGTH} characters.")
    password_validation.validate_password(password, user)
