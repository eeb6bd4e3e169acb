"""The upkeep of rules as PostgreSQL says it."""

# ruff: noqa: S608  # statements made of constants

from accessrules.triggers import COPIES, originals


def _function(name: str, body: str) -> str:
    return f"""CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {body} RETURN NEW; END $$"""


_FUNCTIONS = {
    "access_rule_copies": _function(
        "access_rule_copies",
        " ".join(f"NEW.{copy} := {value};" for copy, value in originals("NEW").items()),
    ),
    **{
        f"access_rule_{copy}_changed": _function(
            f"access_rule_{copy}_changed",
            f"UPDATE accessrules_accessrule SET {copy} = NEW.{column} WHERE {table}_id = NEW.id;",
        )
        for table, columns in COPIES.items()
        for copy, column in columns.items()
    },
}
_TRIGGERS = {
    "access_rule_copies": """BEFORE INSERT OR UPDATE OF subject_id, role_id, scope_id
        ON accessrules_accessrule FOR EACH ROW""",
    **{
        f"access_rule_{copy}_changed": f"""AFTER UPDATE OF {column} ON accessrules_{table}
        FOR EACH ROW WHEN (OLD.{column} IS DISTINCT FROM NEW.{column})"""
        for table, columns in COPIES.items()
        for copy, column in columns.items()
    },
}

INSTALL = [
    *_FUNCTIONS.values(),
    *(
        f"CREATE OR REPLACE TRIGGER {name} {when} EXECUTE FUNCTION {name}()"
        for name, when in _TRIGGERS.items()
    ),
]
REMOVE = [f"DROP FUNCTION IF EXISTS {name}() CASCADE" for name in _FUNCTIONS]
_VALUES = ", ".join(f"{copy} = {value}" for copy, value in originals("rule").items())
_IS_OUTDATED = " OR ".join(
    f"{copy} IS DISTINCT FROM {value}" for copy, value in originals("rule").items()
)
REBUILD = [f"UPDATE accessrules_accessrule rule SET {_VALUES} WHERE {_IS_OUTDATED}"]
