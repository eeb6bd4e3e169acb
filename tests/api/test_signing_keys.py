"""Rotation of signing keys, and the documents for token verifiers."""

import json
import threading
from datetime import timedelta
from types import SimpleNamespace
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
from applications.oauth.keyring import KEYRING, Keyring, replace_all, rotate
from applications.oauth.tokens import InvalidToken, application_of, issue
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.conftest import StartServer

pytestmark = pytest.mark.django_db
JWKS = "/.well-known/jwks.json"


@pytest.fixture
def nightly(db: None) -> Application:
    return factories.application("nightly")


def published() -> list[dict[str, str]]:
    keys: list[dict[str, str]] = Client().get(JWKS).json()["keys"]
    return keys


def kid_of(token: str) -> str:
    kid: str = jwt.get_unverified_header(token)["kid"]
    return kid


def test_the_jwks_contains_no_private_keys(nightly: Application) -> None:
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


def test_a_new_key_is_published_before_it_signs(nightly: Application) -> None:
    first = kid_of(issue(nightly).text)
    coming = rotate(after_seconds=60)
    KEYRING.forget()
    assert kid_of(issue(nightly).text) == first
    assert {key["kid"] for key in published()} == {first, coming.kid}


def test_an_activated_key_signs_and_the_old_one_still_verifies(
    nightly: Application,
) -> None:
    old = issue(nightly).text
    coming = rotate(after_seconds=0)
    KEYRING.forget()
    new = issue(nightly).text
    assert kid_of(new) == coming.kid != kid_of(old)
    assert application_of(old) == application_of(new) == nightly


def test_a_key_is_deleted_only_after_its_last_token_expires(nightly: Application) -> None:
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


def test_an_overdue_key_gets_one_successor(nightly: Application) -> None:
    issue(nightly)
    SigningKey.objects.update(signs_from=timezone.now() - timedelta(days=91))
    KEYRING.forget()
    for _ in range(3):
        issue(nightly)
        KEYRING.forget()
    assert SigningKey.objects.count() == 2


def test_concurrent_processes_create_one_successor(
    nightly: Application,
) -> None:
    issue(nightly)
    SigningKey.objects.update(signs_from=timezone.now() - timedelta(days=91))
    processes = [Keyring() for _ in range(4)]
    for process in processes:
        assert process.public_key("unknown") is None, "this loads the keys"
    for process in processes:
        process.current()
    assert SigningKey.objects.count() == 2


def test_cached_jwks_expire_before_a_new_key_signs(nightly: Application) -> None:
    """RFC 9111 §4.2: caches request the document again only after `max-age`."""
    issue(nightly)
    kept = Client().get(JWKS).headers["Cache-Control"]
    [seconds] = [part.removeprefix("max-age=") for part in kept.split(", ") if "max-age" in part]
    assert 0 < int(seconds) < keyring.SIGNS_AFTER_SECONDS


def test_the_command_can_delete_all_other_keys(nightly: Application, capsys: Any) -> None:
    old = issue(nightly).text
    call_command("rotate_signing_key", "--end-others")
    KEYRING.forget()
    assert [key["kid"] for key in published()] == [kid_of(issue(nightly).text)]
    with pytest.raises(InvalidToken):
        application_of(old)
    assert "are invalid" in capsys.readouterr().out


def test_the_command_creates_a_key_and_prints_its_activation(capsys: Any) -> None:
    call_command("rotate_signing_key", "--after", "60")
    key = SigningKey.objects.get()
    assert key.kid in capsys.readouterr().out
    assert key.signs_from > timezone.now() + timedelta(seconds=50)


def test_rotation_is_audited_with_created_and_deleted_keys(nightly: Application) -> None:
    first = kid_of(issue(nightly).text)
    call_command("rotate_signing_key")
    call_command("rotate_signing_key", "--end-others")
    second, third = AuditEvent.objects.filter(action="create", entity_type="signing_key").order_by(
        "pk"
    )
    deletions = AuditEvent.objects.filter(action="delete", entity_type="signing_key")
    assert {event.entity_name for event in deletions} == {first, second.entity_name}
    assert third.entity_name == published()[0]["kid"]
    assert {event.subject_name for event in [second, third, *deletions]} == {"system"}


def test_a_replica_reloads_the_keys_before_a_new_one_signs(
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


def test_a_key_signs_within_a_second_of_its_activation(
    nightly: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kid_of(issue(nightly).text)
    coming = rotate(after_seconds=60)
    KEYRING.forget()
    assert kid_of(issue(nightly).text) == first
    activated_at, later = coming.signs_from, keyring.time.monotonic() + keyring.CHOICE_SECONDS
    monkeypatch.setattr(timezone, "now", lambda: activated_at)
    monkeypatch.setattr(keyring, "time", SimpleNamespace(monotonic=lambda: later))
    assert kid_of(issue(nightly).text) == coming.kid


def test_a_deleted_key_never_signs_after_the_keys_are_reloaded(
    nightly: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=lambda: 5000.0)
    monkeypatch.setattr(keyring, "time", clock)
    issue(nightly)
    clock.monotonic = lambda: 5001.0
    issue(nightly)
    new = replace_all()
    clock.monotonic = lambda: 5001.5
    assert KEYRING.public_key("unknown") is None, "this reloads the keys"
    assert kid_of(issue(nightly).text) == new.kid


def test_both_metadata_documents_match_the_served_endpoints(db: None) -> None:
    server = Client().get("/.well-known/oauth-authorization-server").json()
    openid = Client().get("/.well-known/openid-configuration").json()
    # OpenID forbids a list of scopes without "openid": see OpenIDMetadataSerializer.
    differing = [name for name, value in server.items() if openid.get(name) != value]
    assert differing == ["scopes_supported"]
    assert server["issuer"] == "http://127.0.0.1:8000"
    assert openid["id_token_signing_alg_values_supported"] == ["ES256"]
    methods = ["client_secret_basic", "client_secret_post"]
    assert server["token_endpoint_auth_methods_supported"] == methods
    assert server["revocation_endpoint_auth_methods_supported"] == methods
    # RFC 8414 §2 allows a type of access token here.
    assert server["introspection_endpoint_auth_methods_supported"] == [*methods, "Bearer"]
    for member in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        path = server[member].removeprefix(server["issuer"])
        assert Client().get(path).status_code == 405
    assert Client().get(server["jwks_uri"].removeprefix(server["issuer"])).status_code == 200


def test_rotation_under_load_fails_no_request_on_two_replicas(start_server: StartServer) -> None:
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
    for _ in range(900):  # for slow machines
        if len(kids) == 2 and len(statuses) > 200:
            break
        deadline.wait(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert rotated.returncode == 0
    assert len(kids) == 2
    assert set(statuses) == {200}
