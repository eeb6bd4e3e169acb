"""The triggers of applications in SQLite.

The trigram index `applications_search_index` stores no text. `applications_search` gives each
application the integer that the index needs as its row id: SQLite's own row ids can change in a VACUUM.
"""

# ruff: noqa: S608  # statements consist of constants

from applications.triggers.first_rule import first_rule_of

_APPLICATION_CREATED_AT = """(
        SELECT created_at FROM applications_application application
        WHERE application.subject_id = accessrules_accessrule.subject_id
    )"""
_SET_CREATED_AT = (
    f"UPDATE accessrules_accessrule SET application_created_at = {_APPLICATION_CREATED_AT}"
)
_UPDATE_FIRST_RULE = f"""UPDATE applications_application
    SET first_rule = {first_rule_of("applications_application.subject_id")}"""
_SUBJECT_IS_ENABLED = """(
        SELECT enabled FROM accessrules_subject subject
        WHERE subject.id = applications_application.subject_id
    )"""
_ADD_TO_INDEX = """INSERT INTO applications_search_index (rowid, text)
    SELECT id, NEW.search_text FROM applications_search WHERE application_id = NEW.subject_id;"""
# An FTS5 index without text needs the old text to remove it.
_REMOVE_FROM_INDEX = """INSERT INTO applications_search_index (applications_search_index, rowid, text)
    SELECT 'delete', id, OLD.search_text FROM applications_search
    WHERE application_id = OLD.subject_id;"""

TRIGGERS = {
    "application_insert": f"""AFTER INSERT ON applications_application BEGIN
        INSERT INTO applications_search (application_id) VALUES (NEW.subject_id);
        {_ADD_TO_INDEX}
        UPDATE applications_application SET
            is_enabled = (SELECT enabled FROM accessrules_subject WHERE id = NEW.subject_id),
            first_rule = {first_rule_of("NEW.subject_id")}
            WHERE subject_id = NEW.subject_id;
        {_SET_CREATED_AT} WHERE subject_id = NEW.subject_id;
    END""",
    "application_propagate_created_at": f"""AFTER UPDATE OF created_at ON applications_application
    WHEN OLD.created_at IS NOT NEW.created_at BEGIN
        {_SET_CREATED_AT} WHERE subject_id = NEW.subject_id;
    END""",
    "application_delete": f"""AFTER DELETE ON applications_application BEGIN
        {_REMOVE_FROM_INDEX}
        {_SET_CREATED_AT} WHERE subject_id = OLD.subject_id;
        DELETE FROM applications_search WHERE application_id = OLD.subject_id;
    END""",
    "application_index_search_text": f"""AFTER UPDATE OF search_text ON applications_application
    WHEN OLD.search_text IS NOT NEW.search_text BEGIN
        {_REMOVE_FROM_INDEX}
        {_ADD_TO_INDEX}
    END""",
    "application_propagate_enabled": """AFTER UPDATE OF enabled ON accessrules_subject
    WHEN OLD.enabled IS NOT NEW.enabled BEGIN
        UPDATE applications_application SET is_enabled = NEW.enabled WHERE subject_id = NEW.id;
    END""",
    "application_rule_insert": f"""AFTER INSERT ON accessrules_accessrule BEGIN
        {_UPDATE_FIRST_RULE} WHERE subject_id = NEW.subject_id;
        {_SET_CREATED_AT} WHERE id = NEW.id;
    END""",
    "application_rule_update_subject": f"""AFTER UPDATE OF subject_id ON accessrules_accessrule BEGIN
        {_SET_CREATED_AT} WHERE id = NEW.id;
    END""",
    "application_rule_update_first_rule": f"""AFTER UPDATE OF deleted_at, subject_id, role_id, scope_id
    ON accessrules_accessrule BEGIN
        {_UPDATE_FIRST_RULE} WHERE subject_id IN (OLD.subject_id, NEW.subject_id);
    END""",
    "application_rule_delete": f"""AFTER DELETE ON accessrules_accessrule BEGIN
        {_UPDATE_FIRST_RULE} WHERE subject_id = OLD.subject_id;
    END""",
    **{
        f"application_propagate_{table}_name": f"""AFTER UPDATE OF name ON accessrules_{table}
        WHEN OLD.name IS NOT NEW.name BEGIN
            {_UPDATE_FIRST_RULE} WHERE subject_id IN (
                SELECT subject_id FROM accessrules_accessrule
                WHERE {table}_id = NEW.id AND deleted_at IS NULL
            );
        END"""
        for table in ("role", "scope")
    },
}

INSTALL = [f"CREATE TRIGGER {name} {body}" for name, body in TRIGGERS.items()]
REMOVE = [f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS]
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
        OR first_rule IS NOT {first_rule_of("applications_application.subject_id")}""",
    f"{_SET_CREATED_AT} WHERE application_created_at IS NOT {_APPLICATION_CREATED_AT}",
]
