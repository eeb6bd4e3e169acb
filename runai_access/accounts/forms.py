"""The forms about people. What an e-mail and a password must be is the actions' to say."""

from django import forms

from runai_access.accounts.passwords import PASSWORD_MAX_LENGTH
from runai_access.accounts.validators import EMAIL_MAX_LENGTH

WRONG = "The e-mail or the password is wrong."
DIFFERENT = "This differs from the new password."


class SignInForm(forms.Form):
    """E-mail and password. What is too long to be right is wrong, and costs no hash."""

    email = forms.CharField(
        label="E-mail",
        max_length=EMAIL_MAX_LENGTH,
        error_messages={"required": "Enter your e-mail.", "max_length": WRONG},
    )
    password = forms.CharField(
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        error_messages={"required": "Enter your password.", "max_length": WRONG},
    )


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
        if new and again and new != again:
            self.add_error("again", DIFFERENT)
