"""Upgrade a database of the first release to the initial migrations of this one.

The first release's migrations no longer exist: the initial migrations create today's schema, with new
names. `manage.py migrate`, and so `prepare` and `serve`, call `upgrade` first. It renames in one
transaction: if the process is killed, the database is unchanged.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.apps.registry import Apps
from django.core.management import CommandError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import CheckConstraint, F, Q, QuerySet, UniqueConstraint

from runai_access.audit import guards
from runai_access.db.batches import recompute_in_batches
from runai_access.db.normalization import normalize
from runai_access.db.normalization_sql import create_in_postgresql, is_ascii
from runai_access.upgrade import first_release_names as names

# The first release records it, no later release does.
_MARK = ("accessrules", "0001_initial")
_SIGN_IN_NETWORKS = ("accounts", "0004_sign_in_networks")


class TooOld(CommandError):
    """The database is older than the first release."""


def is_first_release(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the database is of the first release, or older."""
    return _MARK in MigrationRecorder(connection).applied_migrations()


def upgrade(connection: BaseDatabaseWrapper, report: Callable[[str], Any] = print) -> None:
    """Upgrade a database of the first release; leave any other unchanged.

    `report` gets each line about names that count as the same. Raises TooOld.
    """
    if not is_first_release(connection):
        return
    with connection.schema_editor(atomic=True) as editor:
        if connection.vendor == "postgresql":
            # Wait while another process upgrades. In SQLite the transaction has already waited.
            editor.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        applied = set(MigrationRecorder(connection).applied_migrations())
        if _MARK not in applied:
            return
        _require_first_release(applied)
        apps = _initial_apps()
        _drop_triggers(editor)
        if _SIGN_IN_NETWORKS not in applied:
            editor.create_model(apps.get_model("accounts", "SignInNetwork"))
        _rename_tables_and_columns(editor)
        if connection.vendor == "sqlite":
            _rename_the_rest_in_sqlite(editor, apps)
        else:
            _rename_the_rest_in_postgresql(editor, has_networks=_SIGN_IN_NETWORKS in applied)
            editor.execute(create_in_postgresql(), params=None)
        _rename_content_type(editor)
        guards.install(connection)
        # `migrate` then installs the triggers, and recomputes the columns that these feed.
        _normalize_again(apps, connection.alias)
        _report_equal_names(apps, connection.alias, report)
        _record(connection)


def _require_first_release(applied: set[tuple[str, str]]) -> None:
    missing = [
        f"{app}.{name}" for app, name in names.REQUIRED_MIGRATIONS if (app, name) not in applied
    ]
    if missing:
        raise TooOld(
            "This database is older than release 0.1.0, and this release cannot upgrade it. Start "
            "release 0.1.0 with this database, stop it, and then start this release. Nothing was "
            f"changed. Missing migrations: {', '.join(missing)}."
        )


def _initial_apps() -> Apps:
    """Return the models as the initial migrations create them, whatever later migrations change."""
    state = MigrationLoader(None).project_state(names.INITIAL_MIGRATIONS)
    apps: Apps = state.apps
    return apps


