"""Signing in and out, and one's own password: the limits on guesses, and the audit log of both.

Failed sign-ins are limited four times, on pages and for tokens together: for a user at an address,
for an address, for an IPv6 site, and for a user everywhere. An unknown email is counted like a known
one, so no limit reveals which emails exist.
"""

from django.conf import settings
from django.contrib import auth
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from accessrules.authorization.callers import Caller, caller_of
from runai_access.accounts.actions import change_own_password, end_own_sessions, own_user
from runai_access.accounts.models import SignInNetwork, User
from runai_access.accounts.validators import is_email
from runai_access.audit.recorder import Actor, Entity, Origin, record_once_a_minute
from runai_access.db.normalization import normalize_email, normalize_term
from runai_access.errors import Busy, TooMany
from runai_access.security.hashing import HashKind, guessing
from runai_access.security.throttles import Limit, attempt, attempt_all, network_of, used_up

REFUSED = "wrong email or password, disabled, or a temporary password past its time"

# What the limits count, and what a refusal by each says on the page and in the audit log.
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
        "too many failures of this user, and a new address",
    ),
}


class TooManyFailures(Exception):
    """The next guess has to wait `seconds`; the text says what there were too many of."""

    def __init__(self, seconds: int, message: str = "Too many failed attempts.") -> None:
        super().__init__(message)
        self.seconds = seconds


def sign_in(request: HttpRequest, *, email: str, password: str) -> User | None:
    """Sign the person in and return them; None when email or password is wrong.

    Raises TooManyFailures after too many failures, and Busy while too many passwords are checked.
    Nobody can lock a user out at the addresses from which that user signs in.
    """
    user = _recognized(request, email, password)
    if user is not None:
        auth.login(request, user)
        _note_success(user, request)
    return user


def sign_in_for_token(request: HttpRequest, *, email: str, password: str) -> User | None:
    """Return the person whose password this is, without a session; None when it is wrong.

    A temporary password is good for nothing but choosing an own one, on a page. Raises TooMany where
    `sign_in` raises TooManyFailures: they share their counts.
    """
    try:
        user = _recognized(request, email, password)
    except TooManyFailures as refusal:
        raise TooMany(str(refusal), retry_after=refusal.seconds) from None
    if user is None:
        return None
    if user.must_choose_password:
        _record_refusal(user.email, request.origin, "a temporary password")  # type: ignore[attr-defined]  # set by OriginMiddleware
        return None
    user.last_login = timezone.now()
    user.save(update_fields=["last_login"])
    _note_success(user, request)
    return user


def _recognized(request: HttpRequest, email: str, password: str) -> User | None:
    """Return the enabled user of this email and password; count and record every failure.

    Raises TooManyFailures and Busy.
    """
    email = normalize_email(email)
    origin: Origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    limits = _limits_now(email, origin)
    with guessing(HashKind.PASSWORD):
        while (guess := attempt_all(*limits)).refused:  # others took the last attempt meanwhile
            limits = _limits_now(email, origin)
        try:
            user = auth.authenticate(request, email=email, password=password)
        except Busy:
            guess.give_back()  # nothing was guessed
            raise
    if not isinstance(user, User):
        _record_refusal(email, origin, REFUSED)
        return None
    guess.succeed()
    return user


