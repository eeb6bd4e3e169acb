"""The WSGI environment of requests, the thread pool, and streams."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from runai_access.server import environ as environ_module
from runai_access.server import gateway
from runai_access.server.bodies import Body
from runai_access.server.environ import environ_of
from runai_access.server.pool import QueueFull, ThreadPool
from runai_access.server.sockets import UNREAD_SECONDS, abort_connection, limit_unread_answers
from tests import loops
from tests.conftest import StartServer
from tests.operations.writers import Access
from tests.servers import Server

pytestmark = pytest.mark.any_database


class Headers(list[tuple[str, str]]):
    def items(self) -> list[tuple[str, str]]:
        return self


@dataclass
class Scope:
    """The parts of an RSGI scope that the gateway reads."""

    headers: Headers = field(default_factory=Headers)
    path: str = "/"
    method: str = "GET"
    query_string: str = ""
    http_version: str = "1.1"
    scheme: str = "http"
    client: str = "192.0.2.7:4711"
    server: str = "127.0.0.1:8000"


def environ(*headers: tuple[str, str], **values: str) -> dict[str, Any]:
    return environ_of(Scope(Headers(headers), **values), Body(BytesIO(b"a=b"), "3"))


@pytest.mark.parametrize(
    "name", ["x_forwarded_for", "x-forwarded_for", "content_length", "cookie_"]
)
def test_a_header_whose_name_has_an_underscore_is_ignored(name: str) -> None:
    """As in nginx: both spellings have the same name in WSGI."""
    given = environ(("x-forwarded-for", "192.0.2.1"), (name, "203.0.113.9"))
    assert given["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert "203.0.113.9" not in given.values()


def test_repeated_headers_are_joined() -> None:
    """RFC 9110 §5.3, and RFC 6265 §4.2.1 for cookies."""
    given = environ(("accept", "a/b"), ("accept", "c/d"), ("cookie", "one=1"), ("cookie", "two=2"))
    assert given["HTTP_ACCEPT"] == "a/b,c/d"
    assert given["HTTP_COOKIE"] == "one=1; two=2"


def test_the_length_is_that_of_the_received_body() -> None:
    assert environ(("content-length", "99"))["CONTENT_LENGTH"] == "3"


@pytest.mark.parametrize(
    ("client", "address"), [("192.0.2.7:4711", "192.0.2.7"), ("[2001:db8::1]:4711", "2001:db8::1")]
)
def test_the_address_of_the_client_has_no_port(client: str, address: str) -> None:
    assert environ(client=client)["REMOTE_ADDR"] == address


def test_the_path_is_encoded_as_in_wsgi() -> None:
    """PEP 3333, Unicode Issues: bytes as Latin-1."""
    assert environ(path="/Zürich")["PATH_INFO"].encode("latin-1").decode() == "/Zürich"


def test_a_proxy_header_with_underscores_does_not_change_the_address(
    start_server: StartServer,
) -> None:
    server = start_server(environment={"RUNAI_ACCESS_TRUSTED_PROXIES": "127.0.0.1"})
    access = Access.of_administrator(server)
    headers = {"X-Forwarded-For": "192.0.2.1", "X_Forwarded_For": "203.0.113.9"}
    form = {
        "grant_type": "client_credentials",
        "client_id": access.client_id,
        "client_secret": access.secret,
    }
    granted = requests.post(f"{server.url}/api/v2/token", data=form, headers=headers, timeout=30)
    token = {"Authorization": f"Bearer {granted.json()['access_token']}"}
    span = "start=2026-01-01T00:00:00Z&end=2100-01-01T00:00:00Z"
    log = requests.get(f"{server.url}/api/v1/audit/log?{span}", headers=token, timeout=30).json()
    addresses = {row["source_ip"] for row in log["audit_logs"] if row["action"] == "sign-in"}
    assert addresses == {"192.0.2.1"}


@pytest.mark.parametrize(
    "path", ["/sign-in/", "/nothing/", "/api/v1/nothing", "/static/nothing.css", "/favicon.ico"]
)
def test_every_response_has_a_length_or_is_chunked(server: Server, path: str) -> None:
    answer = requests.get(server.url + path, timeout=10)
    assert "Content-Length" in answer.headers or answer.headers["Transfer-Encoding"] == "chunked"


def test_head_has_the_headers_of_get_and_no_body(server: Server) -> None:
    """RFC 9110 §9.3.2."""
    response = requests.get(f"{server.url}/sign-in/", timeout=10)
    head = requests.head(f"{server.url}/sign-in/", timeout=10)
    assert head.headers["Content-Type"] == response.headers["Content-Type"]
    assert (head.status_code, head.content) == (200, b"")


class Work:
    """A job that runs until the event `end` is set."""

    def __init__(self) -> None:
        self.began, self.end, self.ended = (threading.Event() for _ in range(3))

    def __call__(self) -> None:
        self.began.set()
        assert self.end.wait(10)
        self.ended.set()


def test_jobs_wait_for_a_thread_and_are_refused_when_the_queue_is_full() -> None:
    pool = ThreadPool(threads=1, max_waiting=1)
    first, second, third = Work(), Work(), Work()
    assert pool.submit(first)
    assert first.began.wait(10)
    assert not pool.submit(second)
    with pytest.raises(QueueFull):
        pool.submit(third)
    second.end.set()
    first.end.set()
    assert second.ended.wait(10)


def test_only_a_waiting_job_can_be_withdrawn() -> None:
    pool = ThreadPool(threads=1, max_waiting=5)
    first, second, third = Work(), Work(), Work()
    pool.submit(first)
    assert first.began.wait(10)
    pool.submit(second)
    pool.submit(third)
    assert pool.withdraw(second)
    assert not pool.withdraw(first)
    third.end.set()
    first.end.set()
    assert third.ended.wait(10)
    assert not second.began.is_set()


def test_the_last_used_thread_is_used_again() -> None:
    """So few concurrent requests wake few threads."""
    pool = ThreadPool(threads=4, max_waiting=1)
    threads: set[str] = set()
    for _ in range(20):
        ended = threading.Event()

        def job(ended: threading.Event = ended) -> None:
            threads.add(threading.current_thread().name)
            ended.set()

        pool.submit(job)
        assert ended.wait(10)
        while len(pool._idle) < 4:
            pass
    assert len(threads) == 1


@pytest.mark.parametrize("operator", ["%3E%3D", "%3C%3D"])
def test_a_filter_can_have_a_percent_encoded_operator(server: Server, operator: str) -> None:
    """RFC 3986 §2.1: a URL can't contain `<` or `>`; raw ones get 400 before Django runs."""
    url = f"{server.url}/api/v1/apps?filterBy=createdAt{operator}2026-01-01T00:00:00Z"
    assert requests.get(url, timeout=10).status_code == 401, (
        "it is parsed and requires authentication"
    )


