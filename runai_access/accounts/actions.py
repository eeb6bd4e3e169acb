"""Actions on users. Each checks its permission and writes its audit row.

An administrator has seen a temporary password. It expires after a few days, and its user can do nothing
with it but choose a new password.
"""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accessrules.actions.expiry import change_expiry
from accessrules.actions.locking import lock_administration, lock_subject
from accessrules.actions.rules import create_access_rule
from accessrules.actions.subjects import create_subject, retire_subjects, set_subject_enabled
from accessrules.authorization.authority import ACCOUNT
from accessrules.authorization.callers import Caller
from accessrules.authorization.catalog import SYSTEM_ADMINISTRATOR_ID
from accessrules.models import AccessRule, GroupMembership, Role, Scope, Subject
from runai_access.accounts import policy
from runai_access.accounts.code_limit import forget_wrong_codes
from runai_access.accounts.models import User, UserSession, search_text_of
from runai_access.accounts.passwords import new_password, set_password
from runai_access.accounts.validators import check_display_name, check_email
from runai_access.audit.recorder import Entity, record
from runai_access.db.normalization import normalize_email, normalize_password
from runai_access.errors import AlreadyDone, Conflict, NotFound

WRONG_CURRENT = "Incorrect current password."
CHANGED = "Your account was changed in the meantime. Sign in again."


@dataclass(frozen=True)
class IssuedPassword:
    """A user and their temporary password. The password can be shown only now."""

    user: User
    password: str

    def __repr__(self) -> str:
        return f"IssuedPassword({self.user})"


@dataclass(frozen=True)
class TemporaryPassword:
    """A new temporary password and its hash. Hashing is slow: create it before a transaction."""

    text: str = field(repr=False)
    hash: str

    @classmethod
    def new(cls) -> Self:
        text = new_password()
        return cls(text, make_password(text))


def create_user(
    *, caller: Caller, email: str, password: str | None, display_name: str = ""
) -> User:
    """Create a user. Without a password, the user can sign in only with an identity provider.

    Raises Denied, ValidationError for an invalid email, name or password, Conflict for an email in use.
    """
    policy.require(caller, "create")
    email = check_email(normalize_email(email))
    name = check_display_name(display_name)
    user = User(email=email, display_name=name, created_by=caller.name)
    set_password(user, password)  # before the transaction, because hashing is slow
    return _insert(user, caller)


def invite_user(
    *,
    caller: Caller,
    email: str,
    display_name: str = "",
    submission: uuid.UUID | None = None,
    password: TemporaryPassword | None = None,
) -> IssuedPassword:
    """Create a user with a temporary password.

    `submission` identifies the submitted form; submitting it again raises AlreadyDone. Callers that
    run this in their own transaction pass the `password`. Raises Denied, ValidationError for an
    invalid email or name, Conflict for an email in use.
    """
    policy.require(caller, "create")
    email = check_email(normalize_email(email))
    user = User(
        email=email,
        display_name=check_display_name(display_name),
        created_by=caller.name,
        submission=submission,
    )
    password = password or TemporaryPassword.new()
    _set_temporary_password(user, password)
    try:
        return IssuedPassword(_insert(user, caller), password.text)
    except Conflict:
        if submission and User.objects.with_email(email).filter(submission=submission).exists():
            raise AlreadyDone(f"User {email} was already created.") from None
        raise


def give_temporary_password(
    *,
    caller: Caller,
    user_id: str | uuid.UUID,
    submission: uuid.UUID | None = None,
    password: TemporaryPassword | None = None,
) -> IssuedPassword:
    """Replace a user's password with a temporary one, and end all their sessions.

    Callers that run this in their own transaction pass the `password`. Raises NotFound, Denied (also if
    the user has permissions that the caller lacks), AlreadyDone.
    """
    policy.one_for(caller, "update", user_id)
    password = password or TemporaryPassword.new()
    with transaction.atomic():
        user = _locked(caller, user_id)
        if submission and user.submission == submission:
            raise AlreadyDone(f"The password of {user} was already reset.")
        caller.authority.require_can_impersonate(user.subject)
        caller.require_recent_authentication_for(user.subject)
        _set_temporary_password(user, password)
        user.submission = submission
        end_sessions(user)
        forget_wrong_codes(user)
        _save(user, "password", "temporary_password_until", "submission", "sessions_id")
        record("reset-password", _entity(user), actor=caller.actor)
    return IssuedPassword(user, password.text)


