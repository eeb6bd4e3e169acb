"""The rules of RFC 9068 and RFC 8725 at the endpoints.

Sends the forgeries of tests/domain/test_access_tokens.py, by the section that forbids them. Our API
responds with 401 `invalid_token` (RFC 6750 §3.1), and introspection with inactive (RFC 7662 §2.2).
"""

import json
import time
from typing import Any

import jwt
import pytest
from django.test import Client
from pytest_django import Settings

from applications.models import Application
from applications.oauth.keyring import KEYRING
from applications.oauth.secrets import new_secret
from applications.oauth.tokens import issue
from tests import factories
from tests.domain.test_access_tokens import FORGED, HOSTILE_KIDS, _b64, _part, _signed

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
RULES = {
    "RFC 8725 §3.1 verify the algorithm": [
        "alg none", "alg None", "no signature", "HS256 with the public key", "HS256 with the key id",
        "RS256 with another key", "ES384 with another key",
    ],
    "RFC 8725 §3.3 validate every signature": ["ES256 with another key", "tampered"],
    "RFC 8725 §3.5 no key is empty": ["HS256 with an empty key"],
    "RFC 8725 §3.8 the issuer and the subject": [
        "wrong issuer", "no issuer", "no subject", "another application",
        "an unknown application", "a subject that is not a UUID", "a subject with NUL",
        "a subject that is a number",
    ],
    "RFC 8725 §3.9 the audience": ["wrong audience", "audience of an ID token", "no audience"],
    "RFC 8725 §3.10 and RFC 7515 §4.1.2, §4.1.3, §4.1.5: no keys in headers": ["jku", "jwk", "x5u"],
    "RFC 8725 §3.11, §3.12 and RFC 9068 §4: typed as an access token": [
        "typ JWT", "no typ", "typ of another kind",
    ],
    "RFC 7515 §4.1.11 critical headers": [
        "unknown crit", "crit of b64", "empty crit",
    ],
    "RFC 7519 §4.1.4, §4.1.5, §4.1.6: validity period": [
        "expired", "no expiry", "expiry not a number", "not yet valid", "issued in the future",
    ],
    "RFC 9068 §2.2 token ID": ["no id"],
    "ours: the credential is active": [
        "no credential", "another credential", "a credential that is not a UUID",
        "a credential that is a list", "a credential that is null",
    ],
    "ours: the client secret is live": [
        "another secret", "no secret", "an empty secret", "a secret with NUL",
        "a secret that is a list", "a secret that is null",
    ],
}  # fmt: skip
ROWS = [(rule, forgery) for rule, forgeries in RULES.items() for forgery in forgeries]


@pytest.fixture
def ci(db: None) -> Application:
    return factories.application("ci-pipeline-prod", ("System administrator", factories.account()))


def sent(token: str) -> Any:
    return Client().get("/api/v1/apps", headers={"Authorization": f"Bearer {token}"})


def introspected(token: str) -> Any:
    """Introspect a token as another application."""
    secret = new_secret()
    asker = factories.application("asker", secret=secret)
    form = {"token": token, "client_id": asker.client_id, "client_secret": secret}
    answer = Client().post(
        "/oauth2/introspect",
        "&".join(f"{name}={value}" for name, value in form.items()),
        content_type="application/x-www-form-urlencoded",
    )
    return answer.json()


def test_every_forgery_belongs_to_a_rule() -> None:
    assert sorted(forgery for _, forgery in ROWS) == sorted(FORGED)


@pytest.mark.parametrize(("rule", "forgery"), ROWS, ids=[f"{rule}: {name}" for rule, name in ROWS])
def test_a_forged_token_is_an_invalid_token(ci: Application, rule: str, forgery: str) -> None:
    """Each row names its section. Authlib CVE-2026-27962 (jwk), PyJWT CVE-2026-32597 (crit)."""
    token = FORGED[forgery](ci)
    answer = sent(token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].endswith('error="invalid_token"')
    assert answer.json()["code"] == 401
    assert introspected(token) == {"active": False}


@pytest.mark.parametrize("kid", HOSTILE_KIDS[:6], ids=lambda kid: repr(kid)[:20])
def test_a_hostile_key_id_is_an_invalid_token(ci: Application, kid: Any) -> None:
    """RFC 7515 §4.1.4 and RFC 8725 §3.10: a kid is a lookup key, never a path, query or URL."""
    head = _b64(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": kid}).encode())
    token = f"{head}.{issue(ci).text.split('.')[1]}.{_b64(b'0' * 64)}"
    answer = sent(token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].endswith('error="invalid_token"')


def test_a_token_has_all_required_claims(ci: Application, settings: Settings) -> None:
    """RFC 9068 §2.1 (typ, and an asymmetric algorithm) and §2.2 (required claims)."""
    text = issue(ci).text
    header, claims = _part(text, 0), _part(text, 1)
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert claims.keys() >= {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"}
    assert claims["iss"] == claims["aud"] == settings.PUBLIC_URL
    assert (claims["sub"], claims["client_id"]) == (str(ci.pk), ci.client_id)


@pytest.mark.parametrize(("ago", "status"), [(55, 200), (65, 401)])
def test_the_leeway_is_a_minute(ci: Application, ago: int, status: int) -> None:
    """RFC 7519 §4.1.4: a small leeway for clock skew; here exactly 60 s."""
    now = int(time.time())
    assert sent(_signed(ci, claims={"iat": now - 7200, "exp": now - ago})).status_code == status


def test_typ_is_accepted_in_both_spellings(ci: Application) -> None:
    """RFC 9068 §4: `typ` is `at+jwt` or `application/at+jwt`; RFC 7515 §4.1.9: in any case."""
    for typ in ("at+jwt", "AT+JWT", "application/at+jwt"):
        assert sent(_signed(ci, headers={"typ": typ})).status_code == 200


def test_a_token_in_the_url_is_not_accepted(ci: Application) -> None:
    """RFC 6750 §2.3 and §5.3: tokens in URLs leak into logs and browser histories."""
    answer = Client().get("/api/v1/apps", {"access_token": issue(ci).text})
    assert answer.status_code == 401
    assert "invalid_token" not in answer.headers["WWW-Authenticate"], "no token was sent"


def test_the_published_keys_have_no_private_part(ci: Application) -> None:
    """RFC 7517 §9.2 and RFC 7518 §6.2.2: `d` is the private key."""
    issue(ci)
    keys = Client().get("/.well-known/jwks.json").json()["keys"]
    assert [set(key) for key in keys] == [{"kty", "crv", "x", "y", "kid", "use", "alg"}]
    number = KEYRING.current().private_key.private_numbers().private_value
    assert _b64(number.to_bytes(32, "big")) not in json.dumps(keys)


def test_both_discovery_documents_have_this_issuer_and_served_urls(
    ci: Application, settings: Settings
) -> None:
    """RFC 8414 §2 and §3.3, OpenID Connect Discovery 1.0 §3 and §4.3: `issuer` is its URL."""
    for name in ("oauth-authorization-server", "openid-configuration"):
        document = Client().get(f"/.well-known/{name}").json()
        assert document["issuer"] == settings.PUBLIC_URL == _part(issue(ci).text, 1)["iss"]
        for member in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
            path = document[member].removeprefix(settings.PUBLIC_URL)
            assert Client().get(path).status_code == 405, "the path exists and requires POST"
        keys = jwt.PyJWKSet.from_dict(Client().get("/.well-known/jwks.json").json())
        kid = jwt.get_unverified_header(issue(ci).text)["kid"]
        assert kid in {key.key_id for key in keys.keys}
