"""System checks of applications."""

import sqlite3
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_sqlite(**_: Any) -> list[CheckMessage]:
    """Refuse to start on a SQLite that can't search by substring."""
    if not settings.IS_SQLITE:
        return []
    try:
        with sqlite3.connect(":memory:") as trial:
            trial.execute("CREATE VIRTUAL TABLE trial USING fts5(text, tokenize='trigram')")
    except sqlite3.OperationalError as error:
        return [
            Error(
                f"Search requires SQLite 3.34 or newer with FTS5; this Python has "
                f"{sqlite3.sqlite_version} ({error}).",
                hint="Use a Python that is built with a newer SQLite, or use PostgreSQL.",
                id="applications.E001",
            )
        ]
    return []
