"""Session authentication for the API."""

from typing import Any

from rest_framework import authentication
from rest_framework.request import Request

from runai_access.accounts.models import User
from runai_access.accounts.sessions import must_choose_password, must_enroll, note_use
from runai_access.errors import EnrollmentRequired, TemporaryPassword


class SessionAuthentication(authentication.SessionAuthentication):
    """REST framework's session authentication, which refuses users who must first do something else."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        found: tuple[Any, Any] | None = super().authenticate(request)
        if not found or not isinstance(found[0], User):
            return found
        note_use(request._request, found[0])
        if must_choose_password(request._request):
            raise TemporaryPassword("Your password is temporary. Choose a new password first.")
        if must_enroll(request._request):
            raise EnrollmentRequired("Set up a second factor on your account page first.")
        return found
