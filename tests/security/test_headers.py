"""Every response has the security headers, including errors and health checks."""

import pytest
import requests
from django.test import Client, override_settings

from tests import factories
from tests.servers import Server

pytestmark = pytest.mark.any_database

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
ANSWERS = {
    "a page": ("/sign-in/", 200),
    "a redirect": ("/applications/", 302),
    "a missing page": ("/nothing/", 404),
    "the API, signed out": ("/api/v1/apps", 401),
    "a missing endpoint": ("/api/v1/nothing", 404),
    "the wrong method": ("/api/v2/token", 405),
    "a missing file": ("/static/nothing.css", 404),
    "the public keys": ("/.well-known/jwks.json", 200),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("address", "status"), ANSWERS.values(), ids=ANSWERS)
def test_every_response_has_security_headers(address: str, status: int) -> None:
    answer = Client().get(address)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    policy = answer.headers["Content-Security-Policy"]
    for directive in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_responses_without_django_have_security_headers(server: Server, address: str) -> None:
    answer = requests.get(server.url + address, timeout=5)
    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "a b", ""])
@pytest.mark.parametrize("address", ["/sign-in/", "/api/v1/apps", "/api/v2/token"])
def test_an_unknown_host_is_refused_and_not_echoed(host: str, address: str) -> None:
    answer = Client().get(address, headers={"Host": host, "X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 400
    assert b"evil.example" not in answer.content
    assert b"RUNAI_ACCESS_ALLOWED_HOSTS" in answer.content
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE


@pytest.mark.django_db
def test_a_forwarded_host_or_scheme_is_ignored() -> None:
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    answer = Client().get("/applications", headers=headers)
    assert answer.headers["Location"] == "/applications/"


@pytest.mark.django_db
def test_an_unexpected_error_has_security_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("applications.policy.visible", broken)
    browser = Client(raise_request_exception=False)
    browser.force_login(factories.person("ada@acme.example", "System administrator"))
    for address in ("/applications/", "/api/v1/apps"):
        answer = browser.get(address)
        assert answer.status_code == 500
        assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Content-Security-Policy" in answer.headers


@pytest.mark.django_db
@override_settings(SECURE_HSTS_SECONDS=31536000, SECURE_HSTS_INCLUDE_SUBDOMAINS=True)
@pytest.mark.parametrize(("address", "status"), ANSWERS.values(), ids=ANSWERS)
def test_every_response_over_https_has_hsts(address: str, status: int) -> None:
    answer = Client().get(address, secure=True)
    assert answer.status_code == status
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
