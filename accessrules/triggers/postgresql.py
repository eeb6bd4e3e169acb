"""The triggers of access rules in PostgreSQL."""

# ruff: noqa: S608  # statements consist of constants

from collections.abc import Iterable

from accessrules.triggers import DENORMALIZED_COLUMNS, source_expressions


def function(name: str, body: str, declared: str = "") -> str:
    """Return the statement that creates a trigger function; `declared` are its variables."""
    declare = f"DECLARE {declared};" if declared else ""
    return f"""CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        {declare} BEGIN {body} RETURN NEW; END $$"""


def install_triggers(events: dict[str, str]) -> list[str]:
    """Return the statements that create triggers. Each has the name of its function."""
    return [
        f"CREATE OR REPLACE TRIGGER {name} {event} EXECUTE FUNCTION {name}()"
        for name, event in events.items()
    ]


def drop_functions(names: Iterable[str]) -> list[str]:
    """Return the statements that drop trigger functions and their triggers."""
    return [f"DROP FUNCTION IF EXISTS {name}() CASCADE" for name in names]


_FUNCTIONS = {
    "access_rule_denormalize": function(
        "access_rule_denormalize",
        " ".join(f"NEW.{target} := {sql};" for target, sql in source_expressions("NEW").items()),
    ),
    **{
        f"access_rule_propagate_{target}": function(
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

INSTALL = [*_FUNCTIONS.values(), *install_triggers(TRIGGERS)]
REMOVE = drop_functions(_FUNCTIONS)
_ASSIGNMENTS = ", ".join(f"{target} = {sql}" for target, sql in source_expressions("rule").items())
_IS_OUTDATED = " OR ".join(
    f"{target} IS DISTINCT FROM {sql}" for target, sql in source_expressions("rule").items()
)
REBUILD = [f"UPDATE accessrules_accessrule rule SET {_ASSIGNMENTS} WHERE {_IS_OUTDATED}"]
