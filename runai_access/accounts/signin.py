"""Sign-in, sign-out and the user's own password: limits on failed attempts, and audit events.

A user with a second factor signs in in two steps; see `second_step`. Four limits apply to failed
sign-ins, on pages and for tokens together: per user and address, per address, per IPv6 site, and per
user. Unknown emails count like known ones, so limits do not reveal which exist.
"""

from collections.abc import Callable

from django.conf import settings
from django.contrib import auth
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from accessrules.authorization.callers import Caller, caller_of
from runai_access.accounts import policy
from runai_access.accounts.actions import change_own_password, end_own_sessions, own_user
from runai_access.accounts.mfa import pending
from runai_access.accounts.models import SignInNetwork, User
from runai_access.accounts.sessions import confirm_session, note_provider
from runai_access.accounts.sso.identity import Identity
from runai_access.accounts.validators import is_email
from runai_access.audit.recorder import Actor, Entity, Origin, record_once_a_minute
from runai_access.db.normalization import normalize_email, normalize_term
from runai_access.errors import Busy, TooMany
from runai_access.security.hashing import HashKind, guessing
from runai_access.security.throttles import (
    Attempt,
    Limit,
    attempt,
    attempt_all,
    network_of,
    used_up,
)

# How a user signed in, in the audit log.
BY_PASSWORD = "with a password"  # noqa: S105  # a text
BY_BREAK_GLASS = "with a password, break-glass"
CONFIRMED = "confirmed the password"

NOT_LOCAL = "local sign-in is off for this user"
REFUSED = "wrong email or password, disabled, or expired temporary password"

# The limits, each with its message on the page and its reason in the audit log.
_PAIR, _ADDRESS, _SITE = "sign-in", "sign-in address", "sign-in site"
_USER, _NEW_NETWORK = "sign-in user", "sign-in new network"
_TOO_MANY = {
    _PAIR: ("Too many failed attempts.", "too many failures"),
    _ADDRESS: (
        "Too many failed attempts from your network.",
        "too many failures from this address",
    ),
    _SITE: ("Too many failed attempts from your network.", "too many failures from this network"),
    _NEW_NETWORK: (
        "Too many failed attempts with this email.",
        "too many failures of this user, from a new address",
    ),
}


class TooManyFailures(Exception):
    """A limit is reached; the next attempt is possible after `seconds`."""

    def __init__(self, seconds: int, message: str = "Too many failed attempts.") -> None:
        super().__init__(message)
        self.seconds = seconds


class SecondFactorRequired(Exception):
    """The password is right. The session waits for the second factor; see `second_step`."""


def sign_in(request: HttpRequest, *, email: str, password: str) -> User | None:
    """Sign the user in and return them, or None if the email or password is wrong.

    Raises SecondFactorRequired if the user has one, TooManyFailures after too many failures, and Busy
    if too many passwords are being checked. An attacker can't lock a user out of the networks from
    which that user signs in.
    """
    user = _authenticated(request, email, password, _reason_against_password)
    if user is None:
        return None
    if policy.has_second_factor(user):
        pending.begin(request, user)
        raise SecondFactorRequired
    pending.end(request)
    auth.login(request, user)
    note_success(user, request, local_method(user))
    return user


def sign_in_with_provider(request: HttpRequest, user: User, identity: Identity) -> None:
    """Sign in the user of a verified identity."""
    pending.end(request)
    auth.login(request, user)
    note_provider(request, identity.issuer, identity.id_token, identity.authenticated_at)
    note_success(user, request, f"with {identity.issuer}")


def sign_in_for_token(request: HttpRequest, *, email: str, password: str) -> User | None:
    """Return the user with this email and password, without a session, or None.

    Refuses temporary passwords, which can only be replaced, on a page. Refuses users with a second
    factor, and those who must have one. Raises TooMany when `sign_in` would raise TooManyFailures: they
    share their limits.
    """
    try:
        user = _authenticated(request, email, password, _reason_against_token)
    except TooManyFailures as refusal:
        raise TooMany(str(refusal), retry_after=refusal.seconds) from None
    if user is None:
        return None
    user.last_login = timezone.now()
    user.save(update_fields=["last_login"])
    note_success(user, request, local_method(user))
    return user


