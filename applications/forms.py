"""The forms of the Applications page. `validators` defines valid names."""

from typing import Any

from django import forms
from django.conf import settings

from applications.validators import MIN_TOKEN_LIFETIME, validate_name
from runai_access.ui.forms import SubmissionForm


class CreateApplicationForm(SubmissionForm):
    """The form of the create dialog."""

    name = forms.CharField(
        validators=[validate_name],
        error_messages={"required": "Enter a name."},
    )


class TokenLifetimeForm(forms.Form):
    """The form of the TOKEN LIFETIME dialog; no value means the default of the installation."""

    min = MIN_TOKEN_LIFETIME

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max = settings.TOKEN_LIFETIME_MAX_SECONDS
        outside = f"Enter {self.min} to {self.max} seconds, or nothing for the default."
        messages = dict.fromkeys(("invalid", "min_value", "max_value"), outside)
        self.fields["seconds"] = forms.IntegerField(
            required=False, min_value=self.min, max_value=self.max, error_messages=messages
        )
