"""Behind TLS the cookies belong to this host, to this path and to encrypted connections alone."""

import re

import requests

from tests.conftest import StartServer
from tests.servers import ADMIN_EMAIL, ADMIN_PASSWORD

HTTPS = {"RUNAI_ACCESS_URL": "https://access.acme.example"}
HOST = {"Host": "access.acme.example", "Referer": "https://access.acme.example/"}


def attributes(answer: requests.Response) -> dict[str, set[str]]:
    """Return each cookie's attributes by its name."""
    lines = answer.raw.headers.getlist("Set-Cookie")
    return {
        line.partition("=")[0]: {part.strip().lower() for part in line.split(";")[1:]}
        for line in lines
    }


def test_behind_tls_every_cookie_is_host_bound_secure_and_closed_to_scripts(
    start_server: StartServer,
) -> None:
    """RFC 6265bis §4.1.3.2: the browser takes `__Host-` only with Secure, Path=/ and no Domain."""
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


def test_without_tls_the_cookies_are_closed_to_scripts_all_the_same(
    start_server: StartServer,
) -> None:
    page = requests.get(f"{start_server().url}/sign-in/", timeout=10)
    assert {"path=/", "httponly", "samesite=lax"} <= attributes(page)["csrf"]
