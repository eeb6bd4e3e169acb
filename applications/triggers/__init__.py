"""Denormalized columns, the search index of applications, and the number of access rules; all triggers.

Triggers rather than application code, so bulk inserts and database shells cannot bypass them. Each runs
in the transaction of the statement that fires it. Authorization never reads these columns; they only
make lists fast.

SQLite drops a table's triggers when a migration rebuilds the table. So after every migration the
triggers are installed again, and everything that they maintain is recomputed.
"""

from itertools import chain
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from accessrules import triggers as access_rules
from applications.triggers import search_index
from runai_access.db import denormalization
from runai_access.db.denormalization import Column, Source, copy
from runai_access.db.triggers import enabled_triggers, run, run_together

_ACTIVE_RULES = "SELECT subject_id FROM accessrules_accessrule WHERE deleted_at IS NULL"


def _of_secrets(name: str, value: str, of: str) -> Column:
    """Declare a column of applications: `value`, computed from the column `of` of unrevoked secrets."""
    return Column(
        table="applications_application",
        name=name,
        key="subject_id",
        value=f"""(
            SELECT {value} FROM applications_clientsecret secret
            WHERE secret.application_id = {{key}} AND secret.revoked_at IS NULL
        )""",  # noqa: S608  # consists of constants
        sources=[
            Source(
                "applications_clientsecret",
                ["application_id", "revoked_at", *([of] if of else [])],
                keys="{row}.application_id",
                is_referenced=False,
            )
        ],
        is_locked=True,
    )


# PostgreSQL locks rows in this order: access rules before applications.
COLUMNS = [
    *access_rules.COLUMNS,
    copy(
        "applications_application.is_enabled", "accessrules_subject.enabled", by="subject_id = id"
    ),
    # The first active rule at or below the account, "Role in Scope", or NULL.
    Column(
        table="applications_application",
        name="first_rule",
        key="subject_id",
        value="""(
            SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
            JOIN accessrules_role role ON role.id = rule.role_id
            JOIN accessrules_scope scope ON scope.id = rule.scope_id
            WHERE rule.subject_id = {key} AND rule.deleted_at IS NULL AND scope.depth > 0
            ORDER BY rule.id LIMIT 1
        )""",
        sources=[
            Source(
                "accessrules_accessrule",
                ["deleted_at", "subject_id", "role_id", "scope_id"],
                keys="{row}.subject_id",
                is_referenced=False,
            ),
            Source("accessrules_role", ["name"], f"{_ACTIVE_RULES} AND role_id = {{row}}.id"),
            Source(
                "accessrules_scope", ["name", "depth"], f"{_ACTIVE_RULES} AND scope_id = {{row}}.id"
            ),
        ],
        is_locked=True,
    ),
    # When the application that is the rule's subject was created, or NULL. Declared after `first_rule`,
    # whose trigger locks the application.
    copy(
        "accessrules_accessrule.application_created_at",
        "applications_application.created_at",
        by="subject_id = subject_id",
        is_referenced=False,
    ),
    _of_secrets("secret_count", "COUNT(*)", of=""),
    _of_secrets("oldest_secret_at", "MIN(secret.created_at)", of="created_at"),
    _of_secrets("next_secret_expiry", "MIN(secret.expires_at)", of="expires_at"),
    Column(
        table="applications_application",
        name="owner_name",
        key="owner_id",
        value="""(
            SELECT owner.normalized_name FROM accessrules_subject owner
            WHERE owner.id = {key} AND owner.retired_at IS NULL
        )""",
        sources=[Source("accessrules_subject", ["normalized_name", "retired_at"], "{row}.id")],
    ),
]
# The migrations that create the tables and columns which the triggers name.
_REQUIRED_MIGRATIONS = {
    ("accessrules", "0005_rule_counts"),
    ("applications", "0009_owner_description_labels"),
}
# In PostgreSQL, the comment on the search table says that a rebuild has begun and not ended.
_INCOMPLETE = "Some rows are outdated. The next migrate recomputes them."
_COMMENT = "COMMENT ON TABLE applications_search IS {}"


def create_statements(vendor: str) -> dict[str, list[str]]:
    """Return the statements that create each trigger, by its name."""
    actions = [
        *denormalization.actions(COLUMNS, vendor),
        *search_index.actions(vendor),
        *access_rules.COUNT_ACTIONS,
    ]
    return denormalization.triggers(actions, vendor)


def install(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers, replacing existing ones.

    PostgreSQL replaces each in place, because dropping a trigger blocks readers.
    """
    if connection.vendor == "sqlite":
        remove(connection)
    for sql in chain.from_iterable(create_statements(connection.vendor).values()):
        run_together(connection, [sql])


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers."""
    is_sqlite = connection.vendor == "sqlite"
    drop = "DROP TRIGGER IF EXISTS {}" if is_sqlite else "DROP FUNCTION IF EXISTS {}() CASCADE"
    run(connection, [drop.format(name) for name in create_statements(connection.vendor)])


def rebuild(connection: BaseDatabaseWrapper) -> None:
    """Recompute everything that the triggers maintain, for rows written without them."""
    access_rules.correct_counts(connection)
    denormalization.rebuild(connection, COLUMNS)
    search_index.rebuild(connection)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the triggers that are missing or disabled."""
    enabled = enabled_triggers(connection)
    return [name for name in create_statements(connection.vendor) if name not in enabled]


def before_migrating(*, plan: list[Any], using: str, **_: Any) -> None:
    """Drop the triggers before a migration that might rebuild a table that they name.

    Only SQLite refuses to rebuild such a table. No other process can change its schema meanwhile.
    """
    if plan and connections[using].vendor == "sqlite":
        remove(connections[using])


def after_migrating(*, using: str, plan: Any = None, **_: Any) -> None:
    """Install the triggers again and recompute what they maintain, if anything was migrated.

    The same if an earlier migration was interrupted before that. If the tables that the triggers name
    do not exist, drop the triggers, because they would make every write fail.
    """
    connection = connections[using]
    if not set(MigrationRecorder(connection).applied_migrations()) >= _REQUIRED_MIGRATIONS:
        remove(connection)
    elif connection.vendor == "sqlite":
        if plan or missing(connection):
            with transaction.atomic(using=using):
                install(connection)
                rebuild(connection)
    elif plan or missing(connection) or _is_incomplete(connection):
        # Former replicas still serve. So this is no transaction: creating a trigger locks its table
        # until the transaction ends, and recomputing a million rows takes minutes. If a trigger does
        # not get the lock, `migrate` repeats this, because of the comment.
        run(connection, [_COMMENT.format(f"'{_INCOMPLETE}'")])
        install(connection)
        rebuild(connection)
        run(connection, [_COMMENT.format("NULL")])


def _is_incomplete(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the last rebuild on PostgreSQL was interrupted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description('applications_search'::regclass, 'pg_class')")
        return bool(cursor.fetchone() == (_INCOMPLETE,))
