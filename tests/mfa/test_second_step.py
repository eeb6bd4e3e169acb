"""A user with a second factor is always asked for it after the password."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accessrules.authorization.callers import SYSTEM
from applications.oauth import password_grant
from applications.oauth.tokens import issue_to
from runai_access.accounts.actions import (
    give_temporary_password,
    reset_password,
    set_user_enabled,
)
from runai_access.accounts.mfa.actions import reset_factors
from runai_access.accounts.mfa.factors import APP, new_app
from runai_access.accounts.mfa.pending import _PENDING
from runai_access.accounts.models import User
from runai_access.accounts.policy import factors_of
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.mfa.conftest import (
    PASSWORD,
    STEP,
    Clock,
    enter_code,
    enter_password,
    is_signed_in,
    reasons,
    with_app,
)

pytestmark = pytest.mark.django_db


def test_code_of_the_app_completes_the_sign_in(client: Client, rosa: User, clock: Clock) -> None:
    first = enter_password(client, next="/account/")
    assert first.url == f"{STEP}?next=%2Faccount%2F"
    assert not is_signed_in(client)
    page = client.get(first.url)
    assert b"rosa@acme.example" in page.content
    assert b'autocomplete="one-time-code"' in page.content
    assert enter_code(client, clock.code(), next="/account/").url == "/account/"
    assert is_signed_in(client)
    assert reasons("Succeeded") == ["with a password and an authenticator app"]


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_clock_can_differ_by_one_step(client: Client, rosa: User, clock: Clock, steps: int) -> None:
    enter_password(client)
    enter_code(client, clock.code(steps=steps))
    assert is_signed_in(client)


@pytest.mark.parametrize("steps", [-2, 2])
def test_older_and_later_codes_are_refused(
    client: Client, rosa: User, clock: Clock, steps: int
) -> None:
    enter_password(client)
    answer = enter_code(client, clock.code(steps=steps))
    assert answer.status_code == 422
    assert b"Incorrect code." in answer.content
    assert not is_signed_in(client)
    assert reasons() == ["wrong code after the right password"]


@pytest.mark.parametrize("code", ["", "x" * 40, "١٢٣٤٥٦", "12345", "\x00", "0" * 32])
def test_other_texts_are_no_code(client: Client, rosa: User, code: str) -> None:
    enter_password(client)
    assert enter_code(client, code).status_code == 422
    assert not is_signed_in(client)


def test_code_can_be_typed_with_spaces(client: Client, rosa: User, clock: Clock) -> None:
    enter_password(client)
    code = clock.code()
    enter_code(client, f" {code[:3]} {code[3:]}")
    assert is_signed_in(client)


def test_used_code_is_refused_in_another_browser(rosa: User, clock: Clock) -> None:
    for is_expected in (True, False):
        browser = Client()
        enter_password(browser)
        enter_code(browser, clock.code())
        assert is_signed_in(browser) is is_expected


def test_earlier_code_than_the_used_one_is_refused(rosa: User, clock: Clock) -> None:
    first, second = Client(), Client()
    for browser, steps in ((first, 1), (second, 0)):
        enter_password(browser)
        enter_code(browser, clock.code(steps=steps))
    assert is_signed_in(first)
    assert not is_signed_in(second)


def test_each_recovery_code_works_once(db: None) -> None:
    user = factories.person("rosa@acme.example", password=PASSWORD)
    codes = with_app(user)
    for code, is_expected in ((codes[3], True), (codes[3], False), (codes[4], True)):
        browser = Client()
        enter_password(browser)
        enter_code(browser, f"{code[:4]} {code[4:]}")
        assert is_signed_in(browser) is is_expected
    assert set(reasons("Succeeded")) == {"with a password and a recovery code"}


def test_wrong_codes_are_limited(client: Client, rosa: User, clock: Clock) -> None:
    enter_password(client)
    for _ in range(5):
        assert enter_code(client, "000000").status_code == 422
    refused = enter_code(client, clock.code())
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 900
    assert "too many wrong codes after the right password" in reasons()
    # Entering the password again starts no new count.
    enter_password(client)
    assert enter_code(client, clock.code()).status_code == 429


def test_wrong_codes_from_many_addresses_are_limited(
    rosa: User, clock: Clock, settings: Settings
) -> None:
    settings.SECOND_FACTOR_FAILURES = 3
    for number in range(3):
        browser = Client(REMOTE_ADDR=f"192.0.2.{number}")
        enter_password(browser)
        assert enter_code(browser, "000000").status_code == 422
    other = Client(REMOTE_ADDR="192.0.2.99")
    enter_password(other)
    refused = enter_code(other, clock.code())
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 23 * 60 * 60


def _reset_factors(user: User) -> str:
    reset_factors(caller=SYSTEM, user_id=user.pk)
    with_app(user)
    return PASSWORD


def _reset_password(user: User) -> str:
    reset_password(caller=SYSTEM, email=user.email, password=PASSWORD)
    return PASSWORD


def _give_temporary_password(user: User) -> str:
    return give_temporary_password(caller=SYSTEM, user_id=user.pk).password


@pytest.mark.any_database
@pytest.mark.parametrize("reset", [_reset_factors, _reset_password, _give_temporary_password])
def test_reset_ends_the_wait_of_a_day(
    rosa: User, clock: Clock, settings: Settings, reset: Callable[[User], str]
) -> None:
    settings.SECOND_FACTOR_FAILURES = 1
    attacker, browser = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.2")
    enter_password(attacker)
    assert enter_code(attacker, "000000").status_code == 422
    enter_password(browser)
    assert enter_code(browser, clock.code()).status_code == 429
    password = reset(rosa)
    browser.post("/sign-in/", {"email": rosa.email, "password": password})
    assert enter_code(browser, clock.code()).status_code == 302


def test_step_without_a_password_leads_to_the_sign_in(client: Client, rosa: User) -> None:
    assert b"Enter your password again" in client.get(STEP).content
    assert enter_code(client, "123456").status_code == 403


def test_step_expires(client: Client, rosa: User, clock: Clock) -> None:
    enter_password(client)
    session = client.session
    session[_PENDING] = {**session[_PENDING], "until": timezone.now().timestamp()}
    session.save()
    assert enter_code(client, clock.code()).status_code == 403
    assert not is_signed_in(client)


def test_step_ends_when_another_user_signs_in(client: Client, rosa: User, clock: Clock) -> None:
    gus = factories.person("gus@acme.example", password=PASSWORD)
    enter_password(client)
    enter_password(client, gus.email)
    assert is_signed_in(client)
    assert _PENDING not in client.session


def test_expired_form_of_the_step_starts_over(rosa: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = enter_code(browser, "123456", next="/users/")
    assert answer.status_code == 403
    assert b"This page has expired. Enter your password again." in answer.content
    assert b'value="/users/"' in answer.content


def test_step_ends_when_the_password_changes_or_the_user_is_disabled(
    rosa: User, clock: Clock
) -> None:
    first, second = Client(), Client()
    enter_password(first)
    reset_password(caller=SYSTEM, email=rosa.email, password="another horse battery staple")
    assert enter_code(first, clock.code()).status_code == 403
    reset_password(caller=SYSTEM, email=rosa.email, password=PASSWORD + "!")
    second.post("/sign-in/", {"email": rosa.email, "password": PASSWORD + "!"})
    set_user_enabled(caller=SYSTEM, user_id=rosa.pk, enabled=False)
    assert enter_code(second, clock.code()).status_code == 403


def test_attack_changing_the_user_between_the_steps(
    client: Client, rosa: User, clock: Clock
) -> None:
    """Mallory has her own app, and knows Rosa's password."""
    mallory = factories.person("mallory@acme.example", password=PASSWORD)
    with_app(mallory)
    other = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    rosas = factors_of(rosa).get(type=APP)
    rosas.data = new_app(rosa, other, 0).data
    rosas.save()
    enter_password(client, "mallory@acme.example")
    forged = {"user": str(rosa.pk), "email": rosa.email, "user_id": str(rosa.pk)}
    enter_code(client, clock.code(other), **forged)
    assert not is_signed_in(client), "the fields of the form name nobody"
    enter_password(client, rosa.email)
    enter_code(client, clock.code())
    assert not is_signed_in(client), "Mallory's code is none of Rosa's"


