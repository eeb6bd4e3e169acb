"""The forms of the Applications page. `validators` defines valid names."""

from datetime import UTC, datetime, time, timedelta

from django import forms
from django.utils import timezone

from applications.validators import validate_name
from runai_access.ui.forms import SubmissionForm


class CreateApplicationForm(SubmissionForm):
    """The form of the create dialog."""

    name = forms.CharField(
        validators=[validate_name],
        error_messages={"required": "Enter a name."},
    )


class AddSecretForm(SubmissionForm):
    """The form of the dialog that adds a client secret. The action validates label and expiry."""

    EXPIRIES = [
        ("30", "30 days"),
        ("90", "90 days"),
        ("180", "180 days"),
        ("365", "365 days"),
        ("date", "Another date"),
        ("never", "Never"),
    ]

    label = forms.CharField(required=False, strip=True)
    expiry = forms.ChoiceField(choices=EXPIRIES, initial="90")
    date = forms.DateField(required=False, error_messages={"invalid": "Enter a date."})

    def clean_date(self) -> datetime | None:
        """Return when the secret expires: at the end of the date, in UTC. None means never."""
        expiry, date = self.cleaned_data.get("expiry"), self.cleaned_data["date"]
        if expiry == "date":
            if date is None:
                raise forms.ValidationError("Enter a date.")
            return datetime.combine(date, time.max, UTC).replace(microsecond=0)
        if expiry in (None, "never"):
            return None
        return timezone.now() + timedelta(days=int(expiry))
