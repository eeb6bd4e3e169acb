"""Access tokens: JWTs after RFC 9068, signed with ES256, held against the database on our own API."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

import jwt
from django.conf import settings
from django.core.exceptions import ValidationError

from applications.keyring import KEYRING
from applications.models import Application

ALGORITHM = "ES256"
TYPE = "at+jwt"
_REQUIRED = ["iss", "aud", "sub", "client_id", "iat", "exp", "jti", "cid"]


class InvalidToken(Exception):
    """The token is not one of ours, not for us, expired, or its credential has ended."""


@dataclass(frozen=True)
class AccessToken:
    """An issued token and its lifetime in seconds."""

    text: str
    expires_in: int


def issue(application: Application) -> AccessToken:
    """Return a new access token for `application`.

    `cid` names the credential it came from. Every claim is ASCII without `>`, `?` and `~`: the
    official client decodes the payload with plain base64 (contract/README.md, Tokens).
    """
    now = int(time.time())
    lifetime = settings.TOKEN_LIFETIME_SECONDS
    claims = {
        "iss": settings.PUBLIC_URL,
        "aud": settings.PUBLIC_URL,
        "sub": str(application.pk),
        "client_id": application.client_id,
        "iat": now,
        "exp": now + lifetime,
        "jti": str(uuid.uuid4()),
        "cid": str(application.credential_id),
    }
    key = KEYRING.current()
    text = jwt.encode(claims, key.private_key, ALGORITHM, headers={"kid": key.kid, "typ": TYPE})
    return AccessToken(text, lifetime)


def application_of(text: str) -> Application:
    """Return the application that a token speaks for, as the database knows it now.

    Raises InvalidToken with a reason that says nothing about the token's content.
    """
    claims = _verified(text)
    try:
        return Application.objects.select_related("subject").get(
            pk=claims["sub"],
            credential_id=claims["cid"],
            subject__enabled=True,
            subject__retired_at=None,
        )
    except (Application.DoesNotExist, ValidationError):  # the latter for what is no UUID
        raise InvalidToken("The token's credential has ended.") from None


def _verified(text: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(text)
        if header.get("typ", "").lower() not in (TYPE, f"application/{TYPE}"):
            raise InvalidToken("The token is not an access token.")
        key = KEYRING.public_key(header.get("kid"))
        if key is None:
            raise InvalidToken("The token is signed with an unknown key.")
        return jwt.decode(
            text,
            key,
            algorithms=[ALGORITHM],
            audience=settings.PUBLIC_URL,
            issuer=settings.PUBLIC_URL,
            leeway=settings.TOKEN_LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )
    except jwt.ExpiredSignatureError:
        raise InvalidToken("The token has expired.") from None
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError):
        raise InvalidToken("The token is not valid here.") from None
