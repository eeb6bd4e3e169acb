"""Signing in and out, and one's own password: the limit on guesses, and the record of who came and
who was turned away."""

from django.conf import settings
from django.contrib import auth
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accessrules.callers import Caller, caller_of
from runai_access.accounts.actions import change_own_password, end_own_sessions, own_user
from runai_access.accounts.models import User, normalise_email
from runai_access.accounts.validators import is_email
from runai_access.api.throttles import attempt, network_of
from runai_access.audit.recorder import Actor, Entity, Origin, record_once_a_minute
from runai_access.errors import Busy

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
    auth.login(request, user)
    actor = Caller(user.subject, origin).actor
    record_once_a_minute(
        "sign-in", Entity("user", str(user.pk), email), actor=actor, succeeded=True
    )
    return user


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
