"""What the database keeps up of a rule by itself: the names to sort it by, and its holder's age."""

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


def _copies(rule: AccessRule) -> tuple[str, ...]:
    return AccessRule.objects.values_list(
        "subject_type", "subject_name", "role_name", "scope_name"
    ).get(pk=rule.pk)


def _age(rule: AccessRule) -> datetime | None:
    rule.refresh_from_db()
    return rule.application_created_at


def test_a_rule_knows_the_names_that_it_is_sorted_by() -> None:
    rule = factories.rule(factories.group("Ärzte"), "Viewer", factories.cluster("east"))
    assert _copies(rule) == ("group", "ärzte", "Viewer", "east")


def test_new_names_are_followed_and_no_other_rule_s_change() -> None:
    east, west = factories.cluster("east"), factories.cluster("west")
    reader, ops = factories.custom_role("Reader", apps="r"), factories.group("ops")
    rule = factories.rule(ops, "Reader", east)
    other = factories.rule(factories.group("other"), "Viewer", west)
    reader.name = "Beholder"
    reader.save()
    Scope.objects.filter(pk=east.pk).update(name="orient")
    ops.name = "OPERATORS"
    ops.save()
    assert _copies(rule) == ("group", "operators", "Beholder", "orient")
    assert _copies(other) == ("group", "other", "Viewer", "west")


def test_a_rule_that_points_elsewhere_is_named_anew() -> None:
    rule = factories.rule(factories.group("ops"), "Viewer", factories.cluster("east"))
    rule.role = Role.objects.get(name="Editor")
    rule.scope = factories.account()
    rule.save()
    assert _copies(rule) == ("group", "ops", "Editor", "acme")


def test_rules_that_came_without_triggers_are_named_when_it_is_made_anew() -> None:
    ops = factories.group("ops")
    triggers.remove(connection)
    rule = factories.rule(ops, "Viewer", factories.cluster("east"))
    Subject.objects.filter(pk=ops.pk).update(normalized_name="late")
    assert _copies(rule) == ("", "", "", "")
    triggers.rebuild(connection)
    triggers.install(connection)
    assert _copies(rule) == ("group", "late", "Viewer", "east")


def test_a_rule_knows_when_the_application_that_holds_it_was_created() -> None:
    east = factories.cluster("east")
    old, new = factories.application("old"), factories.application("new")
    rule, other = factories.rule(old, "Viewer", east), factories.rule(new, "Editor", east)
    of_group = factories.rule(factories.group("ops"), "Viewer", east)
    assert (_age(rule), _age(other), _age(of_group)) == (old.created_at, new.created_at, None)
    earlier = datetime(2020, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
    Application.objects.filter(pk=old.pk).update(created_at=earlier)
    assert (_age(rule), _age(other), _age(of_group)) == (earlier, new.created_at, None)
    AccessRule.objects.filter(pk=other.pk).update(subject=old.subject)
    assert _age(other) == earlier
    Application.objects.filter(pk=old.pk).delete()
    assert (_age(rule), _age(other)) == (None, None)


def test_a_rule_that_was_there_before_its_application_is_dated_with_it() -> None:
    subject = Subject.objects.create(type=Subject.Type.APP, name="late")
    rule = AccessRule.objects.create(
        subject=subject, role=factories.role("Viewer"), scope=factories.cluster("east")
    )
    assert _age(rule) is None
    application = Application.objects.create(subject=subject, created_by="ada")
    assert _age(rule) == application.created_at


def test_rules_that_came_without_triggers_are_dated_when_it_is_made_anew() -> None:
    application, east = factories.application("ci"), factories.cluster("east")
    triggers.remove(connection)
    rule = factories.rule(application, "Viewer", east)
    assert _age(rule) is None
    triggers.rebuild(connection)
    triggers.install(connection)
    assert _age(rule) == application.created_at


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
def test_a_single_copy_that_is_wrong_is_made_anew(stale: dict[str, object]) -> None:
    application = factories.application("ci")
    rule = factories.rule(application, "Viewer", factories.cluster("east"))
    AccessRule.objects.filter(pk=rule.pk).update(**stale)
    triggers.rebuild(connection)
    assert _copies(rule) == ("app", "ci", "Viewer", "east")
    assert _age(rule) == application.created_at


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("goes", [False, True])
def test_a_rule_that_is_made_while_its_application_changes_is_dated_as_that_ends(
    goes: bool,
) -> None:
    application, east = factories.application("ci"), factories.cluster("east")
    viewer, subject = factories.role("Viewer"), application.subject
    earlier = datetime(2020, 1, 1, tzinfo=UTC)
    found, is_changed = Application.objects.filter(pk=application.pk), Event()

    def change() -> None:
        with transaction.atomic():
            found.delete() if goes else found.update(created_at=earlier)
            is_changed.set()
            if connection.vendor == "postgresql":  # elsewhere the other one can't begin
                _wait_for_who_waits()

    def make() -> AccessRule:
        assert is_changed.wait(20)
        return AccessRule.objects.create(subject=subject, role=viewer, scope=east)

    _, rule = together([change, make])
    assert _age(rule) == (None if goes else earlier)


def _wait_for_who_waits() -> None:
    with connection.cursor() as cursor:
        waiting = 0
        while not waiting:
            cursor.execute("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")
            ((waiting,),) = cursor.fetchall()
