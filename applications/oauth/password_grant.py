"""Bearer tokens for users: the password grant (RFC 6749 §4.3), if the installation allows it.

RFC 9700 §2.4 forbids it, so it is off by default. Enable it for scripts that support nothing else,
until they have an application. This module knows only Django's user model: `accounts` is a sibling app.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.module_loading import import_string

from applications.oauth.tokens import AccessToken, get_active_application, issue_to

# RFC 9068 §2.2 requires a client in each token; here it is the console itself.
CLIENT_ID = "runai-access"


def token_for(request: HttpRequest, *, email: str, password: str) -> AccessToken | None:
    """Return a token for the user with this email and password, or None.

    Failures are limited and audited as on the sign-in page. Raises TooMany and Busy.
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


def get_enabled_principal(claims: dict[str, Any]) -> Any:
    """Return the application or user of verified claims. Raises InvalidToken if the token is revoked.

    The tokens of a user end with the user's sessions, when the setting is turned off, and when a second
    factor is required.
    """
    if not settings.PASSWORD_GRANT or claims["client_id"] != CLIENT_ID:
        return get_active_application(claims)
    users = get_user_model().objects.filter(subject__enabled=True, temporary_password_until=None)
    try:
        user = users.filter(pk=claims["sub"], sessions_id=claims["cid"]).first()
    except ValidationError:  # not a UUID
        user = None
    if user is not None and import_string(settings.USER_REQUIRES_SECOND_FACTOR)(user):
        user = None
    return user or get_active_application(claims)
