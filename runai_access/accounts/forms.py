"""The forms about people. What an email and a password must be is the actions' to say."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from accessrules.console.pickers.subjects import SubjectPicker
from accessrules.models import Subject
from runai_access.accounts.models import Group
from runai_access.accounts.passwords import PASSWORD_MAX_LENGTH
from runai_access.accounts.validators import EMAIL_MAX_LENGTH
from runai_access.db.normalization import normalize_password
from runai_access.ui.forms import SubmissionForm

WRONG = "The email or the password is wrong."
DIFFERENT = "This differs from the new password."


class SignInForm(forms.Form):
    """Email and password. What is too long to be right is wrong, and costs no hash."""

    email = forms.CharField(
        label="Email",
        max_length=EMAIL_MAX_LENGTH,
        error_messages={"required": "Enter your email.", "max_length": WRONG},
    )
    password = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        error_messages={"required": "Enter your password.", "max_length": WRONG},
    )


class NewUserForm(SubmissionForm):
    """The email of a new person."""

    email = forms.CharField(
        max_length=EMAIL_MAX_LENGTH,
        error_messages={
            "required": "Enter an email.",
            "max_length": f"An email has {EMAIL_MAX_LENGTH} characters at most.",
        },
    )


class NewGroupForm(forms.Form):
    """The name of a new group."""

    name = forms.CharField(error_messages={"required": "Enter a name."})


class GroupForm(forms.Form):
    """One of the groups that are in sight."""

    def __init__(self, *args: Any, groups: QuerySet[Group], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = groups
        self.fields["group"] = forms.ModelChoiceField(
            queryset=groups,
            error_messages={
                "required": "Select a group.",
                "invalid_choice": "This group is gone. Select another one.",
            },
        )

    @property
    def chosen(self) -> Group:
        """The group of a valid form."""
        group: Group = self.cleaned_data["group"]
        return group


class MembersForm(forms.Form):
    """People and applications, as a picker has them."""

    subject = forms.CharField(required=False)

    def __init__(self, *args: Any, picker: SubjectPicker, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._picker = picker

    def clean_subject(self) -> list[Subject]:
        """Return those chosen; refuse none, too many, and those who are gone."""
        chosen = self._picker.chosen
        if self._picker.gone:
            raise forms.ValidationError("Some of those selected are gone; look at the others.")
        if not chosen:
            raise forms.ValidationError("Select a user or an application.")
        if len(chosen) > self._picker.most:
            raise forms.ValidationError(f"Select {self._picker.most} at most.")
        return chosen


class OwnPasswordForm(forms.Form):
    """The current password, and a new one twice. None of them is ever sent back."""

    current = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        error_messages={
            "required": "Enter the password that you have now.",
            "max_length": "This is not your password.",
        },
    )
    new = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        error_messages={
            "required": "Enter a new password.",
            "max_length": f"A password has {PASSWORD_MAX_LENGTH} characters at most.",
        },
    )
    again = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        error_messages={
            "required": "Enter the new password once more.",
            "max_length": DIFFERENT,
        },
    )

    def clean(self) -> None:
        """Refuse two that differ: what was mistyped would lock its owner out."""
        new, again = self.cleaned_data.get("new"), self.cleaned_data.get("again")
        if new and again and normalize_password(new) != normalize_password(again):
            self.add_error("again", DIFFERENT)
