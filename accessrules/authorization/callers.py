"""Callers: the subject of a request with its authority, or the system for commands."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, Self

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property

from accessrules.authorization.authority import Authority, authority_of, unlimited_authority
from accessrules.authorization.grants import can_give_access
from accessrules.models import Subject
from runai_access.audit.recorder import Actor, Entity, Origin, record_once_a_minute
from runai_access.errors import Denied, ReauthenticationRequired

_ACTION_OF_METHOD = {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


class HasSubject(Protocol):
    """A signed-in user or application."""

    subject: Subject


@dataclass(frozen=True)
class Caller:
    """The subject on whose behalf one request or command runs."""

    subject: Subject | None
    origin: Origin = field(default_factory=Origin)
    # When the user of a session last proved who they are; None without a session.
    authenticated_at: datetime | None = None
    # The user or application as read when the request was authenticated; None for commands.
    principal: HasSubject | None = field(default=None, repr=False, compare=False)

    @cached_property
    def authority(self) -> Authority:
        """The caller's permissions, read on first access."""
        return authority_of(self.subject) if self.subject else unlimited_authority()

    def refresh_authority(self) -> Self:
        """Re-read the caller's permissions; return the caller.

        Call after taking locks: permissions can change after the request began (TOCTOU), for example
        while it waits for a lock or a hash.
        """
        self.__dict__.pop("authority", None)
        return self

    def require_recent_authentication(self) -> None:
        """Raise ReauthenticationRequired if the user of this session last signed in too long ago.

        Call before dangerous actions: someone else could be using an unattended browser. Commands and
        callers with a token have no session and need nothing.
        """
        limit = timedelta(seconds=settings.REAUTHENTICATION_SECONDS)
        if self.authenticated_at and timezone.now() - self.authenticated_at > limit:
            raise ReauthenticationRequired(
                f"Confirm that it's you at {settings.PUBLIC_URL}/account/confirm/ and try again."
            )

    def require_recent_authentication_for(self, subject: Subject) -> None:
        """Require it if `subject`, whose access is about to be used, has an administrator role."""
        if self.authenticated_at and can_give_access(subject):
            self.require_recent_authentication()

    @property
    def name(self) -> str:
        """The name for "created by" columns."""
        return self.subject.name if self.subject else "system"

    @property
    def actor(self) -> Actor:
        """The caller as an audit log actor."""
        if self.subject is None:
            return Actor("system", "system", origin=self.origin)
        return Actor(self.subject.type, self.subject.name, self.subject.pk, self.origin)


SYSTEM = Caller(subject=None)


def caller_of(request: HttpRequest) -> Caller:
    """Return the caller of a signed-in request, cached on the request."""
    caller: Caller | None = getattr(request, "_caller", None)
    if caller is None:
        user: HasSubject = request.user  # type: ignore[assignment]  # views require sign-in
        caller = Caller(
            user.subject,
            getattr(request, "origin", Origin()),
            getattr(user, "authenticated_at", None),  # only users of a session have it
            user,
        )
        request._caller = caller  # type: ignore[attr-defined]  # cached per request
    return caller


def request_of(caller: Caller) -> HttpRequest:
    """Return a request of this caller, for commands that show what a page shows."""
    request = HttpRequest()
    request._caller = caller  # type: ignore[attr-defined]  # as cached by `caller_of`
    return request


def record_denial(request: HttpRequest, denied: Denied) -> None:
    """Audit that this request was denied, and why."""
    record_once_a_minute(
        _ACTION_OF_METHOD.get(request.method or "", "read"),
        Entity("request", name=request.path),
        actor=caller_of(request).actor,
        succeeded=False,
        reason=str(denied),
    )
