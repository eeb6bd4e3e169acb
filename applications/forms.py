"""The forms of the Applications page. What a name may be is the validator's to say."""

from django import forms

from applications.validators import validate_name
from runai_access.ui.forms import SubmissionForm


class CreateApplicationForm(SubmissionForm):
    """The name of a new application."""

    name = forms.CharField(
        validators=[validate_name],
        error_messages={"required": "Enter a name."},
    )
