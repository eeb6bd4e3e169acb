"""Access tokens: JWTs (RFC 9068), signed with ES256. The API also checks them against the database."""

import os
import uuid
from binascii import b2a_base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import jwt
import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from django.conf import settings
from django.utils import timezone

from applications.models import Application, RevokedToken
from applications.oauth.keyring import KEYRING
from applications.oauth.lookups import FoundApplication, get_application_by_credential
from applications.oauth.token_counts import COUNTER
from runai_access.db.batches import delete_in_batches

ALGORITHM = "ES256"
TYPE = "at+jwt"
_ES256 = ec.ECDSA(hashes.SHA256())
_BASE64URL = bytes.maketrans(b"+/", b"-_")  # RFC 4648 §5
_REQUIRED = ["iss", "aud", "sub", "client_id", "iat", "exp", "jti", "cid"]


class InvalidToken(Exception):
    """The token is not ours, not for this installation, expired, or its credential was revoked."""


class AccessToken(NamedTuple):
    """An issued token and its lifetime in seconds. `scope` is None unless the response names it."""

    text: str
    expires_in: int
    scope: str | None = None


def issue(application: Application | FoundApplication) -> AccessToken:
    """Return a new access token for `application`. It ends with the secret that was used."""
    return issue_to(
        application.id,
        client_id=application.client_id,
        credential_id=application.credential_id,
        secret_id=application.used_secret.id,
        lifetime=_lifetime_with_secret(application),
    )


def issue_to(
    subject_id: uuid.UUID,
    *,
    client_id: str,
    credential_id: uuid.UUID,
    lifetime: int,
    secret_id: str = "",
) -> AccessToken:
    """Return a new access token (RFC 9068 §2.2), valid for `lifetime` seconds.

    The claim `cid` is the ID of the credential, `secret_id` that of the client secret. Claims are ASCII
    without `>`, `?` and `~`, because the official client decodes the payload with plain base64
    (contract/README.md, Tokens).
    """
    now = timezone.now()
    claims = _common_claims(subject_id, now, lifetime)
    claims["aud"] = claims["iss"]
    claims["client_id"] = client_id
    claims["jti"] = os.urandom(16).hex()
    claims["cid"] = credential_id
    if secret_id:
        claims["secret_id"] = secret_id
    token = AccessToken(_signed(claims, TYPE), lifetime)
    COUNTER.note(now)
    return token


def issue_id_token(application: FoundApplication) -> str:
    """Return a JWT that identifies the client. It is not an access token: its `typ` differs."""
    claims = _common_claims(application.id, timezone.now(), _lifetime_with_secret(application))
    return _signed({**claims, "aud": application.client_id}, "JWT")


def application_of(text: str) -> Application:
    """Return the application of a token, re-read from the database.

    Raises InvalidToken, with a reason that does not reveal the token's content.
    """
    return get_active_application(verified_claims(text))


def get_active_application(claims: dict[str, Any]) -> Application:
    """Return the application of verified claims. Raises InvalidToken if the token is revoked."""
    application = get_application_by_credential(
        application_id=claims["sub"],
        credential_id=claims["cid"],
        # Tokens issued before 0.2.0 name no secret. There was only one, of the old format.
        secret_id=claims.get("secret_id", ""),
        jti=claims["jti"],
    )
    if application is None:
        raise InvalidToken("The token or its credential has been revoked.")
    return application.as_model()


def revoke(claims: dict[str, Any]) -> None:
    """Revoke a token permanently (RFC 7009)."""
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    RevokedToken.objects.bulk_create(
        [RevokedToken(jti=claims["jti"], expires_at=expires_at)], ignore_conflicts=True
    )


def delete_expired_revocations(should_continue: Callable[[], bool] = lambda: True) -> int:
    """Delete expired revocations, in short transactions; return their number."""
    leeway = timedelta(seconds=settings.TOKEN_LEEWAY_SECONDS)
    expired = RevokedToken.objects.filter(expires_at__lt=timezone.now() - leeway)
    return delete_in_batches(expired, should_continue)


def lifetime_of(application: Application | FoundApplication) -> int:
    """Return the token lifetime in seconds, limited by the installation's current maximum."""
    lifetime = application.token_lifetime or settings.TOKEN_LIFETIME_SECONDS
    return min(lifetime, settings.TOKEN_LIFETIME_MAX_SECONDS)


def _lifetime_with_secret(application: Application | FoundApplication) -> int:
    """Return the lifetime of a token, which ends with the secret that was used."""
    lifetime, expires_at = lifetime_of(application), application.used_secret.expires_at
    if expires_at is None:
        return lifetime
    return min(lifetime, int((expires_at - timezone.now()).total_seconds()))


def _common_claims(subject_id: uuid.UUID, now: datetime, lifetime: int) -> dict[str, Any]:
    seconds = int(now.timestamp())
    return {
        "iss": settings.PUBLIC_URL,
        "sub": subject_id,
        "iat": seconds,
        "exp": seconds + lifetime,
    }


def _signed(claims: dict[str, Any], type_: str) -> str:
    # Builds the compact form (RFC 7515 §7.1) directly, with a cached header. PyJWT encodes the header
    # for each token, which is as slow as the signature.
    key = KEYRING.current()
    signed = b".".join((_header(key.kid, type_), _encoded(orjson.dumps(claims))))
    r, s = decode_dss_signature(key.private_key.sign(signed, _ES256))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")  # RFC 7518 §3.4
    return b".".join((signed, _encoded(signature))).decode()


@lru_cache(maxsize=16)
def _header(kid: str, type_: str) -> bytes:
    return _encoded(orjson.dumps({"alg": ALGORITHM, "kid": kid, "typ": type_}))


def _encoded(part: bytes) -> bytes:
    """Return a part of a token as base64url without padding (RFC 7515 §2)."""
    return b2a_base64(part, newline=False).translate(_BASE64URL, b"=")


def verified_claims(text: str) -> dict[str, Any]:
    """Return the claims of a token after verifying it. Raises InvalidToken."""
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
        raise InvalidToken("The token is invalid.") from None
