"""Bearer tokens on our own API (RFC 6750)."""

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from applications.models import Application
from applications.tokens import InvalidToken, application_of

REALM = 'Bearer realm="runai-access"'


class BearerAuthentication(BaseAuthentication):
    """Signs an application in by `Authorization: Bearer <token>`; a token in the URL is nothing."""

    def authenticate(self, request: Request) -> tuple[Application, str] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise _invalid_token("The Authorization header must be: Bearer <token>.")
        try:
            application = application_of(parts[1].decode("ascii"))
        except UnicodeDecodeError:
            raise _invalid_token("The token is not ASCII.") from None
        except InvalidToken as error:
            raise _invalid_token(str(error)) from None
        return application, "bearer"

    def authenticate_header(self, request: Request) -> str:
        return REALM


def _invalid_token(reason: str) -> exceptions.AuthenticationFailed:
    failure = exceptions.AuthenticationFailed(reason)
    failure.auth_header = f'{REALM}, error="invalid_token"'  # type: ignore[attr-defined]
    return failure
