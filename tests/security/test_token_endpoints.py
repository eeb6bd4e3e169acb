"""Security requirements of the three token endpoints. Each test names its section.

Covers all endpoints where test_tokens.py covers one.
"""

import base64
import gzip
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import OperationalError
from django.test import Client

from applications.models import Application
from applications.oauth import secret_verification
from applications.oauth.secrets import new_secret
from runai_access.security import hashing
from runai_access.security.hashing import HashKind
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
FORM = "application/x-www-form-urlencoded"
PATHS = ("/api/v1/token", "/api/v2/token", "/v1/k8s/auth/oauth/apptoken")
Ask = Callable[[str, str], Any]


def v1(client_id: str, secret: str, **headers: str) -> Any:
    body = {"grantType": "client_credentials", "clientID": client_id, "clientSecret": secret}
    return _json("/api/v1/token", body)


def v2(client_id: str, secret: str) -> Any:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return Client().post("/api/v2/token", urlencode(form), content_type=FORM)


def deprecated(client_id: str, secret: str) -> Any:
    body = {"id": client_id, "name": client_id, "secret": secret}
    return _json("/v1/k8s/auth/oauth/apptoken", body)


def _json(path: str, body: dict[str, str]) -> Any:
    return Client().post(path, json.dumps(body), content_type="application/json")


every_endpoint = pytest.mark.parametrize("ask", [v1, v2, deprecated])


@pytest.fixture
def secret() -> str:
    return new_secret()


@pytest.fixture
def nightly(db: None, secret: str) -> Application:
    return factories.application("nightly", secret=secret)


def seen(answer: Any) -> tuple[Any, ...]:
    """Return everything visible in a response, except the request ID."""
    headers = {name: text for name, text in answer.headers.items() if name != "X-Request-Id"}
    return answer.status_code, answer.content, tuple(sorted(headers.items()))


def refused_clients(secret: str) -> list[tuple[str, str]]:
    of_off, of_deleted = new_secret(), new_secret()
    off = factories.application("off", secret=of_off)
    type(off.subject).objects.filter(pk=off.pk).update(enabled=False)
    deleted = factories.application("deleted", secret=of_deleted)
    deleted.subject.delete()
    wrong = [("nobody", secret), ("nightly", new_secret())]
    return [*wrong, ("off", of_off), ("deleted", of_deleted)]