def _reason_against_password(user: User) -> str:
    """Return why the user can't use a password on the page, or ""."""
    return "" if policy.can_sign_in_locally(user) else NOT_LOCAL


def _reason_against_token(user: User) -> str:
    """Return why the user can't get a token for their password, or ""."""
    if user.must_choose_password:
        return "a temporary password"
    if policy.has_second_factor(user) or policy.requires_second_factor(user):
        return "a second factor is required"
    return _reason_against_password(user)


def _authenticated(
    request: HttpRequest, email: str, password: str, reason_against: Callable[[User], str]
) -> User | None:
    """Return the enabled user with this email and password. Counts and audits failures.

    Also None if there is a reason against this user, so that passwords can't be tried there. Raises
    TooManyFailures and Busy.
    """
    email = normalize_email(email)
    origin: Origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    limits = _current_limits(email, origin)
    with guessing(HashKind.PASSWORD):
        while (
            sign_in_attempt := attempt_all(*limits)
        ).refused:  # another request used the last attempt
            limits = _current_limits(email, origin)
        try:
            user = auth.authenticate(request, email=email, password=password)
        except Busy:
            sign_in_attempt.give_back()  # the password was not checked
            raise
    if not isinstance(user, User):
        record_refusal(email, origin, REFUSED)
        return None
    if reason := reason_against(user):
        record_refusal(email, origin, reason)
        return None
    sign_in_attempt.succeed()
    return user


def _current_limits(email: str, origin: Origin) -> list[Limit]:
    """Return the limits that apply to the next attempt.

    Raises TooManyFailures, and audits it, if a limit is reached. It does not count the attempt, so a
    refused attempt is cheap.
    """
    name = normalize_term(email)  # all spellings of an email count as the same user
    limits = limits_of(name, origin.address)
    of_user = Limit((_USER, name), settings.SIGN_IN_USER_FAILURES, settings.SIGN_IN_LOCK_SECONDS)
    waits = used_up(*limits, of_user)
    if of_user not in waits:
        limits.append(of_user)
    elif not SignInNetwork.objects.is_known(email, network_of(origin.address)):
        # While a user is under attack, they can still sign in from known networks. All new networks
        # share an occasional attempt, so that the user is never locked out completely.
        shared = Limit((_NEW_NETWORK, name), 1, settings.SIGN_IN_NEW_NETWORK_SECONDS)
        limits.append(shared)
        if used_up(shared):
            # Report the full interval: if all waited only for the rest, they would retry together.
            waits[shared] = shared.seconds
    waits.pop(of_user, None)
    if waits:
        limit = max(waits, key=waits.__getitem__)
        message, reason = _TOO_MANY[limit.parts[0]]
        record_refusal(email, origin, reason)
        raise TooManyFailures(waits[limit], message)
    return limits


def limits_of(email: str, address: str | None) -> list[Limit]:
    """Return the limits on attempts for `email` from `address`."""
    network = network_of(address)
    lock = settings.SIGN_IN_LOCK_SECONDS
    limits = [
        Limit((_PAIR, email, network), settings.SIGN_IN_FAILURES, lock, extend=True, clears=True),
        Limit((_ADDRESS, network), settings.SIGN_IN_ADDRESS_FAILURES, lock),
    ]
    if address and ":" in address:  # an IPv6 client can use many networks of its site
        site = network_of(address, prefix=48)
        limits.append(Limit((_SITE, site), settings.SIGN_IN_NETWORK_FAILURES, lock))
    return limits


def note_success(user: User, request: HttpRequest, method: str) -> None:
    """Remember the network of a sign-in, and audit it with its method."""
    origin: Origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    SignInNetwork.objects.remember(user, network_of(origin.address))
    record_success(user, origin, method)


def local_method(user: User) -> str:
    return BY_BREAK_GLASS if user.is_break_glass else BY_PASSWORD


