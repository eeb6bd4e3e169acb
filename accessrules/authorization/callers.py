"""Who is asking: a subject with its authority, or the machine itself for commands."""

from dataclasses import dataclass, field
from typing import Protocol, Self

from django.http import HttpRequest
from django.utils.functional import cached_property

from accessrules.authorization.authority import Authority, authority_of, unlimited_authority
from accessrules.models import Subject
from runai_access.audit.recorder import Actor, Entity, Origin, record_once_a_minute
from runai_access.errors import Denied

_ACTION_OF_METHOD = {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


class HasSubject(Protocol):
    """A user or an application: whoever signed in to make a request."""

    subject: Subject


@dataclass(frozen=True)
class Caller:
    """The one who asks for something, for the length of one request or command."""

    subject: Subject | None
    origin: Origin = field(default_factory=Origin)

    @cached_property
    def authority(self) -> Authority:
        """What the caller may do, read when first asked."""
        return authority_of(self.subject) if self.subject else unlimited_authority()

    def refresh_authority(self) -> Self:
        """Have what the caller may do read again; return the caller.

        Every action asks so once it holds its locks: what was allowed when the request began, to be
        sent slowly or to wait for a lock or a hash, may be over by then.
        """
        self.__dict__.pop("authority", None)
        return self

    @property
    def name(self) -> str:
        """The name that goes into "created by"."""
        return self.subject.name if self.subject else "system"

    @property
    def actor(self) -> Actor:
        """The caller as the audit record names it."""
        if self.subject is None:
            return Actor("system", "system", origin=self.origin)
        return Actor(self.subject.type, self.subject.name, self.subject.pk, self.origin)


SYSTEM = Caller(subject=None)


def caller_of(request: HttpRequest) -> Caller:
    """Return the caller of a signed-in request, the same one however often it is asked."""
    caller: Caller | None = getattr(request, "_caller", None)
    if caller is None:
        user: HasSubject = request.user  # type: ignore[assignment]  # only signed-in requests come here
        caller = Caller(user.subject, getattr(request, "origin", Origin()))
        request._caller = caller  # type: ignore[attr-defined]  # kept for this request only
    return caller


def record_denial(request: HttpRequest, denied: Denied) -> None:
    """Record in the audit log that this request was refused, and why."""
    record_once_a_minute(
        _ACTION_OF_METHOD.get(request.method or "", "read"),
        Entity("request", name=request.path),
        actor=caller_of(request).actor,
        succeeded=False,
        reason=str(denied),
    )