@every_endpoint
def test_token_responses_are_not_cacheable(nightly: Application, secret: str, ask: Ask) -> None:
    """RFC 6749 §5.1: `Cache-Control: no-store` and `Pragma: no-cache`, also for errors (§5.2)."""
    for answer in (ask("nightly", secret), ask("nightly", new_secret()), ask("", "")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Pragma"] == "no-cache"
        assert answer.headers["Content-Type"] == "application/json"


@every_endpoint
def test_unknown_wrong_disabled_and_deleted_get_the_same_response(
    nightly: Application, secret: str, ask: Ask
) -> None:
    """RFC 6749 §5.2 `invalid_client`: 401 with WWW-Authenticate. Zitadel CVE-2024-47000,
    authentik CVE-2025-64521: a disabled client gets no token."""
    answers = [ask(*client) for client in refused_clients(secret)]
    assert len({seen(answer) for answer in answers}) == 1
    assert answers[0].status_code == 401
    assert answers[0].headers["WWW-Authenticate"].startswith("Basic realm=")


MALFORMED = {
    "whitespace": lambda secret: f"{secret}\n",
    "blank before": lambda secret: f" {secret}",
    "truncated": lambda secret: secret[:-1],
    "mistyped": lambda secret: secret[:10] + ("a" if secret[10] != "a" else "b") + secret[11:],
    "something else": lambda secret: "x" * len(secret),
}


@every_endpoint
@pytest.mark.parametrize("spoil", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_secret_is_reported_without_hashing(
    nightly: Application,
    secret: str,
    ask: Ask,
    spoil: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        secret_verification, "verify_secret", lambda *_: pytest.fail("it was hashed")
    )
    clients = [(name, spoil(text)) for name, text in refused_clients(secret)]
    answers = [ask(*client) for client in [*clients, ("nightly", spoil(secret))]]
    assert len({seen(answer) for answer in answers}) == 1
    assert answers[0].status_code == 401
    assert answers[0].headers["WWW-Authenticate"].startswith("Basic realm=")
    assert "The client secret is malformed: it " in answers[0].content.decode()
    assert secret[5:20] not in answers[0].content.decode()


@every_endpoint
def test_a_secret_with_a_line_end_or_truncated_is_reported(
    nightly: Application, secret: str, ask: Ask
) -> None:
    assert b"it starts or ends with whitespace." in ask("nightly", f"{secret}\n").content
    assert b"it has 40 characters instead of 66" in ask("nightly", secret[:40]).content


def test_a_malformed_secret_in_a_basic_header_is_reported(
    nightly: Application, secret: str
) -> None:
    """Like the output of `echo "$CLIENT_ID:$CLIENT_SECRET" | base64`, without -n."""
    header = base64.b64encode(f"nightly:{secret}\n".encode()).decode()
    answer = Client().post(
        "/api/v2/token", "grant_type=client_credentials", FORM,
        headers={"Authorization": f"Basic {header}"},
    )  # fmt: skip
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert "whitespace" in answer.json()["error_description"]


@pytest.mark.parametrize("path", [*PATHS, "/oauth2/introspect", "/oauth2/revoke"])
@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip", "GZIP"])
def test_a_compressed_body_is_415_in_the_endpoints_format(path: str, coding: str, db: None) -> None:
    """RFC 9110 §15.5.16. Form endpoints have the error format of RFC 6749 §5.2."""
    content_type = FORM if "v2" in path or "oauth2" in path else "application/json"
    answer = Client().post(
        path, gzip.compress(b"{}"), content_type, headers={"Content-Encoding": coding}
    )
    assert answer.status_code == 415
    assert answer.headers["Accept-Encoding"] == "identity"
    members = {"error", "error_description"} if content_type == FORM else None
    assert answer.json().keys() == (members or {"code", "message", "details"})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.full_hashing
@every_endpoint
def test_all_refusals_cost_the_same(
    nightly: Application, secret: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django CVE-2024-39329: timing revealed users. Each refusal runs Argon2 exactly once."""
    runs: list[str] = []
    real = secret_verification.verify_secret

    def counted(secret_hash: str, given: str) -> bool:
        runs.append(secret_hash.split("$")[3])
        return real(secret_hash, given)

    monkeypatch.setattr(secret_verification, "verify_secret", counted)
    for client in refused_clients(secret):
        before = len(runs)
        assert ask(*client).status_code == 401
        assert len(runs) == before + 1
    assert len(set(runs)) == 1, "always the same cost"


@every_endpoint
def test_a_full_hashing_queue_has_one_response_for_all_clients(
    nightly: Application, secret: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9110 §15.6.4: 503 with Retry-After, the same for correct and wrong secrets. It does
    not count as a failure, because nothing was verified."""
    clients = [("nightly", secret), *refused_clients(secret)]
    with monkeypatch.context() as patch, hashing._queue.slot(HashKind.PASSWORD):
        patch.setattr(hashing, "GUESSES_WAITING", 0)
        for _ in range(25):
            answers = [ask(*client) for client in clients]
            assert len({seen(answer) for answer in answers}) == 1
    assert answers[0].status_code == 503
    assert int(answers[0].headers["Retry-After"]) <= 30
    assert ask("nightly", secret).status_code == 200, "25 failures would be too many"


@every_endpoint
def test_too_many_failures_are_429_except_for_cached_secrets(
    nightly: Application, secret: str, ask: Ask
) -> None:
    """RFC 6585 §4: 429 with Retry-After."""
    assert ask("nightly", secret).status_code == 200
    statuses = [ask("nightly", new_secret()).status_code for _ in range(22)]
    assert statuses == [401] * 20 + [429] * 2
    assert 1 <= int(ask("nightly", new_secret()).headers["Retry-After"]) <= 30
    assert ask("nightly", secret).status_code == 200


@every_endpoint
def test_without_a_database_the_response_is_a_json_503(
    nightly: Application,
    secret: str,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """RFC 9110 §15.6.4. The reason is logged once, and not in the response."""

    def away(client_id: str, secret_id: str) -> None:
        raise OperationalError("no server at 10.0.0.7, user runai")

    monkeypatch.setattr(secret_verification, "get_application_by_client_id", away)
    answer = ask("nightly", secret)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert b"10.0.0.7" not in answer.content
    assert [record.message for record in caplog.records if "10.0.0.7" in record.message] == [
        "The database is unavailable (OperationalError): no server at 10.0.0.7, user runai"
    ]
    answer.json()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b"x" * 2_000_000, b"\xff\xfe", b"{}", b"a=b&a=c"])
def test_no_body_gets_a_5xx(db: None, path: str, body: bytes) -> None:
    """RFC 9110 §15.5.1 (400), §15.5.14 (413)."""
    for content_type in ("application/json", FORM, "text/plain", ""):
        answer = Client().post(path, body, content_type=content_type)
        assert answer.status_code in (400, 413, 415)
        answer.json()


@every_endpoint
def test_a_secret_of_a_megabyte_costs_no_hash(
    nightly: Application, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        secret_verification, "verify_secret", lambda *_: pytest.fail("it was hashed")
    )
    for length in (5_000, 1_000_000, 1_200_000):
        assert ask("nightly", "x" * length).status_code in (400, 413)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/api/v1/token", "clientSecret"), ("/api/v1/token", "APPSECRET"),
        ("/api/v1/token", "password"), ("/api/v2/token", "client_secret"),
        ("/api/v2/token", "CLIENT_SECRET"), ("/v1/k8s/auth/oauth/apptoken", "secret"),
        ("/oauth2/introspect", "token"), ("/oauth2/revoke", "client_secret"),
    ],
)  # fmt: skip
def test_credentials_in_the_url_are_refused_also_with_a_valid_body(
    nightly: Application, secret: str, path: str, parameter: str
) -> None:
    """RFC 6749 §2.3.1. Otherwise clients would keep leaking secrets into logs."""
    form = {"grant_type": "client_credentials", "client_id": "nightly", "client_secret": secret}
    bodies = {
        "/api/v1/token": {"grantType": "app_token", "appId": "nightly", "appSecret": secret},
        "/v1/k8s/auth/oauth/apptoken": {"id": "nightly", "name": "nightly", "secret": secret},
    }
    address = f"{path}?{urlencode({parameter: secret})}"
    if path in bodies:
        answer = _json(address, bodies[path])
    else:
        answer = Client().post(address, urlencode({**form, "token": "x"}), content_type=FORM)
    assert answer.status_code == 400
    assert "URL" in answer.content.decode()
    assert secret not in answer.content.decode()


