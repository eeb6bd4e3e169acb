"""Invalid tokens are reported as RFC 6750 §3.1 requires."""

import pytest
from django.test import Client

from applications.oauth.tokens import issue
from tests import factories

pytestmark = pytest.mark.any_database

CHALLENGE = 'Bearer realm="runai-access"'


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["Bearer nonsense", "bearer a.b.c", "Bearer", "Bearer a b"])
def test_a_malformed_token_is_an_invalid_token(header: str) -> None:
    answer = Client().get("/api/v1/apps", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'{CHALLENGE}, error="invalid_token"'


@pytest.mark.django_db
def test_a_revoked_token_is_an_invalid_token() -> None:
    robot = factories.application("robot")
    token = issue(robot).text
    robot.subject.enabled = False
    robot.subject.save()
    answer = Client().get("/api/v1/apps", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.django_db
def test_a_missing_token_has_no_error_code(client: Client) -> None:
    """RFC 6750 §3.1: requests without credentials get no error code."""
    assert client.get("/api/v1/apps").headers["WWW-Authenticate"] == CHALLENGE


@pytest.mark.django_db
def test_an_invalid_token_with_a_valid_session_is_refused() -> None:
    browser = Client()
    browser.force_login(factories.person("ada@acme.example", "System administrator"))
    answer = browser.get("/api/v1/apps", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401


@pytest.mark.django_db
def test_a_token_takes_precedence_over_a_session() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(factories.person("ada@acme.example", "System administrator"))
    token = issue(factories.application("robot")).text
    headers = {"Authorization": f"Bearer {token}"}
    body = {"name": "made-by-both"}
    answer = browser.post("/api/v1/apps", body, "application/json", headers=headers)
    assert answer.status_code == 403
