"""The search index, which finds trigrams of an application's `search_text`.

- SQLite: `applications_search_index` is an FTS5 table without text. `applications_search` gives each
  application the integer that it needs as row id: SQLite's own row ids can change in a VACUUM.
- PostgreSQL: `applications_search` stores the texts, with an index of the extension pg_trgm. It is
  smaller than the table of applications, and a login does not rewrite its index.
"""

from runai_access.db.denormalization import Action

_TABLE = "applications_application"
_ADD = {
    "sqlite": """INSERT INTO applications_search (application_id) VALUES (NEW.subject_id);
        INSERT INTO applications_search_index (rowid, text)
        SELECT id, NEW.search_text FROM applications_search WHERE application_id = NEW.subject_id;""",
    "postgresql": """INSERT INTO applications_search VALUES (NEW.subject_id, NEW.search_text)
        ON CONFLICT (application_id) DO UPDATE SET text = EXCLUDED.text;""",
}
_REMOVE = {
    # An FTS5 index without text needs the old text to remove it.
    "sqlite": """INSERT INTO applications_search_index (applications_search_index, rowid, text)
        SELECT 'delete', id, OLD.search_text FROM applications_search
        WHERE application_id = OLD.subject_id;
        DELETE FROM applications_search WHERE application_id = OLD.subject_id;""",
    "postgresql": "DELETE FROM applications_search WHERE application_id = OLD.subject_id;",
}
REBUILD = {
    "sqlite": [
        "INSERT INTO applications_search_index (applications_search_index) VALUES ('delete-all')",
        "DELETE FROM applications_search",
        """INSERT INTO applications_search (application_id)
            SELECT subject_id FROM applications_application ORDER BY created_at""",
        """INSERT INTO applications_search_index (rowid, text)
            SELECT search.id, application.search_text FROM applications_search search
            JOIN applications_application application ON application.subject_id = search.application_id
            ORDER BY search.id""",
    ],
    "postgresql": [
        """DELETE FROM applications_search search WHERE NOT EXISTS (
            SELECT 1 FROM applications_application WHERE subject_id = search.application_id)""",
        # EXCEPT reads both sides first. With an anti-join PostgreSQL may plan a nested loop, because
        # its statistics still say that the table is empty.
        """INSERT INTO applications_search (application_id, text)
            SELECT subject_id, search_text FROM applications_application
            EXCEPT SELECT application_id, text FROM applications_search
            ON CONFLICT (application_id) DO UPDATE SET text = EXCLUDED.text""",
    ],
}


def actions(vendor: str) -> list[Action]:
    """Return the actions that maintain the search index."""
    add, remove, clear = _ADD[vendor], _REMOVE[vendor], "DELETE FROM applications_search;"
    found = [
        Action(_TABLE, "AFTER INSERT", "search", add),
        Action(_TABLE, "AFTER UPDATE", "search", remove + add, ["subject_id", "search_text"]),
        Action(_TABLE, "AFTER DELETE", "search", remove),
        Action(_TABLE, "AFTER TRUNCATE", "search", clear),
    ]
    return found if vendor == "postgresql" else found[:-1]
