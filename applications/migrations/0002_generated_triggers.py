"""Drop the triggers that were written by hand for each database.

`applications.triggers` installs those that its declarations yield, and recomputes what they maintain,
after this migration as after every other. Until then, another replica's writes leave the columns
stale; only lists read them.
"""

from typing import Any

from django.db import migrations

SQLITE_TRIGGERS = [
    "access_rule_denormalize_insert",
    "access_rule_denormalize_update",
    "access_rule_propagate_role_name",
    "access_rule_propagate_scope_name",
    "access_rule_propagate_subject_name",
    "access_rule_propagate_subject_type",
    "application_delete",
    "application_index_search_text",
    "application_insert",
    "application_propagate_created_at",
    "application_propagate_enabled",
    "application_propagate_role_name",
    "application_propagate_scope_name",
    "application_rule_delete",
    "application_rule_insert",
    "application_rule_update_first_rule",
    "application_rule_update_subject",
]
# Dropping a function with CASCADE drops its trigger, too.
POSTGRESQL_FUNCTIONS = [
    "access_rule_denormalize",
    "access_rule_propagate_role_name",
    "access_rule_propagate_scope_name",
    "access_rule_propagate_subject_name",
    "access_rule_propagate_subject_type",
    "application_clear_created_at",
    "application_denormalize",
    "application_index_search_text",
    "application_propagate_created_at",
    "application_propagate_enabled",
    "application_propagate_role_name",
    "application_propagate_scope_name",
    "application_rule_set_created_at",
    "application_rule_update_first_rule",
    "application_truncate",
]


def drop_triggers(_: Any, editor: Any) -> None:
    """Drop the triggers. A new database has none of them."""
    if editor.connection.vendor == "sqlite":
        for name in SQLITE_TRIGGERS:
            editor.execute(f"DROP TRIGGER IF EXISTS {name}")
    else:
        for name in POSTGRESQL_FUNCTIONS:
            editor.execute(f"DROP FUNCTION IF EXISTS {name}() CASCADE")


class Migration(migrations.Migration):
    dependencies = [("applications", "0001_initial")]

    operations = [migrations.RunPython(drop_triggers, migrations.RunPython.noop)]
