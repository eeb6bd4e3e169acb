"""Client secrets and access tokens as bearers, on `/scim/v2` alone for secrets."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accessrules.models import Subject
from applications.models import Application, ClientSecret
from applications.oauth import secret_verification
from applications.oauth.secret_use import BUFFER
from applications.oauth.secrets import id_of, new_secret
from applications.oauth.tokens import issue
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.scim.conftest import SCIM, ScimClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def argon2_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes of the Argon2 runs, which still run."""
    runs: list[str] = []
    real = secret_verification.verify_secret

    def verify(secret_hash: str, secret: str) -> bool:
        runs.append(secret_hash)
        return real(secret_hash, secret)

    monkeypatch.setattr(secret_verification, "verify_secret", verify)
    return runs


def seen(response: Any) -> tuple[Any, ...]:
    headers = {name: text for name, text in response.headers.items() if name != "X-Request-Id"}
    return response.status_code, headers, response.content


def test_a_client_secret_is_a_bearer_for_scim_alone(scim: ScimClient, secret: str) -> None:
    assert scim.get("/Users").status_code == 200
    other = Client(headers={"Authorization": f"Bearer {secret}"})
    for path in ("/api/v1/users", "/api/v1/apps", "/api/v1/audit/log"):
        assert other.get(path).status_code == 401


def test_a_used_secret_is_verified_once_and_its_use_is_counted(
    scim: ScimClient, okta: Application, argon2_runs: list[str]
) -> None:
    for _ in range(3):
        assert scim.get("/Users").status_code == 200
    assert len(argon2_runs) == 1
    BUFFER.write()
    assert okta.secrets.get().last_used_at is not None
    okta.refresh_from_db()
    assert okta.last_login is None


def test_an_access_token_is_a_bearer(okta: Application) -> None:
    assert ScimClient(issue(okta).text).get("/Users").status_code == 200
    assert ScimClient("nonsense").get("/Users").status_code == 401


def test_a_session_is_refused() -> None:
    browser = Client()
    browser.force_login(factories.person("ada@acme.example", "System administrator"))
    response = browser.get("/scim/v2/Users")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="runai-access"'
    assert response.headers["Content-Type"] == SCIM
    assert response.json()["status"] == "401"


def _unknown(okta: Application, secret: str) -> str:
    return new_secret()


def _wrong(okta: Application, secret: str) -> str:
    """A secret with the ID of another."""
    other = new_secret()
    ClientSecret.objects.filter(pk=id_of(secret)).delete()
    factories.client_secret(okta, secret)
    stored = ClientSecret.objects.get(pk=id_of(secret))
    ClientSecret.objects.create(
        id=id_of(other),
        application=okta,
        secret_hash=stored.secret_hash,
        created_by=factories.MAKER,
    )
    return other


def _disabled(okta: Application, secret: str) -> str:
    Subject.objects.filter(pk=okta.pk).update(enabled=False)
    return secret


def _deleted(okta: Application, secret: str) -> str:
    Subject.objects.filter(pk=okta.pk).update(enabled=False, retired_at=timezone.now())
    return secret


def _expired(okta: Application, secret: str) -> str:
    okta.secrets.update(expires_at=timezone.now() - timedelta(seconds=1))
    return secret


def _revoked(okta: Application, secret: str) -> str:
    okta.secrets.update(revoked_at=timezone.now())
    return secret


@pytest.mark.parametrize("end", [_wrong, _disabled, _deleted, _expired, _revoked])
def test_each_invalid_secret_gets_the_same_answer_for_one_argon2_run(
    okta: Application, secret: str, argon2_runs: list[str], end: Any
) -> None:
    unknown = seen(ScimClient(new_secret()).get("/Users"))
    assert unknown[0] == 401
    argon2_runs.clear()
    assert seen(ScimClient(end(okta, secret)).get("/Users")) == unknown
    assert len(argon2_runs) == 1


def test_a_secret_ends_immediately(scim: ScimClient, okta: Application) -> None:
    assert scim.get("/Users").status_code == 200
    okta.secrets.update(revoked_at=timezone.now())
    assert scim.get("/Users").status_code == 401


def test_a_malformed_secret_is_refused_without_hashing(argon2_runs: list[str]) -> None:
    for bearer in (new_secret()[:-1], f"ras_{'x' * 62}", "ras_"):
        response = ScimClient(bearer).get("/Users")
        assert response.status_code == 401
        assert "malformed" in response.json()["detail"]
    assert not argon2_runs


def test_a_secret_without_an_id_is_refused(argon2_runs: list[str]) -> None:
    old = factories.old_secret()
    rule = ("System administrator", factories.account())
    factories.application("old", rule, secret=old)
    response = ScimClient(old).get("/Users")
    assert response.status_code == 401
    assert "Add another client secret" in response.json()["detail"]
    assert not argon2_runs


def test_a_refused_secret_is_audited_by_its_id(okta: Application, secret: str) -> None:
    ScimClient(_expired(okta, secret)).get("/Users")
    event = AuditEvent.objects.get(action="sign-in")
    assert (event.result, event.reason) == ("Failed", "expired secret")
    assert event.entity_name == f"client secret {id_of(secret)}"
    assert secret not in str(vars(event))


def test_too_many_wrong_secrets_are_429_except_for_a_verified_one(
    scim: ScimClient, okta: Application, secret: str
) -> None:
    assert scim.get("/Users").status_code == 200
    guess = ScimClient(_wrong(okta, secret))
    statuses = [guess.get("/Users").status_code for _ in range(22)]
    assert statuses == [401] * 20 + [429] * 2
    refused = guess.get("/Users")
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert refused.json()["status"] == "429"
    assert scim.get("/Users").status_code == 200


def test_guesses_count_for_the_address_as_at_the_token_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(secret_verification, "TRIES_PER_ADDRESS", 2)
    for _ in range(2):
        assert ScimClient(new_secret()).get("/Users").status_code == 401
    body = {"grantType": "app_token", "clientID": "ci", "clientSecret": new_secret()}
    assert Client().post("/api/v1/token", body, "application/json").status_code == 429


def test_without_a_database_the_response_is_a_scim_503(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(secret_id: str) -> None:
        raise OperationalError("unable to open database file")

    monkeypatch.setattr(secret_verification, "get_application_by_secret_id", away)
    response = ScimClient(secret).get("/Users")
    assert response.status_code == 503
    assert response.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
