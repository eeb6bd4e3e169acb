"""What can be done with people: each with its checks and its audit row."""

import secrets

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import transaction
from django.utils import timezone

from accessrules.actions import create_access_rule, create_subject, set_subject_enabled
from accessrules.authorization import ACCOUNT
from accessrules.callers import Caller
from accessrules.catalogue import SYSTEM_ADMINISTRATOR_ID
from accessrules.models import AccessRule, Role, Scope, Subject
from runai_access.accounts.models import EMAIL_MAX_LENGTH, User, normalise_email
from runai_access.audit.recorder import Entity, record
from runai_access.errors import NotFound


def create_user(*, caller: Caller, email: str, password: str | None) -> User:
    """Create a person; without a password nobody can sign in as them until one is set.

    Raises Denied, ValidationError for a bad e-mail or password, Conflict for a taken e-mail.
    """
    caller.authority.require("create", "users", ACCOUNT)
    email = normalise_email(email)
    try:
        validate_email(email)
        MaxLengthValidator(EMAIL_MAX_LENGTH)(email)
    except ValidationError as error:
        raise ValidationError({"email": error.messages}) from error
    user = User(email=email, created_by=caller.name)
    _set_password(user, password)  # before the transaction: it is slow, and locks are short
    with transaction.atomic():
        user.subject = create_subject(type_=Subject.Type.USER, name=email, field="email")
        user.save(force_insert=True)
        record("create", _entity(user), actor=caller.actor, changes={"email": [None, email]})
    return user


def reset_password(*, caller: Caller, email: str, password: str) -> User:
    """Give a person a new password; every session they have ends with it.

    Raises NotFound, Denied, ValidationError for a password that is too weak.
    """
    caller.authority.require("update", "users", ACCOUNT)
    user = User.objects.with_email(email).first()
    if user is None:
        raise NotFound(f"There is no user {email!r}.")
    _set_password(user, password)
    with transaction.atomic():
        Subject.objects.select_for_update().get(pk=user.pk)
        caller.authority.require_may_handle(user.subject)
        user.updated_at = timezone.now()
        user.save(update_fields=["password", "updated_at"])
        record("reset-password", _entity(user), actor=caller.actor)
    return user


@transaction.atomic
def make_administrator(*, caller: Caller, email: str, password: str) -> User:
    """Make sure that this person is there, enabled, System administrator, and has this password.

    The way in of the first administrator, and the way back in when nobody else can sign in. Raises
    Denied, ValidationError for a bad e-mail or password.
    """
    user = User.objects.with_email(email).first()
    if user is None:
        user = create_user(caller=caller, email=email, password=password)
    else:
        user = reset_password(caller=caller, email=email, password=password)
    if not user.subject.enabled:
        set_subject_enabled(user.subject, enabled=True)
        record("update", _entity(user), actor=caller.actor, changes={"enabled": [False, True]})
    role = Role.objects.get(pk=SYSTEM_ADMINISTRATOR_ID)
    scope = Scope.objects.get(path=ACCOUNT.path)
    rules = AccessRule.objects.living().filter(subject=user.subject, role=role, scope=scope)
    if not rules.exists():
        create_access_rule(caller=caller, subject=user.subject, role=role, scope=scope)
    return user


def new_password() -> str:
    """Return a password that nobody has to invent: 120 random bits that can be typed."""
    return secrets.token_hex(15)


def _set_password(user: User, password: str | None) -> None:
    if password is None:
        user.set_unusable_password()
        return
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    user.set_password(password)


def _entity(user: User) -> Entity:
    return Entity("user", str(user.pk), user.email)
