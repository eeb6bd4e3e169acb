"""Light, dark, or as the system has it: kept in a cookie, so that the first paint is right."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

THEMES = ("system", "light", "dark")
COOKIE = "theme"
_YEAR = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """Return the theme that this browser chose."""
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in THEMES else THEMES[0]


def remember_theme(response: HttpResponse, theme: str) -> None:
    """Let this browser keep its choice; anything unknown means the system's."""
    # The script that switches at once writes the same cookie, so it is not HttpOnly.
    response.set_cookie(
        COOKIE,
        theme if theme in THEMES else THEMES[0],
        max_age=_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
