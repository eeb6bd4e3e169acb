"""The triggers of access rules in SQLite."""

# ruff: noqa: S608  # statements consist of constants

from accessrules.triggers import DENORMALIZED_COLUMNS, source_expressions


def _assignments(rule: str) -> str:
    return ", ".join(f"{target} = {sql}" for target, sql in source_expressions(rule).items())


def _is_outdated(rule: str) -> str:
    return " OR ".join(f"{target} IS NOT {sql}" for target, sql in source_expressions(rule).items())


TRIGGERS = {
    "access_rule_denormalize_insert": f"""AFTER INSERT ON accessrules_accessrule BEGIN
        UPDATE accessrules_accessrule SET {_assignments("NEW")} WHERE id = NEW.id;
    END""",
    "access_rule_denormalize_update": f"""AFTER UPDATE OF subject_id, role_id, scope_id
    ON accessrules_accessrule BEGIN
        UPDATE accessrules_accessrule SET {_assignments("NEW")} WHERE id = NEW.id;
    END""",
    **{
        f"access_rule_propagate_{target}": f"""AFTER UPDATE OF {source} ON accessrules_{table}
        WHEN OLD.{source} IS NOT NEW.{source} BEGIN
            UPDATE accessrules_accessrule SET {target} = NEW.{source} WHERE {table}_id = NEW.id;
        END"""
        for table, columns in DENORMALIZED_COLUMNS.items()
        for target, source in columns.items()
    },
}

INSTALL = [f"CREATE TRIGGER {name} {body}" for name, body in TRIGGERS.items()]
REMOVE = [f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS]
_RULES = "accessrules_accessrule"
REBUILD = [f"UPDATE {_RULES} SET {_assignments(_RULES)} WHERE {_is_outdated(_RULES)}"]