def reset_password(*, caller: Caller, email: str, password: str) -> User:
    """Set a user's password permanently, and end all their sessions.

    For management commands. Raises NotFound, Denied, ValidationError for a weak password.
    """
    policy.require(caller, "update")
    unsaved = User.objects.with_email(email).first()
    if unsaved is None:
        raise NotFound(f"No user has the email {email!r}.")
    set_password(unsaved, password)
    with transaction.atomic():
        user = _locked(caller, unsaved.pk)
        caller.authority.require_can_impersonate(user.subject)
        user.password, user.temporary_password_until = unsaved.password, None
        end_sessions(user)
        forget_wrong_codes(user)
        _save(user, "password", "temporary_password_until", "sessions_id")
        record("reset-password", _entity(user), actor=caller.actor)
    return user


@transaction.atomic
def rename_user(*, caller: Caller, user_id: str | uuid.UUID, display_name: str) -> User:
    """Set a user's display name. Raises NotFound, Denied, ValidationError for an invalid name."""
    policy.one_for(caller, "update", user_id)
    name = check_display_name(display_name)
    user = _locked(caller, user_id)
    before = user.display_name
    if name != before:
        user.display_name = name
        user.search_text = search_text_of(user.email, user.created_by, name)
        _save(user, "display_name", "search_text")
        changes = {"displayName": [before, name]}
        record("update", _entity(user), actor=caller.actor, changes=changes)
    return user


@transaction.atomic
def set_user_enabled(*, caller: Caller, user_id: str | uuid.UUID, enabled: bool) -> User:
    """Enable or disable a user. Disabling ends their sessions permanently.

    Raises NotFound, Denied (enabling requires every permission of the user), Conflict for the last
    administrator.
    """
    policy.one_for(caller, "update", user_id)
    lock_administration()  # before the user, to keep the lock order
    user = _locked(caller, user_id)
    if user.enabled == enabled:
        return user
    if enabled:
        caller.authority.require_can_impersonate(user.subject)
    else:
        end_sessions(user)
    set_subject_enabled(user.subject, enabled=enabled)
    _save(user, "sessions_id")
    record("update", _entity(user), actor=caller.actor, changes={"enabled": [not enabled, enabled]})
    return user


@transaction.atomic
def delete_user(*, caller: Caller, user_id: str | uuid.UUID) -> User:
    """Delete a user with their access rules, memberships and sessions. Their email is free again.

    Raises NotFound, Denied (also if the user has permissions that the caller lacks), Conflict for the
    last administrator.
    """
    policy.one_for(caller, "delete", user_id)
    lock_administration()  # before the user, to keep the lock order
    user = _locked(caller, user_id, "delete")
    caller.authority.require_can_impersonate(user.subject)
    retire_subjects([user.subject], caller=caller)
    GroupMembership.objects.filter(member=user.subject).delete()
    User.objects.filter(pk=user.pk).delete()
    record("delete", _entity(user), actor=caller.actor, changes={"email": [user.email, None]})
    return user


@transaction.atomic
def sign_out_user(*, caller: Caller, user_id: str | uuid.UUID) -> None:
    """End all sessions of a user, and the tokens for their password. Raises NotFound, Denied."""
    policy.one_for(caller, "update", user_id)
    _sign_out(_locked(caller, user_id), caller)


def change_own_password(*, caller: Caller, current: str, new: str) -> User:
    """Replace the caller's password, and end all sessions.

    The caller of this function must keep its own session alive (`update_session_auth_hash`). Raises
    ValidationError for a wrong current password (`current`) and an invalid new one (`new`), Conflict if
    the user's sessions have ended meanwhile.
    """
    verified = own_user(caller)
    _require_unended(caller.principal, verified)
    if not verified.check_password(current):
        raise ValidationError({"current": WRONG_CURRENT})
    if normalize_password(new) == normalize_password(current):
        raise ValidationError({"new": "The new password must differ from the current one."})
    unsaved = User.objects.get(pk=verified.pk)
    set_password(unsaved, new, field="new")
    with transaction.atomic():
        user = lock_own_user(caller, verified)
        user.password, user.temporary_password_until = unsaved.password, None
        end_sessions(user)
        _save(user, "password", "temporary_password_until", "sessions_id")
        changes = {"password": ["previous", "changed"]}
        record("update", _entity(user), actor=caller.actor, changes=changes)
    return user


def own_session(*, caller: Caller, session_id: uuid.UUID) -> UserSession:
    """Return a session of the caller. Raises NotFound if it has ended, or is another user's."""
    row = UserSession.objects.filter(user=own_user(caller), id=session_id).first()
    if row is None:
        raise NotFound("This session has already ended.")
    return row


@transaction.atomic
def end_own_session(*, caller: Caller, session_id: uuid.UUID) -> UserSession:
    """End one session of the caller. Raises NotFound if it has ended, or is another user's."""
    user, row = own_user(caller), own_session(caller=caller, session_id=session_id)
    Session.objects.filter(pk=row.pk).delete()
    changes = {"session": [row.device, None]}
    record("sign-out", _entity(user), actor=caller.actor, changes=changes)
    return row


