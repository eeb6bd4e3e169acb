"""A database of the first release is upgraded completely or not at all, and nothing is lost."""

import json
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from django.db.migrations.loader import MigrationLoader

from runai_access.upgrade import first_release_names as names
from tests import processes
from tests.databases import migrated_database
from tests.operations import first_release
from tests.operations.first_release import Rows, rows_of, schema_of
from tests.servers import environment_on, fresh_database, manage

pytestmark = pytest.mark.slow
Environment = dict[str, str]
Schema = set[tuple[str, ...]]

_KILL = """
import os, signal
import django
django.setup()
from django.core.management import call_command
from runai_access.upgrade import first_release
first_release._record = lambda connection: os.kill(os.getpid(), signal.SIGKILL)
call_command("migrate", verbosity=0)
"""
_FAIL = """
import django
django.setup()
from django.core.management import call_command
from runai_access.upgrade import first_release
first_release._record = lambda connection: 1 / 0
call_command("migrate", verbosity=0)
"""
_READ = """
import json
from uuid import UUID
from accessrules.models import AccessRule, Subject
from applications.models import Application
from applications.search import keys_with_text
from runai_access.accounts.models import User
names = {application.pk: application.name for application in Application.objects.all()}
print(json.dumps({
    "found": sorted(names[UUID(str(key))] for key in keys_with_text("istanbul").first(9)),
    "user": [user.email for user in User.objects.with_email("ROSA@ISTANBUL.EXAMPLE")],
    "groups": sorted(Subject.objects.filter(normalized_name="team").values_list("name", flat=True)),
    "rules": sorted(AccessRule.objects.values_list("subject_name", flat=True)),
    "dated": AccessRule.objects.exclude(application_created_at=None).count(),
    "first": Application.objects.get(subject__name="nightly").first_rule,
    "password": User.objects.with_email("ada@acme.example").get().check_password(
        "correct-horse-battery-staple"),
}))
"""
# Other states in which a database of the first release can be.
_BEFORE_NETWORKS = """
DROP TABLE accounts_signinnetwork;
DELETE FROM django_migrations WHERE name = '0004_sign_in_networks';
"""
_TEAM = "\uff34\uff25\uff21\uff2d"  # "TEAM" in full-width letters
_NORMALIZED = """
INSERT INTO django_migrations (app, name, applied) VALUES
    ('accessrules', '0009_normalized_names', CURRENT_TIMESTAMP),
    ('applications', '0009_normalized_search_text', CURRENT_TIMESTAMP),
    ('accounts', '0005_normalized_search_text', CURRENT_TIMESTAMP);
"""


_STALE = """
UPDATE applications_application SET first_rule = NULL;
UPDATE accessrules_accessrule SET holder_created_at = NULL;
DELETE FROM applications_search;
"""


@dataclass(frozen=True)
class Upgraded:
    """A database that was upgraded, what it was before, and the output of the upgrade."""

    environment: Environment
    before: Rows
    output: str

    @property
    def database(self) -> str:
        return self.environment["DATABASE_URL"]


@pytest.fixture
def old(empty_database: Environment) -> Environment:
    """The environment of a command on a database of the first release."""
    first_release.load(empty_database["DATABASE_URL"])
    return {**empty_database, **first_release.SECRET_KEY}


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """A database that was upgraded; tests only read it."""
    with fresh_database(tmp_path_factory.mktemp("upgraded")) as database:
        first_release.load(database)
        before = rows_of(database)
        environment = {**environment_on(database), **first_release.SECRET_KEY}
        yield Upgraded(environment, before, _migrate(environment))


@pytest.fixture(scope="module")
def fresh_schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Schema]:
    """The schema of a new installation."""
    with migrated_database(tmp_path_factory.mktemp("fresh")) as database:
        yield schema_of(database)


