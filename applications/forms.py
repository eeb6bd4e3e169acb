"""The forms of the Applications page. `validators` defines valid names."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any, Self

from django import forms
from django.conf import settings
from django.utils import timezone

from applications.actions.secrets import check_expiry, check_label
from applications.details import DetailsChange, find_owner
from applications.models import Application
from applications.secret_search import MAX_LENGTH
from applications.validators import (
    MIN_TOKEN_LIFETIME,
    read_labels,
    valid_description,
    validate_name,
)
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


class DetailsForm(forms.Form):
    """The form of the DETAILS dialog."""

    owner = CheckedField(find_owner, required=False)
    description = CheckedField(valid_description, required=False)
    labels = forms.CharField(required=False)

    @classmethod
    def of(cls, application: Application) -> Self:
        """Return the form with the details of an application."""
        owner = application.living_owner
        return cls(
            initial={
                "owner": owner.name if owner else "",
                "description": application.description,
                "labels": "\n".join(application.label_texts),
            }
        )

    def clean_labels(self) -> dict[str, str]:
        return read_labels(self.cleaned_data["labels"].splitlines())

    def change(self) -> DetailsChange:
        """Return the change of a valid form."""
        return DetailsChange(**self.cleaned_data)


class AllowedAddressesForm(forms.Form):
    """The form of the ALLOWED ADDRESSES dialog: one network on each line. The action validates them."""

    addresses = forms.CharField(required=False)

    def change(self) -> DetailsChange:
        """Return the change of a valid form."""
        return DetailsChange(networks=self.cleaned_data["addresses"].splitlines())


class BulkDetailsForm(forms.Form):
    """The form that changes details of several applications; unchecked details stay as they are."""

    sets_owner = forms.BooleanField(required=False)
    owner = forms.CharField(required=False)
    sets_description = forms.BooleanField(required=False)
    description = forms.CharField(required=False)
    labels = forms.CharField(required=False)
    removed = forms.CharField(required=False)

    def clean_owner(self) -> str:
        return self._checked("owner", find_owner)

    def clean_description(self) -> str:
        return self._checked("description", valid_description)

    def clean_labels(self) -> dict[str, str]:
        return read_labels(self.cleaned_data["labels"].splitlines())

    def clean_removed(self) -> list[str]:
        """Return the keys of the labels to remove, one on each line, with or without a value."""
        keys = [
            line.partition("=")[0].strip() for line in self.cleaned_data["removed"].splitlines()
        ]
        return [key for key in keys if key]

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        names = ("sets_owner", "sets_description", "labels", "removed")
        if not self.errors and not any(given[name] for name in names):
            raise forms.ValidationError("Choose what to change.")
        return given

    def change(self) -> DetailsChange:
        """Return the change of a valid form."""
        given = self.cleaned_data
        return DetailsChange(
            owner=given["owner"] if given["sets_owner"] else None,
            description=given["description"] if given["sets_description"] else None,
            added=given["labels"],
            removed=given["removed"],
        )

    def _checked(self, name: str, check: Callable[[Any], object]) -> str:
        """Return a detail, which only counts if its box is checked."""
        text: str = self.cleaned_data[name]
        if text and self.cleaned_data[f"sets_{name}"]:
            run_check(check, text)
        return text


class FindSecretForm(forms.Form):
    """The form of the FIND A SECRET page. Its text is never shown again."""

    text = forms.CharField(
        strip=False,
        max_length=MAX_LENGTH,
        error_messages={
            "required": "Paste a text.",
            "max_length": f"Paste at most {MAX_LENGTH:,} characters.",
        },
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