def _limits_now(email: str, origin: Origin) -> list[Limit]:
    """Return the limits that the next guess counts under.

    Raises TooManyFailures, and records it, where one is used up. This counts and writes nothing, so
    a guess that is refused is cheap.
    """
    name = normalize_term(email)  # so that every spelling of an email counts as the same user
    limits = _limits(name, origin.address)
    of_user = Limit((_USER, name), settings.SIGN_IN_USER_FAILURES, settings.SIGN_IN_LOCK_SECONDS)
    waits = used_up(*limits, of_user)
    if of_user not in waits:
        limits.append(of_user)
    elif not SignInNetwork.objects.is_known(email, network_of(origin.address)):
        # A user whom strangers guess goes on signing in where they did before. All new addresses
        # together share an attempt now and then, so that the user is not locked out for good.
        shared = Limit((_NEW_NETWORK, name), 1, settings.SIGN_IN_NEW_NETWORK_SECONDS)
        limits.append(shared)
        if used_up(shared):
            # Each waits for a whole turn: told the rest of this one, all would come at its end.
            waits[shared] = shared.seconds
    waits.pop(of_user, None)
    if waits:
        longest = max(waits, key=waits.__getitem__)
        message, reason = _TOO_MANY[longest.parts[0]]
        _record_refusal(email, origin, reason)
        raise TooManyFailures(waits[longest], message)
    return limits


def _limits(email: str, address: str | None) -> list[Limit]:
    """Return the limits that hold for everyone who guesses at `email` from `address`."""
    network = network_of(address)
    lock = settings.SIGN_IN_LOCK_SECONDS
    limits = [
        Limit((_PAIR, email, network), settings.SIGN_IN_FAILURES, lock, extend=True, clears=True),
        Limit((_ADDRESS, network), settings.SIGN_IN_ADDRESS_FAILURES, lock),
    ]
    if address and ":" in address:  # a client can have many IPv6 networks of one site
        site = network_of(address, prefix=48)
        limits.append(Limit((_SITE, site), settings.SIGN_IN_NETWORK_FAILURES, lock))
    return limits


def _note_success(user: User, request: HttpRequest) -> None:
    """Remember the network of a sign-in, and record it."""
    origin: Origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    SignInNetwork.objects.remember(user, network_of(origin.address))
    record_once_a_minute(
        "sign-in",
        Entity("user", str(user.pk), user.email),
        actor=Caller(user.subject, origin).actor,
        succeeded=True,
    )


def sign_out(request: HttpRequest) -> None:
    """End the session, here and in the database."""
    caller = caller_of(request)
    entity = Entity("user", str(request.user.pk), caller.name)
    record_once_a_minute("sign-out", entity, actor=caller.actor, succeeded=True)
    auth.logout(request)


def sign_out_everywhere(request: HttpRequest) -> None:
    """End every session of the person: this one, and those elsewhere."""
    end_own_sessions(caller=caller_of(request))
    auth.logout(request)


def change_password(request: HttpRequest, *, current: str, new: str) -> None:
    """Change the person's own password; this session goes on, every other one ends.

    Raises ValidationError beside `current` or `new`, and TooManyFailures after five wrong guesses
    at the current one: an open session must not be a place to try passwords.
    """
    caller = caller_of(request)
    user = own_user(caller)
    guess = attempt(
        "own-password",
        str(user.pk),
        limit=settings.SIGN_IN_FAILURES,
        seconds=settings.SIGN_IN_LOCK_SECONDS,
    )
    if guess.refused:
        _record_wrong_password(caller, "too many failures")
        raise TooManyFailures(guess.retry_after)
    try:
        user = change_own_password(caller=caller, current=current, new=new)
    except ValidationError as error:
        if "current" in error.message_dict:
            _record_wrong_password(caller, "wrong current password")
        else:
            guess.give_back()  # nothing was guessed
        raise
    except Busy:
        guess.give_back()
        raise
    guess.forget()
    auth.update_session_auth_hash(request, user)


def _record_wrong_password(caller: Caller, reason: str) -> None:
    user = own_user(caller)
    record_once_a_minute(
        "update",
        Entity("user", str(user.pk), user.email),
        actor=caller.actor,
        succeeded=False,
        reason=reason,
    )


def _record_refusal(email: str, origin: Origin, reason: str) -> None:
    # A password typed into the wrong field is no email: it is not written down.
    name = email if is_email(email) else "(not an email)"
    record_once_a_minute(
        "sign-in",
        Entity("user", "", name),
        actor=Actor("anonymous", name, origin=origin),
        succeeded=False,
        reason=reason,
    )
