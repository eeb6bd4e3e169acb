"""Introspection (RFC 7662), revocation (RFC 7009) and the deprecated token endpoint."""

import base64
import json
from typing import Any

import jwt
import pytest
from django.test import Client

from applications.models import Application
from applications.oauth.secrets import new_secret
from applications.oauth.tokens import issue
from runai_access.audit.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db
INTROSPECT = "/oauth2/introspect"
REVOKE = "/oauth2/revoke"
APP_TOKEN = "/v1/k8s/auth/oauth/apptoken"  # a path


def post(path: str, secret: str, client_id: str = "nightly", **form: str) -> Any:
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return Client().post(
        path,
        "&".join(f"{name}={value}" for name, value in form.items()),
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Basic {pair}"},
    )


def works(token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return Client().get("/api/v1/apps", headers=headers).status_code == 200


def test_a_valid_token_is_active_with_its_claims(nightly: Application, secret: str) -> None:
    answer = post(INTROSPECT, secret, token=issue(nightly).text)
    claims = answer.json()
    assert claims["active"] is True
    assert (claims["client_id"], claims["sub"]) == ("nightly", str(nightly.pk))
    assert {"exp", "iat", "iss", "aud", "jti", "token_type"} <= set(claims)
    assert answer.headers["Cache-Control"] == "no-store"


def test_any_application_can_introspect_also_with_a_bearer_token(nightly: Application) -> None:
    asker = issue(factories.application("gateway")).text
    answer = Client().post(
        INTROSPECT,
        f"token={issue(nightly).text}",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Bearer {asker}"},
    )
    assert answer.json()["active"] is True


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "%00"])
def test_an_invalid_token_is_inactive_without_claims(
    nightly: Application, secret: str, token: str
) -> None:
    assert post(INTROSPECT, secret, token=token).json() == {"active": False}


def test_a_token_of_a_revoked_credential_is_inactive(nightly: Application, secret: str) -> None:
    target = factories.application("target")
    token = issue(target).text
    target.delete()
    assert post(INTROSPECT, secret, token=token).json() == {"active": False}


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
def test_introspection_and_revocation_require_authentication(
    nightly: Application, path: str
) -> None:
    answer = post(path, new_secret(), token=issue(nightly).text)
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert works(issue(nightly).text)


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
def test_an_expired_or_revoked_bearer_token_is_reported(nightly: Application, path: str) -> None:
    """RFC 7662 §2.3 and RFC 6750 §3.1: 401 `invalid_token`, with a Bearer challenge."""
    asker = factories.application("gateway")
    dead = issue(asker).text
    asker.delete()
    for bearer in (dead, "nonsense", ""):
        answer = Client().post(
            path,
            f"token={issue(nightly).text}",
            content_type="application/x-www-form-urlencoded",
            headers={"Authorization": f"Bearer {bearer}"},
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
        challenge = 'Bearer realm="runai-access", error="invalid_token"'
        assert answer.headers["WWW-Authenticate"] == challenge
        assert works(issue(nightly).text)


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
def test_introspection_and_revocation_do_not_count_as_logins(
    nightly: Application, secret: str, path: str
) -> None:
    """`lastLogin` is the last grant of a token (contract/README.md, Resources)."""
    assert post(path, secret, token="nonsense").status_code == 200  # no token
    nightly.refresh_from_db()
    assert nightly.last_login is None
    assert not AuditEvent.objects.filter(action="sign-in", result="Succeeded").exists()
    assert post(path, new_secret(), token="nonsense").status_code == 401  # no token
    assert AuditEvent.objects.filter(action="sign-in", result="Failed").exists()


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
def test_a_missing_token_is_an_invalid_request(
    nightly: Application, secret: str, path: str
) -> None:
    answer = post(path, secret)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_revoking_a_token_keeps_the_others_valid(nightly: Application, secret: str) -> None:
    token, other = issue(nightly).text, issue(nightly).text
    revoked = post(REVOKE, secret, token=token)
    # simple-oauth2 and others parse every response as JSON.
    assert (revoked.status_code, revoked.json()) == (200, {})
    assert not works(token)
    assert works(other)
    assert post(INTROSPECT, secret, token=token).json() == {"active": False}
    assert post(REVOKE, secret, token=token).status_code == 200


def test_revoking_an_invalid_token_succeeds(nightly: Application, secret: str) -> None:
    assert post(REVOKE, secret, token="nonsense").json() == {}


def test_an_application_revokes_only_its_own_tokens(nightly: Application) -> None:
    secret = new_secret()
    factories.application("stranger", secret=secret)
    token = issue(nightly).text
    answer = post(REVOKE, secret, client_id="stranger", token=token)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert works(token)


def app_token(**body: Any) -> Any:
    return Client().post(APP_TOKEN, json.dumps(body), content_type="application/json")


def test_the_deprecated_endpoint_returns_both_tokens(nightly: Application, secret: str) -> None:
    for id_ in (str(nightly.pk), "nightly"):
        answer = app_token(id=id_, name="nightly", secret=secret)
        assert answer.status_code == 200
        assert set(answer.json()) == {"access_token", "id_token"}
        assert works(answer.json()["access_token"])


def test_an_id_token_is_not_accepted_as_bearer_token(nightly: Application, secret: str) -> None:
    text = app_token(id="nightly", name="nightly", secret=secret).json()["id_token"]
    assert jwt.get_unverified_header(text)["typ"] == "JWT"
    assert jwt.decode(text, options={"verify_signature": False})["aud"] == "nightly"
    assert not works(text)


def test_a_correct_secret_with_a_wrong_id_is_refused(nightly: Application, secret: str) -> None:
    assert app_token(id="another", name="nightly", secret=secret).status_code == 401
    nightly.refresh_from_db()
    assert nightly.last_login is None
    assert not AuditEvent.objects.filter(action="sign-in", result="Succeeded").exists()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"id": "another"}, 401),
        ({"name": "another"}, 401),
        ({"secret": new_secret()}, 401),
        ({"secret": ""}, 400),
        ({"name": 7}, 400),
        ({"id": None}, 400),
    ],
)
def test_the_deprecated_endpoint_refuses_invalid_requests(
    nightly: Application, secret: str, changes: dict[str, Any], status: int
) -> None:
    body = {"id": "nightly", "name": "nightly", "secret": secret, **changes}
    answer = app_token(**body)
    assert answer.status_code == status
    assert answer.json()["code"] == status
