"""Signing in to our own API by the session of a page."""

from typing import Any

from rest_framework import authentication
from rest_framework.request import Request

from runai_access.accounts.models import User
from runai_access.errors import TemporaryPassword


class SessionAuthentication(authentication.SessionAuthentication):
    """DRF's, for people whose password is their own: with a temporary one nothing is answered."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        found: tuple[Any, Any] | None = super().authenticate(request)
        if found and isinstance(found[0], User) and found[0].must_choose_password:
            raise TemporaryPassword("The password is a temporary one. Choose an own one first.")
        return found
