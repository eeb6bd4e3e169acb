"""What a provider says about a user who signed in, after verification of the ID token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeGuard

import jwt
from django.utils.crypto import constant_time_compare

from runai_access.accounts.sso.discovery import Discovery, ProviderError
from runai_access.accounts.validators import EMAIL_MAX_LENGTH, GROUP_VALUE_MAX_LENGTH
from runai_access.db.normalization import is_storable, normalize_email
from runai_access.environment import OpenIDProvider

# Public-key algorithms only: with HS256, the client secret would be enough to forge an ID token.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
LEEWAY_SECONDS = 60
MAX_SUBJECT_LENGTH = 191  # of the column in django-allauth
# Longer ID tokens are not kept for the sign-out at the provider.
MAX_HINT_LENGTH = 4096


@dataclass(frozen=True)
class Identity:
    """A user of the provider. The issuer and the subject identify them; everything else can change."""

    issuer: str
    subject: str
    # Empty unless the provider verified it, or is trusted to have done so.
    email: str = ""
    name: str = ""
    groups: frozenset[str] = frozenset()
    # When the user authenticated at the provider, if it says so.
    authenticated_at: datetime | None = None
    id_token: str = field(default="", repr=False)


def verify_id_token(
    token: str, *, discovery: Discovery, client_id: str, nonce: str
) -> dict[str, Any]:
    """Return the claims of an ID token (OpenID Connect Core 1.0 §3.1.3.7). Raises ProviderError."""
    try:
        header = jwt.get_unverified_header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise ProviderError("The ID token's algorithm is not accepted.")
        claims: dict[str, Any] = jwt.decode(
            token,
            discovery.key(kid, algorithm),
            algorithms=[algorithm],
            issuer=discovery.issuer,
            audience=client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.PyJWTError as error:
        raise ProviderError(f"The ID token is not valid: {error}") from error
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims.get("azp", client_id if len(audiences) == 1 else None) != client_id:
        raise ProviderError("The ID token was issued to another client.")
    if not constant_time_compare(str(claims.get("nonce", "")), nonce):
        raise ProviderError("The ID token's nonce is a different one.")
    return claims


def identity_of(claims: Mapping[str, Any], id_token: str, provider: OpenIDProvider) -> Identity:
    """Return the identity in verified claims. Raises ProviderError for an unusable subject."""
    subject = claims.get("sub")
    if not _is_text(subject, MAX_SUBJECT_LENGTH):
        raise ProviderError("The ID token's subject is not usable.")
    email = claims.get("email")
    verified = claims.get("email_verified")  # some providers send the text "true"
    is_verified = provider.trusts_email or verified is True or verified == "true"
    name = claims.get("name")
    return Identity(
        issuer=provider.issuer,
        subject=subject,
        email=normalize_email(email) if is_verified and _is_text(email, EMAIL_MAX_LENGTH) else "",
        name=name if _is_text(name, 255) else "",
        groups=_groups(claims.get(provider.groups_claim)),
        authenticated_at=_time(claims.get("auth_time")),
        id_token=id_token if len(id_token) <= MAX_HINT_LENGTH else "",
    )


def _groups(value: Any) -> frozenset[str]:
    values = value if isinstance(value, list) else [value]
    return frozenset(item for item in values if _is_text(item, GROUP_VALUE_MAX_LENGTH))


def _is_text(value: object, length: int) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= length and is_storable(value)


def _time(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
