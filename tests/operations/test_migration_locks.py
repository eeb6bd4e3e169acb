"""Migrations of a rolling upgrade lock no table that is in use for longer than a moment.

With a million rows, a statement that reads or rewrites a table while it holds an exclusive lock takes
seconds, and every request waits. This is a linter: it allows operations that never do so.
"""

from collections.abc import Iterator

import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from runai_access.db.migrations import AddIndexWithoutBlocking, RemoveIndexWithoutBlocking

pytestmark = pytest.mark.any_database

OUR_APPS = {"accessrules", "accounts", "api", "applications", "audit", "maintenance", "scim", "ui"}
# The upgrade from 0.1.0 stops all replicas, so these can lock.
OF_THE_FIRST_UPGRADE = {
    ("accessrules", "0001_access_rules"),
    ("accounts", "0001_initial"),
    ("api", "0001_initial"),
    ("applications", "0001_initial"),
    ("applications", "0002_generated_triggers"),
    ("audit", "0001_initial"),
    ("ui", "0001_initial"),
}
# They change only the catalog, or do not block reads and writes.
BRIEF = (
    migrations.CreateModel,
    migrations.DeleteModel,
    migrations.RemoveField,
    migrations.RemoveConstraint,
    migrations.AlterModelManagers,
    migrations.AlterModelOptions,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    AddConstraintNotValid,
    AddIndexWithoutBlocking,
    RemoveIndexWithoutBlocking,
    ValidateConstraint,
)
ALL = {
    key: migration
    for key, migration in MigrationLoader(None).disk_migrations.items()
    if key[0] in OUR_APPS and key not in OF_THE_FIRST_UPGRADE
}


def is_brief(operation: Operation, created: set[str]) -> bool:
    """Return whether an operation never holds a lock for long; `created`: new, empty models."""
    if isinstance(operation, BRIEF):
        return True
    if getattr(operation, "model_name_lower", "") in created:
        return True
    if isinstance(operation, migrations.AddField):
        # PostgreSQL stores the default in the catalog; Django would write it to each row otherwise.
        field = operation.field
        is_empty = field.null and field.default is models.NOT_PROVIDED
        return (is_empty or field.has_db_default()) and not (field.db_index or field.unique)
    return False


def slow_operations(migration: migrations.Migration) -> Iterator[str]:
    """Yield the operations that can lock; a migration can say in `brief_because` why they do not."""
    created = {
        operation.name_lower
        for operation in migration.operations
        if isinstance(operation, migrations.CreateModel)
    }
    for operation in migration.operations:
        if not is_brief(operation, created) and not getattr(migration, "brief_because", ""):
            yield operation.describe()


@pytest.mark.parametrize("key", sorted(ALL), ids="-".join)
def test_a_migration_locks_no_table_for_long(key: tuple[str, str]) -> None:
    """If this fails: split the migration, or create the index concurrently.

    If its table is small, or the statement is quick, add a class attribute `brief_because` to the
    migration that says why.
    """
    assert list(slow_operations(ALL[key])) == []


def test_the_linter_knows_slow_operations() -> None:
    class Slow(migrations.Migration):
        operations = [
            migrations.AddField("application", "size", models.IntegerField(default=0)),
            migrations.AddField("application", "note", models.TextField(null=True)),
            migrations.AddField("application", "rank", models.IntegerField(db_default=0)),
            migrations.AddIndex("application", models.Index(fields=["name"], name="by_name")),
            migrations.RunSQL("UPDATE applications_application SET name = name"),
        ]

    assert list(slow_operations(Slow("slow", "applications"))) == [
        "Add field size to application",
        "Create index by_name on field(s) name of model application",
        "Raw SQL operation",
    ]
