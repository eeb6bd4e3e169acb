"""Bearer tokens on our own API (RFC 6750)."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from applications.oauth.password_grant import get_enabled_user
from applications.oauth.tokens import InvalidToken, verified_claims

REALM = 'Bearer realm="runai-access"'


class BearerAuthentication(BaseAuthentication):
    """Signs an application in by `Authorization: Bearer <token>`; a token in the URL is nothing.

    A person, too, where the installation grants tokens to people (`applications.oauth.password_grant`).
    """

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        if not _is_bearer(request):
            return None
        parts = get_authorization_header(request).split()
        if len(parts) != 2:
            raise AuthenticationFailed("The Authorization header must be: Bearer <token>.")
        try:
            holder = get_enabled_user(verified_claims(parts[1].decode("ascii")))
        except UnicodeDecodeError:
            raise AuthenticationFailed("The token is not ASCII.") from None
        except InvalidToken as error:
            raise AuthenticationFailed(str(error)) from None
        return holder, "bearer"

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401; who came with a token hears that it is no good (§3.1)."""
        return f'{REALM}, error="invalid_token"' if _is_bearer(request) else REALM


def _is_bearer(request: Request) -> bool:
    return get_authorization_header(request).lower().split()[:1] == [b"bearer"]
