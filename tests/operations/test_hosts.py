"""The hosts that the server accepts."""

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured

from runai_access import environment
from tests.conftest import StartServer

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("url", "added", "expected"),
    [
        ("http://[::1]:8000", "", {"[::1]"}),
        ("http://[2001:DB8::1]:8000", "", {"[2001:db8::1]"}),
        ("https://Access.example.com.", "", {"access.example.com"}),
        (
            "http://a.example",
            "runai.svc, RUNAI.cluster.local.",
            {"runai.svc", "runai.cluster.local"},
        ),
        ("http://a.example", "2001:db8::2,[2001:db8::3]", {"[2001:db8::2]", "[2001:db8::3]"}),
        ("http://a.example", "192.0.2.1", {"192.0.2.1"}),
    ],
)
def test_the_url_and_the_setting_define_the_hosts(
    monkeypatch: pytest.MonkeyPatch, url: str, added: str, expected: set[str]
) -> None:
    monkeypatch.setenv("RUNAI_ACCESS_ALLOWED_HOSTS", added)
    assert expected <= set(environment.allowed_hosts(url))


@pytest.mark.parametrize(
    "added", ["*", ".example.com", "a.example:8000", "http://a.example", "a b"]
)
def test_a_pattern_or_a_port_is_refused(monkeypatch: pytest.MonkeyPatch, added: str) -> None:
    monkeypatch.setenv("RUNAI_ACCESS_ALLOWED_HOSTS", added)
    with pytest.raises(ImproperlyConfigured, match="RUNAI_ACCESS_ALLOWED_HOSTS must list"):
        environment.allowed_hosts("http://a.example")


def test_a_server_accepts_its_ipv6_url_and_added_hosts(
    start_server: StartServer,
) -> None:
    server = start_server(
        environment={
            "RUNAI_ACCESS_URL": "http://[::1]:8000",
            "RUNAI_ACCESS_ALLOWED_HOSTS": "runai-access.tools.svc",
        }
    )

    def status(host: str) -> int:
        return requests.get(
            f"{server.url}/sign-in/", headers={"Host": host}, timeout=10
        ).status_code

    for host in (
        "[::1]:8000",
        "runai-access.tools.svc",
        "runai-access.tools.svc.",
        "RUNAI-ACCESS.tools.svc:80",
    ):
        assert status(host) == 200, host
    assert status("other.tools.svc") == 400
    document = requests.get(
        f"{server.url}/.well-known/openid-configuration",
        headers={"Host": "runai-access.tools.svc"},
        timeout=10,
    ).json()
    assert document["issuer"] == "http://[::1]:8000"
