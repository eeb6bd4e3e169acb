"""Our API for containing an application, recovering, and the report of what it did."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from applications.models import Application, SecretUse
from applications.oauth.secret_verification import authenticate
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.api.conftest import As

BASES = {"/api/v1/apps": "secret", "/api/v1/service-accounts": "clientSecret"}


@pytest.fixture
def target(db: None) -> Application:
    return factories.application("target")


@pytest.fixture
def api(as_: As, nightly: Application) -> Client:
    return as_(nightly)


def send(client: Client, method: str, url: str, body: Any = None, **headers: str) -> Any:
    return client.generic(method, url, json.dumps(body or {}), "application/json", headers=headers)


@pytest.mark.parametrize("base", BASES)
def test_contained_application_is_enabled_with_a_new_secret(
    api: Client, target: Application, base: str
) -> None:
    url = f"{base}/{target.pk}"
    contained = send(api, "POST", f"{url}/contain").json()
    assert (contained["enabled"], contained["containedAt"] is None) == (False, False)
    assert contained == api.get(url).json()
    assert api.get(f"{base}?filterBy=containedAt!=null").json() == [contained]
    key = {"Idempotency-Key": "recovery-1"}
    answer = send(api, "POST", f"{url}/replace-secret-and-enable", **key)
    assert answer.json().keys() == {BASES[base]}
    assert answer.headers["Cache-Control"] == "no-store"
    assert authenticate("target", answer.json()[BASES[base]])
    again = send(api, "POST", f"{url}/replace-secret-and-enable", **key)
    assert (again.status_code, BASES[base] in again.json()) == (409, False)
    shown = api.get(url).json()
    assert (shown["enabled"], shown["containedAt"]) == (True, None)
    refused = send(api, "POST", f"{url}/replace-secret-and-enable")
    assert (refused.status_code, "not contained" in refused.json()["details"]) == (409, True)


def test_enabling_requires_to_trust_the_old_secrets(api: Client, target: Application) -> None:
    url = f"/api/v1/apps/{target.pk}"
    send(api, "POST", f"{url}/contain")
    refused = send(api, "PATCH", url, {"enabled": True})
    assert refused.status_code == 409
    assert "would work again" in refused.json()["details"]
    enabled = send(api, "PATCH", url, {"enabled": True, "contained": False}).json()
    assert (enabled["enabled"], enabled["containedAt"]) == (True, None)


@pytest.mark.parametrize(
    "body",
    [{"contained": True}, {"contained": False}, {"enabled": True, "contained": True},
     {"enabled": True, "contained": "no"}],
)  # fmt: skip
def test_contained_can_only_be_ended_together_with_enabling(
    api: Client, target: Application, body: dict[str, Any]
) -> None:
    answer = send(api, "PATCH", f"/api/v1/apps/{target.pk}", body)
    assert answer.status_code == 400
    assert answer.json()["details"].startswith("contained:")


def test_report_lists_callers_operations_and_refusals(api: Client, target: Application) -> None:
    now = timezone.now()
    SecretUse.objects.create(
        secret=target.used_secret, day=now.date(), address="192.0.2.7", agent="curl/8", count=3,
        last_at=now,
    )  # fmt: skip
    for result in ("Succeeded", "Failed"):
        AuditEvent(
            subject_type="app", subject_id=target.pk, subject_name="target", action="create",
            entity_type="application", entity_name="made", result=result, source_ip="192.0.2.7",
        ).save()  # fmt: skip
    report = api.get(f"/api/v1/service-accounts/{target.pk}/report").json()
    (caller,) = report["callers"]
    assert (caller["secretId"], caller["uses"]) == (target.used_secret.pk, 3)
    assert [one["entityName"] for one in report["operations"]] == ["made"]
    assert [one["address"] for one in report["refusals"]] == ["192.0.2.7"]
    assert report["auditedSince"] == report["since"]


def test_report_without_the_audit_log_has_only_callers(as_: As, target: Application) -> None:
    factories.custom_role("Reader", apps="r")
    reader = factories.application("reader", ("Reader", factories.account()))
    report = as_(reader).get(f"/api/v1/apps/{target.pk}/report").json()
    assert (report["callers"], report["operations"], report["refusals"]) == ([], None, None)
