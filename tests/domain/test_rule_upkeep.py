"""What the database keeps up of a rule by itself: the names to sort it by."""

import pytest
from django.db import connection

from accessrules.models import AccessRule, Role, Scope, Subject
from applications import upkeep
from tests import factories

pytestmark = pytest.mark.django_db


def _copies(rule: AccessRule) -> tuple[str, ...]:
    return AccessRule.objects.values_list(
        "subject_type", "subject_name", "role_name", "scope_name"
    ).get(pk=rule.pk)


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
    upkeep.remove(connection)
    rule = factories.rule(ops, "Viewer", factories.cluster("east"))
    Subject.objects.filter(pk=ops.pk).update(folded_name="late")
    assert _copies(rule) == ("", "", "", "")
    upkeep.rebuild(connection)
    upkeep.install(connection)
    assert _copies(rule) == ("group", "late", "Viewer", "east")
