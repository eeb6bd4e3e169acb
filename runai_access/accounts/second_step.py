"""The second step of a sign-in, and passkeys, which need no first step."""

from dataclasses import replace
from typing import Any

from django.contrib import auth
from django.http import HttpRequest

from accessrules.authorization.callers import caller_of
from runai_access.accounts import policy
from runai_access.accounts.actions import own_user
from runai_access.accounts.code_limit import limit_of_user
from runai_access.accounts.mfa import passkeys, pending
from runai_access.accounts.mfa.factors import Method, use_code
from runai_access.accounts.models import User
from runai_access.accounts.sessions import confirm_session, note_passwordless, note_second_factor
from runai_access.accounts.signin import (
    NOT_LOCAL,
    TooManyFailures,
    limits_of,
    local_method,
    note_success,
    record_refusal,
    record_success,
    record_unconfirmed,
)
from runai_access.audit.recorder import Origin
from runai_access.errors import NotFound
from runai_access.security.throttles import Attempt, Limit, attempt_all, used_up

# In the audit log.
WRONG_CODE = "wrong code after the right password"
TOO_MANY = "too many wrong codes after the right password"
REFUSED_PASSKEY = "the passkey was refused"
DISABLED = "the user is disabled"


def sign_in_with_code(request: HttpRequest, *, code: str) -> User | None:
    """Complete the sign-in of the pending user with a code; None if the code is wrong.

    Raises NotFound if no user is pending, and TooManyFailures.
    """
    user = pending.pending_user(request)
    if user is None:
        raise NotFound("This sign-in has expired. Enter your password again.")
    origin: Origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    limits = _limits(user, origin)
    waits = used_up(*limits)
    code_attempt = Attempt(limits, waits) if waits else attempt_all(*limits)
    if code_attempt.refused:
        record_refusal(user.email, origin, TOO_MANY)
        raise TooManyFailures(code_attempt.retry_after)
    method = use_code(user, code)
    if method is None:
        record_refusal(user.email, origin, WRONG_CODE)
        return None
    code_attempt.succeed()
    _login_with_factor(request, user, f"{local_method(user)} and {method}")
    return user


def sign_in_with_passkey(request: HttpRequest, *, response: Any) -> User | None:
    """Sign in the user of a passkey, with or without a password before; None if it is refused."""
    origin: Origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    waiting = pending.pending_user(request)
    try:
        user = passkeys.complete_use(response)
    except passkeys.PasskeyRefused:
        record_refusal(waiting.email if waiting else "", origin, REFUSED_PASSKEY)
        return None
    if not user.is_active or not policy.can_sign_in_locally(user):
        record_refusal(user.email, origin, NOT_LOCAL if user.is_active else DISABLED)
        return None
    if user == waiting:
        _login_with_factor(request, user, f"{local_method(user)} and {Method.PASSKEY}")
        return user
    suffix = ", break-glass" if user.is_break_glass else ""
    _login_with_factor(request, user, f"with {Method.PASSKEY}{suffix}")
    note_passwordless(request)
    return user


def confirm_with_passkey(request: HttpRequest, *, response: Any) -> bool:
    """Return whether a passkey of the user was used. If so, the session counts as just signed in."""
    caller = caller_of(request)
    user = own_user(caller)
    try:
        is_right = passkeys.complete_use(response) == user
    except passkeys.PasskeyRefused:
        is_right = False
    if not is_right:
        record_unconfirmed(caller, REFUSED_PASSKEY)
        return False
    confirm_session(request)
    record_success(user, caller.origin, f"confirmed with {Method.PASSKEY}")
    return True


def _login_with_factor(request: HttpRequest, user: User, method: str) -> None:
    pending.end(request)
    auth.login(request, user)
    note_second_factor(request)
    note_success(user, request, method)


def _limits(user: User, origin: Origin) -> tuple[Limit, ...]:
    """Return the limits on codes: of the user at the address, of the user, and of the address."""
    pair, *of_address = limits_of(str(user.pk), origin.address)
    return (
        replace(pair, parts=("second factor", *pair.parts[1:])),
        limit_of_user(user),
        *of_address,
    )
