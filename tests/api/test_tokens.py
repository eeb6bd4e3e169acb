"""The token endpoints: /api/v1/token and /api/v2/token."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import jwt
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from applications.actions.deletion import delete_application
from applications.actions.secrets import regenerate_secret
from applications.actions.status import set_application_enabled
from applications.models import Application
from applications.oauth.client_authentication import update_last_login
from applications.oauth.secrets import new_secret
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.api.conftest import As

pytestmark = pytest.mark.django_db
V1 = "/api/v1/token"
V2 = "/api/v2/token"


def v1(**body: Any) -> Any:
    return Client().post(V1, json.dumps(body), content_type="application/json")


def v2(form: str | dict[str, str], **headers: str) -> Any:
    if isinstance(form, dict):
        form = "&".join(f"{quote_plus(name)}={quote_plus(text)}" for name, text in form.items())
    return Client().post(
        V2, form, content_type="application/x-www-form-urlencoded", headers=headers
    )


def basic(client_id: str, secret: str) -> str:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def works(token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return Client().get("/api/v1/apps", headers=headers).status_code == 200


@pytest.mark.parametrize("grant", ["app_token", "client_credentials"])
@pytest.mark.parametrize("id_name", ["AppId", "appID", "clientID", "clientId", "APPID"])
@pytest.mark.parametrize("secret_name", ["AppSecret", "appSecret", "clientSecret"])
def test_v1_accepts_every_spelling(
    nightly: Application, secret: str, grant: str, id_name: str, secret_name: str
) -> None:
    answer = v1(**{"grantType": grant, id_name: "nightly", secret_name: secret})
    assert answer.status_code == 200
    assert set(answer.json()) == {"accessToken", "expiresIn"}
    assert answer.json()["expiresIn"] == 3600
    assert works(answer.json()["accessToken"])


def test_token_has_the_lifetime_of_its_application(nightly: Application, secret: str) -> None:
    Application.objects.filter(pk=nightly.pk).update(token_lifetime=600, last_login=timezone.now())
    answer = v1(grantType="app_token", clientID="nightly", clientSecret=secret)
    assert answer.json()["expiresIn"] == 600


def test_v1_accepts_a_body_without_a_content_type(nightly: Application, secret: str) -> None:
    body = {"grantType": "app_token", "clientId": "nightly", "clientSecret": secret}
    answer = Client().generic("POST", V1, json.dumps(body), content_type="", HTTP_ACCEPT="*/*")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "grantType"),
        ({"grantType": "app_token"}, "clientID, clientSecret"),
        ({"grantType": "app_token", "clientId": "x", "clientSecret": ""}, "clientSecret"),
        ({"grantType": "password", "clientId": "x", "clientSecret": "y"}, "grantType"),
        ({"grantType": 1, "clientId": "x", "clientSecret": "y"}, "grantType"),
        ({"grantType": "app_token", "clientId": "a", "AppId": "b", "clientSecret": "y"}, "AppId"),
        ({"grantType": "app_token", "clientId": "x", "clientSecret": "y" * 5000}, "clientSecret"),
    ],
)
def test_v1_names_the_invalid_parameter(db: None, body: dict[str, Any], named: str) -> None:
    answer = v1(**body)
    assert answer.status_code == 400
    assert answer.json()["code"] == 400
    assert named in answer.json()["details"]


def test_v1_accepts_two_spellings_with_equal_values(nightly: Application, secret: str) -> None:
    body = {"grantType": "app_token", "clientId": "nightly", "appID": "nightly"}
    assert v1(**body, clientSecret=secret).status_code == 200


def test_v2_responses_conform_to_rfc_6749_section_5_1(nightly: Application, secret: str) -> None:
    answer = v2(
        {"grant_type": "client_credentials", "client_id": "nightly", "client_secret": secret}
    )
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    assert answer.json()["token_type"] == "Bearer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert answer.headers["Content-Type"] == "application/json"
    assert works(answer.json()["access_token"])


def test_v2_accepts_form_encoded_basic_credentials(nightly: Application, secret: str) -> None:
    header = basic("nightly", secret)
    assert v2({"grant_type": "client_credentials"}, Authorization=header).status_code == 200
    lower = header.replace("Basic", "basic")
    assert v2({"grant_type": "client_credentials"}, Authorization=lower).status_code == 200


def test_v2_ignores_unknown_parameters(nightly: Application, secret: str) -> None:
    form = {"grant_type": "client_credentials", "audience": "x", "resource": "y"}
    assert v2(form, Authorization=basic("nightly", secret)).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("", "invalid_request"),
        ("client_id=a&client_secret=b", "invalid_request"),
        ("grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&client_id=a", "invalid_request"),
        ("grant_type=client_credentials&client_id=a&client_secret=", "invalid_request"),
        (
            "grant_type=client_credentials&client_id=a&client_id=a&client_secret=b",
            "invalid_request",
        ),
        ("grant_type=password&client_id=a&client_secret=b", "unsupported_grant_type"),
    ],
)
def test_v2_errors_conform_to_rfc_6749_section_5_2(db: None, form: str, error: str) -> None:
    answer = v2(form)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("scope", ["all", "api", "read write", "openid"])
def test_v2_grants_the_same_scope_for_every_requested_one(
    nightly: Application, secret: str, scope: str
) -> None:
    """RFC 6749 §3.3: the response contains the scope if it differs from the requested one."""
    form = {"grant_type": "client_credentials", "client_id": "nightly", "client_secret": secret}
    assert "scope" not in v2(form).json()
    assert "scope" not in v2({**form, "scope": ""}).json()
    answer = v2({**form, "scope": scope})
    assert (answer.status_code, answer.json()["scope"]) == (200, "api")


def test_v2_refuses_credentials_in_both_header_and_body(nightly: Application, secret: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": "nightly", "client_secret": secret}
    answer = v2(form, Authorization=basic("nightly", secret))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("header", ["Basic", "Basic %%%", "Basic bm9jb2xvbg=="])
def test_v2_refuses_a_malformed_basic_header(db: None, header: str) -> None:
    answer = v2({"grant_type": "client_credentials"}, Authorization=header)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_v2_refuses_credentials_in_the_url(nightly: Application, secret: str) -> None:
    answer = Client().post(
        f"{V2}?client_id=nightly&client_secret={secret}",
        "grant_type=client_credentials",
        content_type="application/x-www-form-urlencoded",
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def refusals(secret: str) -> list[tuple[str, str]]:
    """Return client IDs and secrets that are wrong in different ways."""
    of_off, of_deleted = new_secret(), new_secret()
    off = factories.application("off", secret=of_off)
    set_application_enabled(
        caller=factories.caller(factories.person("a@acme.example", "System administrator")),
        application_id=off.pk,
        enabled=False,
    )
    deleted = factories.application("deleted", secret=of_deleted)
    delete_application(
        caller=factories.caller(factories.person("b@acme.example", "System administrator")),
        application_id=deleted.pk,
    )
    factories.application("secretless")
    return [
        ("unknown", secret),
        ("nightly", new_secret()),
        ("off", of_off),
        ("deleted", of_deleted),
        ("secretless", secret),
        ("nul\x00byte", secret),
        ("Ünknown", secret),
    ]


def test_v2_has_one_response_for_all_invalid_clients(nightly: Application, secret: str) -> None:
    answers = [
        v2({"grant_type": "client_credentials", "client_id": id_, "client_secret": wrong})
        for id_, wrong in refusals(secret)
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.content for answer in answers} == {
        b'{"error":"invalid_client","error_description":"Incorrect client ID or client secret."}'
    }
    assert all(answer.headers["WWW-Authenticate"].startswith("Basic ") for answer in answers)
    all_headers = [{k: v for k, v in a.headers.items() if k != "X-Request-Id"} for a in answers]
    assert all(headers == all_headers[0] for headers in all_headers)


def test_v1_has_one_response_for_all_invalid_clients(nightly: Application, secret: str) -> None:
    answers = [
        v1(grantType="app_token", clientId=id_, clientSecret=wrong)
        for id_, wrong in refusals(secret)
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (401, answers[0].content)
    }
    assert answers[0].json()["code"] == 401


@pytest.mark.parametrize("path", [V1, V2, "/v1/k8s/auth/oauth/apptoken", "/oauth2/introspect"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"])
def test_every_other_method_is_405_with_the_allowed_ones(db: None, path: str, method: str) -> None:
    """RFC 9110 §15.5.6. RFC 6749 §3.2 requires POST."""
    answer = Client().generic(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert b"RFC" not in answer.content, "contains no docstring"


@pytest.mark.parametrize(
    ("path", "content_type"),
    [(V1, "application/x-www-form-urlencoded"), (V2, "application/json"), (V2, "text/plain")],
)
def test_another_media_type_is_415(db: None, path: str, content_type: str) -> None:
    assert Client().post(path, "x=y", content_type=content_type).status_code == 415


@pytest.mark.parametrize(
    ("path", "content_type"), [(V1, "application/json"), (V2, "application/x-www-form-urlencoded")]
)
def test_a_body_above_the_size_limit_is_413(db: None, path: str, content_type: str) -> None:
    answer = Client().post(path, b"x" * 2_000_000, content_type=content_type)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"clientId": "a", "clientId": "b"}', b'"x"', b"\xff"]
)
def test_v1_refuses_a_body_that_is_not_an_object(db: None, body: bytes) -> None:
    answer = Client().post(V1, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == 400


def test_a_token_contains_the_application_and_its_lifetime(
    nightly: Application, secret: str
) -> None:
    token = v1(grantType="app_token", clientId="nightly", clientSecret=secret).json()["accessToken"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sub"] == str(nightly.pk)
    assert claims["client_id"] == "nightly"
    assert claims["exp"] - claims["iat"] == 3600


def test_the_payload_can_be_decoded_with_plain_base64(nightly: Application, secret: str) -> None:
    token = v1(grantType="app_token", clientId="nightly", clientSecret=secret).json()["accessToken"]
    payload = token.split(".")[1]
    assert json.loads(base64.b64decode(payload + "=="))["exp"] > timezone.now().timestamp()


def test_a_grant_updates_last_login_but_not_updated_at(nightly: Application, secret: str) -> None:
    before = nightly.updated_at
    v1(grantType="app_token", clientId="nightly", clientSecret=secret)
    nightly.refresh_from_db()
    assert nightly.last_login is not None
    assert abs((timezone.now() - nightly.last_login).total_seconds()) < 5
    assert nightly.updated_at == before


def test_a_refused_grant_does_not_update_last_login(nightly: Application) -> None:
    v1(grantType="app_token", clientId="nightly", clientSecret=new_secret())
    nightly.refresh_from_db()
    assert nightly.last_login is None


def test_grants_and_refusals_are_audited_without_the_secret(
    nightly: Application, secret: str
) -> None:
    wrong = new_secret()
    for given in (secret, wrong):
        v1(grantType="app_token", clientId="nightly", clientSecret=given)
    events = AuditEvent.objects.filter(action="sign-in").order_by("pk")
    assert [event.result for event in events] == ["Succeeded", "Failed"]
    written = json.dumps(list(AuditEvent.objects.values()), default=str)
    assert secret not in written
    assert wrong not in written


class TestEndOfACredential:
    """The old secret and issued tokens stop working with the next request."""

    def boss(self) -> Any:
        return factories.caller(factories.person("boss@acme.example", "System administrator"))

    def token(self, secret: str) -> str:
        answer = v1(grantType="app_token", clientId="nightly", clientSecret=secret)
        token: str = answer.json()["accessToken"]
        assert works(token)
        return token

    def test_regenerating(self, nightly: Application, secret: str) -> None:
        token = self.token(secret)
        issued = regenerate_secret(caller=self.boss(), application_id=nightly.pk)
        assert not works(token)
        old = v1(grantType="app_token", clientId="nightly", clientSecret=secret)
        assert old.status_code == 401
        assert works(self.token(issued.secret))

    def test_disabling_revokes_tokens_permanently(self, nightly: Application, secret: str) -> None:
        token = self.token(secret)
        boss = self.boss()
        set_application_enabled(caller=boss, application_id=nightly.pk, enabled=False)
        assert not works(token)
        assert v1(grantType="app_token", clientId="nightly", clientSecret=secret).status_code == 401
        set_application_enabled(caller=boss, application_id=nightly.pk, enabled=True)
        assert not works(token)
        assert works(self.token(secret))

    def test_deleting_also_if_the_name_is_reused(self, nightly: Application, secret: str) -> None:
        token = self.token(secret)
        delete_application(caller=self.boss(), application_id=nightly.pk)
        assert not works(token)
        factories.application(
            "nightly", ("System administrator", factories.account()), secret=new_secret()
        )
        assert not works(token)
        assert v1(grantType="app_token", clientId="nightly", clientSecret=secret).status_code == 401


def test_a_token_without_rules_gets_403_and_no_data(secret: str, as_: As) -> None:
    newcomer = factories.application("newcomer", secret=secret)
    assert as_(newcomer).get("/api/v1/apps").status_code == 403


def test_last_login_is_updated_at_most_once_a_second(
    nightly: Application, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """contract/README.md, Resources: `lastLogin` never moves `updatedAt`."""
    changed_at = Application.objects.get(pk=nightly.pk).updated_at
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for at, writes, second in ((0, 1, 0), (0.4, 0, 0), (0.9, 0, 0), (1.0, 1, 1), (0.5, 0, 1)):
        known = Application.objects.get(pk=nightly.pk)
        with django_assert_num_queries(writes):
            update_last_login(known, start + timedelta(seconds=at))
        nightly.refresh_from_db()
        assert nightly.last_login == start + timedelta(seconds=second), "never moves backwards"
        assert nightly.updated_at == changed_at
