"""Actions on client secrets: regenerating, adding and revoking them."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accessrules.authorization.callers import Caller
from applications import policy
from applications.actions.changes import end_tokens, entity_of, save
from applications.actions.locking import lock_one_to_manage_secrets
from applications.actions.new_secrets import (
    HashedSecret,
    IssuedSecret,
    default_expiry,
    store_secret,
)
from applications.models import LABEL_MAX_LENGTH, Application, ClientSecret, ClientSecretQuerySet
from applications.oauth.secrets import is_id
from runai_access.audit.recorder import record
from runai_access.db.normalization import stored_form
from runai_access.errors import AlreadyDone, Conflict, NotFound

MAX_LIVE_SECRETS = 5
# The change of the client secret in the audit log.
REGENERATED = ["previous", "regenerated"]


def regenerate_secret(
    *,
    caller: Caller,
    application_id: str | uuid.UUID,
    submission: uuid.UUID | None = None,
    secret: HashedSecret | None = None,
) -> IssuedSecret:
    """Replace all client secrets of an application with one. This also revokes all issued tokens.

    Callers that run this in their own transaction pass the `secret`. Raises NotFound, Denied (also if
    the application has permissions that the caller lacks), AlreadyDone.
    """
    policy.one_to_manage_secrets(caller, application_id)
    secret = secret or HashedSecret.new()
    with transaction.atomic():
        application = lock_one_to_manage_secrets(caller, application_id)
        if submission and application.submission == submission:
            raise AlreadyDone(f"The client secret of {application.name} was already regenerated.")
        caller.authority.require_can_impersonate(application.subject)
        caller.require_recent_authentication_for(application.subject)
        application.submission = submission
        end_tokens(application)
        save(application, "submission", "credential_id")
        _revoke(application.secrets.unrevoked(), caller)
        stored = store_secret(secret, application, caller, expires_at=default_expiry())
        _record_secret(application, caller, *REGENERATED)
    return IssuedSecret(application, secret.text, stored)


def add_secret(
    *,
    caller: Caller,
    application_id: str | uuid.UUID,
    label: str = "",
    expires_at: datetime | None = None,
    submission: uuid.UUID | None = None,
    secret: HashedSecret | None = None,
) -> IssuedSecret:
    """Add a client secret; the other secrets of the application keep working.

    `expires_at` None means never. Raises like `regenerate_secret`, ValidationError for an invalid label
    or expiry, and Conflict if the application has MAX_LIVE_SECRETS.
    """
    policy.one_to_manage_secrets(caller, application_id)
    label = check_label(label)
    check_expiry(expires_at)
    secret = secret or HashedSecret.new()
    with transaction.atomic():
        application = lock_one_to_manage_secrets(caller, application_id)
        if submission and application.submission == submission:
            raise AlreadyDone(f"This client secret of {application.name} was already added.")
        caller.authority.require_can_impersonate(application.subject)
        caller.require_recent_authentication_for(application.subject)
        if application.secrets.live().count() >= MAX_LIVE_SECRETS:
            raise Conflict(
                f"{application.name} has {MAX_LIVE_SECRETS} client secrets, the maximum. "
                "Revoke one before you add another."
            )
        application.submission = submission
        save(application, "submission")
        stored = store_secret(secret, application, caller, label=label, expires_at=expires_at)
        _record_secret(application, caller, None, _describe(stored))
    return IssuedSecret(application, secret.text, stored)


@transaction.atomic
def revoke_secret(
    *, caller: Caller, application_id: str | uuid.UUID, secret_id: str
) -> ClientSecret:
    """Revoke one client secret. It and the tokens issued with it stop working immediately.

    Raises Denied, and NotFound for unknown and already revoked secrets.
    """
    application = lock_one_to_manage_secrets(caller, application_id)
    secret = get_unrevoked_secret(application, secret_id)
    _revoke(application.secrets.filter(pk=secret.pk), caller)
    save(application)
    _record_secret(application, caller, _describe(secret), "revoked")
    return secret


def get_unrevoked_secret(application: Application, secret_id: str) -> ClientSecret:
    """Return a live or expired client secret of an application. Raises NotFound."""
    found = application.secrets.unrevoked().filter(pk=secret_id) if is_id(secret_id) else ()
    for secret in found:
        return secret
    raise NotFound("Resource id not found.")


def _revoke(secrets: ClientSecretQuerySet, caller: Caller) -> None:
    secrets.update(revoked_at=timezone.now(), revoked_by=caller.name)


def _describe(secret: ClientSecret) -> str:
    """Return a secret for the audit log: its ID and label."""
    return f"{secret.pk} ({secret.label})" if secret.label else secret.pk


def _record_secret(
    application: Application, caller: Caller, before: str | None, after: str
) -> None:
    changes = {"clientSecret": [before, after]}
    record("update", entity_of(application), actor=caller.actor, changes=changes)


def check_label(label: str) -> str:
    """Return the label as it is stored. Raises ValidationError."""
    label = label.strip()
    if len(label) > LABEL_MAX_LENGTH:
        raise ValidationError(
            {
                "label": f"A label must have at most {LABEL_MAX_LENGTH} characters; "
                f"this one has {len(label)}."
            }
        )
    if not label.isprintable():
        raise ValidationError({"label": "A label can't contain control characters."})
    return stored_form(label)


def check_expiry(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expiresAt": "The expiry must be in the future."})
    days = settings.SECRET_MAX_AGE_DAYS
    if days and (expires_at is None or expires_at > timezone.now() + timedelta(days=days)):
        raise ValidationError({"expiresAt": f"A client secret must expire within {days} days."})
