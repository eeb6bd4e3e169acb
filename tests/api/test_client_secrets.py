"""Our API for the client secrets of an application."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from applications.models import Application
from applications.oauth.secret_verification import authenticate
from tests import factories
from tests.api.conftest import As

BASES = {"/api/v1/apps": "secret", "/api/v1/service-accounts": "clientSecret"}


@pytest.fixture
def target(db: None) -> Application:
    return factories.application("target")


@pytest.fixture
def api(as_: As, nightly: Application) -> Client:
    return as_(nightly)


def post(client: Client, url: str, body: Any = None, **headers: str) -> Any:
    return client.post(url, json.dumps(body or {}), "application/json", headers=headers)


@pytest.mark.parametrize("base", BASES)
def test_added_secret_is_shown_once_and_listed(api: Client, target: Application, base: str) -> None:
    url = f"{base}/{target.pk}/secrets"
    answer = post(api, url, {"label": "runner", "expiresAt": "2100-01-01T00:00:00Z"})
    assert answer.status_code == 201
    made = answer.json()
    assert made.keys() == {"id", "label", "expiresAt", BASES[base]}
    assert authenticate("target", made[BASES[base]])
    listed = api.get(url)
    assert made[BASES[base]] not in listed.content.decode()
    assert listed.json()[0] == {
        "id": made["id"], "label": "runner", "status": "live", "createdBy": "nightly",
        "createdAt": listed.json()[0]["createdAt"], "expiresAt": "2100-01-01T00:00:00.000Z",
        "revokedBy": "", "revokedAt": None, "lastUsedAt": None, "safeToRevoke": True,
    }  # fmt: skip
    assert len(listed.json()) == 2


@pytest.mark.parametrize("base", BASES)
def test_deleting_a_secret_revokes_it(api: Client, target: Application, base: str) -> None:
    url = f"{base}/{target.pk}/secrets"
    made = post(api, url).json()
    assert api.delete(f"{url}/{made['id']}").status_code == 204
    assert authenticate("target", made[BASES[base]]) is None
    assert api.delete(f"{url}/{made['id']}").status_code == 404
    assert api.delete(f"{url}/{'x' * 12}").status_code == 404
    listed = api.get(url).json()
    assert (listed[0]["status"], listed[0]["revokedBy"]) == ("revoked", "nightly")


@pytest.mark.parametrize(
    ("body", "status", "details"),
    [
        ({"label": "x" * 300}, 400, "label"),
        ({"label": 7}, 400, "label"),
        (
            {"expiresAt": "2020-01-01T00:00:00Z"},
            400,
            "expiresAt: The expiry must be in the future.",
        ),
        ({"expiresAt": "soon"}, 400, "expiresAt"),
        ({"expiresat": None}, 400, "Did you mean expiresAt?"),
    ],
)
def test_invalid_members_are_refused(
    api: Client, target: Application, body: Any, status: int, details: str
) -> None:
    answer = post(api, f"/api/v1/apps/{target.pk}/secrets", body)
    assert answer.status_code == status
    assert details in answer.json()["details"]
    assert target.secrets.count() == 1


def test_sixth_secret_is_a_conflict(api: Client, target: Application) -> None:
    url = f"/api/v1/apps/{target.pk}/secrets"
    assert [post(api, url).status_code for _ in range(5)] == [201, 201, 201, 201, 409]


def test_repeated_request_adds_one_secret(api: Client, target: Application) -> None:
    url, key = f"/api/v1/apps/{target.pk}/secrets", {"Idempotency-Key": "rotation-7"}
    made = post(api, url, {"label": "a"}, **key).json()
    again = post(api, url, {"label": "a"}, **key)
    assert again.status_code == 409
    assert again.json()["id"] == made["id"]
    assert "secret" not in again.json()
    assert post(api, url, {"label": "b"}, **key).status_code == 422
    assert target.secrets.count() == 2


def test_contract_endpoint_replaces_all_secrets(api: Client, target: Application) -> None:
    for _ in range(3):
        post(api, f"/api/v1/apps/{target.pk}/secrets")
    answer = post(api, f"/api/v1/apps/{target.pk}/secret")
    assert answer.json().keys() == {"secret"}
    assert target.secrets.live().count() == 1
    assert authenticate("target", answer.json()["secret"])


def test_expiry_is_the_default_unless_chosen(
    api: Client, target: Application, settings: Settings
) -> None:
    url, settings.SECRET_EXPIRY_DAYS = f"/api/v1/apps/{target.pk}/secrets", 30
    assert post(api, url).json()["expiresAt"] is not None
    assert post(api, url, {"expiresAt": None}).json()["expiresAt"] is None
    settings.SECRET_MAX_AGE_DAYS = 30
    refused = post(api, url, {"expiresAt": None})
    assert (refused.status_code, refused.json()["details"]) == (
        400, "expiresAt: A client secret must expire within 30 days.",
    )  # fmt: skip


def test_application_reports_its_secrets(api: Client, target: Application) -> None:
    expires_at = "2100-01-01T00:00:00.000Z"
    post(api, f"/api/v1/apps/{target.pk}/secrets", {"expiresAt": expires_at})
    one = api.get(f"/api/v1/apps/{target.pk}").json()
    assert (one["secretCount"], one["nextSecretExpiry"]) == (2, expires_at)
    found = api.get("/api/v1/apps?filterBy=secretCount>=2,nextSecretExpiry!=null").json()
    assert found == [one]
    assert [row["name"] for row in api.get("/api/v1/apps?sortBy=secretCount").json()] == [
        "nightly", "target",
    ]  # fmt: skip


@pytest.mark.parametrize("base", BASES)
def test_secret_says_who_uses_it(api: Client, target: Application, base: str) -> None:
    url = f"{base}/{target.pk}/secrets"
    made = post(api, url).json()
    credentials = {
        "grantType": "app_token", "clientID": "target", "clientSecret": made[BASES[base]],
    }  # fmt: skip
    granted = Client().post(
        "/api/v1/token", credentials, "application/json",
        headers={"User-Agent": "runner/1.0"}, REMOTE_ADDR="192.0.2.7",
    )  # fmt: skip
    assert granted.status_code == 200
    one = api.get(f"{url}/{made['id']}").json()
    assert one["callers"] == [
        {
            "address": "192.0.2.7", "userAgent": "runner/1.0", "uses": 1,
            "lastUsedAt": one["lastUsedAt"],
        }
    ]  # fmt: skip
    assert [entry["uses"] for entry in one["days"]] == [1]
    assert one["safeToRevoke"] is False
    assert api.get(f"{url}/{'x' * 12}").status_code == 404
    assert api.get(f"{url}/nonsense").status_code == 404
