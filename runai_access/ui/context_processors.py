"""Template context of the page frame."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from runai_access.ui.themes import theme_of


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the account name and the theme."""
    return {"account_name": settings.ACCOUNT_NAME, "theme": theme_of(request)}
