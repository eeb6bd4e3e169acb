"""Users set up an authenticator app and recovery codes, and remove what they no longer use."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runai_access.accounts.mfa import new_app
from runai_access.accounts.models import User
from runai_access.accounts.policy import factors_of
from runai_access.accounts.sessions import AUTHENTICATED_AT
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.mfa.conftest import (
    APP,
    PASSWORD,
    SECRET,
    Clock,
    codes_in,
    enter_code,
    enter_password,
    factor_changes,
    is_signed_in,
    with_app,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def gus(client: Client) -> User:
    """Gus has no factor, and is signed in to `client`."""
    user = factories.person("gus@acme.example", "Viewer", password=PASSWORD)
    client.force_login(user)
    return user


def start(client: Client) -> tuple[str, str]:
    """Open the page; return the form's encrypted secret, and the secret."""
    page = client.get(APP).content.decode()
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)
    key = re.search(r'<code id="app-key" data-secret>([A-Z2-7 ]+)<', page)
    assert sealed
    assert key
    return sealed[1], key[1].replace(" ", "")


def set_up(client: Client, clock: Clock) -> tuple[str, Any]:
    """Set up an app; return its secret, and the response."""
    sealed, secret = start(client)
    return secret, client.post(APP, {"sealed": sealed, "code": clock.code(secret)})


def test_app_is_set_up_with_its_first_code(client: Client, gus: User, clock: Clock) -> None:
    elsewhere = Client()
    elsewhere.force_login(gus)
    page = client.get(APP)
    assert page.headers["Cache-Control"] == "no-store"
    assert b"<svg" in page.content
    assert b"<?xml" not in page.content
    secret, answer = set_up(client, clock)
    codes = codes_in(answer)
    assert len(set(codes)) == 10
    assert answer.headers["Cache-Control"] == "no-store"
    assert is_signed_in(client)
    assert not is_signed_in(elsewhere), "its session began without the factor"
    assert factor_changes() == [[None, "authenticator app"]]
    browser = Client()
    enter_password(browser, gus.email)
    enter_code(browser, clock.code(secret))
    assert not is_signed_in(browser), "the code that set up the app is used"
    enter_code(browser, codes[0])
    assert is_signed_in(browser)


def test_nothing_is_stored_before_the_first_code(client: Client, gus: User, clock: Clock) -> None:
    sealed, secret = start(client)
    assert secret not in str(dict(client.session.items()))
    wrong = client.post(APP, {"sealed": sealed, "code": "000000"})
    assert wrong.status_code == 422
    assert b"Incorrect code" in wrong.content
    assert sealed.encode() in wrong.content, "the same QR code is shown again"
    assert not factors_of(gus).exists()


def test_secrets_are_encrypted_in_the_database(client: Client, gus: User, clock: Clock) -> None:
    secret, answer = set_up(client, clock)
    stored = str(list(factors_of(gus).values_list("data", flat=True)))
    assert secret not in stored
    assert not any(code.replace(" ", "") in stored for code in codes_in(answer))
    everything = AuditEvent.objects.values_list("changes", "reason", "entity_name")
    assert secret not in str(list(everything))


def test_form_of_another_user_or_of_yesterday_is_refused(
    client: Client, gus: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = factories.person("eve@acme.example")
    foreign = new_app.generate(other)
    monkeypatch.setattr(new_app, "VALID_SECONDS", -1)
    old = new_app.generate(gus)
    for new in (foreign, old):
        answer = client.post(APP, {"sealed": new.sealed, "code": clock.code(new.secret)})
        assert answer.status_code == 422
        assert b"Scan the new QR code" in answer.content
    assert client.post(APP, {"sealed": "x", "code": "123456"}).status_code == 422
    assert not factors_of(gus).exists()


def test_another_app_replaces_the_former_one(client: Client, gus: User, clock: Clock) -> None:
    with_app(gus)
    secret, answer = set_up(client, clock)
    assert answer.url == "/account/", "the recovery codes stay"
    browser = Client()
    enter_password(browser, gus.email)
    clock.now += 30
    enter_code(browser, clock.code(SECRET))
    assert not is_signed_in(browser)
    enter_code(browser, clock.code(secret))
    assert is_signed_in(browser)
    assert factor_changes() == [["authenticator app", "authenticator app"]]


def test_account_page_lists_factors(client: Client, gus: User) -> None:
    assert b"your password alone is not enough" in client.get("/account/").content
    with_app(gus)
    page = client.get("/account/").content
    assert b"Authenticator app" in page
    assert b"10 of 10 unused" in page
    assert b"Not used yet" in page


def test_removing_the_last_factor_removes_the_recovery_codes(
    client: Client, gus: User, clock: Clock
) -> None:
    with_app(gus)
    elsewhere = Client()
    elsewhere.force_login(gus)
    factor = factors_of(gus).get(type="totp")
    dialog = client.get(f"/account/factors/{factor.pk}/remove/").content
    assert b"It is your only second factor" in dialog
    assert client.post(f"/account/factors/{factor.pk}/remove/").url == "/account/"
    assert not factors_of(gus).exists()
    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert factor_changes() == [["authenticator app", None]]


def test_new_recovery_codes_replace_the_former_ones(
    client: Client, gus: User, clock: Clock
) -> None:
    former = with_app(gus)
    assert client.get("/account/factors/recovery-codes/").status_code == 200
    answer = client.post("/account/factors/recovery-codes/")
    assert answer.headers["Cache-Control"] == "no-store"
    codes = codes_in(answer)
    browser = Client()
    enter_password(browser, gus.email)
    enter_code(browser, former[0])
    assert not is_signed_in(browser)
    enter_code(browser, codes[0])
    assert is_signed_in(browser)
    assert factor_changes() == [["recovery codes", "new recovery codes"]]
    assert b"9 of 10 unused" in browser.get("/account/").content


def test_recovery_codes_require_a_factor(client: Client, gus: User) -> None:
    assert client.post("/account/factors/recovery-codes/").status_code == 404


def test_factors_of_others_are_not_found(client: Client, gus: User, rosa: User) -> None:
    for factor in factors_of(rosa):
        for action in ("remove", "rename"):
            url = f"/account/factors/{factor.pk}/{action}/"
            assert client.get(url).status_code == 404
            assert client.post(url, {"name": "x"}).status_code == 404
    assert factors_of(rosa).count() == 2


@pytest.mark.parametrize("method", ["get", "post"])
def test_changing_factors_requires_a_recent_authentication(
    client: Client, gus: User, settings: Settings, method: str
) -> None:
    with_app(gus)
    factor = factors_of(gus).get(type="totp")
    session = client.session
    signed_in = timezone.now() - timedelta(seconds=settings.REAUTHENTICATION_SECONDS + 1)
    session[AUTHENTICATED_AT] = signed_in.timestamp()
    session.save()
    for url in (APP, f"/account/factors/{factor.pk}/remove/", "/account/factors/recovery-codes/"):
        answer = getattr(client, method)(url)
        assert answer.status_code == 302
        assert answer.url.startswith("/account/confirm/")
    assert factors_of(gus).count() == 2
