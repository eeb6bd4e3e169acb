"""Creating applications."""

import uuid

from django.core.exceptions import ValidationError
from django.db import transaction

from accessrules.actions.subjects import create_subject
from accessrules.authorization.callers import Caller
from accessrules.models import Subject
from applications import policy
from applications.actions.changes import entity_of
from applications.actions.new_secrets import (
    HashedSecret,
    IssuedSecret,
    default_expiry,
    store_secret,
)
from applications.models import Application
from applications.validators import validate_name
from runai_access.audit.recorder import record
from runai_access.errors import AlreadyDone, Conflict


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
            stored = store_secret(secret, application, caller, expires_at=default_expiry())
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