@pytest.mark.parametrize("query", ["next=\u20ac", "next=\xfc", "next=%FF"])
def test_a_query_that_is_not_ascii_is_read_as_utf_8(server: Server, query: str) -> None:
    """Some clients send raw bytes."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET /sign-in/?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        status = connection.recv(100).split()[1]
    assert status in (b"200", b"400")
    given = environ(query_string=query)["QUERY_STRING"]
    assert given.encode("latin-1").decode() == query


def test_a_client_cannot_hide_its_address_with_a_non_ascii_byte(server: Server) -> None:
    """The whole header would be dropped, including the part that the proxy added."""
    headers = {"X-Forwarded-For": b"\xc3\xa9, 203.0.113.7"}
    answer = requests.get(f"{server.url}/sign-in/", headers=headers, timeout=10)
    assert answer.status_code == 400
    assert "X-Forwarded-For" in answer.json()["message"]


def test_long_header_names_are_not_cached() -> None:
    before = environ_module._usual_key.cache_info().currsize
    environ(*[(f"x-{number}-{'a' * 100}", "b") for number in range(50)])
    assert environ_module._usual_key.cache_info().currsize == before


class Pieces:
    """A streamed response that fails after its first piece."""

    streaming = True

    def __iter__(self) -> Iterator[bytes]:
        yield b"one row\n"
        raise RuntimeError("the database is gone")


def test_a_failed_stream_does_not_look_complete() -> None:
    """RFC 9112 §8: without the last chunk, the client knows that the response is incomplete."""
    sent: list[bytes] = []

    def wsgi(given: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/csv")])
        return Pieces()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=10)
        accepted, peer = listener.accept()
        stream = SimpleNamespace(send_bytes=sent.append)
        protocol = SimpleNamespace(response_stream=lambda status, headers: stream)
        with client, accepted, pytest.raises(RuntimeError, match="the database is gone"):
            given = environ(client=f"{peer[0]}:{peer[1]}")
            gateway._respond(wsgi, given, protocol)  # type: ignore[arg-type]
        assert sent == [b"one row\n"]


def test_a_failed_stream_closes_only_its_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pairs = []
        for _ in range(2):
            client = socket.create_connection(listener.getsockname(), timeout=10)
            pairs.append((client, *listener.accept()))
        (one, here, peer), (other, there, _) = pairs
        with one, here, other, there:
            abort_connection(f"{peer[0]}:{peer[1]}")
            assert one.recv(1) == b""
            there.sendall(b"a")
            assert other.recv(1) == b"a"


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux only")
def test_accepted_connections_inherit_the_limit_on_unread_responses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        limit_unread_answers()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            limit = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert limit == UNREAD_SECONDS * 1000


def test_the_size_of_waiting_bodies_is_limited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway, "MAX_HELD_BYTES", 100_000)
    pool = ThreadPool(threads=1, max_waiting=5)
    ready = SimpleNamespace(problem="")
    served = gateway.Gateway(lambda *_: [], pool=pool, readiness=ready, body_limit=1)  # type: ignore[arg-type]
    large = Body(BytesIO(), "200000", 200_000)
    refusal = loops.run(served._run(Scope(path="/api/v1/apps"), SimpleNamespace(), large))  # type: ignore[arg-type]
    assert refusal is not None
    assert refusal.status == 503
    assert "retry-after" in dict(refusal.headers)
