"""What can be done with people: each with its checks and its audit row.

A temporary password is one that somebody else has seen. It is good for some days, and for nothing
but choosing an own one.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accessrules.actions.rules import (
    create_access_rule,
    create_subject,
    lock_administration,
    lock_subject,
    set_subject_enabled,
)
from accessrules.authorization.authority import ACCOUNT
from accessrules.authorization.callers import Caller
from accessrules.authorization.catalog import SYSTEM_ADMINISTRATOR_ID
from accessrules.models import AccessRule, Role, Scope, Subject
from runai_access.accounts import policy
from runai_access.accounts.models import User
from runai_access.accounts.passwords import new_password, set_password
from runai_access.accounts.validators import check_email
from runai_access.audit.recorder import Entity, record
from runai_access.db.normalization import normalize_email, normalize_password
from runai_access.errors import AlreadyDone, Conflict, NotFound


@dataclass(frozen=True)
class IssuedPassword:
    """A person and their temporary password, in the only moment in which it can be shown."""

    user: User
    password: str

    def __repr__(self) -> str:
        return f"IssuedPassword({self.user})"


def create_user(*, caller: Caller, email: str, password: str | None) -> User:
    """Create a person; without a password nobody can sign in as them until one is set.

    Raises Denied, ValidationError for a bad email or password, Conflict for a taken email.
    """
    policy.require(caller, "create")
    email = check_email(normalize_email(email))
    user = User(email=email, created_by=caller.name)
    set_password(user, password)  # before the transaction: it is slow, and locks are short
    return _insert(user, caller)


def invite_user(
    *, caller: Caller, email: str, submission: uuid.UUID | None = None
) -> IssuedPassword:
    """Create a person with a temporary password.

    `submission` identifies the form that asks; the same form again raises AlreadyDone. Raises
    Denied, ValidationError for a bad email, Conflict for a taken one.
    """
    policy.require(caller, "create")
    email = check_email(normalize_email(email))
    user = User(email=email, created_by=caller.name, submission=submission)
    password = _set_temporary_password(user)
    try:
        return IssuedPassword(_insert(user, caller), password)
    except Conflict:
        if submission and User.objects.with_email(email).filter(submission=submission).exists():
            raise AlreadyDone(f"{email} is already created.") from None
        raise


def give_temporary_password(
    *, caller: Caller, user_id: str | uuid.UUID, submission: uuid.UUID | None = None
) -> IssuedPassword:
    """Replace a person's password by a temporary one; every session of theirs ends with it.

    Raises NotFound, Denied (also where the person is stronger than the caller), AlreadyDone.
    """
    found = policy.one_for(caller, "update", user_id)
    password = _set_temporary_password(found)
    with transaction.atomic():
        user = _locked(caller, user_id)
        if submission and user.submission == submission:
            raise AlreadyDone(f"The password of {user} is already reset.")
        caller.authority.require_can_impersonate(user.subject)
        user.password, user.temporary_password_until = (
            found.password,
            found.temporary_password_until,
        )
        user.submission = submission
        _end_sessions(user)
        _save(user, "password", "temporary_password_until", "submission", "sessions_id")
        record("reset-password", _entity(user), actor=caller.actor)
    return IssuedPassword(user, password)


def reset_password(*, caller: Caller, email: str, password: str) -> User:
    """Give a person a new password to keep; every session they have ends with it.

    For whoever holds the machine. Raises NotFound, Denied, ValidationError for a password that is
    too weak.
    """
    policy.require(caller, "update")
    found = User.objects.with_email(email).first()
    if found is None:
        raise NotFound(f"There is no user {email!r}.")
    set_password(found, password)
    with transaction.atomic():
        user = _locked(caller, found.pk)
        caller.authority.require_can_impersonate(user.subject)
        user.password, user.temporary_password_until = found.password, None
        _end_sessions(user)
        _save(user, "password", "temporary_password_until", "sessions_id")
        record("reset-password", _entity(user), actor=caller.actor)
    return user


@transaction.atomic
def set_user_enabled(*, caller: Caller, user_id: str | uuid.UUID, enabled: bool) -> User:
    """Enable or disable a person; disabling ends their sessions for good.

    Raises NotFound, Denied (to enable takes every permission that the person holds), Conflict for
    the last administrator.
    """
    policy.one_for(caller, "update", user_id)
    lock_administration()  # before the person: locks are taken in one order
    user = _locked(caller, user_id)
    if user.enabled == enabled:
        return user
    if enabled:
        caller.authority.require_can_impersonate(user.subject)
    else:
        _end_sessions(user)
    set_subject_enabled(user.subject, enabled=enabled)
    _save(user, "sessions_id")
    record("update", _entity(user), actor=caller.actor, changes={"enabled": [not enabled, enabled]})
    return user


def change_own_password(*, caller: Caller, current: str, new: str) -> User:
    """Replace the caller's own password; every session ends, the caller's too.

    Whoever asks has to keep the session that it came by alive (`update_session_auth_hash`). Raises
    ValidationError for a wrong current password (`current`) and a new one that will not do (`new`).
    """
    known = own_user(caller)
    if not known.check_password(current):
        raise ValidationError({"current": "This is not your password."})
    if normalize_password(new) == normalize_password(current):
        raise ValidationError({"new": "Choose one that differs from the current password."})
    user = User.objects.get(pk=known.pk)
    set_password(user, new, field="new")
    with transaction.atomic():
        subject = lock_subject(user.subject)
        kept = User.objects.filter(pk=user.pk, password=known.password)
        if not subject.enabled or not kept.exists():
            raise Conflict("Your password was changed meanwhile. Sign in again.")
        user.temporary_password_until = None
        _end_sessions(user)
        _save(user, "password", "temporary_password_until", "sessions_id")
        changes = {"password": ["previous", "changed"]}
        record("update", _entity(user), actor=caller.actor, changes=changes)
    return user


@transaction.atomic
def end_own_sessions(*, caller: Caller) -> None:
    """Sign the caller out everywhere: here, and wherever else they are signed in."""
    user = own_user(caller)
    lock_subject(user.subject)
    _end_sessions(user)
    user.save(update_fields=["sessions_id"])
    changes = {"sessions": ["open", "ended"]}
    record("sign-out", _entity(user), actor=caller.actor, changes=changes)


def own_user(caller: Caller) -> User:
    """Return the person that the caller is; raise NotFound where it is none."""
    user = User.objects.filter(subject=caller.subject).first() if caller.subject else None
    if user is None:
        raise NotFound("Only a user has a password of their own.")
    return user


@transaction.atomic
def make_administrator(*, caller: Caller, email: str, password: str) -> User:
    """Make sure that this person is there, enabled, System administrator, and has this password.

    The way in of the first administrator, and the way back in when nobody else can sign in. Raises
    Denied, ValidationError for a bad email or password.
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


@transaction.atomic
def _insert(user: User, caller: Caller) -> User:
    policy.require(caller.refresh_authority(), "create")
    user.subject = create_subject(type_=Subject.Type.USER, name=user.email, field="email")
    user.save(force_insert=True)
    record("create", _entity(user), actor=caller.actor, changes={"email": [None, user.email]})
    return user


def _set_temporary_password(user: User) -> str:
    password = new_password()
    set_password(user, password)
    user.temporary_password_until = timezone.now() + timedelta(
        seconds=settings.TEMPORARY_PASSWORD_SECONDS
    )
    return password


def _locked(caller: Caller, user_id: str | uuid.UUID) -> User:
    """Return the person to change as they stand now, locked against everyone else who would."""
    visible = policy.visible_one(caller, user_id)
    lock_subject(visible.subject)
    policy.require(caller.refresh_authority(), "update")
    return User.objects.get(pk=visible.pk)


def _end_sessions(user: User) -> None:
    user.sessions_id = uuid.uuid4()


def _save(user: User, *fields: str) -> None:
    user.updated_at = timezone.now()
    user.save(update_fields=[*fields, "updated_at"])


def _entity(user: User) -> Entity:
    return Entity("user", str(user.pk), user.email)
