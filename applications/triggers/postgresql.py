"""The triggers of applications in PostgreSQL.

Search reads `applications_search`, a separate table: it is smaller than that of applications, and a
login does not rewrite its index.
"""

# ruff: noqa: S608  # statements consist of constants

from accessrules.triggers.postgresql import drop_functions, function, install_triggers
from applications.triggers.first_rule import first_rule_of

_OF_APPLICATION = first_rule_of("application.subject_id")
# Lock first: in READ COMMITTED the next statement then sees everything that was committed before.
_UPDATE_FIRST_RULES = f"""
    PERFORM 1 FROM applications_application application
        WHERE application.subject_id = ANY (subjects) ORDER BY subject_id FOR UPDATE;
    UPDATE applications_application application SET first_rule = {_OF_APPLICATION}
        WHERE application.subject_id = ANY (subjects);
"""
_APPLICATION_CREATED_AT = (
    "(SELECT created_at FROM applications_application WHERE subject_id = NEW.subject_id)"
)
_SET_CREATED_AT = """
    UPDATE accessrules_accessrule SET application_created_at = {time} WHERE subject_id = {subject};
"""


_FUNCTIONS = {
    "application_denormalize": function(
        "application_denormalize",
        f"""
        NEW.is_enabled := (SELECT enabled FROM accessrules_subject WHERE id = NEW.subject_id);
        NEW.first_rule := {first_rule_of("NEW.subject_id")};
        """,
    ),
    "application_propagate_created_at": function(
        "application_propagate_created_at",
        f"""
        IF TG_OP = 'INSERT' OR OLD.created_at IS DISTINCT FROM NEW.created_at THEN
            {_SET_CREATED_AT.format(time="NEW.created_at", subject="NEW.subject_id")}
        END IF;
        """,
    ),
    "application_clear_created_at": function(
        "application_clear_created_at",
        _SET_CREATED_AT.format(time="NULL", subject="OLD.subject_id"),
    ),
    "application_index_search_text": function(
        "application_index_search_text",
        """
        IF TG_OP = 'UPDATE' AND NEW.subject_id = OLD.subject_id AND NEW.search_text = OLD.search_text
            THEN RETURN NEW;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM applications_search WHERE application_id = OLD.subject_id;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO applications_search VALUES (NEW.subject_id, NEW.search_text)
                ON CONFLICT (application_id) DO UPDATE SET text = EXCLUDED.text;
        END IF;
        """,
    ),
    "application_truncate": function(
        "application_truncate",
        """
        DELETE FROM applications_search;
        UPDATE accessrules_accessrule SET application_created_at = NULL
            WHERE application_created_at IS NOT NULL;
        """,
    ),
    "application_rule_set_created_at": function(
        "application_rule_set_created_at",
        f"NEW.application_created_at := {_APPLICATION_CREATED_AT};",
    ),
    "application_propagate_enabled": function(
        "application_propagate_enabled",
        """
        UPDATE applications_application SET is_enabled = NEW.enabled WHERE subject_id = NEW.id;
        """,
    ),
    "application_rule_update_first_rule": function(
        "application_rule_update_first_rule",
        f"""
        subjects := array_remove(ARRAY[
            CASE WHEN TG_OP <> 'INSERT' THEN OLD.subject_id END,
            CASE WHEN TG_OP <> 'DELETE' THEN NEW.subject_id END
        ], NULL);
        {_UPDATE_FIRST_RULES}
        IF TG_OP <> 'DELETE' THEN
            -- The BEFORE trigger read this without a lock. Now the application is locked.
            UPDATE accessrules_accessrule SET application_created_at = {_APPLICATION_CREATED_AT}
                WHERE id = NEW.id AND application_created_at IS DISTINCT FROM {_APPLICATION_CREATED_AT};
        END IF;
        """,
        "subjects uuid[]",
    ),
    **{
        f"application_propagate_{table}_name": function(
            f"application_propagate_{table}_name",
            f"""
            subjects := ARRAY(
                SELECT subject_id FROM accessrules_accessrule
                WHERE {table}_id = NEW.id AND deleted_at IS NULL
            );
            {_UPDATE_FIRST_RULES}
            """,
            "subjects uuid[]",
        )
        for table in ("role", "scope")
    },
}
TRIGGERS = {
    "application_denormalize": "BEFORE INSERT ON applications_application FOR EACH ROW",
    "application_propagate_created_at": """AFTER INSERT OR UPDATE OF created_at
        ON applications_application FOR EACH ROW""",
    "application_clear_created_at": "AFTER DELETE ON applications_application FOR EACH ROW",
    "application_index_search_text": """AFTER INSERT OR DELETE OR UPDATE OF subject_id, search_text
        ON applications_application FOR EACH ROW""",
    "application_truncate": "AFTER TRUNCATE ON applications_application FOR EACH STATEMENT",
    "application_rule_set_created_at": """BEFORE INSERT OR UPDATE OF subject_id
        ON accessrules_accessrule FOR EACH ROW""",
    "application_propagate_enabled": """AFTER UPDATE OF enabled ON accessrules_subject FOR EACH ROW
        WHEN (OLD.enabled IS DISTINCT FROM NEW.enabled)""",
    "application_rule_update_first_rule": """AFTER INSERT OR DELETE
        OR UPDATE OF deleted_at, subject_id, role_id, scope_id
        ON accessrules_accessrule FOR EACH ROW""",
    **{
        f"application_propagate_{table}_name": f"""AFTER UPDATE OF name ON accessrules_{table}
        FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)"""
        for table in ("role", "scope")
    },
}


INSTALL = [*_FUNCTIONS.values(), *install_triggers(TRIGGERS)]
REMOVE = drop_functions(_FUNCTIONS)
REBUILD = [
    """DELETE FROM applications_search search WHERE NOT EXISTS (
            SELECT 1 FROM applications_application WHERE subject_id = search.application_id
        )""",
    # EXCEPT reads both sides first. With an anti-join PostgreSQL may plan a nested loop, because its
    # statistics still say that the table is empty.
    """INSERT INTO applications_search (application_id, text)
        SELECT subject_id, search_text FROM applications_application
        EXCEPT SELECT application_id, text FROM applications_search
        ON CONFLICT (application_id) DO UPDATE SET text = EXCLUDED.text""",
    f"""UPDATE applications_application application SET
        is_enabled = subject.enabled, first_rule = {_OF_APPLICATION}
        FROM accessrules_subject subject WHERE subject.id = application.subject_id AND (
            application.is_enabled <> subject.enabled
            OR application.first_rule IS DISTINCT FROM {_OF_APPLICATION}
        )""",
    """UPDATE accessrules_accessrule rule SET application_created_at = found.created_at
        FROM (
            SELECT held.id, application.created_at FROM accessrules_accessrule held
            LEFT JOIN applications_application application
            ON application.subject_id = held.subject_id
        ) found
        WHERE found.id = rule.id AND rule.application_created_at IS DISTINCT FROM found.created_at""",
]
