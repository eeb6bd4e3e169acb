"""What the frame around every page needs to know."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from runai_access.ui.themes import theme_of


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the account's name and the chosen theme for the frame."""
    return {"account_name": settings.ACCOUNT_NAME, "theme": theme_of(request)}
