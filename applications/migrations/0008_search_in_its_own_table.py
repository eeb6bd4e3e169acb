"""In PostgreSQL too, what search looks in is a table of its own, and the index stands there.

Among applications, the index was written anew each time that one of them logged in.
"""

from typing import Any

from django.db import migrations

from applications.triggers import postgresql


def make(_: Any, editor: Any) -> None:
    """Make the table with the triggers that keep it right, and fill it."""
    _run(editor, postgresql.SEARCH_TABLE + postgresql.NO_SEARCH_INDEX)


def drop(_: Any, editor: Any) -> None:
    """Have the index among applications again."""
    _run(editor, postgresql.SEARCH_INDEX + postgresql.NO_SEARCH_TABLE)


def _run(editor: Any, statements: list[str]) -> None:
    if editor.connection.vendor == "postgresql":
        for statement in statements:
            editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("accessrules", "0008_creation_of_holders"),
        ("applications", "0007_creation_in_indexes"),
    ]

    operations = [migrations.RunPython(make, drop)]