def record_success(user: User, origin: Origin, method: str) -> None:
    record_once_a_minute(
        "sign-in",
        Entity("user", str(user.pk), user.email),
        actor=Caller(user.subject, origin).actor,
        succeeded=True,
        reason=method,
    )


def sign_out(request: HttpRequest) -> None:
    """End the current session, and audit it."""
    caller = caller_of(request)
    entity = Entity("user", str(request.user.pk), caller.name)
    record_once_a_minute("sign-out", entity, actor=caller.actor, succeeded=True)
    auth.logout(request)


def sign_out_everywhere(request: HttpRequest) -> None:
    """End all sessions of the user, including the current one."""
    end_own_sessions(caller=caller_of(request))
    auth.logout(request)


def sign_out_elsewhere(request: HttpRequest) -> None:
    """End all sessions of the user except the current one."""
    user = end_own_sessions(caller=caller_of(request))
    auth.update_session_auth_hash(request, user)


def change_password(request: HttpRequest, *, current: str, new: str) -> None:
    """Change the user's own password. The current session continues; all others end.

    Raises ValidationError on `current` or `new`, and TooManyFailures after SIGN_IN_FAILURES wrong
    current passwords: an unattended session must not allow guessing the password.
    """
    caller = caller_of(request)
    user = own_user(caller)
    password_attempt = _own_password_attempt(caller, user)
    try:
        user = change_own_password(caller=caller, current=current, new=new)
    except ValidationError as error:
        if "current" in error.message_dict:
            record_unconfirmed(caller, "wrong current password")
        else:
            password_attempt.give_back()  # the current password was right
        raise
    except Busy:
        password_attempt.give_back()
        raise
    password_attempt.forget()
    if caller.authenticated_at:  # a token has no session
        auth.update_session_auth_hash(request, user)


def confirm_password(request: HttpRequest, *, password: str) -> bool:
    """Return whether this is the user's password. If so, the session counts as just signed in.

    Raises TooManyFailures and Busy. The limit is that of `change_password`.
    """
    caller = caller_of(request)
    user = own_user(caller)
    password_attempt = _own_password_attempt(caller, user)
    try:
        is_right = user.check_password(password) and policy.can_sign_in_locally(user)
    except Busy:
        password_attempt.give_back()
        raise
    if not is_right:
        record_unconfirmed(caller, "wrong password")
        return False
    password_attempt.forget()
    confirm_session(request)
    record_success(user, caller.origin, CONFIRMED)
    return True


def confirm_with_provider(request: HttpRequest, identity: Identity) -> None:
    """Note that the session's user signed in with the provider again."""
    caller = caller_of(request)
    confirm_session(request, identity.authenticated_at)
    record_success(own_user(caller), caller.origin, f"confirmed with {identity.issuer}")


def _own_password_attempt(caller: Caller, user: User) -> Attempt:
    """Count an attempt for the user's own password. Raises TooManyFailures, and audits that."""
    password_attempt = attempt(
        "own-password",
        str(user.pk),
        limit=settings.SIGN_IN_FAILURES,
        seconds=settings.SIGN_IN_LOCK_SECONDS,
    )
    if password_attempt.refused:
        record_unconfirmed(caller, "too many failures")
        raise TooManyFailures(password_attempt.retry_after)
    return password_attempt


def record_unconfirmed(caller: Caller, reason: str) -> None:
    user = own_user(caller)
    record_once_a_minute(
        "update",
        Entity("user", str(user.pk), user.email),
        actor=caller.actor,
        succeeded=False,
        reason=reason,
    )


def record_refusal(email: str, origin: Origin, reason: str) -> None:
    """Audit a refused sign-in."""
    # An invalid email could be a password in the wrong field, so it is not logged.
    name = email if is_email(email) else "(not an email)" if email else "(unknown)"
    record_once_a_minute(
        "sign-in",
        Entity("user", "", name),
        actor=Actor("anonymous", name, origin=origin),
        succeeded=False,
        reason=reason,
    )
