"""What the frame around every page needs to know."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the account's name for the frame."""
    return {"account_name": settings.ACCOUNT_NAME}
