"""Times as a person reads them: the time zone and the date format of the current request.

A middleware activates both for pages. Everything else, the API too, uses UTC.
"""

import time as clock
from contextvars import ContextVar
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.utils import timezone

DATE_FORMATS = {"text": "30 Nov 2026", "iso": "2026-11-30"}
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MAX_NAME_LENGTH = 60

date_format: ContextVar[str] = ContextVar("date_format", default="text")


@lru_cache(maxsize=256)
def zone_named(name: str) -> tzinfo | None:
    """Return the time zone with this IANA name, or None if there is none."""
    if name == "UTC":
        return UTC
    if len(name) > _MAX_NAME_LENGTH or name not in zone_names():
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """Return the IANA names of all time zones that have a region, sorted."""
    return tuple(sorted(name for name in available_timezones() if "/" in name))


def current_zone_name() -> str:
    """Return the IANA name of the person's time zone."""
    return timezone.get_current_timezone_name()


def current_zone_label() -> str:
    """Return the abbreviation that the person's time zone has now, for example "CET"."""
    return _label_in_minute(timezone.get_current_timezone(), int(clock.time() // 60))


@lru_cache(maxsize=256)
def _label_in_minute(zone: tzinfo, minute: int) -> str:
    return zone_label(datetime.fromtimestamp(minute * 60, zone))


def zone_label(local: datetime) -> str:
    """Return the abbreviation of the zone at that time: "EST", or "UTC+10:30" for zones without one."""
    name = local.tzname() or "UTC"
    if name[0] not in "+-":
        return name
    return f"UTC{name[:3]}:{name[3:]}" if name[3:] else f"UTC{name[:3]}"


def to_local(time: datetime) -> datetime:
    """Return a time in the person's time zone."""
    return time.astimezone(timezone.get_current_timezone())


def date_text(day: date) -> str:
    """Return a date in the person's format."""
    if date_format.get() == "iso":
        return f"{day.year:04}-{day.month:02}-{day.day:02}"
    return f"{day.day} {_MONTHS[day.month]} {day.year}"


def time_text(local: datetime, *, seconds: bool = False) -> str:
    """Return a date and time of day in the person's format, without the zone."""
    day = date_text(local)
    separator = " " if date_format.get() == "iso" else ", "
    text = f"{day}{separator}{local.hour:02}:{local.minute:02}"
    return f"{text}:{local.second:02}" if seconds else text
