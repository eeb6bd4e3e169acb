"""Authentication by email and password."""

from contextlib import suppress
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest
from django.utils.crypto import get_random_string

from runai_access.accounts.models import User
from runai_access.db.normalization import normalize_password
from runai_access.errors import Busy

# Checked if there is no password, so that unknown users take as long as known ones.
_NO_PASSWORD = make_password(get_random_string(40))


def _rehash(user: User, password: str) -> None:
    """Hash a verified password in normalized form: an earlier version hashed it as entered.

    Like any new hash, this ends the user's other sessions.
    """
    normalized = normalize_password(password)
    if normalized == password:
        return
    with suppress(Busy):  # the next sign-in retries
        if not check_password(normalized, user.password):
            verified = user.password
            user.set_password(password)
            # No effect if the password was changed concurrently.
            User.objects.filter(pk=user.pk, password=verified).update(password=user.password)


class EmailBackend(BaseBackend):
    """Finds users by email. Costs one Argon2 run, whether or not the user exists."""

    def authenticate(
        self, request: HttpRequest | None, *, email: str = "", password: str = "", **_: Any
    ) -> User | None:
        user = User.objects.with_email(email).first()
        if user is None or not user.has_usable_password():
            check_password(password, _NO_PASSWORD)
            return None
        is_right = user.check_password(password) and user.is_active and not user.is_too_late
        if is_right:
            _rehash(user, password)
        return user if is_right else None

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.filter(pk=user_id).first()
        return user if user and user.is_active else None
