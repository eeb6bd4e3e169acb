"""The upkeep as SQLite says it.

The trigram index holds no text of its own. Its rows go by the numbers of `applications_search`,
because an application has none, and SQLite may renumber rows without one when it compacts its file.
"""

# ruff: noqa: S608  # statements made of constants

SEARCH_TABLES = [
    """CREATE TABLE applications_search (
        id integer NOT NULL PRIMARY KEY, application_id char(32) NOT NULL UNIQUE
    )""",
    """CREATE VIRTUAL TABLE applications_search_index USING fts5 (
        text, content='', columnsize=0, tokenize='trigram case_sensitive 1'
    )""",
]
NO_SEARCH_TABLES = ["DROP TABLE applications_search_index", "DROP TABLE applications_search"]


def _first_rule_of(subject: str) -> str:
    return f"""(
        SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
        JOIN accessrules_role role ON role.id = rule.role_id
        JOIN accessrules_scope scope ON scope.id = rule.scope_id
        WHERE rule.subject_id = {subject} AND rule.deleted_at IS NULL AND scope.depth > 0
        ORDER BY rule.id LIMIT 1
    )"""


_CREATION_OF_HOLDER = """(
        SELECT created_at FROM applications_application application
        WHERE application.subject_id = accessrules_accessrule.subject_id
    )"""
_DATE_RULE = f"UPDATE accessrules_accessrule SET holder_created_at = {_CREATION_OF_HOLDER}"
_UPDATE_FIRST_RULE = f"""UPDATE applications_application
    SET first_rule = {_first_rule_of("applications_application.subject_id")}"""
_SUBJECT_IS_ENABLED = """(
        SELECT enabled FROM accessrules_subject subject
        WHERE subject.id = applications_application.subject_id
    )"""
_ENTER = """INSERT INTO applications_search_index (rowid, text)
    SELECT id, NEW.search_text FROM applications_search WHERE application_id = NEW.subject_id;"""
# An index without text has to be told what it held.
_STRIKE = """INSERT INTO applications_search_index (applications_search_index, rowid, text)
    SELECT 'delete', id, OLD.search_text FROM applications_search
    WHERE application_id = OLD.subject_id;"""

_TRIGGERS = {
    "application_made": f"""AFTER INSERT ON applications_application BEGIN
        INSERT INTO applications_search (application_id) VALUES (NEW.subject_id);
        {_ENTER}
        UPDATE applications_application SET
            is_enabled = (SELECT enabled FROM accessrules_subject WHERE id = NEW.subject_id),
            first_rule = {_first_rule_of("NEW.subject_id")}
            WHERE subject_id = NEW.subject_id;
        {_DATE_RULE} WHERE subject_id = NEW.subject_id;
    END""",
    "application_redated": f"""AFTER UPDATE OF created_at ON applications_application
    WHEN OLD.created_at IS NOT NEW.created_at BEGIN
        {_DATE_RULE} WHERE subject_id = NEW.subject_id;
    END""",
    "application_gone": f"""AFTER DELETE ON applications_application BEGIN
        {_STRIKE}
        {_DATE_RULE} WHERE subject_id = OLD.subject_id;
        DELETE FROM applications_search WHERE application_id = OLD.subject_id;
    END""",
    "application_reworded": f"""AFTER UPDATE OF search_text ON applications_application
    WHEN OLD.search_text IS NOT NEW.search_text BEGIN
        {_STRIKE}
        {_ENTER}
    END""",
    "application_switched": """AFTER UPDATE OF enabled ON accessrules_subject
    WHEN OLD.enabled IS NOT NEW.enabled BEGIN
        UPDATE applications_application SET is_enabled = NEW.enabled WHERE subject_id = NEW.id;
    END""",
    "application_gained_rule": f"""AFTER INSERT ON accessrules_accessrule BEGIN
        {_UPDATE_FIRST_RULE} WHERE subject_id = NEW.subject_id;
        {_DATE_RULE} WHERE id = NEW.id;
    END""",
    "application_took_over_rule": f"""AFTER UPDATE OF subject_id ON accessrules_accessrule BEGIN
        {_DATE_RULE} WHERE id = NEW.id;
    END""",
    "application_changed_rule": f"""AFTER UPDATE OF deleted_at, subject_id, role_id, scope_id
    ON accessrules_accessrule BEGIN
        {_UPDATE_FIRST_RULE} WHERE subject_id IN (OLD.subject_id, NEW.subject_id);
    END""",
    "application_lost_rule": f"""AFTER DELETE ON accessrules_accessrule BEGIN
        {_UPDATE_FIRST_RULE} WHERE subject_id = OLD.subject_id;
    END""",
    **{
        f"application_{table}_renamed": f"""AFTER UPDATE OF name ON accessrules_{table}
        WHEN OLD.name IS NOT NEW.name BEGIN
            {_UPDATE_FIRST_RULE} WHERE subject_id IN (
                SELECT subject_id FROM accessrules_accessrule
                WHERE {table}_id = NEW.id AND deleted_at IS NULL
            );
        END"""
        for table in ("role", "scope")
    },
}

INSTALL = [f"CREATE TRIGGER {name} {rest}" for name, rest in _TRIGGERS.items()]
REMOVE = [f"DROP TRIGGER IF EXISTS {name}" for name in _TRIGGERS]
REBUILD = [
    "INSERT INTO applications_search_index (applications_search_index) VALUES ('delete-all')",
    "DELETE FROM applications_search",
    """INSERT INTO applications_search (application_id)
        SELECT subject_id FROM applications_application ORDER BY created_at""",
    """INSERT INTO applications_search_index (rowid, text)
        SELECT search.id, application.search_text FROM applications_search search
        JOIN applications_application application ON application.subject_id = search.application_id
        ORDER BY search.id""",
    f"""{_UPDATE_FIRST_RULE}, is_enabled = {_SUBJECT_IS_ENABLED}
        WHERE is_enabled IS NOT {_SUBJECT_IS_ENABLED}
        OR first_rule IS NOT {_first_rule_of("applications_application.subject_id")}""",
    f"{_DATE_RULE} WHERE holder_created_at IS NOT {_CREATION_OF_HOLDER}",
]
