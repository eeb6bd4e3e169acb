"""The search index, which finds trigrams of an application's searched texts and its owner's name.

- SQLite: `applications_search_index` is an FTS5 table without text. `applications_search` gives each
  application the integer that it needs as row id: SQLite's own row ids can change in a VACUUM.
- PostgreSQL: `applications_search` stores the texts, with an index of the extension pg_trgm. It is
  smaller than the table of applications, and a login does not rewrite its index.
"""

# ruff: noqa: S608  # statements consist of constants

from django.db.backends.base.base import BaseDatabaseWrapper

from runai_access.db.batches import correct_in_batches
from runai_access.db.denormalization import Action
from runai_access.db.triggers import run

_TABLE = "applications_application"
_COLUMNS = ["subject_id", "search_text", "searched_details", "owner_name"]


def actions(vendor: str) -> list[Action]:
    """Return the actions that maintain the search index."""
    add = _add(vendor, _text("NEW", vendor))
    remove = _remove(vendor, _text("OLD", vendor))
    # PostgreSQL sets `owner_name` in a BEFORE trigger, which UPDATE OF does not see. SQLite sets it in
    # a separate UPDATE, after this index has the other columns: it runs the last created trigger
    # first.
    columns = [*_COLUMNS, "owner_id"] if vendor == "postgresql" else _COLUMNS
    return [
        Action(_TABLE, "AFTER INSERT", "search", add),
        Action(_TABLE, "AFTER UPDATE", "search", remove + add, columns),
        Action(_TABLE, "AFTER DELETE", "search", remove),
        Action(_TABLE, "AFTER TRUNCATE", "search", "DELETE FROM applications_search;"),
    ]


def rebuild(connection: BaseDatabaseWrapper) -> None:
    """Index all applications again, on PostgreSQL those that are outdated, in batches."""
    text = _text(_TABLE, connection.vendor)
    if connection.vendor == "sqlite":
        run(
            connection,
            [
                """INSERT INTO applications_search_index (applications_search_index)
                VALUES ('delete-all')""",
                "DELETE FROM applications_search",
                f"""INSERT INTO applications_search (application_id)
                SELECT subject_id FROM {_TABLE} ORDER BY created_at""",
                f"""INSERT INTO applications_search_index (rowid, text)
                SELECT search.id, {text} FROM applications_search search
                JOIN {_TABLE} ON {_TABLE}.subject_id = search.application_id
                ORDER BY search.id""",
            ],
        )
        return
    run(
        connection,
        [
            f"""DELETE FROM applications_search search WHERE NOT EXISTS (
                SELECT 1 FROM {_TABLE} WHERE subject_id = search.application_id)"""
        ],
    )
    correct_in_batches(
        connection,
        _TABLE,
        f"""{text} IS DISTINCT FROM (
            SELECT search.text FROM applications_search search
            WHERE search.application_id = {_TABLE}.subject_id)""",
        lambda condition: (
            f"""INSERT INTO applications_search (application_id, text)
            SELECT subject_id, {text} FROM {_TABLE} WHERE {condition}
            ON CONFLICT (application_id) DO UPDATE SET text = EXCLUDED.text"""
        ),
    )


def _text(row: str, vendor: str) -> str:
    """Return the SQL of the indexed text. The owner's name follows a mark, a control character."""
    mark = "char(28)" if vendor == "sqlite" else "chr(28)"
    owner = f"COALESCE({mark} || {row}.owner_name, '')"
    return f"{row}.search_text || {row}.searched_details || {owner}"


def _add(vendor: str, text: str) -> str:
    if vendor == "postgresql":
        return f"""INSERT INTO applications_search VALUES (NEW.subject_id, {text})
            ON CONFLICT (application_id) DO UPDATE SET text = EXCLUDED.text;"""
    return f"""INSERT INTO applications_search (application_id) VALUES (NEW.subject_id);
        INSERT INTO applications_search_index (rowid, text)
        SELECT id, {text} FROM applications_search WHERE application_id = NEW.subject_id;"""


def _remove(vendor: str, text: str) -> str:
    if vendor == "postgresql":
        return "DELETE FROM applications_search WHERE application_id = OLD.subject_id;"
    # An FTS5 index without text needs the old text to remove it.
    return f"""INSERT INTO applications_search_index (applications_search_index, rowid, text)
        SELECT 'delete', id, {text} FROM applications_search
        WHERE application_id = OLD.subject_id;
        DELETE FROM applications_search WHERE application_id = OLD.subject_id;"""
