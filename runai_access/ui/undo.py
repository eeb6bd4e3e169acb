"""UNDO: a message offers to reverse the action that it reports.

The button posts to a URL with a signed token, which says what to restore and expires. The view behind
the URL checks the caller's permissions like any other action.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest

SECONDS = 60
TOO_LATE = f"It is too late to undo: this is possible for {SECONDS} seconds."
_SALT = "runai_access.undo"


def report_undoable(request: HttpRequest, text: str, url: str, **what: object) -> None:
    """Report a success with an UNDO button, which posts to `url`."""
    token = signing.dumps({"user": str(request.user.pk), **what}, salt=_SALT)
    messages.success(request, text, extra_tags=f"{url}?{urlencode({'token': token})}")


def read_token(request: HttpRequest) -> dict[str, Any] | None:
    """Return what the request restores; None if its token is invalid, expired or another user's."""
    try:
        what: dict[str, Any] = signing.loads(
            request.GET.get("token", ""), salt=_SALT, max_age=SECONDS
        )
    except signing.BadSignature:
        return None
    return what if what.pop("user", "") == str(request.user.pk) else None
