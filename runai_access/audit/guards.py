"""Database triggers that keep the audit log append-only: they refuse to change or delete events, seals
and archives.

So no bug of ours and no statement of another program changes the audit log by accident. The owner of
the tables can disable triggers; the chain of seals shows changes made then. The triggers also add each
new event to `audit_unsealed`, the queue of the sealer. Only `archive` can delete: an event that is in
`audit_pendingarchival`, and a seal that an archive covers.

SQLite rebuilds a table in many migrations and drops its triggers. So after every migration the missing
ones are installed again. A migration that alters `audit_pendingarchival`, `audit_unsealed` or
`audit_archive`, which triggers of other tables name, begins with `remove`.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from runai_access.db.triggers import enabled_triggers, run_together

MIGRATION = ("audit", "0001_initial")

SQLITE = {
    "audit_auditevent_refuse_update": """
        BEFORE UPDATE ON audit_auditevent
        BEGIN SELECT RAISE(ABORT, 'The audit log is append-only.'); END""",
    "audit_auditevent_refuse_delete": """
        BEFORE DELETE ON audit_auditevent
        WHEN NOT EXISTS (SELECT 1 FROM audit_pendingarchival WHERE event_id = OLD.id)
        BEGIN SELECT RAISE(ABORT, 'The audit log is append-only.'); END""",
    # INSERT OR REPLACE deletes a conflicting row, and fires the triggers for DELETE only if the
    # connection has PRAGMA recursive_triggers, as ours do.
    "audit_auditevent_refuse_replace": """
        BEFORE INSERT ON audit_auditevent
        WHEN EXISTS (SELECT 1 FROM audit_auditevent WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'The audit log is append-only.'); END""",
    "audit_auditevent_await_seal": """
        AFTER INSERT ON audit_auditevent
        BEGIN INSERT INTO audit_unsealed (event_id) VALUES (NEW.id); END""",
    "audit_seal_refuse_update": """
        BEFORE UPDATE ON audit_seal
        BEGIN SELECT RAISE(ABORT, 'The audit log is append-only.'); END""",
    "audit_seal_refuse_delete": """
        BEFORE DELETE ON audit_seal
        WHEN NOT EXISTS (SELECT 1 FROM audit_archive WHERE last_seal >= OLD.number)
        BEGIN SELECT RAISE(ABORT, 'The audit log is append-only.'); END""",
    "audit_seal_refuse_replace": """
        BEFORE INSERT ON audit_seal
        WHEN EXISTS (SELECT 1 FROM audit_seal WHERE number = NEW.number)
        BEGIN SELECT RAISE(ABORT, 'The audit log is append-only.'); END""",
    "audit_archive_refuse_update": """
        BEFORE UPDATE ON audit_archive
        BEGIN SELECT RAISE(ABORT, 'The audit log is append-only.'); END""",
    "audit_archive_refuse_delete": """
        BEFORE DELETE ON audit_archive
        BEGIN SELECT RAISE(ABORT, 'The audit log is append-only.'); END""",
    "audit_archive_refuse_replace": """
        BEFORE INSERT ON audit_archive
        WHEN EXISTS (SELECT 1 FROM audit_archive WHERE last_seal = NEW.last_seal)
        BEGIN SELECT RAISE(ABORT, 'The audit log is append-only.'); END""",
}
POSTGRESQL = {
    "audit_auditevent_refuse_change": """
        BEFORE UPDATE OR TRUNCATE ON audit_auditevent
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()""",
    "audit_auditevent_refuse_delete": """
        BEFORE DELETE ON audit_auditevent
        FOR EACH ROW EXECUTE FUNCTION audit_refuse_unarchived_event()""",
    "audit_auditevent_await_seal": """
        AFTER INSERT ON audit_auditevent REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION audit_await_seal()""",
    "audit_seal_refuse_change": """
        BEFORE UPDATE OR TRUNCATE ON audit_seal
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()""",
    "audit_seal_refuse_delete": """
        BEFORE DELETE ON audit_seal
        FOR EACH ROW EXECUTE FUNCTION audit_refuse_unarchived_seal()""",
    "audit_archive_refuse_change": """
        BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_archive
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()""",
}
FUNCTIONS = {
    "audit_refuse_change": """
        BEGIN
            RAISE EXCEPTION 'The audit log is append-only.'
                USING ERRCODE = 'integrity_constraint_violation';
        END""",
    "audit_refuse_unarchived_event": """
        BEGIN
            IF EXISTS (SELECT 1 FROM audit_pendingarchival WHERE event_id = OLD.id) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'The audit log is append-only.'
                USING ERRCODE = 'integrity_constraint_violation';
        END""",
    "audit_refuse_unarchived_seal": """
        BEGIN
            IF EXISTS (SELECT 1 FROM audit_archive WHERE last_seal >= OLD.number) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'The audit log is append-only.'
                USING ERRCODE = 'integrity_constraint_violation';
        END""",
    "audit_await_seal": """
        BEGIN
            INSERT INTO audit_unsealed (event_id) SELECT id FROM added;
            RETURN NULL;
        END""",
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Create every trigger, replacing existing ones."""
    run_together(connection, [*removing(connection), *installing(connection)])


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop every trigger."""
    run_together(connection, removing(connection))


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the triggers that are missing or disabled."""
    enabled = enabled_triggers(connection)
    return [name for name in _triggers(connection) if name not in enabled]


def installing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the statements that create the triggers."""
    triggers = [f"CREATE TRIGGER {name}{rest}" for name, rest in _triggers(connection).items()]
    if connection.vendor == "sqlite":
        return triggers
    functions = [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body} $$"
        for name, body in FUNCTIONS.items()
    ]
    return functions + triggers


def removing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the statements that drop the triggers."""
    if connection.vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for name in SQLITE]
    # The triggers go with the functions that they run.
    return [f"DROP FUNCTION IF EXISTS {name} CASCADE" for name in FUNCTIONS]


def after_migrating(**options: Any) -> None:
    """Create missing triggers once their tables exist; a receiver of `post_migrate`."""
    connection = connections[options["using"]]
    if MIGRATION in MigrationRecorder(connection).applied_migrations() and missing(connection):
        install(connection)


def _triggers(connection: BaseDatabaseWrapper) -> dict[str, str]:
    return SQLITE if connection.vendor == "sqlite" else POSTGRESQL
