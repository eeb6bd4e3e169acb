"""What forms of every page share: a number against double submission, and a wait after a refusal."""

import uuid

from django import forms
from django.http import HttpResponse

INCOMPLETE = "This form came without its number. Please send it again."


class SubmissionForm(forms.Form):
    """A form that does its work once: its number tells a second sending from a new wish."""

    submission = forms.UUIDField(
        error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE},
    )

    @property
    def number(self) -> uuid.UUID:
        """The number to send with: the one this form came with, if it did, else a new one."""
        came_with: uuid.UUID | None = getattr(self, "cleaned_data", {}).get("submission")
        return came_with or uuid.uuid4()


def later(response: HttpResponse, seconds: int) -> HttpResponse:
    """Add a Retry-After header to a response: the form can be sent again after that many seconds."""
    response.headers["Retry-After"] = str(seconds)
    return response
