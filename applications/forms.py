"""The forms of the Applications page. What a name may be is the validator's to say."""

import uuid

from django import forms

from applications.validators import validate_name

INCOMPLETE = "This form came without its number. Please send it again."


class SubmissionForm(forms.Form):
    """A form that does its work once: its number tells a second sending from a new wish."""

    submission = forms.UUIDField(
        initial=uuid.uuid4,
        widget=forms.HiddenInput,
        error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE},
    )


class CreateApplicationForm(SubmissionForm):
    """The name of a new application."""

    name = forms.CharField(
        validators=[validate_name],
        error_messages={"required": "Enter a name."},
    )
