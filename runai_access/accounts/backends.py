"""Signing in with email and password."""

from contextlib import suppress
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest
from django.utils.crypto import get_random_string

from runai_access.accounts.models import User
from runai_access.db.normalization import normalize_password
from runai_access.errors import Busy

# Checked where there is no password, so that an unknown person costs what a known one does.
_NO_PASSWORD = make_password(get_random_string(40))


def _rehash(user: User, password: str) -> None:
    """Hash a right password in normalized form, where an earlier version hashed it as it was typed.

    Like every new hash, this ends the user's other sessions.
    """
    normalized = normalize_password(password)
    if normalized == password:
        return
    with suppress(Busy):  # then the next sign-in does it
        if not check_password(normalized, user.password):
            verified = user.password
            user.set_password(password)
            # Nothing changes where somebody has set another password meanwhile.
            User.objects.filter(pk=user.pk, password=verified).update(password=user.password)


class EmailBackend(BaseBackend):
    """Finds the user by email; costs the same Argon2 verify whether or not the user exists."""

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
