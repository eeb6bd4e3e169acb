"""The sign-in between its two steps: the password was right, and the second factor is awaited.

The session has the user, and nobody is signed in. No request can name another user.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from runai_access.accounts.models import User

_PENDING = "pending_sign_in"


def begin(request: HttpRequest, user: User) -> None:
    """Let the session wait for the second factor of a user. It gets a new key."""
    request.session.cycle_key()
    until = timezone.now() + timedelta(seconds=settings.SECOND_FACTOR_SECONDS)
    request.session[_PENDING] = {
        "user": str(user.pk),
        "hash": user.get_session_auth_hash(),
        "until": until.timestamp(),
    }
    if not request.user.is_authenticated:
        request.session.set_expiry(settings.SECOND_FACTOR_SECONDS)


def pending_user(request: HttpRequest) -> User | None:
    """Return the user whose second factor is awaited.

    None if it took too long, and if the user was disabled or got a new password meanwhile.
    """
    pending: dict[str, Any] | None = request.session.get(_PENDING)
    if pending is None or pending["until"] <= timezone.now().timestamp():
        return None
    user = User.objects.filter(pk=pending["user"], subject__enabled=True).first()
    if user is None:
        return None
    valid = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    is_same = any(constant_time_compare(hash_, pending["hash"]) for hash_ in valid)
    return user if is_same else None


def end(request: HttpRequest) -> None:
    """Forget that a second factor is awaited."""
    request.session.pop(_PENDING, None)
