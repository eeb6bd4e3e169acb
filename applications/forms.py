"""The forms of the Applications page. `validators` defines valid names."""

from django import forms

from applications.validators import validate_name
from runai_access.ui.forms import SubmissionForm


class CreateApplicationForm(SubmissionForm):
    """The form of the create dialog."""

    name = forms.CharField(
        validators=[validate_name],
        error_messages={"required": "Enter a name."},
    )
