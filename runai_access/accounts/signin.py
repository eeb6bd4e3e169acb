"""Signing in and out, and one's own password: the limit on guesses, and the record of who came and
who was turned away."""

from django.conf import settings
from django.contrib import auth
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from accessrules.callers import Caller, caller_of
from runai_access.accounts.actions import change_own_password, end_own_sessions, own_user
from runai_access.accounts.models import User, normalise_email
from runai_access.accounts.validators import is_email
from runai_access.api.throttles import attempt, network_of
from runai_access.audit.recorder import Actor, Entity, Origin, record_once_a_minute
from runai_access.errors import Busy, TooMany

REFUSED = "wrong e-mail or password, disabled, or a temporary password past its time"


class TooManyFailures(Exception):
    """This person at this address has to wait `seconds` before the next guess."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Wait {seconds} s.")
        self.seconds = seconds


def sign_in(request: HttpRequest, *, email: str, password: str) -> User | None:
    """Sign the person in and return them; None when e-mail or password is wrong.

    Raises TooManyFailures after five failures by this person and address, for 15 minutes. Another
    address is not affected, so nobody can lock a person out elsewhere.
    """
    user = _recognised(request, email, password)
    if user is not None:
        auth.login(request, user)
        _record_success(user, request)
    return user


def sign_in_for_token(request: HttpRequest, *, email: str, password: str) -> User | None:
    """Return the person whose password this is, without a session; None when it is wrong.

    A temporary password is good for nothing but choosing an own one, on a page. Raises TooMany where
    `sign_in` raises TooManyFailures: they share their count.
    """
    try:
        user = _recognised(request, email, password)
    except TooManyFailures as refusal:
        raise TooMany("Too many failed attempts.", retry_after=refusal.seconds) from None
    if user is None:
        return None
    if user.must_choose_password:
        _record_refusal(user.email, request.origin, "a temporary password")  # type: ignore[attr-defined]  # set by OriginMiddleware
        return None
    user.last_login = timezone.now()
    user.save(update_fields=["last_login"])
    _record_success(user, request)
    return user


def _recognised(request: HttpRequest, email: str, password: str) -> User | None:
    """Return the enabled person of this e-mail and password; count and record every failure."""
    email = normalise_email(email)
    origin: Origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    guess = attempt(
        "sign-in",
        email,
        network_of(origin.address),
        limit=settings.SIGN_IN_FAILURES,
        seconds=settings.SIGN_IN_LOCK_SECONDS,
    )
    if guess.refused:
        _record_refusal(email, origin, "too many failures")
        raise TooManyFailures(guess.retry_after)
    try:
        user = auth.authenticate(request, email=email, password=password)
    except Busy:
        guess.give_back()  # nothing was guessed
        raise
    if not isinstance(user, User):
        _record_refusal(email, origin, REFUSED)
        return None
    guess.forget()
    return user


def _record_success(user: User, request: HttpRequest) -> None:
    actor = Caller(user.subject, request.origin).actor  # type: ignore[attr-defined]  # set by OriginMiddleware
    record_once_a_minute(
        "sign-in", Entity("user", str(user.pk), user.email), actor=actor, succeeded=True
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
    # A password typed into the wrong field is no e-mail: it is not written down.
    name = email if is_email(email) else "(not an e-mail)"
    record_once_a_minute(
        "sign-in",
        Entity("user", "", name),
        actor=Actor("anonymous", name, origin=origin),
        succeeded=False,
        reason=reason,
    )
