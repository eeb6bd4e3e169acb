"""What a password must be, and making one up."""

import secrets

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError

from runai_access.accounts.models import User
from runai_access.db.normalization import normalize_password

PASSWORD_MAX_LENGTH = 1024
# 32 letters and digits that can't be taken for each other: 5 bits each.
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LENGTH = 4, 6


def new_password() -> str:
    """Return a password that nobody has to invent: 120 random bits that can be read out and typed."""
    groups = (
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


def set_password(user: User, password: str | None, *, field: str = "password") -> None:
    """Give `user`, unsaved, this password; None lets nobody sign in as them.

    Raises ValidationError beside `field` for one that will not do; what is too long costs no hash.
    """
    if password is None:
        user.set_unusable_password()
        return
    password = normalize_password(password)
    if len(password) > PASSWORD_MAX_LENGTH:
        raise ValidationError({field: f"A password has {PASSWORD_MAX_LENGTH} characters at most."})
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from error
    user.set_password(password)
