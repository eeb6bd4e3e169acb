"""The distinct values of a column are read from its index."""

import pytest
from django.db.models import F

from accessrules.models import AccessRule
from runai_access.db.distinct import distinct_values
from runai_access.db.expressions import BinaryCollation
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("number", [0, 1, 4])
def test_each_value_is_returned_once_in_binary_order(number: int) -> None:
    AccessRule.objects.all().delete()
    values = ["Zoe", "ada", "bob", "Übersee"][:number]
    for position, value in enumerate(values * 2):
        rule = factories.rule(factories.group(f"group-{position}"), "Viewer", factories.account())
        AccessRule.objects.filter(pk=rule.pk).update(created_by=value)
    rules, by = AccessRule.objects.living(), BinaryCollation(F("created_by"))
    assert distinct_values(rules, by, most=4) == sorted(values)
    assert distinct_values(rules, by, most=3) == sorted(values)[:3]
