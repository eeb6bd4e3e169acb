"""Access tokens: their content, verification and revocation."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from accessrules.authorization.callers import SYSTEM
from accessrules.models import Subject
from applications.actions.creation import create_application
from applications.actions.deletion import delete_application
from applications.actions.secrets import regenerate_secret
from applications.actions.status import set_application_enabled
from applications.models import Application, ClientSecret, SigningKey
from applications.oauth import keyring, tokens
from applications.oauth.keyring import KEYRING
from applications.oauth.secrets import new_id
from applications.oauth.signing_keys import create_key
from applications.oauth.tokens import InvalidToken, application_of, issue, issue_id_token
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def ci(db: None) -> Application:
    return factories.application("ci-pipeline-prod")


def _part(text: str, number: int) -> dict[str, Any]:
    segment = text.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signed(
    application: Application,
    *,
    claims: dict[str, Any] | None = None,
    without: str = "",
    headers: dict[str, Any] | None = None,
    key: Any = None,
    algorithm: str = "ES256",
) -> str:
    """Return a valid token with the given changes, signed with our key by default."""
    good = _part(issue(application).text, 1) | (claims or {})
    good.pop(without, None)
    ours = KEYRING.current()
    return jwt.encode(
        good,
        key or ours.private_key,
        algorithm,
        headers={"kid": ours.kid, "typ": "at+jwt", **(headers or {})},
    )


# The content of a token (RFC 9068 §2).


def test_token_has_issuer_audience_application_and_credential(
    ci: Application, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://access.acme.example"
    before = int(time.time())
    issued = issue(ci)
    claims = _part(issued.text, 1)
    assert claims.keys() == {
        "iss",
        "aud",
        "sub",
        "client_id",
        "iat",
        "exp",
        "jti",
        "cid",
        "secret_id",
    }
    assert claims["iss"] == claims["aud"] == "https://access.acme.example"
    assert claims["sub"] == str(ci.pk)
    assert claims["client_id"] == "ci-pipeline-prod"
    assert claims["cid"] == str(ci.credential_id)
    assert claims["secret_id"] == ci.secrets.get().pk
    assert before <= claims["iat"] <= int(time.time())
    assert claims["exp"] - claims["iat"] == issued.expires_in == 3600


def test_token_lifetime_is_a_setting(ci: Application, settings: Settings) -> None:
    settings.TOKEN_LIFETIME_SECONDS = 120
    issued = issue(ci)
    claims = _part(issued.text, 1)
    assert issued.expires_in == claims["exp"] - claims["iat"] == 120


def test_token_lifetime_is_limited_by_the_current_maximum(
    ci: Application, settings: Settings
) -> None:
    ci.token_lifetime = 7200
    settings.TOKEN_LIFETIME_MAX_SECONDS = 3600
    assert issue(ci).expires_in == 3600
    claims = _part(issue_id_token(ci), 1)
    assert claims["exp"] - claims["iat"] == 3600


def test_token_header_has_algorithm_type_and_key_id(ci: Application) -> None:
    kid = KEYRING.current().kid
    assert _part(issue(ci).text, 0) == {"alg": "ES256", "typ": "at+jwt", "kid": kid}


def test_tokens_are_unique(ci: Application) -> None:
    ids = {_part(issue(ci).text, 1)["jti"] for _ in range(20)}
    assert len(ids) == 20


def test_token_resolves_to_its_application_with_one_query(
    ci: Application, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    text = issue(ci).text
    application_of(text)
    with django_assert_num_queries(1):
        assert application_of(text) == ci


names = st.from_regex(r"[a-z][-_a-z0-9]{0,253}[a-z0-9]", fullmatch=True)


@given(name=names, issuer=st.sampled_from(["http://127.0.0.1:8000", "https://a.b-c.example:8443"]))
def test_payload_is_valid_plain_base64(name: str, issuer: str) -> None:
    """The official client decodes the payload with plain base64 (contract/README.md, Tokens)."""
    application = Application(
        subject=Subject(id=uuid.uuid4(), type="app", name=name), credential_id=uuid.uuid4()
    )
    application.used_secret = ClientSecret(id=new_id())
    key = _OneKey()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "KEYRING", key)
        patch.setattr(tokens.settings, "PUBLIC_URL", issuer)
        payload = issue(application).text.split(".")[1]
    assert not set(payload) & set("-_")
    decoded = json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4), validate=True))
    assert decoded["client_id"] == name


class _OneKey:
    """A keyring without a database."""

    _private = ec.generate_private_key(ec.SECP256R1())

    def current(self) -> keyring.Key:
        return keyring.Key("kid", self._private, self._private.public_key(), timezone.now())


# Refused tokens.


def _public_pem() -> bytes:
    return KEYRING.current().public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _hs256(application: Application, secret: bytes) -> str:
    """Sign with HMAC by hand, because PyJWT refuses a public key as a secret."""
    head = {"alg": "HS256", "typ": "at+jwt", "kid": KEYRING.current().kid}
    body = _part(issue(application).text, 1)
    signing = ".".join(_b64(json.dumps(part).encode()) for part in (head, body))
    return f"{signing}.{_b64(hmac.digest(secret, signing.encode(), hashlib.sha256))}"


def _unsigned(application: Application, alg: str) -> str:
    head = {"alg": alg, "typ": "at+jwt", "kid": KEYRING.current().kid}
    body = _part(issue(application).text, 1)
    return ".".join(_b64(json.dumps(part).encode()) for part in (head, body)) + "."


def _embedded(header: str) -> Callable[[Application], str]:
    """Return a forger that puts its own key, or its URL, into the header."""

    def forge(application: Application) -> str:
        own = ec.generate_private_key(ec.SECP256R1())
        jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(own.public_key()))
        value = jwk if header == "jwk" else "https://evil.example/key"
        return _signed(application, key=own, headers={header: value})

    return forge


def _tampered(application: Application) -> str:
    head, body, signature = issue(application).text.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["exp"] += 1
    return f"{head}.{_b64(json.dumps(claims).encode())}.{signature}"


FORGED: dict[str, Callable[[Application], str]] = {
    "alg none": lambda a: _unsigned(a, "none"),
    "alg None": lambda a: _unsigned(a, "None"),
    "no signature": lambda a: issue(a).text.rsplit(".", 1)[0] + ".",
    "HS256 with the public key": lambda a: _hs256(a, _public_pem()),
    "HS256 with an empty key": lambda a: _hs256(a, b""),
    "HS256 with the key id": lambda a: _hs256(a, KEYRING.current().kid.encode()),
    "RS256 with another key": lambda a: _signed(
        a, key=rsa.generate_private_key(65537, 2048), algorithm="RS256"
    ),
    "ES256 with another key": lambda a: _signed(a, key=ec.generate_private_key(ec.SECP256R1())),
    "ES384 with another key": lambda a: _signed(
        a, key=ec.generate_private_key(ec.SECP384R1()), algorithm="ES384"
    ),
    "jwk": _embedded("jwk"),
    "jku": _embedded("jku"),
    "x5u": _embedded("x5u"),
    "tampered": _tampered,
    "typ JWT": lambda a: _signed(a, headers={"typ": "JWT"}),
    "no typ": lambda a: _signed(a, headers={"typ": None}),
    "typ of another kind": lambda a: _signed(a, headers={"typ": "id+jwt"}),
    "unknown crit": lambda a: _signed(a, headers={"crit": ["exp"], "exp": 1}),
    "crit of b64": lambda a: _signed(a, headers={"crit": ["b64"], "b64": True}),
    "empty crit": lambda a: _signed(a, headers={"crit": []}),
    "wrong issuer": lambda a: _signed(a, claims={"iss": "https://evil.example"}),
    "wrong audience": lambda a: _signed(a, claims={"aud": "https://evil.example"}),
    "audience of an ID token": lambda a: _signed(a, claims={"aud": a.client_id}),
    "no subject": lambda a: _signed(a, without="sub"),
    "no expiry": lambda a: _signed(a, without="exp"),
    "no issuer": lambda a: _signed(a, without="iss"),
    "no audience": lambda a: _signed(a, without="aud"),
    "no credential": lambda a: _signed(a, without="cid"),
    "no id": lambda a: _signed(a, without="jti"),
    "expiry not a number": lambda a: _signed(a, claims={"exp": "soon"}),
    "expired": lambda a: _signed(a, claims={"exp": int(time.time()) - 62}),
    "issued in the future": lambda a: _signed(a, claims={"iat": int(time.time()) + 600}),
    "not yet valid": lambda a: _signed(a, claims={"nbf": int(time.time()) + 600}),
    "another application": lambda a: _signed(
        a, claims={"sub": str(factories.application("other").pk)}
    ),
    "an unknown application": lambda a: _signed(a, claims={"sub": str(uuid.uuid4())}),
    "another credential": lambda a: _signed(a, claims={"cid": str(uuid.uuid4())}),
    "a subject that is not a UUID": lambda a: _signed(a, claims={"sub": "ci-pipeline-prod"}),
    "a subject with NUL": lambda a: _signed(a, claims={"sub": "\x00"}),
    "a subject that is a number": lambda a: _signed(a, claims={"sub": 1}),
    "a credential that is not a UUID": lambda a: _signed(a, claims={"cid": "1"}),
    "a credential that is a list": lambda a: _signed(a, claims={"cid": [str(a.credential_id)]}),
    "another secret": lambda a: _signed(
        a, claims={"secret_id": factories.application("other").secrets.get().pk}
    ),
    "no secret": lambda a: _signed(a, without="secret_id"),
    "an empty secret": lambda a: _signed(a, claims={"secret_id": ""}),
    "a secret with NUL": lambda a: _signed(a, claims={"secret_id": "\x00"}),
    "a secret that is a list": lambda a: _signed(a, claims={"secret_id": [a.secrets.get().pk]}),
    "a secret that is null": lambda a: _signed(a, claims={"secret_id": None}),
    "a credential that is null": lambda a: _signed(a, claims={"cid": None}),
}


@pytest.mark.parametrize("how", FORGED)
def test_forged_or_expired_token_is_refused(ci: Application, how: str) -> None:
    assert application_of(_signed(ci)) == ci, "the helper also creates valid tokens"
    with pytest.raises(InvalidToken):
        application_of(FORGED[how](ci))


HOSTILE_KIDS: list[Any] = [
    "", "unknown", "../../../../dev/null", "' OR 1=1 --", "\x00", "\ud800", "k" * 100_000,
    None, 0, 1.5, True, [], {}, ["kid"], {"kid": "kid"},
]  # fmt: skip


@pytest.mark.parametrize("kid", HOSTILE_KIDS, ids=lambda kid: repr(kid)[:20])
def test_hostile_key_id_is_refused(ci: Application, kid: Any) -> None:
    head = {"alg": "ES256", "typ": "at+jwt", "kid": kid}
    body = issue(ci).text.split(".")[1]
    text = f"{_b64(json.dumps(head).encode())}.{body}.{_b64(b'0' * 64)}"
    with pytest.raises(InvalidToken):
        application_of(text)


GARBAGE = [
    "",
    ".",
    "..",
    "...",
    "a.b.c",
    "\x00.\x00.\x00",
    "é.é.é",
    "\ud800",
    "A" * 1_000_000,
    "." * 100_000,
    _b64(b"[]") + ".e30.AA",
    _b64(b"null") + ".e30.AA",
    _b64(b'"text"') + ".e30.AA",
    _b64(b"\xff\xfe") + ".e30.AA",
    _b64(b"[" * 100_000) + ".e30.AA",
    _b64(b'{"alg":' + b"9" * 10_000 + b"}") + ".e30.AA",
    _b64(b'{"typ": 1, "alg": "ES256"}') + ".e30.AA",
    _b64(b'{"typ": ["at+jwt"], "alg": ["ES256"]}') + ".e30.AA",
]


@pytest.mark.parametrize("text", GARBAGE, ids=lambda text: f"{len(text)} of {text[:8]!r}")
def test_malformed_token_is_refused(ci: Application, text: str) -> None:
    with pytest.raises(InvalidToken):
        application_of(text)


def test_truncated_token_is_refused(ci: Application) -> None:
    text = issue(ci).text
    for cut in range(1, len(text)):
        with pytest.raises(InvalidToken):
            application_of(text[:-cut])


def test_unknown_key_ids_reload_the_keys_at_most_once_a_second(
    ci: Application,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(monotonic=lambda: 5000.0)
    monkeypatch.setattr(keyring, "time", clock)
    issue(ci)
    own = ec.generate_private_key(ec.SECP256R1())
    with django_assert_num_queries(0):
        for number in range(20):
            text = _signed(ci, key=own, headers={"kid": f"unknown-{number}"})
            with pytest.raises(InvalidToken, match="unknown key"):
                application_of(text)
    clock.monotonic = lambda: 5001.5
    with django_assert_num_queries(1):
        for _ in range(3):
            with pytest.raises(InvalidToken, match="unknown key"):
                application_of(text)


def test_refusal_reveals_nothing_about_the_token(ci: Application) -> None:
    for forge in FORGED.values():
        try:
            application_of(forge(ci))
        except InvalidToken as refused:
            assert str(refused) in {
                "The token is not an access token.",
                "The token is signed with an unknown key.",
                "The token has expired.",
                "The token is invalid.",
                "The token or its credential has been revoked.",
            }
            assert refused.__cause__ is None
        Application.objects.exclude(pk=ci.pk).delete()
        Subject.objects.filter(name="other").delete()


# The clock.


@pytest.mark.parametrize(("ago", "good"), [(0, True), (55, True), (65, False), (3600, False)])
def test_token_is_accepted_for_a_minute_after_its_expiry(
    ci: Application, ago: int, good: bool
) -> None:
    text = _signed(ci, claims={"iat": int(time.time()) - 7200, "exp": int(time.time()) - ago})
    if good:
        assert application_of(text) == ci
    else:
        with pytest.raises(InvalidToken, match="expired"):
            application_of(text)


def test_typ_can_be_a_media_type_in_any_case(ci: Application) -> None:
    """RFC 9068 §4: `at+jwt` or `application/at+jwt`; RFC 7515 §4.1.9 compares without case."""
    for typ in ("at+jwt", "AT+JWT", "application/at+jwt"):
        assert application_of(_signed(ci, headers={"typ": typ})) == ci


# Revocation.


ENDS: dict[str, Callable[[Application], object]] = {
    "regenerate": lambda a: regenerate_secret(caller=SYSTEM, application_id=a.pk),
    "disable": lambda a: set_application_enabled(caller=SYSTEM, application_id=a.pk, enabled=False),
    "delete": lambda a: delete_application(caller=SYSTEM, application_id=a.pk),
}


@pytest.mark.parametrize("how", ENDS)
def test_issued_tokens_are_revoked_immediately(ci: Application, how: str) -> None:
    """Vaultwarden CVE-2026-43911: tokens outlived the rotation of their credential."""
    issued = [issue(ci).text for _ in range(2)]
    ENDS[how](ci)
    for text in issued:
        with pytest.raises(InvalidToken, match="credential has been revoked"):
            application_of(text)


@pytest.mark.parametrize("state", ["disabled", "retired"])
def test_token_of_a_disabled_or_retired_application_is_refused(ci: Application, state: str) -> None:
    """Zitadel CVE-2024-47000. The credential ID did not change: the status alone must be enough."""
    text = issue(ci).text
    retired_at = timezone.now() if state == "retired" else None
    Subject.objects.filter(pk=ci.pk).update(enabled=False, retired_at=retired_at)
    with pytest.raises(InvalidToken, match="credential has been revoked"):
        application_of(text)


def test_enabling_does_not_restore_old_tokens(ci: Application) -> None:
    old = issue(ci).text
    for enabled in (False, True):
        set_application_enabled(caller=SYSTEM, application_id=ci.pk, enabled=enabled)
    with pytest.raises(InvalidToken):
        application_of(old)
    assert application_of(issue(Application.objects.get()).text) == ci


def test_reusing_a_name_does_not_restore_old_tokens(ci: Application) -> None:
    old = issue(ci).text
    delete_application(caller=SYSTEM, application_id=ci.pk)
    new = create_application(caller=SYSTEM, name=ci.name).application
    with pytest.raises(InvalidToken):
        application_of(old)
    assert application_of(issue(new).text) == new


def test_token_issued_during_a_revocation_is_refused(ci: Application) -> None:
    """authentik CVE-2025-64521: the row is read before the revocation, the token signed after it."""
    stale = Application.objects.select_related("subject").get()
    set_application_enabled(caller=SYSTEM, application_id=ci.pk, enabled=False)
    set_application_enabled(caller=SYSTEM, application_id=ci.pk, enabled=True)
    with pytest.raises(InvalidToken):
        application_of(issue(stale).text)


def test_changing_another_application_keeps_tokens(ci: Application) -> None:
    text = issue(ci).text
    other = create_application(caller=SYSTEM, name="other").application
    for end in ENDS.values():
        end(other) if Application.objects.filter(pk=other.pk, subject__enabled=True) else None
    set_application_enabled(caller=SYSTEM, application_id=ci.pk, enabled=True)
    assert application_of(text) == ci


# Signing keys.


def test_private_key_is_encrypted_at_rest(ci: Application) -> None:
    issue(ci)
    row = SigningKey.objects.get()
    stored = bytes(row.encrypted_private_key)
    number = KEYRING.current().private_key.private_numbers().private_value
    assert b"PRIVATE KEY" not in stored
    assert number.to_bytes(32, "big") not in base64.urlsafe_b64decode(stored)
    assert row.public_jwk.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_key_id_is_the_thumbprint_of_the_key(ci: Application) -> None:
    """RFC 7638 §3."""
    issue(ci)
    row = SigningKey.objects.get()
    members = {name: row.public_jwk[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    assert row.kid == row.public_jwk["kid"] == _b64(digest)


def test_published_key_verifies_a_token(ci: Application, settings: Settings) -> None:
    text = issue(ci).text
    published = jwt.PyJWK(SigningKey.objects.get().public_jwk)
    claims = jwt.decode(text, published, ["ES256"], audience=settings.PUBLIC_URL)
    assert claims["sub"] == str(ci.pk)


def test_changed_secret_key_gives_a_clear_error(ci: Application, settings: Settings) -> None:
    text = issue(ci).text
    KEYRING.forget()
    settings.SECRET_KEY = "another installation's key, as long as it must be"
    with pytest.raises(
        ImproperlyConfigured, match="encrypted with another RUNAI_ACCESS_SECRET_KEY"
    ):
        issue(ci)
    with pytest.raises(
        ImproperlyConfigured, match="encrypted with another RUNAI_ACCESS_SECRET_KEY"
    ):
        application_of(text)


def test_first_token_creates_the_key_that_later_tokens_use(ci: Application) -> None:
    assert not SigningKey.objects.exists()
    kids = {_part(issue(ci).text, 0)["kid"] for _ in range(3)}
    KEYRING.forget()
    kids.add(_part(issue(ci).text, 0)["kid"])
    assert kids == {SigningKey.objects.get().kid}


def test_new_key_signs_and_old_key_still_verifies(ci: Application) -> None:
    old = issue(ci).text
    made = create_key(signs_from=timezone.now())
    KEYRING.forget()
    new = issue(ci).text
    assert _part(new, 0)["kid"] == made.kid != _part(old, 0)["kid"]
    assert application_of(old) == application_of(new) == ci


def test_key_of_another_replica_is_loaded_when_needed(
    ci: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue(ci)
    create_key(signs_from=timezone.now())
    other_replica = keyring.Keyring()
    with monkeypatch.context() as patch:
        patch.setattr(tokens, "KEYRING", other_replica)
        text = issue(ci).text
    later = SimpleNamespace(monotonic=lambda: time.monotonic() + 1.5)
    monkeypatch.setattr(keyring, "time", later)
    assert application_of(text) == ci


def test_deleted_key_verifies_nothing_after_the_next_reload(
    ci: Application,
) -> None:
    text = issue(ci).text
    SigningKey.objects.all().delete()
    KEYRING.forget()
    with pytest.raises(InvalidToken, match="unknown key"):
        application_of(text)
