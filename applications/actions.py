"""Actions on applications. Each checks its permission and writes its audit row in one transaction."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accessrules.actions.rules import (
    create_subject,
    lock_administration,
    retire_subjects,
    set_subjects_enabled,
)
from accessrules.authorization.callers import Caller
from accessrules.models import Subject
from applications import policy
from applications.models import (
    LABEL_MAX_LENGTH,
    Application,
    ClientSecret,
    ClientSecretQuerySet,
    DeletedApplication,
)
from applications.oauth.secrets import id_of, is_id, new_secret
from applications.validators import MIN_TOKEN_LIFETIME, validate_name
from runai_access.audit.recorder import Entity, record, record_all
from runai_access.db.normalization import stored_form
from runai_access.errors import AlreadyDone, Conflict, Denied, NotFound
from runai_access.security.hashing import hash_secret

MAX_LIVE_SECRETS = 5
# Revoked and expired secrets that are kept to be shown, per application.
KEPT_SECRETS = 20
# The change of the client secret in the audit log.
REGENERATED = ["previous", "regenerated"]


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


def create_application(
    *,
    caller: Caller,
    name: str,
    token_lifetime: int | None = None,
    allowed_addresses: str = "",
    submission: uuid.UUID | None = None,
    secret: HashedSecret | None = None,
) -> IssuedSecret:
    """Create an application with a new client secret.

    `submission` identifies the submitted form; submitting it again raises AlreadyDone. Callers that
    run this in their own transaction pass the `secret`. Raises Denied, ValidationError for an invalid
    name, Conflict for a name in use.
    """
    policy.require(caller, "create")
    _check_name(name)
    secret = secret or HashedSecret.new()
    application = Application(
        submission=submission,
        created_by=caller.name,
        token_lifetime=token_lifetime,
        allowed_addresses=allowed_addresses,
    )
    try:
        with transaction.atomic():
            _insert(application, name, caller)
            stored = _store(secret, application, caller, expires_at=default_expiry())
    except Conflict:
        if submission and Application.objects.filter(
            submission=submission, subject__name=name, subject__retired_at=None
        ):
            raise AlreadyDone(f"Application {name} was already created.") from None
        raise
    return IssuedSecret(application, secret.text, stored)


def create_application_without_secret(*, caller: Caller, name: str) -> Application:
    """Create an application that can't sign in until its secret is regenerated.

    Raises Denied, ValidationError for an invalid name, Conflict for a name in use.
    """
    policy.require(caller, "create")
    _check_name(name)
    application = Application(created_by=caller.name)
    _insert(application, name, caller)
    return application


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
        application = _locked_to_manage_secrets(caller, application_id)
        if submission and application.submission == submission:
            raise AlreadyDone(f"The client secret of {application.name} was already regenerated.")
        caller.authority.require_can_impersonate(application.subject)
        caller.require_recent_authentication_for(application.subject)
        application.submission = submission
        end_tokens(application)
        _save(application, "submission", "credential_id")
        _revoke(application.secrets.unrevoked(), caller)
        stored = _store(secret, application, caller, expires_at=default_expiry())
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
        application = _locked_to_manage_secrets(caller, application_id)
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
        _save(application, "submission")
        stored = _store(secret, application, caller, label=label, expires_at=expires_at)
        _record_secret(application, caller, None, _describe(stored))
    return IssuedSecret(application, secret.text, stored)


@transaction.atomic
def revoke_secret(
    *, caller: Caller, application_id: str | uuid.UUID, secret_id: str
) -> ClientSecret:
    """Revoke one client secret. It and the tokens issued with it stop working immediately.

    Raises Denied, and NotFound for unknown and already revoked secrets.
    """
    application = _locked_to_manage_secrets(caller, application_id)
    secret = get_unrevoked_secret(application, secret_id)
    _revoke(application.secrets.filter(pk=secret.pk), caller)
    _save(application)
    _record_secret(application, caller, _describe(secret), "revoked")
    return secret


def get_unrevoked_secret(application: Application, secret_id: str) -> ClientSecret:
    """Return a live or expired client secret of an application. Raises NotFound."""
    found = application.secrets.unrevoked().filter(pk=secret_id) if is_id(secret_id) else ()
    for secret in found:
        return secret
    raise NotFound("Resource id not found.")


@transaction.atomic
def set_application_enabled(
    *,
    caller: Caller,
    application_id: str | uuid.UUID,
    enabled: bool,
    trusts_old_secrets: bool = False,
) -> Application:
    """Enable or disable an application. Disabling revokes its tokens permanently.

    Raises NotFound, Denied (enabling requires every permission of the application), and Conflict if it
    is contained and secrets from before would work again, unless the caller trusts them. Trusting
    those of an administrator requires a recent sign-in.
    """
    application = _locked_with_subject(caller, "update", application_id)
    if application.enabled != enabled:
        if enabled:
            _require_can_enable(caller, application, trusts_old_secrets=trusts_old_secrets)
        _set_enabled([application], caller, enabled=enabled)
    return application


@transaction.atomic
def set_applications_enabled(
    *, caller: Caller, applications: Collection[Application], enabled: bool
) -> dict[uuid.UUID, Denied | Conflict | None]:
    """Enable or disable visible applications in one transaction.

    Return the refusal of each application that still exists, or None if it succeeded. For the batch
    size, see `delete_applications`. Raises Denied without the permission to update applications.
    """
    policy.require(caller, "update")
    locked = _lock_all(caller, "update", applications)
    to_change = [application for application in locked if application.enabled != enabled]
    refusals = {
        application.pk: _refusal_to_enable(caller, application) if enabled else None
        for application in to_change
    }
    allowed = [application for application in to_change if refusals[application.pk] is None]
    _set_enabled(allowed, caller, enabled=enabled)
    return {application.pk: refusals.get(application.pk) for application in locked}


def _require_can_enable(
    caller: Caller, application: Application, *, trusts_old_secrets: bool = False
) -> None:
    caller.authority.require_can_impersonate(application.subject)
    if not application.secrets_from_before_containment().exists():
        return
    if not trusts_old_secrets:
        raise Conflict(
            f"{application.name} is contained, and its client secrets from before would work again. "
            "Replace its secret and enable it, or confirm that none of them leaked.",
            field="contained",
        )
    caller.require_recent_authentication_for(application.subject)


def _refusal_to_enable(caller: Caller, application: Application) -> Denied | Conflict | None:
    try:
        _require_can_enable(caller, application)
    except (Denied, Conflict) as refusal:
        return refusal
    return None


def _set_enabled(applications: list[Application], caller: Caller, *, enabled: bool) -> None:
    set_subjects_enabled([application.subject for application in applications], enabled=enabled)
    now = timezone.now()
    changes_of: dict[Application, dict[str, list[Any]]] = {}
    for application in applications:
        application.updated_at = now
        changes_of[application] = {"enabled": [not enabled, enabled], **end_dormancy(application)}
        if not enabled:
            end_tokens(application)
            continue
        application.enabled_at = now
        if application.contained_at is not None:
            application.contained_at, application.contained_by = None, ""
            changes_of[application]["contained"] = [True, False]
    Application.objects.bulk_update(
        applications,
        [
            "credential_id",
            "contained_at",
            "contained_by",
            "updated_at",
            "enabled_at",
            "dormancy",
            "dormancy_since",
        ],
    )
    record_all(
        (("update", entity_of(one), changes) for one, changes in changes_of.items()),
        actor=caller.actor,
    )


@transaction.atomic
def set_token_lifetime(
    *, caller: Caller, application_id: str | uuid.UUID, seconds: int | None
) -> Application:
    """Set the lifetime of an application's new tokens; None means the installation's setting.

    Raises NotFound, Denied, ValidationError for a lifetime outside the allowed range.
    """
    application = _locked(caller, "update", application_id)
    max_lifetime = settings.TOKEN_LIFETIME_MAX_SECONDS
    if seconds is not None and not MIN_TOKEN_LIFETIME <= seconds <= max_lifetime:
        raise ValidationError(
            {
                "tokenLifetime": f"Must be {MIN_TOKEN_LIFETIME} to {max_lifetime} seconds, "
                "or null for the installation's setting."
            }
        )
    before = application.token_lifetime
    if before != seconds:
        application.token_lifetime = seconds
        _save(application, "token_lifetime")
        record(
            "update",
            entity_of(application),
            actor=caller.actor,
            changes={"tokenLifetime": [before, seconds]},
        )
    return application


@transaction.atomic
def delete_application(*, caller: Caller, application_id: str | uuid.UUID) -> Application:
    """Delete an application with its credential, tokens and access rules.

    `trash.restore_application` can restore it for TRASH_DAYS. Raises NotFound, Denied.
    """
    application = _locked_with_subject(caller, "delete", application_id)
    _delete([application], caller)
    return application


@transaction.atomic
def delete_applications(
    *, caller: Caller, applications: Collection[Application]
) -> list[Application]:
    """Delete visible applications in one transaction; return those that still existed.

    The number of queries does not depend on the number of applications. The transaction blocks all
    changes to access rules, so pass at most a few hundred. Raises Denied.
    """
    policy.require(caller, "delete")
    locked = _lock_all(caller, "delete", applications)
    _delete(locked, caller)
    return locked


def _delete(applications: list[Application], caller: Caller) -> None:
    kept = [DeletedApplication.of(one, deleted_by=caller.name) for one in applications]
    rules = retire_subjects([application.subject for application in applications], caller=caller)
    DeletedApplication.objects.keep(kept, rules)
    Application.objects.filter(pk__in=[application.pk for application in applications]).delete()
    record_all(
        (
            ("delete", entity_of(application), {"name": [application.name, None]})
            for application in applications
        ),
        actor=caller.actor,
    )


def _check_name(name: str) -> None:
    try:
        validate_name(name)
    except ValidationError as error:
        raise ValidationError({"name": error.messages}) from error


@transaction.atomic
def _insert(application: Application, name: str, caller: Caller) -> None:
    policy.require(caller.refresh_authority(), "create")
    application.subject = create_subject(type_=Subject.Type.APP, name=name)
    application.save(force_insert=True)
    record("create", entity_of(application), actor=caller.actor, changes={"name": [None, name]})


def _locked(caller: Caller, action: str, application_id: str | uuid.UUID) -> Application:
    """Return the application to perform `action` on, locked for update."""
    application = _first(lock_applications([policy.one_for(caller, action, application_id).pk]))
    policy.require(caller.refresh_authority(), action)
    return application


def _locked_to_manage_secrets(caller: Caller, application_id: str | uuid.UUID) -> Application:
    """Return the application whose secrets to add, regenerate or revoke, locked for update."""
    application = _first(
        lock_applications([policy.one_to_manage_secrets(caller, application_id).pk])
    )
    policy.require_can_manage_secrets(caller.refresh_authority(), application)
    return application


def _locked_with_subject(
    caller: Caller, action: str, application_id: str | uuid.UUID
) -> Application:
    """Return the application, locked with its subject: for actions that change both."""
    visible = policy.one_for(caller, action, application_id)
    return _first(_lock_all(caller, action, [visible]))


def _lock_all(caller: Caller, action: str, visible: Collection[Application]) -> list[Application]:
    """Lock those of `visible` that still exist, and their subjects; return them. Raises Denied."""
    applications = lock_with_subjects([application.pk for application in visible])
    policy.require(caller.refresh_authority(), action)
    return applications


def lock_with_subjects(keys: list[uuid.UUID]) -> list[Application]:
    """Lock and re-read the applications that still exist, and their subjects.

    Lock order: the account, a scope, subjects, applications. Creating or deleting a rule locks the
    application last, because a trigger stores its first rule there.
    """
    lock_administration()
    # No key changes: the check of a foreign key, at the end of another transaction, need not wait.
    list(Subject.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))
    return lock_applications(keys)


def lock_applications(keys: list[uuid.UUID]) -> list[Application]:
    """Lock and re-read the applications that still exist."""
    return list(
        Application.objects.select_related("subject")
        .select_for_update(of=("self",))
        .filter(pk__in=keys, subject__retired_at=None)
        .order_by("pk")
    )


def _first(found: list[Application]) -> Application:
    if not found:
        raise NotFound("Resource id not found.")
    return found[0]


def _store(
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


def end_tokens(application: Application) -> None:
    """Revoke all tokens of an application once it is saved."""
    application.credential_id = uuid.uuid4()


def end_dormancy(application: Application) -> dict[str, list[Any]]:
    """Undo what the dormancy policy did, once the application is saved; return the changes."""
    before = application.dormancy
    application.dormancy = application.dormancy_since = None
    return {"dormancy": [before, None]} if before else {}


def _save(application: Application, *fields: str) -> None:
    application.updated_at = timezone.now()
    application.save(update_fields=[*fields, "updated_at"])


def entity_of(application: Application) -> Entity:
    """Return an application as the audit log names it."""
    return Entity("application", str(application.pk), application.name)
