"""The triggers of access rules in PostgreSQL."""

# ruff: noqa: S608  # statements made of constants

from accessrules.triggers import DENORMALIZED_COLUMNS, source_expressions


def _function(name: str, body: str) -> str:
    return f"""CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {body} RETURN NEW; END $$"""


_FUNCTIONS = {
    "access_rule_denormalize": _function(
        "access_rule_denormalize",
        " ".join(f"NEW.{copy} := {value};" for copy, value in source_expressions("NEW").items()),
    ),
    **{
        f"access_rule_propagate_{copy}": _function(
            f"access_rule_propagate_{copy}",
            f"UPDATE accessrules_accessrule SET {copy} = NEW.{column} WHERE {table}_id = NEW.id;",
        )
        for table, columns in DENORMALIZED_COLUMNS.items()
        for copy, column in columns.items()
    },
}
TRIGGERS = {
    "access_rule_denormalize": """BEFORE INSERT OR UPDATE OF subject_id, role_id, scope_id
        ON accessrules_accessrule FOR EACH ROW""",
    **{
        f"access_rule_propagate_{copy}": f"""AFTER UPDATE OF {column} ON accessrules_{table}
        FOR EACH ROW WHEN (OLD.{column} IS DISTINCT FROM NEW.{column})"""
        for table, columns in DENORMALIZED_COLUMNS.items()
        for copy, column in columns.items()
    },
}

INSTALL = [
    *_FUNCTIONS.values(),
    *(
        f"CREATE OR REPLACE TRIGGER {name} {when} EXECUTE FUNCTION {name}()"
        for name, when in TRIGGERS.items()
    ),
]
REMOVE = [f"DROP FUNCTION IF EXISTS {name}() CASCADE" for name in _FUNCTIONS]
_VALUES = ", ".join(f"{copy} = {value}" for copy, value in source_expressions("rule").items())
_IS_OUTDATED = " OR ".join(
    f"{copy} IS DISTINCT FROM {value}" for copy, value in source_expressions("rule").items()
)
REBUILD = [f"UPDATE accessrules_accessrule rule SET {_VALUES} WHERE {_IS_OUTDATED}"]