def _migrate(environment: Environment) -> str:
    said = manage("migrate", environment=environment)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def _all_migrations() -> set[tuple[str, str]]:
    """Return the migrations of the apps that the upgrade is about."""
    apps = {app for app, _ in names.INITIAL_MIGRATIONS}
    return {key for key in MigrationLoader(None).disk_migrations if key[0] in apps}


def _recorded(database: str) -> set[tuple[str, str]]:
    apps = {app for app, _ in names.INITIAL_MIGRATIONS}
    rows = rows_of(database)["django_migrations"]
    return {(row["app"], row["name"]) for row in rows if row["app"] in apps}


def test_upgraded_schema_equals_that_of_a_new_installation(
    upgraded: Upgraded, fresh_schema: Schema
) -> None:
    schema = schema_of(upgraded.database)
    assert sorted(schema - fresh_schema) == []
    assert sorted(fresh_schema - schema) == []
    assert _recorded(upgraded.database) == _all_migrations()


@pytest.mark.parametrize("state", [_BEFORE_NETWORKS, _NORMALIZED])
def test_every_state_of_the_first_release_is_upgraded(
    old: Environment, fresh_schema: Schema, state: str
) -> None:
    first_release.execute(old["DATABASE_URL"], state)
    _migrate(old)
    assert schema_of(old["DATABASE_URL"]) == fresh_schema


def test_upgrade_keeps_every_row(upgraded: Upgraded) -> None:
    after = rows_of(upgraded.database)
    columns = {(table, former): new for table, former, new in names.COLUMNS}
    for table, rows in upgraded.before.items():
        # The next migrate adds the predefined roles that the copy leaves out. Sequences also count
        # rows for new tables.
        if table in ("django_migrations", "accessrules_role", "sqlite_sequence"):
            continue
        renamed = [
            {columns.get((table, name), name): value for name, value in row.items()} for row in rows
        ]
        now = [_stable(table, row).items() for row in after[names.TABLES.get(table, table)]]
        for row in renamed:  # later migrations add rows and columns
            assert any(_stable(table, row).items() <= new for new in now), (table, row)
    ids = {row["id"] for row in upgraded.before["accessrules_role"]}
    assert ids <= {row["id"] for row in after["accessrules_role"]}


