"""Triggers maintain the denormalized columns of access rules."""

from datetime import UTC, datetime
from threading import Event

import pytest
from django.db import connection, transaction

from accessrules.models import AccessRule, Role, Scope, Subject
from applications import triggers
from applications.models import Application
from tests import factories
from tests.domain.racing import together

pytestmark = pytest.mark.django_db


def _denormalized(rule: AccessRule) -> tuple[str, ...]:
    return AccessRule.objects.values_list(
        "subject_type", "subject_name", "role_name", "scope_name"
    ).get(pk=rule.pk)


def _application_created_at(rule: AccessRule) -> datetime | None:
    rule.refresh_from_db()
    return rule.application_created_at


def test_rule_has_the_names_to_sort_by() -> None:
    rule = factories.rule(factories.group("Ärzte"), "Viewer", factories.cluster("east"))
    assert _denormalized(rule) == ("group", "ärzte", "Viewer", "east")


def test_renaming_updates_only_the_rules_concerned() -> None:
    east, west = factories.cluster("east"), factories.cluster("west")
    reader, ops = factories.custom_role("Reader", apps="r"), factories.group("ops")
    rule = factories.rule(ops, "Reader", east)
    other = factories.rule(factories.group("other"), "Viewer", west)
    reader.name = "Beholder"
    reader.save()
    Scope.objects.filter(pk=east.pk).update(name="orient")
    ops.name = "OPERATORS"
    ops.save()
    assert _denormalized(rule) == ("group", "operators", "Beholder", "orient")
    assert _denormalized(other) == ("group", "other", "Viewer", "west")


def test_changing_role_or_scope_updates_the_names_of_a_rule() -> None:
    rule = factories.rule(factories.group("ops"), "Viewer", factories.cluster("east"))
    rule.role = Role.objects.get(name="Editor")
    rule.scope = factories.account()
    rule.save()
    assert _denormalized(rule) == ("group", "ops", "Editor", "acme")


def test_rebuild_sets_the_names_of_rules_written_without_triggers() -> None:
    ops = factories.group("ops")
    triggers.remove(connection)
    rule = factories.rule(ops, "Viewer", factories.cluster("east"))
    Subject.objects.filter(pk=ops.pk).update(normalized_name="late")
    assert _denormalized(rule) == ("", "", "", "")
    triggers.rebuild(connection)
    triggers.install(connection)
    assert _denormalized(rule) == ("group", "late", "Viewer", "east")


def test_rule_has_the_creation_time_of_its_application() -> None:
    east = factories.cluster("east")
    old, new = factories.application("old"), factories.application("new")
    rule, other = factories.rule(old, "Viewer", east), factories.rule(new, "Editor", east)
    of_group = factories.rule(factories.group("ops"), "Viewer", east)
    assert (
        _application_created_at(rule),
        _application_created_at(other),
        _application_created_at(of_group),
    ) == (old.created_at, new.created_at, None)
    earlier = datetime(2020, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
    Application.objects.filter(pk=old.pk).update(created_at=earlier)
    assert (
        _application_created_at(rule),
        _application_created_at(other),
        _application_created_at(of_group),
    ) == (earlier, new.created_at, None)
    AccessRule.objects.filter(pk=other.pk).update(subject=old.subject)
    assert _application_created_at(other) == earlier
    Application.objects.filter(pk=old.pk).delete()
    assert (_application_created_at(rule), _application_created_at(other)) == (None, None)


def test_rule_created_before_its_application_gets_its_creation_time() -> None:
    subject = Subject.objects.create(type=Subject.Type.APP, name="late")
    rule = AccessRule.objects.create(
        subject=subject, role=factories.role("Viewer"), scope=factories.cluster("east")
    )
    assert _application_created_at(rule) is None
    application = Application.objects.create(subject=subject, created_by="ada")
    assert _application_created_at(rule) == application.created_at


def test_rebuild_sets_the_creation_time_of_the_application() -> None:
    application, east = factories.application("ci"), factories.cluster("east")
    triggers.remove(connection)
    rule = factories.rule(application, "Viewer", east)
    assert _application_created_at(rule) is None
    triggers.rebuild(connection)
    triggers.install(connection)
    assert _application_created_at(rule) == application.created_at


@pytest.mark.parametrize(
    "stale",
    [
        {"subject_type": "user"},
        {"subject_name": "stale"},
        {"role_name": "stale"},
        {"scope_name": "stale"},
        {"application_created_at": None},
        {"application_created_at": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
)
def test_rebuild_corrects_each_denormalized_column_of_a_rule(stale: dict[str, object]) -> None:
    application = factories.application("ci")
    rule = factories.rule(application, "Viewer", factories.cluster("east"))
    AccessRule.objects.filter(pk=rule.pk).update(**stale)
    triggers.rebuild(connection)
    assert _denormalized(rule) == ("app", "ci", "Viewer", "east")
    assert _application_created_at(rule) == application.created_at


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_moved", [False, True])
@pytest.mark.parametrize("is_deleted", [False, True])
def test_rule_written_during_a_change_of_its_application_is_consistent(
    is_deleted: bool, is_moved: bool
) -> None:
    application, east = factories.application("ci"), factories.cluster("east")
    viewer, subject = factories.role("Viewer"), application.subject
    moved = factories.rule(factories.group("ops"), "Viewer", east)
    earlier = datetime(2020, 1, 1, tzinfo=UTC)
    found, is_changed = Application.objects.filter(pk=application.pk), Event()

    def change() -> None:
        with transaction.atomic():
            found.delete() if is_deleted else found.update(created_at=earlier)
            is_changed.set()
            if connection.vendor == "postgresql":  # in SQLite the other transaction can't begin
                _wait_for_a_blocked_lock()

    def write() -> AccessRule:
        assert is_changed.wait(20)
        if is_moved:
            AccessRule.objects.filter(pk=moved.pk).update(subject=subject)
            return moved
        return AccessRule.objects.create(subject=subject, role=viewer, scope=east)

    _, rule = together([change, write])
    assert _application_created_at(rule) == (None if is_deleted else earlier)


def _wait_for_a_blocked_lock() -> None:
    with connection.cursor() as cursor:
        waiting = 0
        while not waiting:
            cursor.execute("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")
            ((waiting,),) = cursor.fetchall()
