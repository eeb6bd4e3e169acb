"""Form helpers: protection against double submission, and Retry-After."""

import uuid

from django import forms
from django.http import HttpResponse

INCOMPLETE = "This form came without its number. Please send it again."


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


def later(response: HttpResponse, seconds: int) -> HttpResponse:
    """Add a Retry-After header, in seconds, to a response."""
    response.headers["Retry-After"] = str(seconds)
    return response
