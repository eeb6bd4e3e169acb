"""What the database itself refuses: changing or removing a row of the record, its seals or archives.

Triggers do it, so no bug of ours and no statement of another program gets past by oversight; who owns
the tables can switch them off, and for that there is the chain. They also note each new row for the
sealer. The one way out is for `archive`: a row that is noted in `audit_leaving` may be removed, and a
seal once an archive covers it.

SQLite makes a table anew for many a migration and drops its triggers with the old one, so after every
migration those that are missing are put back. A migration that alters `audit_leaving`,
`audit_unsealed` or `audit_archive`, which triggers of other tables name, begins with `remove`.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

MIGRATION = ("audit", "0003_guards")

SQLITE = {
    "audit_auditevent_kept_update": """
        BEFORE UPDATE ON audit_auditevent
        BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END""",
    "audit_auditevent_kept_delete": """
        BEFORE DELETE ON audit_auditevent
        WHEN NOT EXISTS (SELECT 1 FROM audit_leaving WHERE event_id = OLD.id)
        BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END""",
    # INSERT OR REPLACE removes the row in its way, and asks the triggers for DELETE only where the
    # connection has PRAGMA recursive_triggers, as ours do.
    "audit_auditevent_kept_replace": """
        BEFORE INSERT ON audit_auditevent
        WHEN EXISTS (SELECT 1 FROM audit_auditevent WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END""",
    "audit_auditevent_noted": """
        AFTER INSERT ON audit_auditevent
        BEGIN INSERT INTO audit_unsealed (event_id) VALUES (NEW.id); END""",
    "audit_seal_kept_update": """
        BEFORE UPDATE ON audit_seal
        BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END""",
    "audit_seal_kept_delete": """
        BEFORE DELETE ON audit_seal
        WHEN NOT EXISTS (SELECT 1 FROM audit_archive WHERE last_seal >= OLD.number)
        BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END""",
    "audit_seal_kept_replace": """
        BEFORE INSERT ON audit_seal
        WHEN EXISTS (SELECT 1 FROM audit_seal WHERE number = NEW.number)
        BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END""",
    "audit_archive_kept_update": """
        BEFORE UPDATE ON audit_archive
        BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END""",
    "audit_archive_kept_delete": """
        BEFORE DELETE ON audit_archive
        BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END""",
    "audit_archive_kept_replace": """
        BEFORE INSERT ON audit_archive
        WHEN EXISTS (SELECT 1 FROM audit_archive WHERE last_seal = NEW.last_seal)
        BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END""",
}
POSTGRESQL = {
    "audit_auditevent_kept": """
        BEFORE UPDATE OR TRUNCATE ON audit_auditevent
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    "audit_auditevent_kept_delete": """
        BEFORE DELETE ON audit_auditevent
        FOR EACH ROW EXECUTE FUNCTION audit_event_leaves()""",
    "audit_auditevent_noted": """
        AFTER INSERT ON audit_auditevent REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION audit_note_new()""",
    "audit_seal_kept": """
        BEFORE UPDATE OR TRUNCATE ON audit_seal
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    "audit_seal_kept_delete": """
        BEFORE DELETE ON audit_seal
        FOR EACH ROW EXECUTE FUNCTION audit_seal_leaves()""",
    "audit_archive_kept": """
        BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_archive
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
}
FUNCTIONS = {
    "audit_refuse": """
        BEGIN
            RAISE EXCEPTION 'The audit record is only ever added to.'
                USING ERRCODE = 'integrity_constraint_violation';
        END""",
    "audit_event_leaves": """
        BEGIN
            IF EXISTS (SELECT 1 FROM audit_leaving WHERE event_id = OLD.id) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'The audit record is only ever added to.'
                USING ERRCODE = 'integrity_constraint_violation';
        END""",
    "audit_seal_leaves": """
        BEGIN
            IF EXISTS (SELECT 1 FROM audit_archive WHERE last_seal >= OLD.number) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'The audit record is only ever added to.'
                USING ERRCODE = 'integrity_constraint_violation';
        END""",
    "audit_note_new": """
        BEGIN
            INSERT INTO audit_unsealed (event_id) SELECT id FROM added;
            RETURN NULL;
        END""",
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every guard in place, once more if need be."""
    _run(connection, [*removing(connection), *installing(connection)])


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take every guard away."""
    _run(connection, removing(connection))


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the guards that are not there, or switched off."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')")
        there = {name for (name,) in cursor.fetchall()}
    return [name for name in _triggers(connection) if name not in there]


def installing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the statements that put the guards in place."""
    triggers = [f"CREATE TRIGGER {name}{rest}" for name, rest in _triggers(connection).items()]
    if connection.vendor == "sqlite":
        return triggers
    functions = [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body} $$"
        for name, body in FUNCTIONS.items()
    ]
    return functions + triggers


def removing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the statements that take the guards away."""
    if connection.vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for name in SQLITE]
    # The triggers go with the functions that they run.
    return [f"DROP FUNCTION IF EXISTS {name} CASCADE" for name in FUNCTIONS]


def after_migrating(**options: Any) -> None:
    """Put the guards in place where their migration is applied (receives `post_migrate`)."""
    connection = connections[options["using"]]
    if MIGRATION in MigrationRecorder(connection).applied_migrations() and missing(connection):
        install(connection)


def _triggers(connection: BaseDatabaseWrapper) -> dict[str, str]:
    return SQLITE if connection.vendor == "sqlite" else POSTGRESQL


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
