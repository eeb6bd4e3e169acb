"""Rotation of signing keys, and what others can check tokens with."""

import json
import threading
from datetime import timedelta
from typing import Any

import jwt
import pytest
import requests
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt

from applications.models import Application, SigningKey
from applications.oauth import keyring
from applications.oauth.keyring import KEYRING, Keyring, rotate
from applications.oauth.tokens import InvalidToken, application_of, issue
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.conftest import StartServer

pytestmark = pytest.mark.django_db
JWKS = "/.well-known/jwks.json"


@pytest.fixture(autouse=True)
def fresh_keyring() -> Any:
    KEYRING.forget()
    yield
    KEYRING.forget()


@pytest.fixture
def nightly(db: None) -> Application:
    return factories.application("nightly")


def published() -> list[dict[str, str]]:
    keys: list[dict[str, str]] = Client().get(JWKS).json()["keys"]
    return keys


def kid_of(token: str) -> str:
    kid: str = jwt.get_unverified_header(token)["kid"]
    return kid


def test_the_jwks_shows_public_parts_only(nightly: Application) -> None:
    issue(nightly)
    [key] = published()
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")


def test_pyjwt_and_joserfc_verify_a_token_from_the_jwks_alone(nightly: Application) -> None:
    token = issue(nightly).text
    jwks = Client().get(JWKS).json()
    [key] = jwt.PyJWKSet.from_dict(jwks).keys
    claims = jwt.decode(token, key, algorithms=["ES256"], audience="http://127.0.0.1:8000")
    assert claims["client_id"] == "nightly"
    verified = joserfc_jwt.decode(
        token, joserfc_jwk.KeySet.import_key_set(jwks), algorithms=["ES256"]
    )
    assert verified.claims["sub"] == str(nightly.pk)


def test_a_coming_key_is_published_before_it_signs(nightly: Application) -> None:
    first = kid_of(issue(nightly).text)
    coming = rotate(after_seconds=60)
    KEYRING.forget()
    assert kid_of(issue(nightly).text) == first
    assert {key["kid"] for key in published()} == {first, coming.kid}


def test_a_key_signs_once_its_time_has_come_and_the_old_one_still_verifies(
    nightly: Application,
) -> None:
    old = issue(nightly).text
    coming = rotate(after_seconds=0)
    KEYRING.forget()
    new = issue(nightly).text
    assert kid_of(new) == coming.kid != kid_of(old)
    assert application_of(old) == application_of(new) == nightly


def test_a_key_goes_only_when_its_last_token_has_expired(nightly: Application) -> None:
    first = kid_of(issue(nightly).text)
    now = timezone.now()
    SigningKey.objects.update(signs_from=now - timedelta(hours=50))
    second = rotate(after_seconds=0)
    SigningKey.objects.filter(pk=second.pk).update(signs_from=now - timedelta(hours=23))
    rotate(after_seconds=0)
    assert first in {key["kid"] for key in published()}
    SigningKey.objects.filter(pk=second.pk).update(signs_from=now - timedelta(hours=25))
    rotate(after_seconds=0)
    assert first not in {key["kid"] for key in published()}


def test_a_key_past_its_age_gets_one_successor(nightly: Application) -> None:
    issue(nightly)
    SigningKey.objects.update(signs_from=timezone.now() - timedelta(days=91))
    KEYRING.forget()
    for _ in range(3):
        issue(nightly)
        KEYRING.forget()
    assert SigningKey.objects.count() == 2


def test_processes_that_find_a_key_too_old_at_once_make_one_successor(
    nightly: Application,
) -> None:
    issue(nightly)
    SigningKey.objects.update(signs_from=timezone.now() - timedelta(days=91))
    processes = [Keyring() for _ in range(4)]
    for process in processes:
        assert process.public_key("one that nobody has") is None, "and has read the keys by now"
    for process in processes:
        process.current()
    assert SigningKey.objects.count() == 2


def test_a_kept_copy_of_the_keys_is_gone_before_a_new_key_signs(nightly: Application) -> None:
    """RFC 9111 §4.2: whoever keeps an answer asks again only when `max-age` has passed."""
    issue(nightly)
    kept = Client().get(JWKS).headers["Cache-Control"]
    [seconds] = [part.removeprefix("max-age=") for part in kept.split(", ") if "max-age" in part]
    assert 0 < int(seconds) < keyring.SIGNS_AFTER_SECONDS


