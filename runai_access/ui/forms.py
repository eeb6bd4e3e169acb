"""Form helpers: protection against double submission, and Retry-After."""

import math
import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse

INCOMPLETE = "This form came without its number. Please send it again."


class CheckedField(forms.CharField):
    """A text with a `check` from the domain, which raises ValidationError.

    The form checks it before the action does, so that all wrong fields show their errors together.
    """

    def __init__(self, check: Callable[[str], object], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check = check

    def run_validators(self, value: Any) -> None:
        super().run_validators(value)
        if value not in self.empty_values:
            run_check(self._check, value)


def run_check(check: Callable[[Any], object], value: object) -> None:
    """Run a check of the domain. A field of a form needs its error without the name of a field."""
    try:
        check(value)
    except ValidationError as error:
        raise ValidationError(error.messages) from error


class SubmissionForm(forms.Form):
    """A form with a submission ID, so that a repeated submission is recognized."""

    submission = forms.UUIDField(
        error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE},
    )

    @property
    def number(self) -> uuid.UUID:
        """The submission ID: the submitted one, else a new one."""
        came_with: uuid.UUID | None = getattr(self, "cleaned_data", {}).get("submission")
        return came_with or uuid.uuid4()


def duration(seconds: int) -> str:
    """Return a duration as text in one unit, of which there are few, rounded up."""
    if seconds < 60:
        unit, length = "second", 1
    elif seconds < 2 * 3600:
        unit, length = "minute", 60
    elif seconds < 2 * 86_400:
        unit, length = "hour", 3600
    else:
        unit, length = "day", 86_400
    number = math.ceil(seconds / length)
    return f"{number} {unit}{'s' if number > 1 else ''}"


def later(response: HttpResponse, seconds: int) -> HttpResponse:
    """Add a Retry-After header, in seconds, to a response."""
    response.headers["Retry-After"] = str(seconds)
    return response
