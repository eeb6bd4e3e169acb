"""The sign-in form."""

from django import forms

EMAIL_MAX_LENGTH = 255
PASSWORD_MAX_LENGTH = 1024
WRONG = "The e-mail or the password is wrong."


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
