"""The changes of the number of access rules are added up."""

import pytest
from django.utils import timezone

from accessrules.actions import rule_counts
from accessrules.actions.rule_counts import add_up_rule_counts
from accessrules.models import AccessRule, RuleCount
from tests import factories

pytestmark = pytest.mark.django_db


def _numbers() -> list[tuple[str, str, int]]:
    rows = RuleCount.objects.order_by("role__name", "scope__name", "number")
    return list(rows.values_list("role__name", "scope__name", "number"))


@pytest.mark.parametrize("batch", [2, 3, 1000])
def test_the_rows_of_each_role_and_scope_become_their_sum(
    monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(rule_counts, "ROWS_PER_BATCH", batch)
    east, west = factories.cluster("east"), factories.cluster("west")
    factories.many_applications(3, ("Editor", east), ("Viewer", east), ("Viewer", west))
    AccessRule.objects.filter(role__name="Editor").update(deleted_at=timezone.now())
    rule = AccessRule.objects.filter(scope=west)[0]
    AccessRule.objects.filter(pk=rule.pk).update(deleted_at=timezone.now())
    assert add_up_rule_counts(lambda: True) >= 13  # sums can be added up again
    assert add_up_rule_counts(lambda: True) == 0
    assert _numbers() == [("Viewer", "east", 3), ("Viewer", "west", 2)]


def test_many_rows_are_added_up_in_several_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_counts, "ROWS_PER_BATCH", 3)
    factories.many_applications(5, ("Viewer", factories.cluster("east")))
    turns = iter([True, False])
    add_up_rule_counts(lambda: next(turns))
    assert _numbers() == [("Viewer", "east", number) for number in (1, 1, 3)]
    add_up_rule_counts(lambda: True)
    assert _numbers() == [("Viewer", "east", 5)]