@pytest.mark.parametrize("path", ["/api/v2/token", "/oauth2/introspect", "/oauth2/revoke"])
def test_error_descriptions_are_printable_ascii(db: None, path: str) -> None:
    """RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E, for any request."""
    many = "&".join(f"p{number}=1" for number in range(2000))
    answers = [
        Client().get(path),
        Client().generic("BREW", path),
        Client().post(path, "a=b", content_type='text/plain; x="\\Größe"'),
        Client().post(path, 'gr"\\öße=1&gr"\\öße=2', content_type=FORM),
        Client().post(path, b"\xff", content_type=FORM),
        Client().post(f"{path}?{many}", "a=b", content_type=FORM),
        Client().post(path, many, content_type=FORM),
        Client().post(path, "", content_type=FORM),
    ]
    for answer in answers:
        body = answer.json()
        assert body["error"] == "invalid_request"
        assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", body["error_description"])
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PATHS)
def test_credentials_in_the_url_are_refused(nightly: Application, secret: str, path: str) -> None:
    """RFC 6749 §2.3.1: the parameters MUST NOT be included in the request URI."""
    query = urlencode(
        {
            "grant_type": "client_credentials", "client_id": "nightly", "client_secret": secret,
            "grantType": "client_credentials", "clientID": "nightly", "clientSecret": secret,
            "id": "nightly", "name": "nightly", "secret": secret,
        }
    )  # fmt: skip
    content_type = FORM if path == "/api/v2/token" else "application/json"
    body = "grant_type=client_credentials" if path == "/api/v2/token" else "{}"
    assert Client().post(f"{path}?{query}", body, content_type=content_type).status_code == 400
