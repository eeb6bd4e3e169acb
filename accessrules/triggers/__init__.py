"""Database triggers that maintain the denormalized columns of access rules.

A rule repeats its subject's type and name, its role's name and its scope's name, so an index can sort
millions of rules without reading other tables. `applications.triggers` installs these triggers together
with its own, and explains why they are triggers.
"""

DENORMALIZED_COLUMNS = {
    "subject": {"subject_type": "type", "subject_name": "normalized_name"},
    "role": {"role_name": "name"},
    "scope": {"scope_name": "name"},
}
"""For each table that a rule references: the rule's denormalized columns and their source columns."""


def source_expressions(rule: str) -> dict[str, str]:
    """Return the SQL that computes each denormalized column, the same for every database.

    `rule` is the name of the rule's row in the statement.
    """
    return {
        target: f"(SELECT {source} FROM accessrules_{table} WHERE id = {rule}.{table}_id)"  # noqa: S608  # constants
        for table, columns in DENORMALIZED_COLUMNS.items()
        for target, source in columns.items()
    }
