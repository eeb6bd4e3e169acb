"""The forms of users and groups. The actions validate emails and passwords."""

import json
from typing import Any

from django import forms
from django.db.models import QuerySet

from accessrules.console.pickers.subjects import SubjectPicker
from accessrules.models import Subject
from runai_access.accounts.actions import WRONG_CURRENT
from runai_access.accounts.mfa.actions import check_passkey_name
from runai_access.accounts.models import Group, User
from runai_access.accounts.passwords import PASSWORD_MAX_LENGTH, check_password
from runai_access.accounts.validators import (
    EMAIL_MAX_LENGTH,
    check_display_name,
    check_email,
    check_group_value,
)
from runai_access.db.normalization import normalize_email, normalize_password
from runai_access.ui.forms import CheckedField, SubmissionForm, run_check

WRONG = "Incorrect email or password."
INCORRECT = "Incorrect password."
WRONG_CODE = "Incorrect code."
REFUSED_PASSKEY = "This passkey was not accepted. Try again, or use another one."
NO_PASSKEY = "The browser sent no passkey. Try again."
# Codes have up to eight digits, and people type spaces.
CODE_MAX_LENGTH = 32
PASSKEY_MAX_LENGTH = 16 * 1024
DIFFERENT = "The passwords don't match."


class SignInForm(forms.Form):
    """Email and password. Values that are too long are refused without hashing."""

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


class CodeForm(forms.Form):
    """A code of an authenticator app, or a recovery code."""

    code = forms.CharField(
        max_length=CODE_MAX_LENGTH,
        error_messages={"required": "Enter a code.", "max_length": WRONG_CODE},
    )


class AppForm(CodeForm):
    """The first code of an authenticator app. `sealed` has the app's secret, for this user only."""

    sealed = forms.CharField(max_length=1024)


class PasskeyForm(forms.Form):
    """The response of the browser that uses a passkey."""

    response = forms.CharField(
        max_length=PASSKEY_MAX_LENGTH,
        error_messages={"required": NO_PASSKEY, "max_length": NO_PASSKEY},
    )

    def clean_response(self) -> Any:
        """Return the JSON value, whatever it is."""
        try:
            return json.loads(self.cleaned_data["response"])
        except (ValueError, RecursionError):
            raise forms.ValidationError(NO_PASSKEY) from None


class NewPasskeyForm(PasskeyForm):
    """The response of the browser that created a passkey, and its name, which can be empty."""

    name = CheckedField(check_passkey_name, required=False)


class PasskeyNameForm(forms.Form):
    """The name of a passkey."""

    name = CheckedField(check_passkey_name, error_messages={"required": "Enter a name."})


class NewUserForm(SubmissionForm):
    """The email and the display name of a new user."""

    email = CheckedField(
        lambda email: check_email(normalize_email(email)),
        max_length=EMAIL_MAX_LENGTH,
        error_messages={
            "required": "Enter an email.",
            "max_length": f"An email can have at most {EMAIL_MAX_LENGTH} characters.",
        },
    )
    display_name = CheckedField(check_display_name, required=False)


class NameForm(forms.Form):
    """The display name of a user."""

    display_name = CheckedField(check_display_name, required=False)


class NewGroupForm(forms.Form):
    """The name of a new group."""

    name = forms.CharField(error_messages={"required": "Enter a name."})


class GroupForm(forms.Form):
    """A choice of one visible group."""

    def __init__(self, *args: Any, groups: QuerySet[Group], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = groups
        self.fields["group"] = forms.ModelChoiceField(
            queryset=groups,
            error_messages={
                "required": "Select a group.",
                "invalid_choice": "This group no longer exists. Select another one.",
            },
        )

    @property
    def chosen(self) -> Group:
        """The selected group of a valid form."""
        group: Group = self.cleaned_data["group"]
        return group


class GroupMappingForm(GroupForm):
    """A value of the groups claim, and a group."""

    value = CheckedField(check_group_value, error_messages={"required": "Enter a value."})


class MembersForm(forms.Form):
    """The users and applications selected in a picker."""

    subject = forms.CharField(required=False)

    def __init__(self, *args: Any, picker: SubjectPicker, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._picker = picker

    def clean_subject(self) -> list[Subject]:
        """Return the selected subjects. Refuses none, too many, and deleted ones."""
        chosen = self._picker.chosen
        if self._picker.gone:
            raise forms.ValidationError(
                "Some selected subjects no longer exist. Check the others and try again."
            )
        if not chosen:
            raise forms.ValidationError("Select a user or an application.")
        if len(chosen) > self._picker.most:
            raise forms.ValidationError(f"Select at most {self._picker.most}.")
        return chosen


class ConfirmForm(forms.Form):
    """The user's password."""

    password = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        error_messages={
            "required": "Enter your password.",
            "max_length": INCORRECT,
        },
    )


class OwnPasswordForm(forms.Form):
    """The current password, and a new one twice. They are never rendered again.

    The action verifies the current password, after the form is valid: each attempt counts.
    """

    current = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        error_messages={
            "required": "Enter your current password.",
            "max_length": WRONG_CURRENT,
        },
    )
    new = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        error_messages={
            "required": "Enter a new password.",
            "max_length": f"A password can have at most {PASSWORD_MAX_LENGTH} characters.",
        },
    )
    again = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        error_messages={
            "required": "Confirm the new password.",
            "max_length": DIFFERENT,
        },
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_new(self) -> str:
        new: str = self.cleaned_data["new"]
        run_check(lambda password: check_password(password, self._user), new)
        return new

    def clean(self) -> None:
        """Refuse different new passwords: a typo would lock the user out."""
        new, again = self["new"].value(), self.cleaned_data.get("again")
        if new and again and normalize_password(new) != normalize_password(again):
            self.add_error("again", DIFFERENT)