def test_attack_session_fixation_between_the_steps(rosa: User, clock: Clock) -> None:
    """The key of the session changes at each step, so nobody who planted one shares the session."""
    browser, attacker = Client(), Client()
    browser.post("/theme/", {"theme": "dark"})
    session = browser.session
    session["planted"] = True
    session.save()
    cookie = browser.cookies
    name = next(key for key in cookie if key.endswith("session"))
    keys = [cookie[name].value]
    enter_password(browser)
    keys.append(browser.cookies[name].value)
    enter_code(browser, clock.code())
    keys.append(browser.cookies[name].value)
    assert len(set(keys)) == 3
    assert is_signed_in(browser)
    for key in keys[:2]:
        attacker.cookies[name] = key
        assert not is_signed_in(attacker)
        assert enter_code(attacker, clock.next_code()).status_code == 403


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_attack_redirect_to_a_foreign_host(
    client: Client, rosa: User, clock: Clock, wanted: str
) -> None:
    assert "evil" not in enter_password(client, next=wanted).url
    assert enter_code(client, clock.code(), next=wanted).url == "/"


def test_attack_api_with_the_session_between_the_steps(client: Client, rosa: User) -> None:
    enter_password(client)
    for url in ("/api/v1/apps", "/api/v1/users", "/scim/v2/Users"):
        assert client.get(url).status_code == 401
    body = json.dumps({"currentPassword": PASSWORD, "newPassword": "another horse battery"})
    change = client.post("/api/v1/me/password", body, content_type="application/json")
    assert change.status_code == 401


