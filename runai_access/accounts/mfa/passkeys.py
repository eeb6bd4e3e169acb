"""The WebAuthn ceremonies of passkeys. Each passkey verifies its user, so it is enough to sign in.

A challenge is kept in the session and answered once.
"""

import struct
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from fido2.utils import websafe_decode, websafe_encode

from runai_access.accounts.mfa.factors import PASSKEY
from runai_access.accounts.models import User
from runai_access.accounts.policy import factors_of
from runai_access.errors import Conflict, DomainError, NotFound

MAX_PASSKEYS = 10
_DEFAULT_PORTS = {"http": 80, "https": 443}
# What parsers and checks of fido2 and django-allauth raise for responses that are not valid.
_INVALID = (
    ObjectDoesNotExist, ValidationError, ValueError, TypeError, LookupError, AttributeError,
    NotImplementedError, RecursionError, struct.error,
)  # fmt: skip


class PasskeyRefused(DomainError):
    """The response of the browser does not answer the challenge, or is of an unknown passkey."""


def begin_creation(user: User) -> dict[str, Any]:
    """Return the options for a new passkey. Raises Conflict if the user has too many."""
    require_passkeys()
    require_room(user)
    options: dict[str, Any] = auth.begin_registration(user, passwordless=True)
    return options


def require_room(user: User) -> None:
    """Raise Conflict if the user has MAX_PASSKEYS."""
    if _passkeys_of(user).count() >= MAX_PASSKEYS:
        raise Conflict(f"You can have at most {MAX_PASSKEYS} passkeys. Remove one first.")


def complete_creation(response: Any) -> dict[str, Any]:
    """Return the verified credential of a response, without anything else. Raises PasskeyRefused."""
    require_passkeys()
    try:
        parsed = auth.parse_registration_response(response)
        _require_origin(parsed.response.client_data.origin)
        auth.complete_registration(response)
    except _INVALID as error:
        raise PasskeyRefused("The passkey could not be verified.") from error
    finally:
        auth.clear_state()
    credential_id = websafe_encode(parsed.raw_id)
    return {
        "type": "public-key",
        "id": credential_id,
        "rawId": credential_id,
        "response": {
            "clientDataJSON": websafe_encode(parsed.response.client_data),
            "attestationObject": websafe_encode(parsed.response.attestation_object),
        },
        "clientExtensionResults": {},
    }


def begin_use(user: User | None) -> dict[str, Any]:
    """Return the options to use a passkey: one of `user`, or any."""
    require_passkeys()
    options: dict[str, Any] = auth.begin_authentication(user)
    return options


def complete_use(response: Any) -> User:
    """Return the user of a passkey that answers the session's challenge. Raises PasskeyRefused."""
    require_passkeys()
    try:
        parsed = auth.parse_authentication_response(response)
        _require_origin(parsed.response.client_data.origin)
        user = _user_of(response)
        factor = auth.complete_authentication(user, response)
    except _INVALID as error:
        raise PasskeyRefused("The passkey could not be verified.") from error
    finally:
        auth.clear_state()
    Authenticator.objects.filter(pk=factor.pk).update(last_used_at=timezone.now())
    return user


def has_passkeys(user: User) -> bool:
    """Return whether the user has a passkey that browsers can use here."""
    return settings.PASSKEY_DOMAIN is not None and _passkeys_of(user).exists()


def require_passkeys() -> None:
    """Raise NotFound if browsers offer no passkeys at the URL of this installation."""
    if settings.PASSKEY_DOMAIN is None:
        raise NotFound("Passkeys require HTTPS and a domain.")


def _passkeys_of(user: User) -> QuerySet[Any]:
    return factors_of(user).filter(type=PASSKEY)


def _user_of(response: dict[str, Any]) -> User:
    """Return the user to whom the passkey says it belongs. Its signature is checked afterwards."""
    handle = websafe_decode(response["response"]["userHandle"]).decode()
    user: User = User.objects.get(pk=UUID(handle))
    return user


def _require_origin(origin: str) -> None:
    """Raise ValueError for any origin but ours: browsers allow its subdomains, too."""
    if _parts(origin) != _parts(settings.PUBLIC_URL):
        raise ValueError("Another origin.")


def _parts(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
