"""Idempotency-Key: a repeated request has no further effect."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accessrules.actions.rules import delete_access_rule
from accessrules.actions.scopes import delete_scope, rename_scope
from accessrules.authorization.callers import SYSTEM
from accessrules.models import AccessRule
from applications.actions import new_secrets
from applications.models import Application
from applications.oauth.secret_verification import authenticate
from runai_access.api.models import IdempotencyKey
from tests import factories
from tests.api.conftest import As, Organization
from tests.domain.racing import together

pytestmark = pytest.mark.django_db
APPS = "/api/v1/apps"
RULES = "/api/v1/authorization/access-rules"


def post(client: Client, path: str, body: Any, key: str = "key-1") -> Any:
    return client.post(
        path,
        json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )


def test_repeated_creation_returns_the_id_and_suggests_to_regenerate(
    as_: As, administrator: Application
) -> None:
    client = as_(administrator)
    made = post(client, APPS, {"name": "nightly"})
    again = post(client, APPS, {"name": "nightly"})
    assert made.status_code == 201
    assert again.status_code == 409
    assert again.json()["id"] == made.json()["id"]
    assert "Regenerate" in again.json()["details"]
    assert made.json()["secret"] not in again.content.decode()


def test_repeated_regeneration_keeps_the_first_secret(as_: As, administrator: Application) -> None:
    target = factories.application("nightly")
    path = f"{APPS}/{target.pk}/secret"
    client = as_(administrator)
    assert post(client, path, {}).status_code == 200
    target.refresh_from_db()
    first = factories.hash_of(target)
    again = post(client, path, {})
    target.refresh_from_db()
    assert (again.status_code, again.json()["id"]) == (409, str(target.pk))
    assert factories.hash_of(target) == first


def test_repeated_granting_returns_the_same_rule(
    as_: As, administrator: Application, organization: Organization
) -> None:
    factories.application("nightly")
    body = {
        "subjectId": "nightly", "subjectType": "app", "roleId": 7,
        "scopeId": organization.vision.uid, "scopeType": "department",
    }  # fmt: skip
    client = as_(administrator)
    made, again = post(client, RULES, body), post(client, RULES, body)
    assert made.status_code == again.status_code == 201
    assert made.json() == again.json()
    assert AccessRule.objects.filter(subject__name="nightly").count() == 1


def test_repeated_granting_reports_a_rule_deleted_with_its_scope(
    as_: As, administrator: Application, organization: Organization
) -> None:
    body = {
        "subjectId": "root", "subjectType": "app", "roleId": 7,
        "scopeId": organization.dictation.uid, "scopeType": "project",
    }  # fmt: skip
    client = as_(administrator)
    made = post(client, RULES, body).json()
    assert client.delete(f"{RULES}/{made['id']}").status_code == 204
    delete_scope(caller=SYSTEM, scope=organization.dictation)
    again = post(client, RULES, body)
    assert again.status_code == 409
    assert again.json()["id"] == str(made["id"])
    assert "was deleted or is not visible" in again.json()["details"]


def test_repeated_granting_hides_a_rule_that_is_no_longer_visible(
    as_: As, organization: Organization
) -> None:
    lead = factories.application("lead", ("Department administrator", organization.speech))
    rule = factories.rule(lead, "Department administrator", organization.vision)
    body = {
        "subjectId": "lead", "subjectType": "app", "roleId": 7,
        "scopeId": organization.training.uid, "scopeType": "project",
    }  # fmt: skip
    client = as_(lead)
    made = post(client, RULES, body).json()
    delete_access_rule(caller=SYSTEM, rule_id=rule.pk)
    rename_scope(caller=SYSTEM, scope=organization.training, name="secret")
    again = post(client, RULES, body)
    assert (again.status_code, again.json()["id"]) == (409, str(made["id"]))
    assert "secret" not in again.content.decode()


def test_repeated_bulk_granting_restores_no_deleted_rules(
    as_: As, administrator: Application, organization: Organization
) -> None:
    client = as_(administrator)
    subjects = [{"subjectId": "root", "subjectType": "app"}]
    scopes = [{"scopeId": organization.training.uid, "scopeType": "project"}]
    payload = {"roleId": 7, "subjects": subjects, "scopes": scopes}
    made = post(client, f"{RULES}/batch-create", {"payload": payload})
    rule = made.json()["succeeded"][0]
    assert client.delete(f"{RULES}/{rule['id']}").status_code == 204
    again = post(client, f"{RULES}/batch-create", {"payload": payload})
    assert again.status_code == 409
    assert not AccessRule.objects.living().filter(scope=organization.training).exists()


def test_repeated_bulk_deletion_reports_that_it_was_done(
    as_: As, administrator: Application, organization: Organization
) -> None:
    client = as_(administrator)
    rule = factories.rule(factories.application("nightly"), "Viewer", organization.training)
    body = {"action": "delete", "ids": [str(rule.pk), "0"]}
    done = post(client, f"{RULES}/batch", body)
    again = post(client, f"{RULES}/batch", body)
    assert done.json()["succeeded"] == [str(rule.pk)]
    assert (again.status_code, again.json()["id"]) == (409, done.json()["id"])


def test_another_request_with_a_used_key_is_refused(as_: As, administrator: Application) -> None:
    client = as_(administrator)
    post(client, APPS, {"name": "nightly"})
    other = post(client, APPS, {"name": "weekly"})
    assert other.status_code == 422
    assert not Application.objects.filter(subject__name="weekly").exists()


def test_a_failed_request_can_be_retried_with_the_same_key(
    as_: As, administrator: Application
) -> None:
    client = as_(administrator)
    factories.application("nightly")
    assert post(client, APPS, {"name": "nightly"}).status_code == 409
    Application.objects.get(subject__name="nightly").subject.delete()
    assert post(client, APPS, {"name": "nightly"}).status_code == 201


def test_a_key_belongs_to_its_caller(as_: As, administrator: Application) -> None:
    other = factories.application("other-root", ("System administrator", factories.account()))
    first, second = as_(administrator), as_(other)
    made = post(first, APPS, {"name": "nightly"}).json()["id"]
    answer = post(second, APPS, {"name": "weekly"})
    assert answer.status_code == 201
    assert post(first, APPS, {"name": "nightly"}).json()["id"] == made
    assert post(second, APPS, {"name": "weekly"}).json()["id"] == answer.json()["id"]
    # The same key and request of another caller is a new request.
    assert "id" not in post(second, APPS, {"name": "nightly"}).json()


def test_a_key_is_stored_for_a_day_without_the_secret(as_: As, administrator: Application) -> None:
    client = as_(administrator)
    made = post(client, APPS, {"name": "nightly"}).json()
    row = IdempotencyKey.objects.values().get()
    assert made["secret"] not in json.dumps(row, default=str)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert post(client, APPS, {"name": "nightly"}).json()["id"] == made["id"]
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=1))
    assert post(client, APPS, {"name": "weekly"}).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tbed", "ümlaut"])
def test_an_invalid_key_is_a_400(as_: As, administrator: Application, key: str) -> None:
    answer = post(as_(administrator), APPS, {"name": "nightly"}, key)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["details"]


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_with_one_key_create_one_application(as_: As) -> None:
    root = factories.application("root", ("System administrator", factories.account()))
    clients = [as_(root) for _ in range(6)]

    def send(client: Client) -> int:
        status: int = post(client, APPS, {"name": "nightly"}).status_code
        return status

    statuses = together([partial(send, client) for client in clients])
    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]
    assert Application.objects.filter(subject__name="nightly").count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_grants_with_one_key_create_one_rule(as_: As) -> None:
    root = factories.application("root", ("System administrator", factories.account()))
    scope = factories.cluster("gpu-east")
    body = {
        "subjectId": "root", "subjectType": "app", "roleId": 7,
        "scopeId": scope.uid, "scopeType": "cluster",
    }  # fmt: skip
    answers = together([partial(post, as_(root), RULES, body) for _ in range(6)])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert AccessRule.objects.filter(scope=scope).count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_regenerations_with_one_key_show_one_secret(
    as_: As,
) -> None:
    root = factories.application("root", ("System administrator", factories.account()))
    path = f"{APPS}/{factories.application('nightly').pk}/secret"
    answers = together([partial(post, as_(root), path, {}) for _ in range(6)])
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    [secret] = [answer.json()["secret"] for answer in answers if answer.status_code == 200]
    assert authenticate("nightly", secret) is not None


@pytest.mark.parametrize("path", [APPS, f"{APPS}/{{id}}/secret"])
def test_a_secret_is_hashed_before_the_transaction(
    as_: As, administrator: Application, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Argon2 runs for tens of milliseconds, and must not block SQLite's only writer."""
    outermost = len(connection.savepoint_ids)
    depths: list[int] = []
    real = new_secrets.hash_secret

    def watched(secret: str) -> str:
        depths.append(len(connection.savepoint_ids))
        return real(secret)

    monkeypatch.setattr(new_secrets, "hash_secret", watched)
    path = path.format(id=factories.application("nightly").pk)
    assert post(as_(administrator), path, {"name": "weekly"}).status_code in (200, 201)
    assert depths == [outermost]


@pytest.mark.parametrize("body", ["", "nonsense", "name=x"])
def test_regenerating_ignores_the_body(as_: As, administrator: Application, body: str) -> None:
    path = f"{APPS}/{factories.application('nightly').pk}/secret"
    answers = [
        as_(administrator).post(
            path,
            body,
            content_type="application/x-www-form-urlencoded",
            headers={"Idempotency-Key": "key-1"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 409]
