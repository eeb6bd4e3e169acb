"""Actions on second factors: users change their own ones, and administrators reset those of others.

A user who adds or removes a factor is signed out everywhere else: those sessions began without it.
"""

import uuid
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import transaction

from accessrules.actions.locking import lock_subject
from accessrules.authorization.callers import Caller
from runai_access.accounts import policy
from runai_access.accounts.actions import end_sessions, lock_own_user
from runai_access.accounts.code_limit import forget_wrong_codes
from runai_access.accounts.mfa.factors import (
    APP,
    PASSKEY,
    RECOVERY_CODES,
    describe,
    new_app,
    replace_recovery_codes,
    step_of,
)
from runai_access.accounts.mfa.passkeys import require_room
from runai_access.accounts.models import User
from runai_access.accounts.validators import check_display_name
from runai_access.audit.recorder import Entity, record
from runai_access.errors import Conflict, NotFound

DEFAULT_NAME = "Passkey"
WRONG_CODE = "Incorrect code. Enter the one that the app shows now."


@transaction.atomic
def set_up_app(*, caller: Caller, secret: str, code: str) -> tuple[User, list[str]]:
    """Make an authenticator app with this secret the app of the caller, in place of a former one.

    Returns the caller's user, and recovery codes if they had none. Raises ValidationError for a wrong
    code, ReauthenticationRequired.
    """
    user = _locked_user(caller)
    step = step_of(secret, "".join(code.split()))
    if step is None:
        raise ValidationError({"code": WRONG_CODE})
    former = policy.factors_of(user).filter(type=APP)
    before = [describe(factor) for factor in former]
    former.delete()
    return user, _add(caller, user, new_app(user, secret, step), before)


@transaction.atomic
def add_passkey(*, caller: Caller, name: str, credential: dict[str, Any]) -> tuple[User, list[str]]:
    """Add a passkey, from `passkeys.complete_creation`, to the factors of the caller.

    Returns the caller's user, and recovery codes if they had none. Raises ReauthenticationRequired,
    Conflict if they have too many, ValidationError for an invalid name.
    """
    user = _locked_user(caller)
    require_room(user)
    data = {"name": check_passkey_name(name), "credential": credential}
    return user, _add(caller, user, Authenticator(user=user, type=PASSKEY, data=data), [])


@transaction.atomic
def rename_passkey(*, caller: Caller, factor_id: int, name: str) -> None:
    """Name a passkey of the caller. Raises NotFound, ReauthenticationRequired, ValidationError."""
    user = _locked_user(caller)
    factor = own_factor(user, factor_id, type_=PASSKEY)
    before = describe(factor)
    factor.data["name"] = check_passkey_name(name)
    if describe(factor) != before:
        factor.save(update_fields=["data"])
        _record(caller, user, [before, describe(factor)])


@transaction.atomic
def remove_factor(*, caller: Caller, factor_id: int) -> User:
    """Remove a factor of the caller, and the recovery codes with the last one.

    Raises NotFound, ReauthenticationRequired, Conflict for the last one of a user who must have one to
    sign in.
    """
    user = _locked_user(caller)
    factor = own_factor(user, factor_id)
    if is_last(user, factor):
        if policy.can_sign_in_locally(user) and policy.requires_second_factor(user):
            raise Conflict("You must have a second factor. Add another one first.")
        policy.factors_of(user).filter(type=RECOVERY_CODES).delete()
    text = describe(factor)
    factor.delete()
    _end_sessions(user)
    _record(caller, user, [text, None])
    return user


@transaction.atomic
def renew_recovery_codes(*, caller: Caller) -> list[str]:
    """Replace the recovery codes of the caller. Raises ReauthenticationRequired, NotFound."""
    user = _locked_user(caller)
    if not policy.has_second_factor(user):
        raise NotFound("Recovery codes require a second factor.")
    codes = replace_recovery_codes(user)
    _record(caller, user, ["recovery codes", "new recovery codes"])
    return codes


@transaction.atomic
def reset_factors(*, caller: Caller, user_id: str | uuid.UUID) -> User:
    """Remove all factors of a user who lost them, end all their sessions, and forget wrong codes.

    Their password alone is then enough, so this requires every permission of the user. Raises NotFound,
    also without a factor, Denied, ReauthenticationRequired.
    """
    user: User = policy.one_for(caller, "update", user_id)
    lock_subject(user.subject)
    policy.require(caller.refresh_authority(), "update")
    caller.authority.require_can_impersonate(user.subject)
    caller.require_recent_authentication()
    factors = policy.factors_of(user)
    removed = [describe(factor) for factor in factors]
    if not removed:
        raise NotFound(f"{user} has no second factor.")
    factors.delete()
    forget_wrong_codes(user)
    _end_sessions(user)
    _record(caller, user, [", ".join(removed), None])
    return user


def own_factor(user: User, factor_id: int, *, type_: str = "") -> Any:
    """Return a factor of the user, except recovery codes. Raises NotFound for any other ID."""
    factor = policy.factors_of(user).filter(pk=factor_id).exclude(type=RECOVERY_CODES).first()
    if factor is None or type_ not in ("", factor.type):
        raise NotFound("This second factor no longer exists.")
    return factor


def is_last(user: User, factor: Any) -> bool:
    """Return whether the user has no other factor than this one."""
    others = policy.factors_of(user).exclude(pk=factor.pk).exclude(type=RECOVERY_CODES)
    return not others.exists()


def check_passkey_name(name: str) -> str:
    """Return the stored form of a passkey's name. Raises ValidationError on the field `name`."""
    try:
        return check_display_name(name) or DEFAULT_NAME
    except ValidationError as error:
        raise ValidationError({"name": error.messages}) from error


def _locked_user(caller: Caller) -> User:
    user = lock_own_user(caller)
    caller.refresh_authority().require_recent_authentication()
    return user


def _add(caller: Caller, user: User, factor: Any, before: list[str]) -> list[str]:
    factor.save()
    has_codes = policy.factors_of(user).filter(type=RECOVERY_CODES).exists()
    codes = [] if has_codes else replace_recovery_codes(user)
    _end_sessions(user)
    _record(caller, user, [", ".join(before) or None, describe(factor)])
    return codes


def _end_sessions(user: User) -> None:
    end_sessions(user)
    user.save(update_fields=["sessions_id"])


def _record(caller: Caller, user: User, change: list[str | None]) -> None:
    entity = Entity("user", str(user.pk), user.email)
    record("update", entity, actor=caller.actor, changes={"secondFactor": change})
