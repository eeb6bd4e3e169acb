"""Errors of the domain. Pages and API turn them into responses.

For invalid input, actions raise Django's ValidationError with the name of the field.
"""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class DomainError(Exception):
    """The base of all expected errors."""


class Refusal(DomainError):
    """The base of errors of one item, which do not stop the other items of a bulk action."""


class Denied(Refusal):
    """The caller lacks a permission. The message names it, and the scope."""


class NotFound(Refusal):
    """The ID does not exist, or is not visible to the caller."""


class Conflict(Refusal):
    """The request conflicts with existing data. `field` is the input to change, if any."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class UserMustAct(DomainError):
    """The user must do something on a page first."""


class TemporaryPassword(UserMustAct):
    """The caller has a temporary password and must choose a new one first."""


class EnrollmentRequired(UserMustAct):
    """The caller must set up a second factor first."""


class ReauthenticationRequired(UserMustAct):
    """The user of this session must confirm their password before a dangerous action."""


class AlreadyDone(DomainError):
    """This form was already submitted. The action does not run, and secrets are not shown, again."""


class Busy(DomainError):
    """Too many expensive operations at the same time. Retry after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooMany(Busy):
    """The caller has made too many attempts."""


def attempt(act: Callable[[T], R], item: T) -> R | Refusal:
    """Return the result of `act`, or the refusal that it raised."""
    try:
        return act(item)
    except Refusal as refusal:
        return refusal


def require_success(result: R | Refusal) -> R:
    """Return the result of an action. Raises its refusal."""
    if isinstance(result, Refusal):
        raise result
    return result
