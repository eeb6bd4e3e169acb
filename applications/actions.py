"""What can be done with applications: each with its permission check, in one transaction with its
audit row."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Self

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
from applications.models import Application
from applications.oauth.secrets import new_secret
from applications.validators import validate_name
from runai_access.audit.recorder import Entity, record, record_all
from runai_access.errors import AlreadyDone, Conflict, Denied, NotFound
from runai_access.security.hashing import hash_secret

# A client asks for a new token a minute before the old one ends: a shorter life would never serve.
MIN_TOKEN_LIFETIME = 120


@dataclass(frozen=True)
class IssuedSecret:
    """An application and its secret, in the only moment in which the secret can be shown."""

    application: Application
    secret: str

    def __repr__(self) -> str:
        return f"IssuedSecret({self.application})"


@dataclass(frozen=True)
class HashedSecret:
    """A new secret and its hash. Hashing is slow: make one before a transaction, not in it."""

    text: str = field(repr=False)
    hash: str

    @classmethod
    def new(cls) -> Self:
        text = new_secret()
        return cls(text, hash_secret(text))


def create_application(
    *,
    caller: Caller,
    name: str,
    submission: uuid.UUID | None = None,
    secret: HashedSecret | None = None,
) -> IssuedSecret:
    """Create an application with a fresh secret.

    `submission` identifies the form that asks; the same form again raises AlreadyDone. Whoever calls
    this in a transaction of its own brings the `secret`. Raises Denied, ValidationError for a bad
    name, Conflict for a taken one.
    """
    policy.require(caller, "create")
    _check_name(name)
    secret = secret or HashedSecret.new()
    application = Application(
        secret_hash=secret.hash, submission=submission, created_by=caller.name
    )
    try:
        _insert(application, name, caller)
    except Conflict:
        if submission and Application.objects.filter(
            submission=submission, subject__name=name, subject__retired_at=None
        ):
            raise AlreadyDone(f"{name} is already created.") from None
        raise
    return IssuedSecret(application, secret.text)


def create_application_without_secret(*, caller: Caller, name: str) -> Application:
    """Create an application that nobody can sign in as until its secret is regenerated.

    Raises Denied, ValidationError for a bad name, Conflict for a taken one.
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
    """Replace an application's secret; the old one and every issued token end with this.

    Whoever calls this in a transaction of its own brings the `secret`. Raises NotFound, Denied (also
    where the application is stronger than the caller), AlreadyDone.
    """
    policy.one_for(caller, "update", application_id)
    secret = secret or HashedSecret.new()
    with transaction.atomic():
        application = _locked(caller, "update", application_id)
        if submission and application.submission == submission:
            raise AlreadyDone(f"The secret of {application.name} is already regenerated.")
        caller.authority.require_can_impersonate(application.subject)
        application.secret_hash = secret.hash
        application.submission = submission
        _end_tokens(application)
        _save(application, "secret_hash", "submission", "credential_id")
        record(
            "update",
            _entity(application),
            actor=caller.actor,
            changes={"clientSecret": ["previous", "regenerated"]},
        )
    return IssuedSecret(application, secret.text)


@transaction.atomic
def set_application_enabled(
    *, caller: Caller, application_id: str | uuid.UUID, enabled: bool
) -> Application:
    """Enable or disable an application; disabling ends its tokens for good.

    Raises NotFound, and Denied (to enable takes every permission that the application holds).
    """
    application = _locked_whole(caller, "update", application_id)
    if application.enabled != enabled:
        if enabled:
            caller.authority.require_can_impersonate(application.subject)
        _set_enabled([application], caller, enabled=enabled)
    return application


@transaction.atomic
def set_applications_enabled(
    *, caller: Caller, applications: Collection[Application], enabled: bool
) -> dict[uuid.UUID, Denied | None]:
    """Enable or disable several that are in the caller's sight, in one transaction.

    Return for each that is still there why it is refused, None where it is not. For how many, see
    `delete_applications`. Raises Denied where all are refused alike.
    """
    policy.require(caller, "update")
    found = _all_locked(caller, "update", applications)
    to_change = [application for application in found if application.enabled != enabled]
    refusals = {
        application.pk: _refusal_to_handle(caller, application) if enabled else None
        for application in to_change
    }
    allowed = [application for application in to_change if refusals[application.pk] is None]
    _set_enabled(allowed, caller, enabled=enabled)
    return {application.pk: refusals.get(application.pk) for application in found}


