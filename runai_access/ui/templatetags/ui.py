"""What templates of every page use: times."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone

register = template.Library()

_UNITS = [
    (365 * 24 * 3600, "year"),
    (30 * 24 * 3600, "month"),
    (7 * 24 * 3600, "week"),
    (24 * 3600, "day"),
    (3600, "hour"),
    (60, "minute"),
]


@register.inclusion_tag("ui/_time.html")
def moment(time: datetime, *, relative: bool = False) -> dict[str, Any]:
    """Show a time exactly, or as a distance with the exact time behind it."""
    return {"time": time, "distance": distance(time) if relative else ""}


def distance(time: datetime, now: datetime | None = None) -> str:
    """Return how long ago `time` is in its largest whole unit, for example "3 hours ago"."""
    seconds = int(((now or timezone.now()) - time).total_seconds())
    for size, unit in _UNITS:
        count = seconds // size
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
