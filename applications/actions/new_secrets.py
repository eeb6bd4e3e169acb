"""New client secrets: hashing and storing them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.utils import timezone

from accessrules.authorization.callers import Caller
from applications.models import Application, ClientSecret
from applications.oauth.secrets import id_of, new_secret
from runai_access.security.hashing import hash_secret

# Revoked and expired secrets that are kept to be shown, per application.
KEPT_SECRETS = 20


@dataclass(frozen=True)
class IssuedSecret:
    """An application and its new client secret. The secret can be shown only now."""

    application: Application
    secret: str
    stored: ClientSecret

    def __repr__(self) -> str:
        return f"IssuedSecret({self.application})"


@dataclass(frozen=True)
class HashedSecret:
    """A new client secret and its hash. Hashing is slow: create it before a transaction, not in it."""

    text: str = field(repr=False)
    hash: str

    @classmethod
    def new(cls) -> Self:
        text = new_secret()
        return cls(text, hash_secret(text))


def default_expiry() -> datetime | None:
    """Return when a new client secret expires if no expiry is chosen; None means never."""
    days = settings.SECRET_EXPIRY_DAYS
    return timezone.now() + timedelta(days=days) if days else None


def store_secret(
    secret: HashedSecret,
    application: Application,
    caller: Caller,
    *,
    label: str = "",
    expires_at: datetime | None = None,
) -> ClientSecret:
    """Store a new secret, and forget the oldest of those that have ended."""
    ended = application.secrets.ended().values_list("pk", flat=True)[KEPT_SECRETS:]
    application.secrets.filter(pk__in=list(ended)).delete()
    return ClientSecret.objects.create(
        id=id_of(secret.text),
        application=application,
        secret_hash=secret.hash,
        label=label,
        created_by=caller.name,
        expires_at=expires_at,
    )