def _drop_triggers(editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "sqlite":
        for name in names.SQLITE_TRIGGERS:
            editor.execute(f"DROP TRIGGER IF EXISTS {name}")
    else:
        for name in names.POSTGRESQL_FUNCTIONS:
            editor.execute(f"DROP FUNCTION IF EXISTS {name}() CASCADE")


def _rename_tables_and_columns(editor: BaseDatabaseSchemaEditor) -> None:
    for old, new in names.TABLES.items():
        editor.execute(f"ALTER TABLE {old} RENAME TO {new}")
    for table, old, new in names.COLUMNS:
        editor.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")


def _rename_the_rest_in_sqlite(editor: BaseDatabaseSchemaEditor, apps: Apps) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT seq, name FROM sqlite_sequence")
        sequences = cursor.fetchall()
        for label in names.REBUILT_IN_SQLITE:
            model = apps.get_model(*label)
            # Adding any constraint makes Django's schema editor rebuild the table from its model.
            editor.add_constraint(model, CheckConstraint(condition=Q(), name="rebuild"))
        # A rebuilt table continues from its greatest id and would reuse the ids of deleted rows.
        cursor.execute("DELETE FROM sqlite_sequence")
        cursor.executemany("INSERT INTO sqlite_sequence (seq, name) VALUES (%s, %s)", sequences)
    editor.execute("DROP INDEX access_rule_unique_among_living")
    editor.add_constraint(
        apps.get_model("accessrules", "AccessRule"),
        UniqueConstraint(
            fields=["subject", "role", "scope"],
            condition=Q(deleted_at=None),
            name="access_rule_unique_unless_deleted",
        ),
    )


def _rename_the_rest_in_postgresql(editor: BaseDatabaseSchemaEditor, *, has_networks: bool) -> None:
    for table, old, new in names.CONSTRAINTS:
        if has_networks or table != "accounts_signinnetwork":
            editor.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}")
    for old, new in names.INDEXES.items():
        editor.execute(f"ALTER INDEX {old} RENAME TO {new}")


def _rename_content_type(editor: BaseDatabaseSchemaEditor) -> None:
    editor.execute(
        "UPDATE auth_permission SET codename = replace(codename, 'leaving', 'pendingarchival'),"
        " name = replace(name, 'leaving', 'pending archival') WHERE content_type_id IN"
        " (SELECT id FROM django_content_type WHERE app_label = 'audit' AND model = 'leaving')"
    )
    editor.execute(
        "UPDATE django_content_type SET model = 'pendingarchival'"
        " WHERE app_label = 'audit' AND model = 'leaving'"
    )


def _normalize_again(apps: Apps, alias: str) -> None:
    """Recompute normalized text, because normalization has changed for text that is not ASCII."""
    subjects = _rows(apps, alias, "accessrules", "Subject").exclude(is_ascii(F("name")))
    recompute_in_batches(subjects, "normalized_name", lambda subject: normalize(subject.name))
    applications = _rows(apps, alias, "applications", "Application").select_related("subject")
    recompute_in_batches(
        applications.exclude(is_ascii(F("search_text"))),
        "search_text",
        lambda row: f"{normalize(row.subject.name)}\n{normalize(row.created_by)}\n",
    )
    users = _rows(apps, alias, "accounts", "User").exclude(is_ascii(F("search_text")))
    recompute_in_batches(
        users, "search_text", lambda user: f"{normalize(user.email)}\n{normalize(user.created_by)}"
    )


def _report_equal_names(apps: Apps, alias: str, report: Callable[[str], Any]) -> None:
    """Report the users, groups and sibling scopes whose names compare equal; rename none."""
    equal: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    subjects = _rows(apps, alias, "accessrules", "Subject").filter(retired_at=None)
    # Names of applications are lower-case ASCII, so different ones never compare equal.
    for type_, name in subjects.exclude(type="app").values_list("type", "name").iterator():
        equal[f"{type_}s", normalize(name)].append(name)
    scopes = _rows(apps, alias, "accessrules", "Scope").order_by("pk")
    for parent_name, parent, name in scopes.values_list(
        "parent__name", "parent", "name"
    ).iterator():
        equal[f"scopes below {parent_name} ({parent})", normalize(name)].append(name)
    duplicates = [(place, same) for (place, _), same in equal.items() if len(same) > 1]
    if duplicates:
        report("These names count as the same; rename all but one of each:")
    for place, same in duplicates:
        report(f"  {place}: {', '.join(sorted(map(ascii, same)))}")


def _rows(apps: Apps, alias: str, app: str, model: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = apps.get_model(app, model).objects.using(alias)
    return rows


def _record(connection: BaseDatabaseWrapper) -> None:
    """Record the initial migrations instead of those of the first release."""
    recorder = MigrationRecorder(connection)
    apps = {app for app, _ in names.INITIAL_MIGRATIONS}
    recorder.migration_qs.filter(app__in=apps).delete()
    for app, name in names.INITIAL_MIGRATIONS:
        recorder.record_applied(app, name)
