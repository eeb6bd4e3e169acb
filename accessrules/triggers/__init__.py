"""What the database keeps up of access rules by itself: the names to sort them by.

A rule holds copies of its subject's type and name, of its role's and its scope's name: to sort
millions by what stands in other tables, a database would have to read them all. Installed, taken
away and made anew together with `applications.triggers`, which says why these are triggers.
"""

COPIES = {
    "subject": {"subject_type": "type", "subject_name": "folded_name"},
    "role": {"role_name": "name"},
    "scope": {"scope_name": "name"},
}
"""For each table that a rule points at: the rule's columns, and what they are copies of."""


def originals(rule: str) -> dict[str, str]:
    """Return, for each copy that a rule holds, the SQL of what it is a copy of; every database says it
    alike. `rule` is what the statement calls the rule."""
    return {
        copy: f"(SELECT {column} FROM accessrules_{table} WHERE id = {rule}.{table}_id)"  # noqa: S608  # constants
        for table, columns in COPIES.items()
        for copy, column in columns.items()
    }
