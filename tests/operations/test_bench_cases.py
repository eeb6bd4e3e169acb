"""The benchmark measures every list of the API, with every field, operator and order."""

import pytest

from bench.million.api_cases import Case, cases
from bench.million.api_values import ListValues, values_of
from tests.openapi import document

pytestmark = pytest.mark.django_db
# The deprecated name of service accounts.
NOT_MEASURED = {"/api/v1/apps"}


@pytest.fixture
def found() -> list[Case]:
    return cases()


def test_every_list_of_the_api_is_measured(found: list[Case]) -> None:
    lists = {
        path
        for path, item in document()["paths"].items()
        if any(
            parameter.get("name") == "filterBy"
            for parameter in item.get("get", {}).get("parameters", [])
        )
    }
    assert {case.of.path for case in found} == lists - NOT_MEASURED


def test_every_filter_and_order_is_measured(found: list[Case]) -> None:
    for of_list in {case.of.path: case.of for case in found}.values():
        own = [case for case in found if case.of is of_list]
        conditions = {condition for case in own for condition in case.filters}
        for name, operators in of_list.operators.items():
            for operator in operators:
                prefix = f"{name}{operator}"
                assert any(condition.startswith(prefix) for condition in conditions), prefix
            orders = {case.order for case in own if case.sort == name}
            assert orders == ({"asc", "desc"} if name in of_list.sorts else set()), name
        parameters = {name for case in own for name, _ in (*case.own, *case.always)}
        assert parameters >= set(of_list.parameters)


def test_names_of_measured_requests_are_distinct(found: list[Case]) -> None:
    names = [case.name for case in found]
    assert len(set(names)) == len(names)


def test_a_filter_without_a_value_is_refused(found: list[Case]) -> None:
    with pytest.raises(AssertionError, match=r"no values for deleted-service-accounts: name=="):
        values_of(found[0].of, {"service-accounts": ListValues({})})
