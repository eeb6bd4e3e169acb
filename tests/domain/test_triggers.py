"""Triggers maintain the denormalized columns of applications and the search index."""

import sqlite3
from collections.abc import Callable
from typing import Any, Self
from unittest.mock import Mock
from uuid import UUID

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accessrules.models import AccessRule, Scope, Subject
from applications import checks, triggers
from applications.models import Application
from applications.search import keys_with_text
from runai_access.db.triggers import enabled_triggers
from tests import factories
from tests.domain.racing import together

pytestmark = pytest.mark.django_db


def _first_rule(application: Application) -> str | None:
    return Application.objects.values_list("first_rule", flat=True).get(pk=application.pk)


def test_first_rule_is_the_oldest_active_rule() -> None:
    application = factories.application("ci")
    assert _first_rule(application) is None
    east = factories.cluster("east")
    first = factories.rule(application, "Viewer", east)
    factories.rule(application, "ML engineer", east)
    assert _first_rule(application) == "Viewer in east"
    AccessRule.objects.filter(pk=first.pk).update(deleted_at=timezone.now())
    assert _first_rule(application) == "ML engineer in east"
    AccessRule.objects.filter(subject=application.pk).delete()
    assert _first_rule(application) is None


def test_first_rule_ignores_rules_above_the_account() -> None:
    application = factories.application("ci", ("Viewer", factories.system()))
    assert _first_rule(application) is None
    factories.rule(application, "Editor", factories.account())
    assert _first_rule(application) == f"Editor in {factories.account()}"


def test_first_rule_includes_rules_created_before_the_application() -> None:
    subject = factories.application("ci").subject
    factories.rule(subject.application, "Viewer", factories.cluster("east"))
    Application.objects.filter(pk=subject.pk).delete()
    again = Application.objects.create(subject=subject, created_by=factories.MAKER)
    assert _first_rule(again) == "Viewer in east"


def test_first_rule_is_updated_when_role_or_scope_is_renamed() -> None:
    east = factories.cluster("east")
    role = factories.custom_role("Reader", apps="r")
    application = factories.application("ci", ("Reader", east))
    other = factories.application("other", ("Viewer", factories.account()))
    role.name = "Beholder"
    role.save()
    Scope.objects.filter(pk=east.pk).update(name="orient")
    assert _first_rule(application) == "Beholder in orient"
    assert _first_rule(other) == f"Viewer in {factories.account()}"


def test_is_enabled_is_updated_with_the_subject() -> None:
    application = factories.application("ci")
    for enabled in (False, True):
        application.subject.enabled = enabled
        application.subject.save()
        assert Application.objects.get(pk=application.pk).is_enabled is enabled


def test_rebuild_recomputes_rows_written_without_triggers() -> None:
    east = factories.cluster("east")
    if connection.vendor == "sqlite":
        triggers.remove(connection)
    application = factories.application("ci", ("Viewer", east))
    application.subject.enabled = False
    application.subject.save()
    Application.objects.update(first_rule="wrong", is_enabled=True)
    triggers.install(connection)
    triggers.rebuild(connection)
    application.refresh_from_db()
    assert (application.first_rule, application.is_enabled) == ("Viewer in east", False)


@pytest.mark.parametrize(
    "wrong", [{"first_rule": "wrong"}, {"first_rule": None}, {"is_enabled": False}]
)
def test_rebuild_corrects_each_denormalized_column(wrong: dict[str, object]) -> None:
    application = factories.application("ci", ("Viewer", factories.cluster("east")))
    Application.objects.update(**wrong)
    triggers.rebuild(connection)
    application.refresh_from_db()
    assert (application.first_rule, application.is_enabled) == ("Viewer in east", True)


def _found(term: str) -> list[str]:
    """Return the names of applications in the search index; "?" for one that does not exist."""
    names = {application.pk: application.name for application in Application.objects.all()}
    keys = map(UUID, map(str, keys_with_text(term).first(99)))
    return sorted(names.get(key, "?") for key in keys)


def test_search_index_is_updated_by_every_kind_of_write() -> None:
    factories.application("crawl-one")
    many = factories.many_applications(3)  # in one statement
    assert _found("crawl") == ["crawl-one"]
    assert _found("many") == [one.name for one in many]
    Application.objects.filter(pk=many[0].pk).update(search_text="crawl-two\n")
    assert (_found("crawl"), _found("many")) == (
        ["crawl-one", many[0].name],
        [one.name for one in many[1:]],
    )
    Application.objects.filter(pk=many[0].pk).update(search_text="crawl-two\n")
    assert _found("crawl") == ["crawl-one", many[0].name]
    Application.objects.filter(pk__in=[one.pk for one in many[1:]]).delete()
    assert _found("many") == []
    application = Application.objects.get(search_text="crawl-two\n")
    application.save()  # all of its columns
    assert _found("crawl") == ["crawl-one", many[0].name]


def test_search_index_is_empty_after_all_rows_are_deleted() -> None:
    factories.many_applications(3, ("Viewer", factories.cluster("east")))
    connection.check_constraints()
    is_sqlite = connection.vendor == "sqlite"
    empty = "DELETE FROM {}" if is_sqlite else "TRUNCATE {} CASCADE"
    with connection.cursor() as cursor:
        cursor.execute(empty.format("applications_application"))
    assert _found("many") == []
    assert not AccessRule.objects.exclude(application_created_at=None).exists()


