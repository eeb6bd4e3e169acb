"""The upkeep as PostgreSQL says it.

Search looks in a table of its own: a look at one text after the other, or at what the index leads to,
reads a third less than among applications, and when one logs in, the index is not written for that.
"""

# ruff: noqa: S608  # statements made of constants

from collections.abc import Iterable

_FIRST_RULE = """
    SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
    JOIN accessrules_role role ON role.id = rule.role_id
    JOIN accessrules_scope scope ON scope.id = rule.scope_id
    WHERE rule.subject_id = {subject} AND rule.deleted_at IS NULL AND scope.depth > 0
    ORDER BY rule.id LIMIT 1
"""
_OF_APPLICATION = _FIRST_RULE.format(subject="application.subject_id")
# Locked first, and computed by the next statement: that one sees what others have committed by then.
_UPDATE_FIRST_RULES = f"""
    PERFORM 1 FROM applications_application application
        WHERE application.subject_id = ANY (subjects) ORDER BY subject_id FOR UPDATE;
    UPDATE applications_application application SET first_rule = ({_OF_APPLICATION})
        WHERE application.subject_id = ANY (subjects);
"""
_CREATION_OF_HOLDER = (
    "(SELECT created_at FROM applications_application WHERE subject_id = NEW.subject_id)"
)
_DATE_RULES = """
    UPDATE accessrules_accessrule SET holder_created_at = {time} WHERE subject_id = {subject};
"""


def _function(name: str, body: str, declared: str = "") -> str:
    declare = f"DECLARE {declared};" if declared else ""
    return f"""CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        {declare} BEGIN {body} RETURN NEW; END $$"""


