"""RUNAI_ACCESS_REQUIRE_MFA: who must set up a second factor at the next sign-in."""

import json
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from pytest_django import Settings

from applications.oauth.tokens import issue
from runai_access import environment
from runai_access.accounts import policy
from runai_access.accounts.mfa import actions as factor_actions
from runai_access.accounts.mfa.actions import remove_factor
from runai_access.accounts.models import User
from runai_access.accounts.policy import factors_of
from runai_access.accounts.sessions import note_provider
from tests import factories
from tests.mfa.conftest import (
    APP,
    PASSWORD,
    Clock,
    codes_in,
    create_passkey,
    enter_password,
    is_signed_in,
    use_passkey,
    with_app,
)
from tests.mfa.test_enrollment import set_up

pytestmark = pytest.mark.django_db
ENROLL = "/account/factors/new/"


@pytest.fixture
def ada(db: None) -> User:
    return factories.person("ada@acme.example", "System administrator", password=PASSWORD)


@pytest.mark.parametrize(
    ("mode", "asked"),
    [("off", set()), ("administrators", {"ada"}), ("everyone", {"ada", "vera"})],
)
def test_setting_decides_who_must_enroll(
    ada: User, settings: Settings, mode: str, asked: set[str]
) -> None:
    factories.person("vera@acme.example", "Viewer", password=PASSWORD)
    settings.REQUIRE_MFA = mode
    for name in ("ada", "vera"):
        browser = Client()
        enter_password(browser, f"{name}@acme.example")
        assert is_signed_in(browser) is (name not in asked)
        if name in asked:
            answer = browser.get("/account/?x=1")
            assert answer.url == f"{ENROLL}?next=%2Faccount%2F%3Fx%3D1"


def test_enrollment_leads_back_to_the_wanted_page(
    client: Client, ada: User, settings: Settings, clock: Clock
) -> None:
    settings.REQUIRE_MFA = "everyone"
    enter_password(client, ada.email)
    page = client.get(f"{ENROLL}?next=/users/").content.decode()
    assert "acme requires a second factor" in page
    assert f'href="{APP}?next=/users/"' in page
    assert "SIGN OUT" in page
    _, answer = set_up(client, clock)
    assert codes_in(answer)
    assert client.get("/users/").status_code == 200
    # At the next sign-in, the app is asked for, and nothing else.
    browser = Client()
    enter_password(browser, ada.email)
    browser.post("/sign-in/second-factor/", {"code": codes_in(answer)[0]})
    assert browser.get("/users/").status_code == 200


def _addresses(patterns: list[URLPattern | URLResolver], above: str = "/") -> Any:
    for pattern in patterns:
        address = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _addresses(pattern.url_patterns, address)
        else:
            yield address, pattern


def test_attack_other_pages_and_the_api_before_the_enrollment(
    client: Client, ada: User, settings: Settings
) -> None:
    """Every address without a parameter, with GET and POST."""
    settings.REQUIRE_MFA = "administrators"
    enter_password(client, ada.email)
    reached = set()
    for address, pattern in _addresses(get_resolver().url_patterns):
        if "<" in address or not getattr(pattern.callback, "login_required", True):
            continue
        for method in ("get", "post"):
            answer = getattr(client, method)(address)
            sent_away = answer.status_code == 302 and answer.url.startswith(ENROLL)
            is_refused = answer.status_code in (400, 401, 403, 405, 415)
            if not (sent_away or is_refused):
                reached.add(address)
    assert reached == {
        ENROLL, APP, "/account/factors/passkey/", "/account/factors/passkey/options/",
        "/account/confirm/", "/account/confirm/passkey/", "/account/confirm/passkey/options/",
        "/account/confirm/provider/", "/theme/",
    }  # fmt: skip
    refused = client.get("/api/v1/apps")
    assert refused.status_code == 403
    assert "second factor" in refused.json()["details"]
    body = json.dumps({"name": "backdoor"})
    assert client.post("/api/v1/apps", body, content_type="application/json").status_code == 403


def test_user_who_becomes_administrator_must_enroll(client: Client, settings: Settings) -> None:
    settings.REQUIRE_MFA = "administrators"
    user = factories.person("vera@acme.example", "Viewer", password=PASSWORD)
    enter_password(client, user.email)
    assert is_signed_in(client)
    factories.rule(user, "System administrator", factories.account())
    assert not is_signed_in(client)
    assert client.get("/api/v1/apps").status_code == 403


