"""The triggers of access rules in PostgreSQL."""

# ruff: noqa: S608  # statements consist of constants

from accessrules.triggers import DENORMALIZED_COLUMNS, source_expressions


def _function(name: str, body: str) -> str:
    return f"""CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {body} RETURN NEW; END $$"""


_FUNCTIONS = {
    "access_rule_denormalize": _function(
        "access_rule_denormalize",
        " ".join(f"NEW.{target} := {sql};" for target, sql in source_expressions("NEW").items()),
    ),
    **{
        f"access_rule_propagate_{target}": _function(
            f"access_rule_propagate_{target}",
            f"UPDATE accessrules_accessrule SET {target} = NEW.{source} WHERE {table}_id = NEW.id;",
        )
        for table, columns in DENORMALIZED_COLUMNS.items()
        for target, source in columns.items()
    },
}
TRIGGERS = {
    "access_rule_denormalize": """BEFORE INSERT OR UPDATE OF subject_id, role_id, scope_id
        ON accessrules_accessrule FOR EACH ROW""",
    **{
        f"access_rule_propagate_{target}": f"""AFTER UPDATE OF {source} ON accessrules_{table}
        FOR EACH ROW WHEN (OLD.{source} IS DISTINCT FROM NEW.{source})"""
        for table, columns in DENORMALIZED_COLUMNS.items()
        for target, source in columns.items()
    },
}

INSTALL = [
    *_FUNCTIONS.values(),
    *(
        f"CREATE OR REPLACE TRIGGER {name} {event} EXECUTE FUNCTION {name}()"
        for name, event in TRIGGERS.items()
    ),
]
REMOVE = [f"DROP FUNCTION IF EXISTS {name}() CASCADE" for name in _FUNCTIONS]
_ASSIGNMENTS = ", ".join(f"{target} = {sql}" for target, sql in source_expressions("rule").items())
_IS_OUTDATED = " OR ".join(
    f"{target} IS DISTINCT FROM {sql}" for target, sql in source_expressions("rule").items()
)
REBUILD = [f"UPDATE accessrules_accessrule rule SET {_ASSIGNMENTS} WHERE {_IS_OUTDATED}"]
