"""Tokens for users by the password grant (RFC 6749 §4.3), which a setting must enable."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from applications.models import Application
from runai_access.accounts.actions import change_own_password, end_own_sessions, set_user_enabled
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery-staple"
V1, V2 = "/api/v1/token", "/api/v2/token"


@pytest.fixture
def rosa(db: None) -> User:
    return factories.person("rosa@acme.example", "System administrator", password=PASSWORD)


@pytest.fixture
def _allowed(settings: Settings) -> None:
    settings.PASSWORD_GRANT = True


allowed = pytest.mark.usefixtures("_allowed")


def v1(password: str = PASSWORD, email: str = "rosa@acme.example", **more: str) -> Any:
    body = {"grantType": "password", "username": email, "password": password, **more}
    return Client().post(V1, json.dumps(body), content_type="application/json")


def v2(password: str = PASSWORD, email: str = "rosa@acme.example", **more: str) -> Any:
    form = {"grant_type": "password", "username": email, "password": password, **more}
    return Client().post(V2, urlencode(form), content_type="application/x-www-form-urlencoded")


def bearer(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


def works(token: str) -> bool:
    return bearer(token).get("/api/v1/apps").status_code == 200


def boss() -> Any:
    return factories.caller(factories.person("boss@acme.example", "System administrator"))


def test_the_password_grant_is_off_by_default(rosa: User) -> None:
    """RFC 9700 §2.4: the resource owner password credentials grant MUST NOT be used."""
    assert v1().status_code == 400
    refused = v2()
    assert (refused.status_code, refused.json()["error"]) == (400, "unsupported_grant_type")
    document = Client().get("/.well-known/oauth-authorization-server").json()
    assert document["grant_types_supported"] == ["client_credentials"]
    assert not AuditEvent.objects.exists(), "the credentials were not checked"


@allowed
def test_a_user_gets_a_token_that_identifies_them(rosa: User) -> None:
    """RFC 6749 §4.3.2 and §4.3.3, in the formats of both endpoints."""
    first, second = v1(clientID="cli"), v2(client_id="cli")
    assert set(first.json()) == {"accessToken", "expiresIn"}
    assert set(second.json()) == {"access_token", "token_type", "expires_in"}
    token = second.json()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["sub"], claims["client_id"]) == (str(rosa.pk), "runai-access")
    assert works(first.json()["accessToken"])
    made = bearer(token).post(
        "/api/v1/apps", json.dumps({"name": "nightly"}), content_type="application/json"
    )
    assert made.status_code == 201
    assert Application.objects.get().created_by == "rosa@acme.example"
    document = Client().get("/.well-known/oauth-authorization-server").json()
    assert document["grant_types_supported"] == ["client_credentials", "password"]


@allowed
def test_all_refusals_are_identical(rosa: User) -> None:
    factories.person("gus@acme.example", password=PASSWORD)
    gus = User.objects.get(email="gus@acme.example")
    set_user_enabled(caller=boss(), user_id=gus.pk, enabled=False)
    temporary = factories.person("ada@acme.example", password=PASSWORD)
    User.objects.filter(pk=temporary.pk).update(
        temporary_password_until=timezone.now() + timedelta(days=1)
    )
    cases = [
        ("a wrong guess", "rosa@acme.example"),
        (PASSWORD, "nobody@acme.example"),
        (PASSWORD, "gus@acme.example"),
        (PASSWORD, "ada@acme.example"),
        (PASSWORD, "no email\x00"),
    ]
    ones = [v1(password, email) for password, email in cases]
    twos = [v2(password, email) for password, email in cases]
    assert {(one.status_code, one.content) for one in ones} == {(401, ones[0].content)}
    # RFC 9110 §15.5.2: a 401 has a challenge.
    assert {one.headers["WWW-Authenticate"] for one in ones} == {'Basic realm="runai-access"'}
    assert {(two.status_code, two.json()["error"]) for two in twos} == {(400, "invalid_grant")}
    assert len({two.content for two in twos}) == 1


@allowed
@pytest.mark.parametrize("ask", [v1, v2])
def test_failures_share_their_limit_with_the_sign_in_page(rosa: User, ask: Any) -> None:
    form = {"email": rosa.email, "password": "a wrong guess"}
    for _ in range(3):
        assert Client().post("/sign-in/", form).status_code == 422
    for _ in range(2):
        assert ask("a wrong guess").status_code in (400, 401)
    refused = ask()
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 900
    assert Client().post("/sign-in/", {**form, "password": PASSWORD}).status_code == 429


@allowed
@pytest.mark.parametrize("ask", [v1, v2])
@pytest.mark.parametrize(
    "limit", ["SIGN_IN_ADDRESS_FAILURES", "SIGN_IN_USER_FAILURES"], ids=["address", "user"]
)
def test_address_and_user_limits_apply_to_tokens_and_pages_together(
    rosa: User, settings: Settings, ask: Any, limit: str
) -> None:
    setattr(settings, limit, 3)
    form = {"email": rosa.email, "password": "a wrong guess"}
    assert Client().post("/sign-in/", form).status_code == 422
    for _ in range(2):
        assert ask("a wrong guess").status_code in (400, 401)
    if limit == "SIGN_IN_USER_FAILURES":  # all new addresses share one attempt
        assert ask("a wrong guess").status_code in (400, 401)
    refused = ask()
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 900
    assert "Too many failed attempts" in refused.content.decode()
    assert Client().post("/sign-in/", {**form, "password": PASSWORD}).status_code == 429


@allowed
def test_an_address_with_earlier_tokens_is_not_blocked_by_attacks(
    rosa: User, settings: Settings
) -> None:
    settings.SIGN_IN_USER_FAILURES = 3
    assert v2().status_code == 200
    for number in range(4):
        stranger = Client(REMOTE_ADDR=f"203.0.113.{number}")
        stranger.post("/sign-in/", {"email": rosa.email, "password": "a wrong guess"})
    assert v2().status_code == 200


@allowed
@pytest.mark.parametrize("how", ["disabled", "new password", "signed out", "temporary", "off"])
def test_ending_the_sessions_revokes_the_token(rosa: User, settings: Settings, how: str) -> None:
    token = v2().json()["access_token"]
    assert works(token)
    match how:
        case "disabled":
            set_user_enabled(caller=boss(), user_id=rosa.pk, enabled=False)
        case "new password":
            new = "another-horse-battery-staple"
            change_own_password(caller=factories.caller(rosa), current=PASSWORD, new=new)
        case "signed out":
            end_own_sessions(caller=factories.caller(rosa))
        case "temporary":
            User.objects.update(temporary_password_until=timezone.now() + timedelta(days=1))
        case "off":
            settings.PASSWORD_GRANT = False
    assert bearer(token).get("/api/v1/apps").status_code == 401
    if how == "disabled":
        set_user_enabled(caller=boss_again(), user_id=rosa.pk, enabled=True)
        assert not works(token), "enabling restores no token"


def boss_again() -> Any:
    return factories.caller(User.objects.get(email="boss@acme.example"))


@allowed
def test_client_credentials_can_not_be_combined_with_a_password(rosa: User) -> None:
    assert v1(clientID="x", clientSecret="y").status_code == 400
    refused = v2(client_id="x", client_secret="y")
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")


@allowed
@pytest.mark.parametrize("missing", ["username", "password"])
def test_missing_parameters_are_named(rosa: User, missing: str) -> None:
    assert missing in v1(**{missing: ""}).json()["details"]
    form = {"grant_type": "password", "username": "x", "password": "y", missing: ""}
    answer = Client().post(V2, urlencode(form), content_type="application/x-www-form-urlencoded")
    assert missing in answer.json()["error_description"]


@allowed
def test_the_password_is_not_in_the_audit_log(rosa: User) -> None:
    v2()
    v2("a-wrong-guess-to-be-kept-nowhere")
    events = AuditEvent.objects.filter(action="sign-in").order_by("pk")
    assert [(event.result, event.entity_type) for event in events] == [
        ("Succeeded", "user"),
        ("Failed", "user"),
    ]
    written = json.dumps(list(AuditEvent.objects.values()), default=str)
    assert PASSWORD not in written
    assert "a-wrong-guess" not in written