_FUNCTIONS = {
    "application_made": _function(
        "application_made",
        f"""
        NEW.is_enabled := (SELECT enabled FROM accessrules_subject WHERE id = NEW.subject_id);
        NEW.first_rule := ({_FIRST_RULE.format(subject="NEW.subject_id")});
        """,
    ),
    "application_dated": _function(
        "application_dated",
        f"""
        IF TG_OP = 'INSERT' OR OLD.created_at IS DISTINCT FROM NEW.created_at THEN
            {_DATE_RULES.format(time="NEW.created_at", subject="NEW.subject_id")}
        END IF;
        """,
    ),
    "application_gone": _function(
        "application_gone", _DATE_RULES.format(time="NULL", subject="OLD.subject_id")
    ),
    "application_worded": _function(
        "application_worded",
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
    "applications_emptied": _function(
        "applications_emptied",
        """
        DELETE FROM applications_search;
        UPDATE accessrules_accessrule SET holder_created_at = NULL
            WHERE holder_created_at IS NOT NULL;
        """,
    ),
    "application_rule_dated": _function(
        "application_rule_dated",
        f"NEW.holder_created_at := {_CREATION_OF_HOLDER};",
    ),
    "application_switched": _function(
        "application_switched",
        """
        UPDATE applications_application SET is_enabled = NEW.enabled WHERE subject_id = NEW.id;
        """,
    ),
    "application_rules_changed": _function(
        "application_rules_changed",
        f"""
        subjects := array_remove(ARRAY[
            CASE WHEN TG_OP <> 'INSERT' THEN OLD.subject_id END,
            CASE WHEN TG_OP <> 'DELETE' THEN NEW.subject_id END
        ], NULL);
        {_UPDATE_FIRST_RULES}
        IF TG_OP <> 'DELETE' THEN
            -- Dated before without a lock; nobody else dates it, or its application, by now.
            UPDATE accessrules_accessrule SET holder_created_at = {_CREATION_OF_HOLDER}
                WHERE id = NEW.id AND holder_created_at IS DISTINCT FROM {_CREATION_OF_HOLDER};
        END IF;
        """,
        "subjects uuid[]",
    ),
    **{
        f"application_{table}_renamed": _function(
            f"application_{table}_renamed",
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
_TRIGGERS = {
    "application_made": "BEFORE INSERT ON applications_application FOR EACH ROW",
    "application_dated": """AFTER INSERT OR UPDATE OF created_at
        ON applications_application FOR EACH ROW""",
    "application_gone": "AFTER DELETE ON applications_application FOR EACH ROW",
    "application_worded": """AFTER INSERT OR DELETE OR UPDATE OF subject_id, search_text
        ON applications_application FOR EACH ROW""",
    "applications_emptied": "AFTER TRUNCATE ON applications_application FOR EACH STATEMENT",
    "application_rule_dated": """BEFORE INSERT OR UPDATE OF subject_id
        ON accessrules_accessrule FOR EACH ROW""",
    "application_switched": """AFTER UPDATE OF enabled ON accessrules_subject FOR EACH ROW
        WHEN (OLD.enabled IS DISTINCT FROM NEW.enabled)""",
    "application_rules_changed": """AFTER INSERT OR DELETE
        OR UPDATE OF deleted_at, subject_id, role_id, scope_id
        ON accessrules_accessrule FOR EACH ROW""",
    **{
        f"application_{table}_renamed": f"""AFTER UPDATE OF name ON accessrules_{table}
        FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)"""
        for table in ("role", "scope")
    },
}


def _install(names: Iterable[str]) -> list[str]:
    made = [_FUNCTIONS[name] for name in names]
    when = [(name, _TRIGGERS[name]) for name in names]
    return made + [
        f"CREATE OR REPLACE TRIGGER {name} {on} EXECUTE FUNCTION {name}()" for name, on in when
    ]


def _remove(names: Iterable[str]) -> list[str]:
    return [f"DROP FUNCTION IF EXISTS {name}() CASCADE" for name in names]


INSTALL = _install(_FUNCTIONS)
REMOVE = _remove(_FUNCTIONS)

SEARCH_INDEX = [
    """CREATE INDEX application_search ON applications_application
        USING gin (search_text gin_trgm_ops)""",
]
NO_SEARCH_INDEX = ["DROP INDEX application_search"]
# Fed from the moment that it is there, or what is made before the next trigger would not be found.
_FEEDERS = ("application_worded", "applications_emptied")
SEARCH_TABLE = [
    "CREATE TABLE applications_search (application_id uuid NOT NULL PRIMARY KEY, text text NOT NULL)",
    *_install(_FEEDERS),
    "INSERT INTO applications_search SELECT subject_id, search_text FROM applications_application",
    """CREATE INDEX applications_search_index ON applications_search
        USING gin (text gin_trgm_ops)""",
    "ANALYZE applications_search",
]
NO_SEARCH_TABLE = [*_remove(_FEEDERS), "DROP TABLE applications_search"]
REBUILD = [
    """DELETE FROM applications_search search WHERE NOT EXISTS (
            SELECT 1 FROM applications_application WHERE subject_id = search.application_id
        )""",
    # EXCEPT reads both sides to their ends first. An anti-join might look through what it has put in so
    # far for each row, where PostgreSQL still thinks that the table is empty.
    """INSERT INTO applications_search (application_id, text)
        SELECT subject_id, search_text FROM applications_application
        EXCEPT SELECT application_id, text FROM applications_search
        ON CONFLICT (application_id) DO UPDATE SET text = EXCLUDED.text""",
    f"""UPDATE applications_application application SET
        is_enabled = subject.enabled, first_rule = ({_OF_APPLICATION})
        FROM accessrules_subject subject WHERE subject.id = application.subject_id AND (
            application.is_enabled <> subject.enabled
            OR application.first_rule IS DISTINCT FROM ({_OF_APPLICATION})
        )""",
    """UPDATE accessrules_accessrule rule SET holder_created_at = found.created_at
        FROM (
            SELECT held.id, application.created_at FROM accessrules_accessrule held
            LEFT JOIN applications_application application
            ON application.subject_id = held.subject_id
        ) found
        WHERE found.id = rule.id AND rule.holder_created_at IS DISTINCT FROM found.created_at""",
]
