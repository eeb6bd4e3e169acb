"""The upkeep of rules as SQLite says it."""

# ruff: noqa: S608  # statements made of constants

from accessrules.triggers import COPIES, originals


def _copies(rule: str) -> str:
    return ", ".join(f"{copy} = {value}" for copy, value in originals(rule).items())


def _is_outdated(rule: str) -> str:
    return " OR ".join(f"{copy} IS NOT {value}" for copy, value in originals(rule).items())


_TRIGGERS = {
    "access_rule_made": f"""AFTER INSERT ON accessrules_accessrule BEGIN
        UPDATE accessrules_accessrule SET {_copies("NEW")} WHERE id = NEW.id;
    END""",
    "access_rule_changed": f"""AFTER UPDATE OF subject_id, role_id, scope_id
    ON accessrules_accessrule BEGIN
        UPDATE accessrules_accessrule SET {_copies("NEW")} WHERE id = NEW.id;
    END""",
    **{
        f"access_rule_{copy}_changed": f"""AFTER UPDATE OF {column} ON accessrules_{table}
        WHEN OLD.{column} IS NOT NEW.{column} BEGIN
            UPDATE accessrules_accessrule SET {copy} = NEW.{column} WHERE {table}_id = NEW.id;
        END"""
        for table, columns in COPIES.items()
        for copy, column in columns.items()
    },
}

INSTALL = [f"CREATE TRIGGER {name} {rest}" for name, rest in _TRIGGERS.items()]
REMOVE = [f"DROP TRIGGER IF EXISTS {name}" for name in _TRIGGERS]
_RULES = "accessrules_accessrule"
REBUILD = [f"UPDATE {_RULES} SET {_copies(_RULES)} WHERE {_is_outdated(_RULES)}"]
