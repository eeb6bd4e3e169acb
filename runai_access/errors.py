"""What can go wrong, in the domain's own words. Pages and API turn these into answers.

Input that breaks a rule is Django's ValidationError with the field it names; the rest is here.
"""


class DomainError(Exception):
    """The base of every refusal that is part of the product."""


class Denied(DomainError):
    """The caller may not do this; the text says which permission is missing and where."""


class NotFound(DomainError):
    """Nothing of that id exists in the caller's sight."""


class Conflict(DomainError):
    """What is asked for contradicts what exists; `field` names the input to change, if one."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class TemporaryPassword(DomainError):
    """Whoever asks signed in with a temporary password, and has to choose an own one first."""


class AlreadyDone(DomainError):
    """This very form was sent before and did its work; nothing is done or shown twice."""


class Busy(DomainError):
    """Too much of the same expensive work at once; try again after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooMany(Busy):
    """This caller has tried too often; the same for everyone who does."""
