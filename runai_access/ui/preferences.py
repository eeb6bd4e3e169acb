"""Reading and keeping what a person chose for a table."""

from typing import Any

from django.http import HttpRequest

from runai_access.ui.models import TablePreference


def preference_of(request: HttpRequest, table: str) -> TablePreference:
    """Return what this person chose, or the defaults; nothing is written."""
    person: Any = request.user
    kept = TablePreference.objects.filter(user=person, table=table).first()
    return kept or TablePreference(user=person, table=table)


def remember(request: HttpRequest, table: str, **chosen: Any) -> None:
    """Keep what this person chose, and leave the rest as it was."""
    person: Any = request.user
    TablePreference.objects.update_or_create(user=person, table=table, defaults=chosen)