def _refusal_to_handle(caller: Caller, application: Application) -> Denied | None:
    try:
        caller.authority.require_can_impersonate(application.subject)
    except Denied as denied:
        return denied
    return None


def _set_enabled(applications: list[Application], caller: Caller, *, enabled: bool) -> None:
    set_subjects_enabled([one.subject for one in applications], enabled=enabled)
    now = timezone.now()
    for application in applications:
        application.updated_at = now
        if not enabled:
            _end_tokens(application)
    Application.objects.bulk_update(applications, ["credential_id", "updated_at"])
    changes = {"enabled": [not enabled, enabled]}
    record_all((("update", _entity(one), changes) for one in applications), actor=caller.actor)


@transaction.atomic
def set_token_lifetime(
    *, caller: Caller, application_id: str | uuid.UUID, seconds: int | None
) -> Application:
    """Set how long an application's next tokens live; None means the installation's setting.

    Raises NotFound, Denied, ValidationError past the installation's maximum.
    """
    application = _locked(caller, "update", application_id)
    longest = settings.TOKEN_LIFETIME_MAX_SECONDS
    if seconds is not None and not MIN_TOKEN_LIFETIME <= seconds <= longest:
        raise ValidationError(
            {
                "tokenLifetime": f"Must be {MIN_TOKEN_LIFETIME} to {longest} seconds, "
                "or null for the installation's setting."
            }
        )
    before = application.token_lifetime
    if before != seconds:
        application.token_lifetime = seconds
        _save(application, "token_lifetime")
        record(
            "update",
            _entity(application),
            actor=caller.actor,
            changes={"tokenLifetime": [before, seconds]},
        )
    return application


@transaction.atomic
def delete_application(*, caller: Caller, application_id: str | uuid.UUID) -> Application:
    """Delete an application with its credential, its tokens and its rules.

    Raises NotFound, Denied.
    """
    application = _locked_whole(caller, "delete", application_id)
    _delete([application], caller)
    return application


@transaction.atomic
def delete_applications(
    *, caller: Caller, applications: Collection[Application]
) -> list[Application]:
    """Delete several that are in the caller's sight, in one transaction; return those still there.

    It takes as many queries as one. Nobody else changes an access rule meanwhile, so give some
    hundred at a time. Raises Denied.
    """
    policy.require(caller, "delete")
    found = _all_locked(caller, "delete", applications)
    _delete(found, caller)
    return found


def _delete(applications: list[Application], caller: Caller) -> None:
    retire_subjects([one.subject for one in applications], caller=caller)
    Application.objects.filter(pk__in=[one.pk for one in applications]).delete()
    record_all(
        (("delete", _entity(one), {"name": [one.name, None]}) for one in applications),
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
    record("create", _entity(application), actor=caller.actor, changes={"name": [None, name]})


def _locked(caller: Caller, action: str, application_id: str | uuid.UUID) -> Application:
    """Return the application to do `action` on, locked against everyone else who would change it."""
    application = _there(_lock([policy.one_for(caller, action, application_id).pk]))
    policy.require(caller.refresh_authority(), action)
    return application


def _locked_whole(caller: Caller, action: str, application_id: str | uuid.UUID) -> Application:
    """The same for what changes its subject too."""
    visible = policy.one_for(caller, action, application_id)
    return _there(_all_locked(caller, action, [visible]))


def _all_locked(caller: Caller, action: str, visible: Collection[Application]) -> list[Application]:
    """Return those of `visible` that are still there, locked with their subjects.

    Locks are taken in one order: the account, a scope, subjects, applications. A rule that is
    granted or deleted locks the application last, because the database notes its first rule there.
    """
    keys = [application.pk for application in visible]
    lock_administration()
    list(Subject.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    applications = _lock(keys)
    policy.require(caller.refresh_authority(), action)
    return applications


def _lock(keys: list[uuid.UUID]) -> list[Application]:
    return list(
        Application.objects.select_related("subject")
        .select_for_update(of=("self",))
        .filter(pk__in=keys, subject__retired_at=None)
        .order_by("pk")
    )


def _there(found: list[Application]) -> Application:
    if not found:
        raise NotFound("Resource id not found.")
    return found[0]


def _end_tokens(application: Application) -> None:
    application.credential_id = uuid.uuid4()


def _save(application: Application, *fields: str) -> None:
    application.updated_at = timezone.now()
    application.save(update_fields=[*fields, "updated_at"])


def _entity(application: Application) -> Entity:
    return Entity("application", str(application.pk), application.name)
