"""What the database keeps up of access rules by itself: the names to sort them by.

A rule holds copies of its subject's type and name, of its role's and its scope's name: to sort
millions by what stands in other tables, a database would have to read them all. Installed, taken
away and made anew together with `applications.upkeep`, which says why these are triggers.
"""

COPIES = {
    "subject": {"subject_type": "type", "subject_name": "folded_name"},
    "role": {"role_name": "name"},
    "scope": {"scope_name": "name"},
}
"""For each table that a rule points at: the rule's columns, and what they are copies of."""
