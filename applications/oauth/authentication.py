"""Bearer token authentication for the API (RFC 6750)."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from applications.models import Application
from applications.oauth.client_authentication import is_usable_from, recognize_by_secret
from applications.oauth.password_grant import get_enabled_principal
from applications.oauth.secrets import PREFIX, describe_malformed, id_of
from applications.oauth.tokens import InvalidToken, verified_claims
from runai_access.audit.recorder import Origin

REALM = 'Bearer realm="runai-access"'
_NO_ID = (
    "Client secrets from before release 0.2.0 can't be sent as bearer. Add another client secret."
)


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


class TokenOrSecretAuthentication(BearerAuthentication):
    """Accepts a client secret as bearer, too, for clients that can store only one fixed credential."""

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        scheme, _, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip().startswith(PREFIX):
            return super().authenticate(request)
        secret = secret.strip()
        origin = request._request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
        application = recognize_by_secret(secret, origin)
        if application is None:
            raise AuthenticationFailed(_describe_refusal(secret))
        return application.as_model(), "secret"


def _describe_refusal(secret: str) -> str:
    """Return why a secret is refused: the same for all secrets with a valid format and an ID."""
    if malformed := describe_malformed(secret):
        return malformed
    return "Incorrect client secret." if id_of(secret) else _NO_ID


def _is_bearer(request: Request) -> bool:
    return get_authorization_header(request).lower().split()[:1] == [b"bearer"]
