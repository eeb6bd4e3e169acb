"""Bulk operations on access rules, with a result per item."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from accessrules.models import AccessRule
from applications.models import Application
from tests import factories
from tests.api.conftest import As, Organization

pytestmark = pytest.mark.django_db
BATCH = "/api/v1/authorization/access-rules/batch"
CREATE = "/api/v1/authorization/access-rules/batch-create"


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


def test_a_batch_deletes_what_it_can_and_reports_failures(
    as_: As, administrator: Application, organization: Organization
) -> None:
    rule = factories.rule(factories.application("nightly"), "Viewer", organization.vision)
    answer = post(
        as_(administrator), BATCH, {"action": "delete", "ids": [str(rule.pk), "99999", "x"]}
    ).json()
    assert uuid.UUID(answer["id"])
    assert answer["succeeded"] == [str(rule.pk)]
    assert [(item["id"], item["code"]) for item in answer["failed"]] == [("99999", 404), ("x", 404)]
    assert not AccessRule.objects.living().filter(pk=rule.pk).exists()


def test_validate_delete_has_the_same_response_and_deletes_nothing(
    as_: As, administrator: Application, organization: Organization
) -> None:
    rule = factories.rule(factories.application("nightly"), "Viewer", organization.vision)
    body = {"action": "validate_delete", "ids": [str(rule.pk), "99999"]}
    answer = post(as_(administrator), BATCH, body).json()
    assert answer["succeeded"] == [str(rule.pk)]
    assert [item["code"] for item in answer["failed"]] == [404]
    assert AccessRule.objects.living().filter(pk=rule.pk).exists()


def test_a_batch_deletes_only_what_the_caller_is_allowed_to(
    as_: As, organization: Organization
) -> None:
    inside = factories.rule(factories.application("a1"), "Viewer", organization.training)
    outside = factories.rule(factories.application("a2"), "Viewer", organization.dictation)
    client = as_(factories.application("lead", ("Department administrator", organization.vision)))
    body = {"action": "delete", "ids": [str(inside.pk), str(outside.pk)]}
    answer = post(client, BATCH, body).json()
    assert answer["succeeded"] == [str(inside.pk)]
    assert AccessRule.objects.living().filter(pk=outside.pk).exists()


def test_a_batch_grants_each_allowed_pair(
    as_: As, administrator: Application, organization: Organization
) -> None:
    factories.application("a1", ("Viewer", organization.vision))
    factories.application("a2")
    payload = {
        "roleId": 7,
        "subjects": [
            {"subjectId": "a1", "subjectType": "service-account"},
            {"subjectId": "a2", "subjectType": "app"},
            {"subjectId": "nobody", "subjectType": "app"},
        ],
        "scopes": [
            {"scopeId": organization.vision.uid, "scopeType": "department"},
            {"scopeId": organization.training.uid, "scopeType": "project"},
        ],
    }
    answer = post(as_(administrator), CREATE, {"payload": payload}).json()
    made = {(rule["subjectId"], rule["scopeName"]) for rule in answer["succeeded"]}
    assert made == {("a1", "training"), ("a2", "vision"), ("a2", "training")}
    failed = [(item["payload"]["subjectId"], item["code"]) for item in answer["failed"]]
    assert failed == [("a1", 409), ("nobody", 404), ("nobody", 404)]
    assert all(item["message"] for item in answer["failed"])


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (BATCH, {"ids": ["1"]}, "action"),
        (BATCH, {"action": "burn", "ids": ["1"]}, "action"),
        (BATCH, {"action": "delete", "ids": []}, "ids"),
        (BATCH, {"action": "delete", "ids": [1]}, "ids[0]: "),
        (CREATE, {}, "payload"),
        (CREATE, {"payload": []}, "payload"),
        (CREATE, {"payload": {"roleId": 7, "subjects": [], "scopes": []}}, "subjects"),
        (
            CREATE,
            {"payload": {"roleId": 7, "subjects": [{"subjectId": "a"}], "scopes": []}},
            "payload.subjects[0].subjectType: This field is required.",
        ),
    ],
)
def test_an_invalid_batch_is_a_400(
    as_: As, administrator: Application, path: str, body: Any, named: str
) -> None:
    answer = post(as_(administrator), path, body)
    assert answer.status_code == 400
    assert named in answer.json()["details"]


@pytest.mark.parametrize("path", [BATCH, CREATE])
def test_a_batch_is_403_without_the_permission_anywhere(
    as_: As, organization: Organization, path: str
) -> None:
    client = as_(factories.application("watcher", ("Viewer", organization.vision)))
    assert post(client, path, {}).status_code == 403
