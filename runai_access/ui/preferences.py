"""Loading and saving table preferences."""

from typing import Any

from django.http import HttpRequest

from runai_access.ui.models import TablePreference


def preference_of(request: HttpRequest, table: str) -> TablePreference:
    """Return the user's preference for a table, or an unsaved one with defaults."""
    user: Any = request.user
    kept = TablePreference.objects.filter(user=user, table=table).first()
    return kept or TablePreference(user=user, table=table)


def remember(request: HttpRequest, table: str, **chosen: Any) -> None:
    """Save the given fields of the user's preference; keep the others."""
    user: Any = request.user
    TablePreference.objects.update_or_create(user=user, table=table, defaults=chosen)
