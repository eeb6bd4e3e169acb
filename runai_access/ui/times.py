"""The time zone and date format of a person: chosen on the account page, else the browser's.

Cookies store them, as for the theme, so that the first paint is right. The parameter `zone` of a URL
comes first: a list filtered by days then shows the same rows to everyone.
"""

from collections.abc import Callable
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from runai_access.errors_views import PROGRAM_PATHS
from runai_access.lists.times import DATE_FORMATS, date_format, zone_named

BROWSER_ZONE, CHOSEN_ZONE, FORMAT = "browser-zone", "zone", "date-format"
_YEAR = 365 * 24 * 3600


class TimesMiddleware:
    """Activates the person's time zone and date format for pages and their files."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PROGRAM_PATHS):
            return self._get_response(request)
        token = date_format.set(format_of(request))
        try:
            with timezone.override(_zone_of(request)):
                return self._get_response(request)
        finally:
            date_format.reset(token)


def chosen_zone(request: HttpRequest) -> str:
    """Return the name of the chosen time zone; "" for the browser's."""
    name = request.COOKIES.get(CHOSEN_ZONE, "")
    return name if name and zone_named(name) else ""


def format_of(request: HttpRequest) -> str:
    """Return the chosen date format, a key of DATE_FORMATS."""
    chosen = request.COOKIES.get(FORMAT, "")
    return chosen if chosen in DATE_FORMATS else next(iter(DATE_FORMATS))


def remember_times(response: HttpResponse, *, zone: str, format_: str) -> None:
    """Store the choices in cookies. An unknown zone means the browser's."""
    _remember(response, CHOSEN_ZONE, zone if zone_named(zone) else "")
    _remember(response, FORMAT, format_ if format_ in DATE_FORMATS else "")


def _remember(response: HttpResponse, name: str, value: str) -> None:
    if not value:
        response.delete_cookie(name)
        return
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(name, value, max_age=_YEAR, secure=secure, httponly=True, samesite="Lax")


def _zone_of(request: HttpRequest) -> tzinfo | ZoneInfo:
    names = (
        request.GET.get("zone", ""),
        request.COOKIES.get(CHOSEN_ZONE, ""),
        request.COOKIES.get(BROWSER_ZONE, ""),
    )
    return next((zone for name in names if name and (zone := zone_named(name))), UTC)
