"""The audit log contains no secrets from wrong fields (Vault CVE-2024-8365)."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from applications.oauth.secrets import new_secret
from applications.oauth.tokens import issue
from runai_access.audit.models import AuditEvent
from tests import factories

PASSWORD = "Correct-Horse-Battery-9"
JSON = "application/json"


def recorded() -> str:
    """Return the whole audit log as one text."""
    rows = AuditEvent.objects.values()
    return "\n".join(str(value) for row in rows for value in row.values())


def grant_v1(client_id: str) -> None:
    body = {"grantType": "app_token", "appId": client_id, "appSecret": "robot"}
    assert Client().post("/api/v1/token", body, content_type=JSON).status_code == 401


def grant_v2(client_id: str) -> None:
    body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": "robot"}
    form = "&".join(f"{name}={value}" for name, value in body.items())
    answer = Client().post("/api/v2/token", form, "application/x-www-form-urlencoded")
    assert answer.status_code == 401


def grant_deprecated(client_id: str) -> None:
    body = {"id": client_id, "name": client_id, "secret": "robot"}
    answer = Client().post("/v1/k8s/auth/oauth/apptoken", body, content_type=JSON)
    assert answer.status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("grant", [grant_v1, grant_v2, grant_deprecated])
def test_a_secret_in_the_client_id_field_is_not_logged(
    grant: Callable[[str], None],
) -> None:
    secret = new_secret()
    grant(secret)
    grant(secret[:-1])  # one character lost in copying
    assert AuditEvent.objects.exists(), "the refusal is audited"
    assert secret[:20] not in recorded()


@pytest.mark.django_db
def test_a_password_in_the_email_field_is_not_logged() -> None:
    page = reverse("accounts:sign-in")
    Client().post(page, {"email": PASSWORD, "password": "ada@acme.example"})
    assert AuditEvent.objects.exists(), "the refusal is audited"
    assert PASSWORD.lower() not in recorded().lower()


@pytest.mark.django_db
def test_a_secret_or_token_in_a_url_is_not_logged() -> None:
    robot = factories.application("robot")
    token, secret = issue(robot).text, new_secret()
    client = Client(headers={"Authorization": f"Bearer {token}"})
    for pasted in (token, secret):
        assert client.get(f"/api/v1/apps/{pasted}").status_code == 403
    assert AuditEvent.objects.count() == 2
    assert token.split(".")[1][:20] not in recorded()
    assert token.split(".")[2] not in recorded()
    assert secret[:20] not in recorded()


@pytest.mark.django_db
def test_an_unknown_client_or_user_is_logged_by_name() -> None:
    grant_v2("nobody")
    Client().post(reverse("accounts:sign-in"), {"email": "who@acme.example", "password": "x"})
    assert set(AuditEvent.objects.values_list("subject_name", flat=True)) == {
        "nobody",
        "who@acme.example",
    }
