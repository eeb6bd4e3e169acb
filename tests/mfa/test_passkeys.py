"""Passkeys sign in without a password, complete a sign-in, and confirm dangerous actions."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accessrules.authorization.callers import SYSTEM
from runai_access import environment
from runai_access.accounts.actions import set_user_enabled
from runai_access.accounts.mfa import passkeys as ceremonies
from runai_access.accounts.models import User
from runai_access.accounts.policy import factors_of
from runai_access.accounts.sessions import AUTHENTICATED_AT
from tests import factories
from tests.mfa.conftest import (
    OPTIONS,
    PASSKEY,
    PASSWORD,
    STEP,
    SoftPasskey,
    codes_in,
    create_passkey,
    enter_password,
    factor_changes,
    is_signed_in,
    reasons,
    use_passkey,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("passkeys")]


@pytest.fixture
def gus(client: Client) -> User:
    """Gus is signed in to `client`."""
    user = factories.person("gus@acme.example", "Viewer", password=PASSWORD)
    client.force_login(user)
    return user


@pytest.fixture
def laptop(client: Client, gus: User) -> SoftPasskey:
    """The passkey of Gus."""
    passkey = create_passkey(client)
    assert factors_of(gus).count() == 2
    return passkey


def test_new_passkey_comes_with_recovery_codes(client: Client, gus: User) -> None:
    options = client.post("/account/factors/passkey/options/").json()["publicKey"]
    assert options["rp"] == {"id": "localhost", "name": "runai-access acme"}
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    response = SoftPasskey().create({"publicKey": options})
    form = {"name": "", "response": json.dumps(response)}
    answer = client.post("/account/factors/passkey/", form, headers={"User-Agent": "Firefox/1"})
    assert len(codes_in(answer)) == 10
    assert factor_changes() == [[None, "passkey Firefox"]]
    second = client.post("/account/factors/passkey/options/").json()["publicKey"]
    assert len(second["excludeCredentials"]) == 1


def test_passkey_signs_in_without_a_password(laptop: SoftPasskey) -> None:
    browser = Client()
    assert browser.post(OPTIONS).json()["publicKey"].get("allowCredentials", []) == []
    assert use_passkey(browser, laptop, next="/users/").url == "/users/"
    assert is_signed_in(browser)
    assert reasons("Succeeded") == ["with a passkey"]
    assert factors_of(User.objects.get()).get(type="webauthn").last_used_at


def test_passkey_completes_a_sign_in_with_a_password(laptop: SoftPasskey) -> None:
    browser = Client()
    assert enter_password(browser, "gus@acme.example").url == STEP
    page = browser.get(STEP).content
    assert b"USE A PASSKEY" in page
    assert b"Recovery code" in page
    assert len(browser.post(OPTIONS).json()["publicKey"]["allowCredentials"]) == 1
    use_passkey(browser, laptop)
    assert is_signed_in(browser)
    assert reasons("Succeeded") == ["with a password and a passkey"]


def test_passkey_needs_no_temporary_password(laptop: SoftPasskey, gus: User) -> None:
    """An administrator has reset the password, which the user might not know."""
    soon = timezone.now() + timedelta(days=1)
    User.objects.filter(pk=gus.pk).update(temporary_password_until=soon)
    alone, after_password = Client(), Client()
    use_passkey(alone, laptop)
    assert is_signed_in(alone)
    enter_password(after_password, gus.email)
    use_passkey(after_password, laptop)
    assert after_password.get("/account/").url.startswith("/account/password/")


def test_response_works_once(laptop: SoftPasskey) -> None:
    browser = Client()
    response = {"response": json.dumps(laptop.use(browser.post(OPTIONS).json()))}
    assert browser.post(PASSKEY, response).status_code == 302
    browser.post("/sign-out/")
    assert browser.post(PASSKEY, response).status_code == 422
    assert Client().post(PASSKEY, response).status_code == 422
    assert not is_signed_in(browser)


@pytest.mark.any_database
@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://evil.localhost:8000"},
        {"origin": "http://localhost:8001"},
        {"origin": "https://localhost:8000"},
        {"is_verified": False},
        {"credential_id": b"another"},
        {"user_handle": "AAAA"},
        {"user_handle": ""},
        {"key": SoftPasskey().key},
    ],
    ids="-".join,
)
def test_other_responses_are_refused(laptop: SoftPasskey, change: dict[str, Any]) -> None:
    for name, value in change.items():
        setattr(laptop, name, value)
    browser = Client()
    answer = use_passkey(browser, laptop)
    assert answer.status_code == 422
    assert b"This passkey was not accepted." in answer.content
    assert not is_signed_in(browser)
    assert reasons() == ["the passkey was refused"]


@pytest.mark.parametrize("origin", ["http://evil.localhost:8000", "https://evil.example"])
def test_passkey_of_another_origin_is_not_added(client: Client, gus: User, origin: str) -> None:
    create_passkey(client, origin=origin)
    assert not factors_of(gus).exists()


def test_passkey_without_verification_is_not_added(client: Client, gus: User) -> None:
    create_passkey(client, is_verified=False)
    assert not factors_of(gus).exists()


_PARTS = {
    "attestationObject": "AA",
    "authenticatorData": "AA",
    "signature": "AA",
    "userHandle": "AA",
}
_EMPTY = {"id": "AA", "rawId": "AA", "type": "public-key"}
HOSTILE = [
    "", "{", "[]", "1", "null", '"x"', "{}", "[" * 9000, '{"response": 1}', '{"id": "\\ud800"}',
    json.dumps({**_EMPTY, "response": {"clientDataJSON": "AA", **_PARTS}}),
    json.dumps({**_EMPTY, "response": {"clientDataJSON": "e30", **_PARTS, "attestationObject": "oA"}}),
    "x" * 20_000,
]  # fmt: skip


@pytest.mark.any_database
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_responses_are_refused(client: Client, gus: User, text: str) -> None:
    client.post("/account/factors/passkey/options/")
    assert client.post("/account/factors/passkey/", {"response": text}).status_code == 422
    for url in (PASSKEY, "/account/confirm/passkey/"):
        client.post(f"{url}options/")
        assert client.post(url, {"response": text}).status_code == 422
    assert not factors_of(gus).exists()


def test_disabled_user_and_local_sign_in_apply_to_passkeys(
    laptop: SoftPasskey, gus: User, settings: Settings
) -> None:
    settings.LOCAL_SIGN_IN = "off"
    assert use_passkey(Client(), laptop).status_code == 422
    settings.LOCAL_SIGN_IN = "everyone"
    set_user_enabled(caller=SYSTEM, user_id=gus.pk, enabled=False)
    assert use_passkey(Client(), laptop).status_code == 422
    assert reasons() == ["local sign-in is off for this user", "the user is disabled"]


def test_passkey_confirms_a_dangerous_action(
    client: Client, laptop: SoftPasskey, settings: Settings
) -> None:
    session = client.session
    signed_in = timezone.now() - timedelta(seconds=settings.REAUTHENTICATION_SECONDS + 1)
    session[AUTHENTICATED_AT] = signed_in.timestamp()
    session.save()
    assert client.get("/account/factors/app/").status_code == 302
    assert b"USE A PASSKEY" in client.get("/account/confirm/").content
    answer = use_passkey(client, laptop, "/account/confirm/passkey/", next="/account/factors/app/")
    assert answer.url == "/account/factors/app/"
    assert client.get("/account/factors/app/").status_code == 200
    assert reasons("Succeeded") == ["confirmed with a passkey"]


def test_passkey_confirms_while_another_user_is_signing_in(
    client: Client, laptop: SoftPasskey, rosa: User
) -> None:
    enter_password(client, rosa.email)
    options = client.post("/account/confirm/passkey/options/").json()["publicKey"]
    assert len(options["allowCredentials"]) == 1
    answer = use_passkey(client, laptop, "/account/confirm/passkey/", next="/users/")
    assert answer.url == "/users/"


def test_passkey_options_of_the_sign_in_keep_the_session(client: Client, gus: User) -> None:
    before = client.session.get_expiry_date()
    assert client.post(OPTIONS).json()["publicKey"].get("allowCredentials", []) == []
    assert client.session.get_expiry_date() == before


def test_passkey_of_another_user_confirms_nothing(client: Client, laptop: SoftPasskey) -> None:
    other = Client()
    other.force_login(factories.person("eve@acme.example", password=PASSWORD))
    create_passkey(other)
    session = other.session
    session[AUTHENTICATED_AT] = 1
    session.save()
    assert use_passkey(other, laptop, "/account/confirm/passkey/").status_code == 422
    assert other.session[AUTHENTICATED_AT] == 1
    assert reasons(action="update") == ["the passkey was refused"]


def test_passkey_is_renamed_and_removed(client: Client, gus: User, laptop: SoftPasskey) -> None:
    factor = factors_of(gus).get(type="webauthn")
    url = f"/account/factors/{factor.pk}/rename/"
    assert b'value="Laptop"' in client.get(url).content
    assert client.post(url, {"name": "x" * 101}).status_code == 422
    client.post(url, {"name": " Work  laptop "})
    assert b"Work laptop" in client.get("/account/").content
    client.post(f"/account/factors/{factor.pk}/remove/")
    assert not factors_of(gus).exists()
    assert use_passkey(Client(), laptop).status_code == 422
    assert factor_changes()[1:] == [
        ["passkey Laptop", "passkey Work laptop"],
        ["passkey Work laptop", None],
    ]


def test_number_of_passkeys_is_limited(
    client: Client, gus: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceremonies, "MAX_PASSKEYS", 1)
    create_passkey(client)
    refused = client.post("/account/factors/passkey/options/")
    assert refused.status_code == 409
    assert refused.json() == {"error": "You can have at most 1 passkeys. Remove one first."}


def test_options_of_a_new_passkey_say_that_a_confirmation_is_due(client: Client, gus: User) -> None:
    session = client.session
    session[AUTHENTICATED_AT] = 1
    session.save()
    refused = client.post("/account/factors/passkey/options/")
    assert refused.status_code == 403
    assert refused.json() == {"error": "Reload this page to confirm that it's you."}


def test_passkey_of_a_former_domain_still_counts(laptop: SoftPasskey, settings: Settings) -> None:
    settings.PUBLIC_URL, settings.PASSKEY_DOMAIN = "https://new.example", "new.example"
    browser = Client()
    assert enter_password(browser, "gus@acme.example").url == STEP
    assert use_passkey(browser, laptop).status_code == 422
    assert not is_signed_in(browser)


def test_starts_from_an_address_are_limited(
    laptop: SoftPasskey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runai_access.accounts.views.second_factor.STARTS", 1)
    assert Client().post(OPTIONS).status_code == 200
    refused = Client().post(OPTIONS)
    assert refused.status_code == 429
    assert "Too many sign-ins" in refused.json()["error"]


def test_without_a_domain_there_are_no_passkeys(
    client: Client, gus: User, settings: Settings
) -> None:
    settings.PASSKEY_DOMAIN = None
    for url in (OPTIONS, PASSKEY, "/account/factors/passkey/options/"):
        assert client.post(url, {"response": "{}"}).status_code in (404, 422)
    assert client.get("/account/factors/passkey/").status_code == 404
    assert b"PASSKEY" not in client.get("/account/factors/new/").content
    assert b"PASSKEY" not in Client().get("/sign-in/").content


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://access.example.com", "access.example.com"),
        ("http://localhost:8000", "localhost"),
        ("http://access.example.com", None),
        ("http://127.0.0.1:8000", None),
        ("https://[::1]", None),
    ],
)
def test_passkeys_require_tls_and_a_domain(url: str, domain: str | None) -> None:
    assert environment.passkey_domain(url) == domain