def test_rebuild_restores_the_search_index() -> None:
    _, deleted, updated = factories.many_applications(3)
    late = Subject.objects.create(type=Subject.Type.APP, name="late")
    connection.check_constraints()
    triggers.remove(connection)
    Application.objects.create(subject=late, created_by=factories.MAKER)
    Application.objects.filter(pk=deleted.pk).delete()
    Application.objects.filter(pk=updated.pk).update(search_text="crawl\n")
    assert (_found("late"), _found("crawl")) == ([], [])
    assert "?" in _found("many")
    triggers.rebuild(connection)
    assert _found("late") == ["late"]
    assert _found("crawl") == [updated.name]
    assert len(_found("many")) == 1
    triggers.install(connection)
    factories.application("crawl-one")
    assert _found("crawl") == ["crawl-one", updated.name]


def test_migrations_install_the_triggers_again() -> None:
    config = apps.get_app_config("applications")
    triggers.before_migrating(plan=["any"], using="default", sender=config)
    triggers.after_migrating(plan=["any"], using="default", sender=config)
    application = factories.application("ci", ("Viewer", factories.cluster("east")))
    assert _first_rule(application) == "Viewer in east"


def test_next_migrate_installs_missing_triggers() -> None:
    triggers.remove(connection)
    assert triggers.missing(connection)
    application = factories.application("ci", ("Viewer", factories.cluster("east")))
    triggers.after_migrating(plan=[], using="default")
    assert triggers.missing(connection) == []
    assert _first_rule(application) == "Viewer in east"
    assert _found("ci") == ["ci"]


def test_next_migrate_repeats_an_interrupted_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    application = factories.application("ci", ("Viewer", factories.cluster("east")))
    connection.check_constraints()
    triggers.remove(connection)
    Application.objects.update(first_rule="?")
    with monkeypatch.context() as interrupted, pytest.raises(KeyboardInterrupt):
        interrupted.setattr(triggers, "rebuild", Mock(side_effect=KeyboardInterrupt))
        triggers.after_migrating(plan=["any"], using="default")
    triggers.after_migrating(plan=[], using="default")
    assert _first_rule(application) == "Viewer in east"
    again = Mock()
    monkeypatch.setattr(triggers, "rebuild", again)
    triggers.after_migrating(plan=[], using="default")
    assert not again.called


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has no replicas that write meanwhile"
)
def test_migrate_blocks_no_write_while_it_recomputes() -> None:
    """And it does not overwrite what another replica has just written."""
    east = factories.cluster("east")
    application, other = factories.many_applications(2, ("Viewer", east))
    triggers.remove(connection)
    Application.objects.update(first_rule="?")
    writes: list[Any] = []

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        Scope.objects.filter(pk=east.pk).update(name=f"east-{len(writes)}")
        other.subject.enabled = not other.subject.enabled
        other.subject.save()

    def write_before_each_lock(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if " FOR UPDATE OF " in sql:
            writes.append(together([write]))
        return execute(sql, *rest)

    with connection.execute_wrapper(write_before_each_lock):
        triggers.after_migrating(plan=["any"], using="default")
    assert writes == [[None]] * 3, "for rules, applications and the search index"
    assert _first_rule(application) == "Viewer in east-2"
    assert Application.objects.get(pk=other.pk).is_enabled is False
    assert set(AccessRule.objects.values_list("scope_name", flat=True)) == {"east-2"}


@pytest.mark.django_db(transaction=True)
def test_applications_can_be_migrated_to_zero_and_back() -> None:
    east = factories.cluster("east")
    try:
        call_command("migrate", "applications", "zero", verbosity=0)
        factories.rule(factories.group("ops"), "Viewer", east)
    finally:
        call_command("migrate", verbosity=0)
    assert triggers.missing(connection) == []
    factories.application("late", ("Viewer", east))
    assert _found("late") == ["late"]


@pytest.mark.django_db(transaction=True)
def test_migration_drops_the_triggers_that_were_written_by_hand() -> None:
    name, table = "application_propagate_enabled", "accessrules_subject"
    if connection.vendor == "sqlite":
        create = f"CREATE TRIGGER {name} AFTER UPDATE ON {table} BEGIN SELECT 1; END"
    else:
        create = f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RETURN NEW; END $$;
            CREATE TRIGGER {name} AFTER UPDATE ON {table} EXECUTE FUNCTION {name}()"""
    try:
        call_command("migrate", "applications", "0001_initial", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute(create)
        assert name in enabled_triggers(connection)
    finally:
        call_command("migrate", verbosity=0)
    assert name not in enabled_triggers(connection)
    assert triggers.missing(connection) == []


def test_every_migration_is_reversible() -> None:
    executor = MigrationExecutor(connection)
    nodes = executor.loader.graph.leaf_nodes("applications")
    plan = executor.loader.graph.forwards_plan(nodes[0])
    assert all(
        operation.reversible
        for key in plan
        for operation in executor.loader.get_migration(*key).operations
    )


def test_sqlite_without_trigram_search_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert checks.check_sqlite() == []

    class Old:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def execute(self, sql: str) -> None:
            raise sqlite3.OperationalError("no such tokenizer: trigram")

    monkeypatch.setattr("django.conf.settings.IS_SQLITE", True)
    monkeypatch.setattr(checks.sqlite3, "connect", lambda name: Old())
    (problem,) = checks.check_sqlite()
    assert "3.34 or newer with FTS5" in problem.msg
    assert "no such tokenizer" in problem.msg
