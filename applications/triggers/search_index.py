"""The search index, which finds trigrams of an application's searched texts and its owner's name.

- SQLite: `applications_search_index` is an FTS5 table without text. `applications_search` gives each
  application the integer that it needs as row id: SQLite's own row ids can change in a VACUUM.
- PostgreSQL: `applications_search` stores the texts, with an index of the extension pg_trgm. It is
  smaller than the table of applications, and a login does not rewrite its index.
"""

# ruff: noqa: S608  # statements consist of constants

from runai_access.db.denormalization import Action

_TABLE = "applications_application"


def _text(row: str, vendor: str) -> str:
    """Return the SQL of the indexed text. The owner's name follows a mark, a control character."""
    mark = "char(28)" if vendor == "sqlite" else "chr(28)"
    owner = f"COALESCE({mark} || {row}.owner_name, '')"
    return f"{row}.search_text || {row}.searched_details || {owner}"


_ADD = {
    "sqlite": f"""INSERT INTO applications_search (application_id) VALUES (NEW.subject_id);
        INSERT INTO applications_search_index (rowid, text)
        SELECT id, {_text("NEW", "sqlite")} FROM applications_search
        WHERE application_id = NEW.subject_id;""",
    "postgresql": f"""INSERT INTO applications_search
        VALUES (NEW.subject_id, {_text("NEW", "postgresql")})
        ON CONFLICT (application_id) DO UPDATE SET text = EXCLUDED.text;""",
}
_REMOVE = {
    # An FTS5 index without text needs the old text to remove it.
    "sqlite": f"""INSERT INTO applications_search_index (applications_search_index, rowid, text)
        SELECT 'delete', id, {_text("OLD", "sqlite")} FROM applications_search
        WHERE application_id = OLD.subject_id;
        DELETE FROM applications_search WHERE application_id = OLD.subject_id;""",
    "postgresql": "DELETE FROM applications_search WHERE application_id = OLD.subject_id;",
}
_INDEXED = ["subject_id", "search_text", "searched_details", "owner_name"]
# PostgreSQL sets `owner_name` in a BEFORE trigger, which UPDATE OF does not see. SQLite sets it in an
# UPDATE of its own, after this index has the other columns: it runs the last created trigger first.
_COLUMNS = {"sqlite": _INDEXED, "postgresql": [*_INDEXED, "owner_id"]}
REBUILD = {
    "sqlite": [
        "INSERT INTO applications_search_index (applications_search_index) VALUES ('delete-all')",
        "DELETE FROM applications_search",
        """INSERT INTO applications_search (application_id)
            SELECT subject_id FROM applications_application ORDER BY created_at""",
        f"""INSERT INTO applications_search_index (rowid, text)
            SELECT search.id, {_text("application", "sqlite")} FROM applications_search search
            JOIN applications_application application ON application.subject_id = search.application_id
            ORDER BY search.id""",
    ],
    "postgresql": [
        """DELETE FROM applications_search search WHERE NOT EXISTS (
            SELECT 1 FROM applications_application WHERE subject_id = search.application_id)""",
        # EXCEPT reads both sides first. With an anti-join PostgreSQL may plan a nested loop, because
        # its statistics still say that the table is empty.
        f"""INSERT INTO applications_search (application_id, text)
            SELECT subject_id, {_text("application", "postgresql")}
            FROM applications_application application
            EXCEPT SELECT application_id, text FROM applications_search
            ON CONFLICT (application_id) DO UPDATE SET text = EXCLUDED.text""",
    ],
}


def actions(vendor: str) -> list[Action]:
    """Return the actions that maintain the search index."""
    add, remove, clear = _ADD[vendor], _REMOVE[vendor], "DELETE FROM applications_search;"
    found = [
        Action(_TABLE, "AFTER INSERT", "search", add),
        Action(_TABLE, "AFTER UPDATE", "search", remove + add, _COLUMNS[vendor]),
        Action(_TABLE, "AFTER DELETE", "search", remove),
        Action(_TABLE, "AFTER TRUNCATE", "search", clear),
    ]
    return found if vendor == "postgresql" else found[:-1]