def _stable(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the upgrade recomputes, drops and adds, and the names of the renamed model."""
    changed = {
        "accessrules_subject": ["normalized_name"],
        "accessrules_accessrule": ["subject_name"],
        "accounts_user": ["search_text"],
        "applications_application": [
            "search_text",
            "secret_hash",
            "secret_count",
            "oldest_secret_at",
            "next_secret_expiry",
        ],
        "applications_search": ["text"],
        "auth_permission": ["name", "codename"],
        "django_content_type": ["model"],
    }
    return {name: value for name, value in row.items() if name not in changed.get(table, [])}


def test_upgrade_keeps_every_client_secret(upgraded: Upgraded) -> None:
    secrets = rows_of(upgraded.database)["applications_clientsecret"]
    before = upgraded.before["applications_application"]
    had = {(row["subject_id"], row["secret_hash"]) for row in before if row["secret_hash"]}
    assert {(row["application_id"], row["secret_hash"]) for row in secrets} == had != set()
    assert len({row["id"] for row in secrets}) == len(secrets) == len(had)
    assert all(row["has_old_format"] and not row["revoked_at"] for row in secrets)


def test_equal_names_are_reported(upgraded: Upgraded) -> None:
    assert "groups: 'Z\\xfcrich', 'Zu\\u0308rich'" in upgraded.output
    assert "scopes below east (3): 'Z\\xfcrich', 'Zu\\u0308rich'" in upgraded.output
    assert "TEAM" not in upgraded.output  # one of the two groups is retired


def test_upgraded_rows_are_found_and_sorted(upgraded: Upgraded) -> None:
    assert _read(upgraded.environment) == {
        "found": ["crawl"],
        "user": ["rosa@İstanbul.example"],
        "groups": ["TEAM", _TEAM],
        "rules": ["ada@acme.example", "crawl", *["nightly"] * 3, "rosa@istanbul.example", "team",
                  "zürich"],
        "dated": 4,
        "first": "L1 researcher in east",
        "password": True,
    }  # fmt: skip


def test_columns_that_missing_triggers_left_stale_are_recomputed(
    old: Environment, upgraded: Upgraded
) -> None:
    first_release.drop_triggers(old["DATABASE_URL"])
    first_release.execute(old["DATABASE_URL"], _STALE)
    _migrate(old)
    assert _read(old) == _read(upgraded.environment)


def _read(environment: Environment) -> Any:
    return json.loads(manage("shell", "-v0", "-c", _READ, environment=environment).stdout)


def test_upgraded_audit_log_verifies(upgraded: Upgraded) -> None:
    verified = manage("verify_audit", environment=upgraded.environment)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "3 rows in 1 seals, 1 not sealed yet; 2 rows in 1 archives" in verified.stdout


def test_upgraded_content_type_keeps_its_permissions(upgraded: Upgraded) -> None:
    rows = rows_of(upgraded.database)
    audit = [row["model"] for row in rows["django_content_type"] if row["app_label"] == "audit"]
    assert {"archive", "auditevent", "pendingarchival", "seal", "unsealed"} <= set(audit)
    assert "leaving" not in audit
    codenames = {row["codename"] for row in rows["auth_permission"]}
    assert "view_pendingarchival" in codenames
    assert not any("leaving" in codename for codename in codenames)


@pytest.mark.parametrize(("program", "status"), [(_KILL, -signal.SIGKILL), (_FAIL, 1)])
def test_interrupted_upgrade_leaves_the_database_of_the_first_release(
    old: Environment, fresh_schema: Schema, program: str, status: int
) -> None:
    database = old["DATABASE_URL"]
    before = schema_of(database), rows_of(database)
    ended = processes.run(
        [sys.executable, "-c", program],
        environment={**old, "DJANGO_SETTINGS_MODULE": "runai_access.settings"},
    )
    assert ended.returncode == status, ended.stderr
    assert (schema_of(database), rows_of(database)) == before
    first_release.expire_leases(database)
    _migrate(old)
    assert schema_of(database) == fresh_schema


def test_older_database_is_refused_and_unchanged(old: Environment) -> None:
    database = old["DATABASE_URL"]
    first_release.execute(database, "DELETE FROM django_migrations WHERE name LIKE '0008_%'")
    before = schema_of(database), rows_of(database)
    said = manage("migrate", environment=old)
    assert said.returncode == 1
    assert "Start release 0.1.0 with this database" in said.stderr
    assert (
        "Missing migrations: accessrules.0008_creation_of_holders, "
        "applications.0008_search_in_its_own_table." in said.stderr
    )
    assert (schema_of(database), rows_of(database)) == before


def test_two_processes_upgrade_once(old: Environment, fresh_schema: Schema) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_migrate, [old, old]))
    assert schema_of(old["DATABASE_URL"]) == fresh_schema


def test_plan_and_check_change_nothing(old: Environment) -> None:
    before = schema_of(old["DATABASE_URL"])
    for option in ("--plan", "--check"):
        said = manage("migrate", option, environment=old)
        assert said.returncode == 1
        assert "database of the first release" in said.stderr
    assert schema_of(old["DATABASE_URL"]) == before


def test_prepare_upgrades_and_a_second_start_changes_nothing(old: Environment) -> None:
    for _ in range(2):
        said = manage("prepare", environment=old)
        assert said.returncode == 0, said.stderr
    assert _recorded(old["DATABASE_URL"]) == _all_migrations()


def test_first_release_refuses_a_database_of_a_later_one() -> None:
    # It finds accounts.0001_initial without accessrules.0001_initial, on which that depends there.
    assert ("accessrules", "0001_initial") not in names.INITIAL_MIGRATIONS
    assert ("accounts", "0001_initial") in names.INITIAL_MIGRATIONS
