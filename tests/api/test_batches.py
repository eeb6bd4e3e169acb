"""Bulk operations on access rules, with a result per item."""

import json
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accessrules.models import AccessRule
from applications.models import Application
from runai_access.audit.models import AuditEvent
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


def test_an_id_that_a_batch_has_twice_is_deleted_once(
    as_: As, administrator: Application, organization: Organization
) -> None:
    rule = factories.rule(factories.application("nightly"), "Viewer", organization.vision)
    ids = [str(rule.pk), f"0{rule.pk}"]
    answer = post(as_(administrator), BATCH, {"action": "delete", "ids": ids}).json()
    assert answer["succeeded"] == ids[:1]
    assert [(item["id"], item["code"]) for item in answer["failed"]] == [(ids[1], 404)]
    assert AuditEvent.objects.filter(action="delete", entity_id=str(rule.pk)).count() == 1


def test_a_pair_that_a_batch_has_twice_is_granted_once(
    as_: As, administrator: Application, organization: Organization
) -> None:
    factories.application("a1")
    subject = {"subjectId": "a1", "subjectType": "app"}
    scope = {"scopeId": organization.vision.uid, "scopeType": "department"}
    payload = {"roleId": 7, "subjects": [subject, subject], "scopes": [scope]}
    answer = post(as_(administrator), CREATE, {"payload": payload}).json()
    assert len(answer["succeeded"]) == 1
    assert [item["code"] for item in answer["failed"]] == [409]


@pytest.mark.parametrize("action", ["delete", "validate_delete"])
def test_a_batch_keeps_the_last_administrator(
    as_: As, administrator: Application, action: str
) -> None:
    account = factories.account()
    AccessRule.objects.filter(subject__type="user").update(deleted_at=timezone.now())
    people = [factories.person(f"{name}@acme.example") for name in ("sam", "sara")]
    keys = [
        str(factories.rule(person, role, account).pk)
        for role in ("System administrator", "Viewer")
        for person in people
    ]
    answer = post(as_(administrator), BATCH, {"action": action, "ids": keys}).json()
    assert answer["succeeded"] == [keys[0], *keys[2:]]
    assert [(item["id"], item["code"]) for item in answer["failed"]] == [(keys[1], 409)]


def test_a_batch_replaces_expired_rules(
    as_: As, administrator: Application, organization: Organization
) -> None:
    nightly = factories.application("nightly", ("Viewer", organization.vision))
    old = AccessRule.objects.get(subject=nightly.subject)
    AccessRule.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    payload = {
        "roleId": old.role_id,
        "subjects": [{"subjectId": "nightly", "subjectType": "app"}],
        "scopes": [{"scopeId": organization.vision.uid, "scopeType": "department"}],
    }
    answer = post(as_(administrator), CREATE, {"payload": payload}).json()
    assert answer["failed"] == []
    assert AccessRule.objects.deleted().filter(pk=old.pk).exists()


def test_a_refused_grant_is_audited(as_: As, organization: Organization) -> None:
    factories.application("a1")
    client = as_(factories.application("lead", ("Department administrator", organization.vision)))
    payload = {
        "roleId": factories.role("System administrator").pk,
        "subjects": [{"subjectId": "a1", "subjectType": "app"}],
        "scopes": [{"scopeId": organization.training.uid, "scopeType": "project"}],
    }
    answer = post(client, CREATE, {"payload": payload}).json()
    assert [item["code"] for item in answer["failed"]] == [403]
    refused = AuditEvent.objects.get(result=AuditEvent.Result.FAILED)
    assert (refused.action, refused.reason) == ("create", answer["failed"][0]["message"])


@pytest.mark.usefixtures("known_keys")
def test_the_number_of_queries_of_a_batch_does_not_depend_on_its_size(
    as_: As, administrator: Application, organization: Organization
) -> None:
    client = as_(administrator)
    scopes = (organization.training, organization.speech)

    def queries(number: int) -> list[int]:
        made = factories.many_applications(number)
        payload = {
            "roleId": factories.role("Viewer").pk,
            "subjects": [{"subjectId": one.name, "subjectType": "app"} for one in made],
            "scopes": [{"scopeId": scope.uid, "scopeType": scope.type} for scope in scopes],
        }
        with CaptureQueriesContext(connection) as creating:
            created = post(client, CREATE, {"payload": payload}).json()["succeeded"]
        ids = [str(rule["id"]) for rule in created]
        with CaptureQueriesContext(connection) as deleting:
            answer = post(client, BATCH, {"action": "delete", "ids": ids}).json()
        assert len(answer["succeeded"]) == number * len(scopes)
        return [len(creating) - number, len(deleting)]  # each subject is looked up

    queries(1)  # the first request loads the signing keys
    assert queries(2) == queries(9)