def test_last_factor_of_a_user_who_must_have_one_stays(
    client: Client, ada: User, settings: Settings, clock: Clock
) -> None:
    settings.REQUIRE_MFA = "everyone"
    enter_password(client, ada.email)
    set_up(client, clock)
    factor = factors_of(ada).get(type="totp")
    answer = client.post(f"/account/factors/{factor.pk}/remove/")
    assert answer.status_code == 409
    assert b"Add another one first" in answer.content
    assert factors_of(ada).count() == 2


def test_last_factor_of_a_user_of_the_provider_can_go(settings: Settings, rosa: User) -> None:
    settings.REQUIRE_MFA, settings.LOCAL_SIGN_IN = "everyone", "off"
    remove_factor(caller=factories.caller(rosa), factor_id=factors_of(rosa).get(type="totp").pk)
    assert not factors_of(rosa).exists()


def test_factor_that_is_added_during_a_removal_counts(
    client: Client, ada: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REQUIRE_MFA = "everyone"
    with_app(ada)
    client.force_login(ada)
    factor = factors_of(ada).get(type="totp")

    def remove(**arguments: Any) -> User:
        Authenticator.objects.create(user=ada, type="webauthn", data={"name": "Laptop"})
        return remove_factor(**arguments)

    session = client.session
    session["second_factor"] = True
    session.save()
    monkeypatch.setattr(factor_actions, "remove_factor", remove)
    client.post(f"/account/factors/{factor.pk}/remove/")
    assert not factors_of(ada).filter(type="totp").exists()
    assert is_signed_in(client)


def test_temporary_password_comes_first(client: Client, ada: User, settings: Settings) -> None:
    settings.REQUIRE_MFA = "everyone"
    User.objects.filter(pk=ada.pk).update(
        temporary_password_until=timezone.now() + timedelta(days=1)
    )
    enter_password(client, ada.email)
    assert client.get("/users/").url.startswith("/account/password/")
    assert client.get("/account/password/").status_code == 200
    new = "another horse battery staple"
    client.post("/account/password/", {"current": PASSWORD, "new": new, "again": new})
    assert client.get("/users/").url.startswith(ENROLL)


def test_factor_of_the_identity_provider_counts(
    client: Client, ada: User, settings: Settings
) -> None:
    settings.REQUIRE_MFA = "everyone"
    SocialAccount.objects.create(user=ada, provider="https://id.example", uid="1")
    with_app(ada)
    client.force_login(ada)
    request: Any = type("Request", (), {"session": client.session})()
    note_provider(request, "https://id.example", "", None)
    request.session.save()
    assert is_signed_in(client)
    assert client.get("/api/v1/apps").status_code == 200


@pytest.mark.any_database
def test_requirement_is_read_only_where_it_matters(
    client: Client, ada: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REQUIRE_MFA = "administrators"
    client.force_login(ada)
    monkeypatch.setattr(
        policy, "requires_second_factor", lambda user: pytest.fail("it costs a query")
    )
    client.get("/account/confirm/")
    request: Any = type("Request", (), {"session": client.session})()
    note_provider(request, "https://id.example", "", None)
    request.session.save()
    assert is_signed_in(client)


def test_applications_and_scim_are_not_affected(settings: Settings, db: None) -> None:
    settings.REQUIRE_MFA = "everyone"
    program = factories.application("ci", ("System administrator", factories.account()))
    browser = Client(headers={"Authorization": f"Bearer {issue(program).text}"})
    assert browser.get("/api/v1/apps").status_code == 200
    assert browser.get("/scim/v2/Users").status_code == 200


@pytest.mark.usefixtures("passkeys")
def test_passkey_meets_the_requirement(client: Client, ada: User, settings: Settings) -> None:
    settings.REQUIRE_MFA = "everyone"
    enter_password(client, ada.email)
    passkey = create_passkey(client)
    assert is_signed_in(client)
    browser = Client()
    use_passkey(browser, passkey)
    assert is_signed_in(browser)


def test_invalid_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNAI_ACCESS_REQUIRE_MFA", "admins")
    with pytest.raises(ImproperlyConfigured, match="RUNAI_ACCESS_REQUIRE_MFA"):
        environment.choice("RUNAI_ACCESS_REQUIRE_MFA", "off", "administrators", "everyone")


def test_no_page_of_django_allauth_is_routed() -> None:
    for address, pattern in _addresses(get_resolver().url_patterns):
        assert not pattern.callback.__module__.startswith("allauth"), address
