"""Theme: light, dark or system. Stored in a cookie, so that the first paint is right."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

THEMES = ("system", "light", "dark")
COOKIE = "theme"
_YEAR = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """Return the theme stored in the cookie."""
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in THEMES else THEMES[0]


def remember_theme(response: HttpResponse, theme: str) -> None:
    """Store the theme in a cookie; an unknown one means system."""
    # Not HttpOnly: the script that switches the theme writes the same cookie.
    response.set_cookie(
        COOKIE,
        theme if theme in THEMES else THEMES[0],
        max_age=_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