@pytest.fixture
def _grant(settings: Settings) -> None:
    settings.PASSWORD_GRANT = True


def ask_for_token(password: str = PASSWORD) -> Any:
    body = {"grantType": "password", "username": "rosa@acme.example", "password": password}
    return Client().post("/api/v1/token", json.dumps(body), content_type="application/json")


@pytest.mark.usefixtures("_grant")
def test_attack_password_grant_of_a_user_with_a_factor(rosa: User) -> None:
    right, wrong = ask_for_token(), ask_for_token("a wrong guess")
    assert (right.status_code, right.content) == (wrong.status_code, wrong.content)
    assert right.status_code == 401
    assert "a second factor is required" in reasons()
    for _ in range(3):
        assert ask_for_token().status_code == 401
    assert ask_for_token().status_code == 429, "the right password counts like a wrong one"


@pytest.mark.usefixtures("_grant")
@pytest.mark.parametrize("role", ["System administrator", "Viewer"])
def test_attack_password_grant_of_a_user_who_must_enroll(
    db: None, settings: Settings, role: str
) -> None:
    user = factories.person("rosa@acme.example", role, password=PASSWORD)
    token = issue_to(
        user.pk, client_id=password_grant.CLIENT_ID, credential_id=user.sessions_id, lifetime=60
    ).text
    browser = Client(headers={"Authorization": f"Bearer {token}"})
    settings.REQUIRE_MFA = "administrators"
    is_allowed = role == "Viewer"
    assert (ask_for_token().status_code == 200) is is_allowed
    assert (browser.get("/api/v1/apps").status_code != 401) is is_allowed, (
        "a token from before the requirement"
    )


def test_password_of_a_user_without_a_factor_is_enough(client: Client, db: None) -> None:
    factories.person("gus@acme.example", password=PASSWORD)
    enter_password(client, "gus@acme.example")
    assert is_signed_in(client)
    event = AuditEvent.objects.get(action="sign-in")
    assert event.reason == "with a password"
    assert event.time > timezone.now() - timedelta(minutes=1)
