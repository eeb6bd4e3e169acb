"""With TLS, cookies are limited to this host, this path and encrypted connections."""

import re

import pytest
import requests

from tests.conftest import StartServer
from tests.servers import ADMIN_EMAIL, ADMIN_PASSWORD, Server

pytestmark = pytest.mark.any_database

HTTPS = {"RUNAI_ACCESS_URL": "https://access.acme.example"}
HOST = {"Host": "access.acme.example", "Referer": "https://access.acme.example/"}


def attributes(answer: requests.Response) -> dict[str, set[str]]:
    """Map each cookie's name to its attributes."""
    lines = answer.raw.headers.getlist("Set-Cookie")
    return {
        line.partition("=")[0]: {part.strip().lower() for part in line.split(";")[1:]}
        for line in lines
    }


def test_with_tls_cookies_are_host_bound_secure_and_http_only(
    start_server: StartServer,
) -> None:
    """RFC 6265bis §4.1.3.2: browsers accept `__Host-` only with Secure, Path=/ and no Domain."""
    server = start_server(environment=HTTPS)
    address = f"{server.url}/sign-in/"
    page = requests.get(address, headers=HOST, timeout=10)
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert found is not None
    form = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "csrfmiddlewaretoken": found[1]}
    cookie = f"__Host-csrf={page.cookies['__Host-csrf']}"
    signed_in = requests.post(
        address, form, headers={**HOST, "Cookie": cookie}, timeout=30, allow_redirects=False
    )
    assert signed_in.status_code == 302
    cookies = {**attributes(page), **attributes(signed_in)}
    assert cookies.keys() == {"__Host-csrf", "__Host-session"}
    for name, given in cookies.items():
        assert {"secure", "path=/", "httponly", "samesite=lax"} <= given, name
        assert not any(attribute.startswith("domain") for attribute in given), name


def test_without_tls_cookies_are_http_only_too(
    start_server: StartServer,
) -> None:
    server = start_server()
    page = requests.get(f"{server.url}/sign-in/", timeout=10)
    assert {"path=/", "httponly", "samesite=lax"} <= attributes(page)[server.cookie("csrf")]


def test_without_tls_another_service_on_the_host_signs_nobody_out(
    start_server: StartServer,
) -> None:
    """RFC 6265 §8.5: ports share cookies, so common names would collide."""
    one, other = start_server(), start_server()
    with requests.Session() as browser:
        for server in (one, other):
            sign_in(browser, server)
        for name in ("session", "sessionid", "csrf", "csrftoken"):
            browser.cookies.set(name, "of-another-service", domain="127.0.0.1", path="/")
        for server in (one, other):
            page = browser.get(f"{server.url}/applications/", allow_redirects=False, timeout=10)
            assert page.status_code == 200


def sign_in(browser: requests.Session, server: Server) -> None:
    page = browser.get(f"{server.url}/sign-in/", timeout=10)
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert found is not None
    form = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "csrfmiddlewaretoken": found[1]}
    answer = browser.post(f"{server.url}/sign-in/", form, timeout=30, allow_redirects=False)
    assert answer.status_code == 302
