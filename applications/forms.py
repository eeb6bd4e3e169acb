"""The forms of the Applications page. `validators` defines valid names."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone

from applications.actions import check_expiry, check_label
from applications.validators import MIN_TOKEN_LIFETIME, validate_name
from runai_access.ui.forms import CheckedField, SubmissionForm, run_check


class CreateApplicationForm(SubmissionForm):
    """The form of the create dialog."""

    name = forms.CharField(
        validators=[validate_name],
        error_messages={"required": "Enter a name."},
    )


_DAYS = (30, 90, 180, 365)
_SUGGESTED_DAYS = 90


def _expiries() -> list[tuple[str, str]]:
    """Return the expiries to choose from, within the policy of the installation."""
    maximum, default = settings.SECRET_MAX_AGE_DAYS, settings.SECRET_EXPIRY_DAYS
    days = sorted({*_DAYS, *([default] if default else [])})
    shown = [(str(n), f"{n} days") for n in days if not maximum or n <= maximum]
    return [*shown, ("date", "Another date"), *([] if maximum else [("never", "Never")])]


def _first_expiry() -> str:
    return str(settings.SECRET_EXPIRY_DAYS or _SUGGESTED_DAYS)


class AddSecretForm(SubmissionForm):
    """The form of the dialog that adds a client secret."""

    label = CheckedField(check_label, required=False)
    expiry = forms.ChoiceField(choices=_expiries, initial=_first_expiry)
    date = forms.DateField(required=False, error_messages={"invalid": "Enter a date."})

    def clean_date(self) -> datetime | None:
        """Return when the secret expires: at the end of the date, in UTC. None means never."""
        expiry, date = self.cleaned_data.get("expiry"), self.cleaned_data["date"]
        if expiry == "date":
            if date is None:
                raise forms.ValidationError("Enter a date.")
            end = datetime.combine(date, time.max, UTC).replace(microsecond=0)
            run_check(check_expiry, end)
            return end
        if expiry in (None, "never"):
            return None
        return timezone.now() + timedelta(days=int(expiry))


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