@transaction.atomic
def end_own_sessions(*, caller: Caller) -> User:
    """End all sessions of the caller, and return their user.

    To keep one alive, call `update_session_auth_hash`. Raises Conflict if they have ended meanwhile.
    """
    user = lock_own_user(caller)
    _sign_out(user, caller)
    return user


def own_user(caller: Caller) -> User:
    """Return the caller's user. Raises NotFound if the caller is not a user."""
    user = User.objects.filter(subject=caller.subject).first() if caller.subject else None
    if user is None:
        raise NotFound("Only users can do this.")
    return user


def lock_own_user(caller: Caller, verified: User | None = None) -> User:
    """Lock and re-read the caller's user, in the caller's transaction.

    Raises NotFound if the caller is not a user. Raises Conflict if they were disabled or their sessions
    ended after the request was authenticated, or after `verified` was read: such a request must not
    keep its session alive.
    """
    subject = lock_subject(own_user(caller).subject)
    user = User.objects.get(pk=subject.pk)
    if not subject.enabled:
        raise Conflict(CHANGED)
    _require_unended(verified or caller.principal, user)
    return user


def _require_unended(before: object, user: User) -> None:
    """Raise Conflict if the sessions of `before`, the same user, are not sessions of `user`."""
    if not isinstance(before, User):
        return
    if before.get_session_auth_hash() != user.get_session_auth_hash():
        raise Conflict(CHANGED)


def end_sessions(user: User) -> None:
    """End all sessions of a user, once the user is saved."""
    user.sessions_id = uuid.uuid4()


@transaction.atomic
def make_administrator(
    *, caller: Caller, email: str, password: str, is_break_glass: bool | None = None
) -> User:
    """Make a user System administrator, enabled and with this password; create them if needed.

    Creates the first administrator, and recovers access when nobody can sign in. `is_break_glass`
    changes whether local sign-in is always possible. Raises Denied, ValidationError for an invalid
    email or password.
    """
    user = User.objects.with_email(email).first()
    if user is None:
        user = create_user(caller=caller, email=email, password=password)
    else:
        user = reset_password(caller=caller, email=email, password=password)
    if not user.subject.enabled:
        set_subject_enabled(user.subject, enabled=True)
        record("update", _entity(user), actor=caller.actor, changes={"enabled": [False, True]})
    if is_break_glass not in (None, user.is_break_glass):
        changes = {"isBreakGlass": [user.is_break_glass, is_break_glass]}
        user.is_break_glass = not user.is_break_glass
        _save(user, "is_break_glass")
        record("update", _entity(user), actor=caller.actor, changes=changes)
    role = Role.objects.get(pk=SYSTEM_ADMINISTRATOR_ID)
    scope = Scope.objects.get(path=ACCOUNT.path)
    rules = AccessRule.objects.unexpired().filter(subject=user.subject, role=role, scope=scope)
    rule = rules.first()
    if rule is None:
        create_access_rule(caller=caller, subject=user.subject, role=role, scope=scope)
    elif rule.expires_at:
        change_expiry(caller=caller, rule_id=rule.pk, expires_at=None)
    return user


@transaction.atomic
def _insert(user: User, caller: Caller) -> User:
    policy.require(caller.refresh_authority(), "create")
    user.subject = create_subject(type_=Subject.Type.USER, name=user.email, field="email")
    user.save(force_insert=True)
    changes = {"email": [None, user.email]}
    if user.display_name:
        changes["displayName"] = [None, user.display_name]
    record("create", _entity(user), actor=caller.actor, changes=changes)
    return user


def _set_temporary_password(user: User, password: TemporaryPassword) -> None:
    user.password = password.hash
    user.temporary_password_until = timezone.now() + timedelta(
        seconds=settings.TEMPORARY_PASSWORD_SECONDS
    )


def _locked(caller: Caller, user_id: str | uuid.UUID, action: str = "update") -> User:
    """Return the user to perform `action` on, locked and re-read."""
    visible = policy.visible_one(caller, user_id)
    lock_subject(visible.subject)
    policy.require(caller.refresh_authority(), action)
    return User.objects.get(pk=visible.pk)


def _sign_out(user: User, caller: Caller) -> None:
    end_sessions(user)
    user.save(update_fields=["sessions_id"])
    changes = {"sessions": ["open", "ended"]}
    record("sign-out", _entity(user), actor=caller.actor, changes=changes)


def _save(user: User, *fields: str) -> None:
    user.updated_at = timezone.now()
    user.save(update_fields=[*fields, "updated_at"])


def _entity(user: User) -> Entity:
    return Entity("user", str(user.pk), user.email)
