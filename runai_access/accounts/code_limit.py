"""The limit on wrong codes of a user, at all addresses together.

Only someone who knows the password can reach it, so it lasts longer than that of passwords: an
attacker has many addresses, and a code only six digits. A new password ends it, because the attacker
lacks that.
"""

from django.conf import settings

from runai_access.accounts.models import User
from runai_access.security.throttles import Attempt, Limit


def limit_of_user(user: User) -> Limit:
    return Limit(
        ("second factor user", str(user.pk)),
        settings.SECOND_FACTOR_FAILURES,
        settings.SECOND_FACTOR_LOCK_SECONDS,
    )


def forget_wrong_codes(user: User) -> None:
    """Let a user with a new password, or without the former factors, enter codes again."""
    Attempt((limit_of_user(user),)).forget()
