"""Password strength: zxcvbn's estimate, based on words, names, dates and patterns."""

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

# "Safely unguessable": 10^8 guesses or more, on zxcvbn's scale from 0 to 4.
MIN_SCORE = 3
# The limit of zxcvbn. Further characters only add strength.
MAX_ESTIMATED_LENGTH = 72
PRODUCT_WORDS = ("runai-access", "runai", "run:ai", "access")
_ADVICE = "Use a passphrase of a few uncommon words."


class StrengthValidator:
    """Refuses passwords that are easy to guess, including variations of the user's email."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError, with zxcvbn's reason, for a score below MIN_SCORE."""
        if not password:
            return  # the length validator refuses it
        estimate = zxcvbn(password[:MAX_ESTIMATED_LENGTH], user_inputs=_context_words(user))
        if estimate["score"] < MIN_SCORE:
            warning = estimate["feedback"]["warning"]
            reason = f" {warning.rstrip('.')}." if warning else ""
            raise ValidationError(
                f"This password is too easy to guess.{reason} {_ADVICE}", code="password_too_weak"
            )

    def get_help_text(self) -> str:
        return _ADVICE


def _context_words(user: Any) -> list[str]:
    """Return the words an attacker would try first: of the user, the account and the product."""
    email = getattr(user, "email", "") or ""
    name, _, domain = email.partition("@")
    names = [email, name, domain, settings.ACCOUNT_NAME]
    parts = re.split(r"\W+", " ".join(names))
    joined = [re.sub(r"\W+", "", name) for name in names]
    return [word for word in (*names, *parts, *joined, *PRODUCT_WORDS) if word]
