"""Reading and keeping what a person chose for a table."""

from typing import Any

from django.http import HttpRequest

from runai_access.ui.models import TablePreference


def preference_of(request: HttpRequest, table: str) -> TablePreference:
    """Return what this person chose, or the defaults; nothing is written."""
    user: Any = request.user
    kept = TablePreference.objects.filter(user=user, table=table).first()
    return kept or TablePreference(user=user, table=table)


def remember(request: HttpRequest, table: str, **chosen: Any) -> None:
    """Keep what this person chose, and leave the rest as it was."""
    user: Any = request.user
    TablePreference.objects.update_or_create(user=user, table=table, defaults=chosen)
