"""Bearer token authentication for the API (RFC 6750)."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from applications.models import Application
from applications.oauth.client_authentication import is_usable_from
from applications.oauth.password_grant import get_enabled_principal
from applications.oauth.tokens import InvalidToken, verified_claims
from runai_access.audit.recorder import Origin

REALM = 'Bearer realm="runai-access"'


class BearerAuthentication(BaseAuthentication):
    """Authenticates an application by `Authorization: Bearer <token>`; tokens in the URL are ignored.

    Also authenticates users, if the installation allows the password grant (see `password_grant`).
    """

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        if not _is_bearer(request):
            return None
        parts = get_authorization_header(request).split()
        if len(parts) != 2:
            raise AuthenticationFailed("The Authorization header must be: Bearer <token>.")
        try:
            principal = get_enabled_principal(verified_claims(parts[1].decode("ascii")))
        except UnicodeDecodeError:
            raise AuthenticationFailed("The token is not ASCII.") from None
        except InvalidToken as error:
            raise AuthenticationFailed(str(error)) from None
        origin = getattr(request, "origin", Origin())
        if isinstance(principal, Application) and not is_usable_from(principal, origin):
            raise AuthenticationFailed("The application can't be used from this address.")
        return principal, "bearer"

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401 response, with an error code if a token was sent (§3.1)."""
        return f'{REALM}, error="invalid_token"' if _is_bearer(request) else REALM


def _is_bearer(request: Request) -> bool:
    return get_authorization_header(request).lower().split()[:1] == [b"bearer"]
