"""The client address: X-Forwarded-For is trusted only from configured proxies."""

import ipaddress

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from runai_access.audit.models import AuditEvent
from runai_access.audit.recorder import Actor, Entity, Origin, record_once_a_minute
from runai_access.middleware import OriginMiddleware

pytestmark = pytest.mark.any_database

PROXIES = ["10.0.0.0/8", "2001:db8:aa::/48"]
CLIENT, LIAR = "198.51.100.7", "203.0.113.66"


def _origin(peer: str, forwarded: str | None = None) -> Origin:
    """Return the origin that OriginMiddleware sets for a request from `peer`."""
    seen: list[Origin] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request.origin)
        return HttpResponse()

    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    request = RequestFactory().get("/somewhere", REMOTE_ADDR=peer, **headers)
    response = OriginMiddleware(view)(request)
    assert response["X-Request-Id"] == str(seen[0].request_id)
    return seen[0]


@pytest.fixture(autouse=True)
def _proxies(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network(name) for name in PROXIES]


@pytest.mark.parametrize("forwarded", [None, "", LIAR, f"{LIAR}, 10.0.0.1", "10.0.0.1", "garbage"])
def test_without_trusted_proxies_the_header_is_ignored(
    settings: Settings, forwarded: str | None
) -> None:
    settings.TRUSTED_PROXIES = []
    assert _origin(CLIENT, forwarded).address == CLIENT
    assert _origin("10.0.0.1", forwarded).address == "10.0.0.1"


@pytest.mark.parametrize("forwarded", [LIAR, f"{LIAR}, 10.0.0.1", "10.0.0.1"])
def test_an_untrusted_peer_is_ignored(forwarded: str) -> None:
    """authentik CVE-2023-36456."""
    assert _origin(CLIENT, forwarded).address == CLIENT


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (CLIENT, CLIENT),
        (f" {CLIENT} ", CLIENT),
        (f"{LIAR}, {CLIENT}", CLIENT),
        (f"10.9.9.9, {CLIENT}", CLIENT),
        (f"garbage, {CLIENT}", CLIENT),
        (f"{LIAR},{CLIENT},10.0.0.2", CLIENT),
        (f"{LIAR}, {CLIENT}, 10.0.0.3, 10.0.0.2", CLIENT),
        ("2001:db8::9", "2001:db8::9"),
        (f"{CLIENT}, 2001:db8:aa::1", CLIENT),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ],
)
def test_the_header_of_a_trusted_proxy_is_read_from_the_right(forwarded: str, address: str) -> None:
    assert _origin("10.0.0.1", forwarded).address == address


@pytest.mark.parametrize("forwarded", [None, ""])
def test_a_proxy_without_the_header_is_the_client(forwarded: str | None) -> None:
    assert _origin("10.0.0.1", forwarded).address == "10.0.0.1"


@pytest.mark.parametrize("hop", ["unknown", "", f"{CLIENT}:4711", "[2001:db8::9]:4711", "_hidden"])
def test_entries_left_of_an_unreadable_one_are_ignored(hop: str) -> None:
    """The proxy wrote the last entry; if it is unreadable, the client might have written the rest."""
    assert _origin("10.0.0.1", f"{LIAR}, {hop}").address != LIAR


@pytest.mark.parametrize("peer", ["", "unix:", "not an address"])
def test_a_peer_without_an_address_is_not_trusted(peer: str) -> None:
    assert _origin(peer, LIAR).address is None


@pytest.mark.django_db
@pytest.mark.parametrize("peer", ["fe80::1%eth0"])
def test_an_address_with_a_zone_can_be_recorded(peer: str) -> None:
    origin = _origin(peer)
    assert origin.address == "fe80::1"
    record_once_a_minute(
        "sign-in", Entity("user"), actor=Actor("anonymous", "x", origin=origin), succeeded=False
    )
    assert AuditEvent.objects.get().source_ip == "fe80::1"


def test_every_request_has_a_unique_id() -> None:
    ids = {_origin(CLIENT).request_id for _ in range(20)}
    assert len(ids) == 20
    assert None not in ids


def test_the_origin_contains_method_and_path() -> None:
    origin = _origin(CLIENT)
    assert (origin.method, origin.path) == ("GET", "/somewhere")


def test_an_ipv4_mapped_ipv6_address_is_the_same_client() -> None:
    assert _origin(f"::ffff:{CLIENT}").address == CLIENT
