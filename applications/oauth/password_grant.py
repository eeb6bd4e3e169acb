"""Bearer tokens for people: the `password` grant (RFC 6749 §4.3), only where a setting allows it.

RFC 9700 §2.4 says that it must not be used, so it is off; scripts that know nothing else keep it on
until they have an application of their own. Who people are, the settings say: applications come
beside them, and know only what Django knows of a user.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.module_loading import import_string

from applications.oauth.tokens import AccessToken, issue_to, living_application

# RFC 9068 §2.2 wants a client in every token; here it is the console itself.
CLIENT_ID = "runai-access"


def token_for(request: HttpRequest, *, email: str, password: str) -> AccessToken | None:
    """Return a token for the person whose password this is, else None.

    Guesses are limited and recorded as those on the sign-in page are; raises TooMany and Busy.
    """
    user = import_string(settings.USER_SIGN_IN)(request, email=email, password=password)
    if user is None:
        return None
    return issue_to(
        user.pk,
        client_id=CLIENT_ID,
        credential_id=user.sessions_id,
        lifetime=settings.TOKEN_LIFETIME_SECONDS,
    )


def get_enabled_user(claims: dict[str, Any]) -> Any:
    """Return the application or the person of a verified token; raise InvalidToken where that has
    ended: a person's with every session of theirs, and with the setting."""
    if not settings.PASSWORD_GRANT or claims["client_id"] != CLIENT_ID:
        return living_application(claims)
    users = get_user_model().objects.filter(subject__enabled=True, temporary_password_until=None)
    try:
        user = users.filter(pk=claims["sub"], sessions_id=claims["cid"]).first()
    except ValidationError:  # what is no UUID names nobody
        user = None
    return user or living_application(claims)
