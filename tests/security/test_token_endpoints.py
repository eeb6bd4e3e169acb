"""What the three token endpoints must answer, row by row; each test names its section.

The rows that test_tokens.py shows for one endpoint are shown here for all of them.
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

pytestmark = pytest.mark.django_db
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
    """Return all that a stranger sees of an answer; the request id may differ."""
    headers = {name: text for name, text in answer.headers.items() if name != "X-Request-Id"}
    return answer.status_code, answer.content, tuple(sorted(headers.items()))


def refused_clients(secret: str) -> list[tuple[str, str]]:
    off = factories.application("off", secret=secret)
    type(off.subject).objects.filter(pk=off.pk).update(enabled=False)
    gone = factories.application("gone", secret=secret)
    gone.subject.delete()
    return [("nobody", secret), ("nightly", new_secret()), ("off", secret), ("gone", secret)]


@every_endpoint
def test_a_good_client_is_answered_and_nothing_is_stored(
    nightly: Application, secret: str, ask: Ask
) -> None:
    """RFC 6749 §5.1: `Cache-Control: no-store` and `Pragma: no-cache`, refusals (§5.2) too."""
    for answer in (ask("nightly", secret), ask("nightly", new_secret()), ask("", "")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Pragma"] == "no-cache"
        assert answer.headers["Content-Type"] == "application/json"


@every_endpoint
def test_unknown_wrong_disabled_and_deleted_are_one_answer(
    nightly: Application, secret: str, ask: Ask
) -> None:
    """RFC 6749 §5.2 `invalid_client`: 401 with WWW-Authenticate. Zitadel CVE-2024-47000,
    authentik CVE-2025-64521: a client that was disabled gets nothing."""
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
def test_a_malformed_secret_is_named_without_hashing_and_says_nothing_of_the_client(
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
def test_a_secret_with_a_line_end_or_without_its_end_is_reported_as_that(
    nightly: Application, secret: str, ask: Ask
) -> None:
    assert b"it starts or ends with whitespace." in ask("nightly", f"{secret}\n").content
    assert b"it has 40 characters instead of 53." in ask("nightly", secret[:40]).content


def test_a_malformed_secret_in_a_basic_header_is_named(nightly: Application, secret: str) -> None:
    """As `echo "$CLIENT_ID:$CLIENT_SECRET" | base64` makes it, without -n."""
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
def test_a_compressed_body_is_415_and_no_coding_is_offered(
    path: str, coding: str, db: None
) -> None:
    """RFC 9110 §15.5.16; an endpoint that reads forms answers as RFC 6749 §5.2 says."""
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
def test_refusals_are_not_told_apart_by_what_they_cost(
    nightly: Application, secret: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django CVE-2024-39329: time told users apart. Each refusal runs Argon2 once, whoever it is."""
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
    assert len(set(runs)) == 1, "and always at the same cost"


@every_endpoint
def test_when_the_hashing_queue_is_full_nobody_is_told_apart(
    nightly: Application, secret: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9110 §15.6.4: 503 with Retry-After, the same for the right secret as for any other; it
    counts as nobody's failure, as nothing was tried."""
    clients = [("nightly", secret), *refused_clients(secret)]
    with monkeypatch.context() as patch, hashing._queue.slot(HashKind.PASSWORD):
        patch.setattr(hashing, "GUESSES_WAITING", 0)
        for _ in range(25):
            answers = [ask(*client) for client in clients]
            assert len({seen(answer) for answer in answers}) == 1
    assert answers[0].status_code == 503
    assert int(answers[0].headers["Retry-After"]) <= 30
    assert ask("nightly", secret).status_code == 200, "25 tries in vain would have been too many"


@every_endpoint
def test_too_many_in_vain_are_told_to_wait_and_remembered_ones_never(
    nightly: Application, secret: str, ask: Ask
) -> None:
    """RFC 6585 §4: 429 with Retry-After."""
    assert ask("nightly", secret).status_code == 200
    statuses = [ask("nightly", new_secret()).status_code for _ in range(22)]
    assert statuses == [401] * 20 + [429] * 2
    assert 1 <= int(ask("nightly", new_secret()).headers["Retry-After"]) <= 30
    assert ask("nightly", secret).status_code == 200


@every_endpoint
def test_without_its_database_the_answer_is_503_in_json(
    nightly: Application,
    secret: str,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """RFC 9110 §15.6.4. Why is for the log, once, and for nobody outside."""

    def away(client_id: str) -> None:
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
    """RFC 9110 §15.5.1 (400), §15.5.14 (413): wrong, and told so."""
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
def test_credentials_in_the_address_are_refused_also_beside_a_good_body(
    nightly: Application, secret: str, path: str, parameter: str
) -> None:
    """RFC 6749 §2.3.1: who is answered would go on writing secrets into every log on the way."""
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
def test_what_an_error_describes_is_plain(db: None, path: str) -> None:
    """RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E, whatever the request was made of."""
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
def test_credentials_in_the_address_are_refused(
    nightly: Application, secret: str, path: str
) -> None:
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
