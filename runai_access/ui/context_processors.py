"""Template context of the page frame."""

from typing import Any

from django.conf import settings
from django.contrib.messages import ERROR
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest

from runai_access.lists.times import current_zone_label, current_zone_name
from runai_access.ui.themes import theme_of


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the account name, the theme, and the person's time zone."""
    return {
        "account_name": settings.ACCOUNT_NAME,
        "theme": theme_of(request),
        # Of messages that only the browser can write.
        "error_message": Message(ERROR, ""),
        "zone_name": current_zone_name(),
        "zone_label": current_zone_label(),
    }
