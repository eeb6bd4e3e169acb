"""permissions, permitted-scopes and me/access-rules: the caller's own access."""

import json
from typing import Any

import pytest
from django.test import Client

from accessrules.actions.rules import delete_access_rule
from accessrules.authorization.callers import SYSTEM
from applications.models import Application
from tests import factories
from tests.api.conftest import As, Organization

pytestmark = pytest.mark.django_db
PERMISSIONS = "/api/v1/authorization/permissions"
PERMITTED = "/api/v1/authorization/permitted-scopes"
MINE = "/api/v1/authorization/me/access-rules"
NOWHERE = {"tenants": [], "clusters": [], "departments": [], "projects": [], "system": False}


def permitted(client: Client, **body: Any) -> Any:
    return client.post(PERMITTED, json.dumps(body), content_type="application/json")


def test_permissions_are_the_union_of_all_rules(as_: As, organization: Organization) -> None:
    worker = factories.application(
        "worker",
        ("L1 researcher", organization.training),
        ("Environment administrator", organization.speech),
    )
    answer = as_(worker).get(PERMISSIONS).json()
    actions = {entry["resourceType"]: entry["actions"] for entry in answer}
    assert actions["environments"] == ["create", "delete", "read", "update"]
    assert actions["project"] == ["read"]
    assert "apps" not in actions


def test_both_resource_types_of_applications_have_the_same_actions(
    as_: As, administrator: Application
) -> None:
    answer = as_(administrator).get(PERMISSIONS).json()
    actions = {entry["resourceType"]: entry["actions"] for entry in answer}
    assert actions["apps"] == actions["service-account"] == ["create", "delete", "read", "update"]


def test_without_a_rule_nothing_is_permitted_without_a_403(as_: As, db: None) -> None:
    client = as_(factories.application("newcomer"))
    assert client.get(PERMISSIONS).json() == []
    answer = permitted(client, resourceType="project").json()
    assert answer == dict.fromkeys(["create", "read", "update", "delete"], NOWHERE)
    assert client.get(MINE).json()["accessRules"]["totalRecords"] == 0
    assert client.get(f"{MINE}/count").json() == {"count": 0}


def test_permitted_scopes_include_descendants_but_not_siblings(
    as_: As, organization: Organization
) -> None:
    client = as_(factories.application("lead", ("Department administrator", organization.vision)))
    answer = permitted(client, resourceType="project").json()
    expected = {
        **NOWHERE,
        "departments": [organization.vision.uid],
        "projects": sorted([organization.training.uid, organization.serving.uid]),
    }
    answer["create"]["projects"].sort()
    assert answer["create"] == expected


def test_event_history_below_the_account_is_not_permitted(
    as_: As, organization: Organization
) -> None:
    client = as_(factories.application("narrow", ("Auditor", organization.vision)))
    answer = permitted(client, resourceType="events-history", action="read").json()
    assert not any(answer["read"].values())
    held = {entry["resourceType"] for entry in client.get(PERMISSIONS).json()}
    assert "apps" in held
    assert "events-history" not in held


def test_permitted_scopes_of_the_account_include_the_tenant(
    as_: As, administrator: Application, organization: Organization
) -> None:
    answer = permitted(as_(administrator), resourceType="service-account", action="read").json()
    assert answer["read"]["tenants"] == ["1001"]
    assert answer["read"]["tenant"] == "1001"
    assert len(answer["read"]["projects"]) == 3
    assert answer["create"] == NOWHERE


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "resourceType"),
        ({"resourceType": "coffee"}, "resourceType"),
        ({"resourceType": "apps", "action": "drink"}, "action"),
    ],
)
def test_an_invalid_request_is_a_400(
    as_: As, administrator: Application, body: dict[str, Any], named: str
) -> None:
    answer = permitted(as_(administrator), **body)
    assert answer.status_code == 400
    assert named in answer.json()["details"]


def test_my_access_rules_are_only_those_of_the_caller(as_: As, organization: Organization) -> None:
    factories.application("other", ("Viewer", organization.vision))
    worker = factories.application("worker", ("L1 researcher", organization.training))
    answer = as_(worker).get(MINE).json()["accessRules"]
    assert (answer["totalRecords"], answer["displayRecords"]) == (1, 1)
    [mine] = answer["accessRules"]
    assert (mine["subjectId"], mine["roleName"], mine["scopeName"]) == (
        "worker", "L1 researcher", "training",
    )  # fmt: skip


def test_my_deleted_access_rules_are_neither_listed_nor_counted(
    as_: As, organization: Organization
) -> None:
    worker = factories.application("worker", ("L1 researcher", organization.training))
    deleted = factories.rule(worker, "Viewer", organization.vision)
    delete_access_rule(caller=SYSTEM, rule_id=deleted.pk)
    client = as_(worker)
    assert [rule["roleName"] for rule in client.get(MINE).json()["accessRules"]["accessRules"]] == [
        "L1 researcher"
    ]
    assert client.get(f"{MINE}/count").json() == {"count": 1}


@pytest.mark.parametrize(
    "question",
    ["?filterBy=createdBy=@maker", "?sortBy=createdBy", "/count?filterBy=createdBy=@maker"],
)
def test_the_creator_of_my_rules_can_not_be_inferred(
    as_: As, organization: Organization, question: str
) -> None:
    """The response omits it, but filters and the sort order could reveal it."""
    worker = factories.application("worker", ("L1 researcher", organization.training))
    answer = as_(worker).get(f"{MINE}{question}")
    assert answer.status_code == 400
    assert "createdBy" in answer.json()["details"]


def test_my_access_rules_can_be_searched(as_: As, organization: Organization) -> None:
    worker = factories.application("worker", ("L1 researcher", organization.training))
    client = as_(worker)
    found = {
        text: client.get(f"{MINE}/count?search={text}").json()["count"]
        for text in ("RESEARCH", "train", "work", factories.MAKER)
    }
    assert found == {"RESEARCH": 1, "train": 1, "work": 1, factories.MAKER: 0}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", PERMISSIONS), ("POST", PERMITTED), ("GET", MINE)]
)
def test_unauthenticated_requests_are_401(db: None, method: str, path: str) -> None:
    assert Client().generic(method, path).status_code == 401