def test_the_command_can_end_every_other_key_and_its_tokens(
    nightly: Application, capsys: Any
) -> None:
    old = issue(nightly).text
    call_command("rotate_signing_key", "--end-others")
    KEYRING.forget()
    assert [key["kid"] for key in published()] == [kid_of(issue(nightly).text)]
    with pytest.raises(InvalidToken):
        application_of(old)
    assert "are invalid" in capsys.readouterr().out


def test_the_command_makes_a_key_and_says_when_it_signs(capsys: Any) -> None:
    call_command("rotate_signing_key", "--after", "60")
    key = SigningKey.objects.get()
    assert key.kid in capsys.readouterr().out
    assert key.signs_from > timezone.now() + timedelta(seconds=50)


def test_rotating_is_in_the_record_with_the_keys_that_came_and_went(nightly: Application) -> None:
    first = kid_of(issue(nightly).text)
    call_command("rotate_signing_key")
    call_command("rotate_signing_key", "--end-others")
    second, third = AuditEvent.objects.filter(action="create", entity_type="signing_key").order_by(
        "pk"
    )
    gone = AuditEvent.objects.filter(action="delete", entity_type="signing_key")
    assert {event.entity_name for event in gone} == {first, second.entity_name}
    assert third.entity_name == published()[0]["kid"]
    assert {event.subject_name for event in [second, third, *gone]} == {"system"}


def test_a_replica_that_has_just_read_the_keys_reads_again_in_time(
    nightly: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Keyring()
    issue(nightly)
    other.current()
    rotate(after_seconds=0)
    KEYRING.forget()
    kid = kid_of(issue(nightly).text)
    later = keyring.time.monotonic() + keyring.MIN_RELOAD_INTERVAL_SECONDS
    monkeypatch.setattr(keyring.time, "monotonic", lambda: later)
    assert other.public_key(kid) is not None


def test_both_metadata_documents_name_what_is_served(db: None) -> None:
    server = Client().get("/.well-known/oauth-authorization-server").json()
    openid = Client().get("/.well-known/openid-configuration").json()
    # OpenID allows no list of scopes without "openid": see OpenIDMetadataSerializer.
    differing = [name for name, value in server.items() if openid.get(name) != value]
    assert differing == ["scopes_supported"]
    assert server["issuer"] == "http://127.0.0.1:8000"
    assert openid["id_token_signing_alg_values_supported"] == ["ES256"]
    methods = ["client_secret_basic", "client_secret_post"]
    assert server["token_endpoint_auth_methods_supported"] == methods
    assert server["revocation_endpoint_auth_methods_supported"] == methods
    # RFC 8414 §2: here a type of access token may be named, too.
    assert server["introspection_endpoint_auth_methods_supported"] == [*methods, "Bearer"]
    for member in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        path = server[member].removeprefix(server["issuer"])
        assert Client().get(path).status_code == 405
    assert Client().get(server["jwks_uri"].removeprefix(server["issuer"])).status_code == 200


def test_rotating_under_load_loses_no_request_on_two_replicas(start_server: StartServer) -> None:
    one = start_server()
    two = start_server(database=one.database, environment={"RUNAI_ACCESS_URL": one.url})
    made = one.command("create_application", "busy", "--role", "Viewer", "--json")
    credentials = json.loads(made.stdout)
    body = {
        "grantType": "app_token",
        "clientId": credentials["clientId"],
        "clientSecret": credentials["clientSecret"],
    }
    stop = threading.Event()
    statuses: list[int] = []
    kids: set[str] = set()

    def work(issuer: str, verifier: str) -> None:
        with requests.Session() as session:
            while not stop.is_set():
                answer = session.post(f"{issuer}/api/v1/token", json=body, timeout=10)
                token = answer.json()["accessToken"]
                kids.add(kid_of(token))
                headers = {"Authorization": f"Bearer {token}"}
                url = f"{verifier}/api/v1/authorization/permissions"
                statuses.append(session.get(url, headers=headers, timeout=10).status_code)

    threads = [
        threading.Thread(target=work, args=pair)
        for pair in [(one.url, two.url), (two.url, one.url)]
    ]
    for thread in threads:
        thread.start()
    rotated = one.command("rotate_signing_key", "--after", "6")
    deadline = threading.Event()
    for _ in range(900):  # a busy machine is given its time
        if len(kids) == 2 and len(statuses) > 200:
            break
        deadline.wait(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert rotated.returncode == 0
    assert len(kids) == 2
    assert set(statuses) == {200}
