"""Forms that every page may need."""

import uuid

from django import forms

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
