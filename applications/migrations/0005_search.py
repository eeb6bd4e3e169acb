"""Search by substring from an index: FTS5 in SQLite, the extension pg_trgm in PostgreSQL."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, migrations, transaction

from applications import triggers
from applications.triggers import postgresql, sqlite

NO_EXTENSION = (
    "Search needs PostgreSQL's extension pg_trgm, and it could not be made here: {error}\n"
    "Let an administrator of the database run: CREATE EXTENSION pg_trgm (it comes with "
    "PostgreSQL's contrib package), then start again."
)


def make(_: Any, editor: Any) -> None:
    """Make what search looks in, the triggers that keep it right, and fill it."""
    if editor.connection.vendor == "postgresql":
        _make_extension(editor.connection)
        _run(editor, postgresql.SEARCH_INDEX)
    else:
        _run(editor, sqlite.SEARCH_TABLES)


def drop(_: Any, editor: Any) -> None:
    """Drop it again; the extension stays, as others may use it by now."""
    triggers.remove(editor.connection)
    is_postgresql = editor.connection.vendor == "postgresql"
    _run(editor, postgresql.NO_SEARCH_INDEX if is_postgresql else sqlite.NO_SEARCH_TABLES)


def _make_extension(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if cursor.fetchone():
            return
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("CREATE EXTENSION pg_trgm")
        except DatabaseError as error:
            raise ImproperlyConfigured(NO_EXTENSION.format(error=str(error).strip())) from error


def _run(editor: Any, statements: list[str]) -> None:
    for statement in statements:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("accessrules", "0003_holders"),
        ("applications", "0004_orders"),
    ]

    operations = [migrations.RunPython(make, drop)]
