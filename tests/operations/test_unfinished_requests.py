"""Unfinished requests use no thread, end in time, and do not affect other clients."""

import asyncio
import socket
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import requests

from runai_access.server import bodies
from runai_access.server.bodies import BodyReader, BodyTimeout
from tests import loops, sizes
from tests.conftest import StartServer
from tests.operations.conftest import SlowRequest, wait_until
from tests.operations.unfinished import KINDS, begin, held
from tests.operations.writers import Access
from tests.servers import Server, child_processes

pytestmark = pytest.mark.any_database

PAGES = ("/healthz", "/readyz", "/sign-in/", "/.well-known/jwks.json")


def port_of(server: Server) -> int:
    port = urlsplit(server.url).port
    assert port
    return port


def statuses(server: Server, times: int = 3) -> set[int]:
    """Request each page on separate connections, so that every worker gets some."""
    return {
        requests.get(server.url + page, timeout=10).status_code
        for _ in range(times)
        for page in PAGES
    }


@pytest.mark.slow
def test_other_clients_are_served_during_unfinished_requests(start_server: StartServer) -> None:
    server = start_server()
    for kind in KINDS:
        with held({kind: sizes.UNFINISHED_REQUESTS}, port_of(server)):
            assert statuses(server) == {200}, kind
        assert statuses(server) == {200}, kind
    # And during all kinds together.
    with (
        held(dict.fromkeys(KINDS, sizes.UNFINISHED_REQUESTS), port_of(server)),
        ThreadPoolExecutor(4) as clients,
    ):
        seen = [clients.submit(statuses, server) for _ in range(4)]
        assert [result.result() for result in seen] == [{200}] * 4
    assert statuses(server) == {200}
    assert server.stop() == 0


def test_a_late_body_is_answered(server: Server) -> None:
    request = SlowRequest(port_of(server))
    assert statuses(server) == {200}
    assert request.finish().startswith(b"HTTP/1.1 401")


def test_http2_is_not_supported(server: Server) -> None:
    """One HTTP/2 connection can hold many requests open; over HTTP/1.1 it holds one."""
    with begin("http2", port_of(server)) as connection:
        answer = connection.recv(1000)
    assert not answer or answer.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_does_not_wait_for_a_body(server: Server, path: str) -> None:
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n".encode()
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


class Drip:
    """A body that arrives byte by byte and never ends."""

    def __init__(
        self, headers: dict[str, str], *, pieces: int | None = None, size: int = 1
    ) -> None:
        self.headers = headers
        self.sent = 0
        self._pieces, self._size = pieces, size

    async def __call__(self) -> bytes:
        await asyncio.sleep(3600)
        return b""

    def __aiter__(self) -> "Drip":
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if self._pieces is not None and self.sent >= self._pieces:
            await asyncio.sleep(3600)
        self.sent += 1
        return b"a" * self._size


def read(reader: BodyReader, drip: Drip) -> Any:
    return reader.read(drip, drip)


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BASE_SECONDS", 0.05)
    monkeypatch.setattr(bodies, "BYTES_PER_SECOND", 1_000_000_000)


@pytest.mark.usefixtures("_short")
@pytest.mark.parametrize(
    "headers",
    [{"content-length": "100"}, {"content-length": "500000"}, {"transfer-encoding": "chunked"}],
    ids=["small", "large", "chunked"],
)
def test_slow_bytes_do_not_extend_the_time_for_a_body(headers: dict[str, str]) -> None:
    with pytest.raises(BodyTimeout):
        loops.run(read(BodyReader(limit=1024), Drip(headers, size=0)))


def test_a_large_body_gets_time_for_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float | None] = []
    timeout = asyncio.timeout

    def short(seconds: float | None) -> asyncio.Timeout:
        given.append(seconds)
        return timeout(0.01)

    monkeypatch.setattr(bodies.asyncio, "timeout", short)
    with pytest.raises(BodyTimeout):
        loops.run(
            read(BodyReader(limit=2**20), Drip({"content-length": str(64 * 1024 * 10)}, pieces=0))
        )
    assert given == [40.0]


def test_the_oldest_unfinished_body_is_dropped_for_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "MAX_UNFINISHED", 2)

    async def three() -> list[Any]:
        reader = BodyReader(limit=1024)
        tasks = []
        for _ in range(3):
            tasks.append(asyncio.create_task(read(reader, Drip({"content-length": "10"}))))
            await asyncio.sleep(0)
        done, _ = await asyncio.wait(tasks, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        assert done == {tasks[0]}
        reader.give_up_all()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(outcome) for outcome in loops.run(three())] == [BodyTimeout] * 3


def test_unfinished_large_bodies_use_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_UNFINISHED_BYTES", 100_000)

    async def many() -> list[Any]:
        reader = BodyReader(limit=1_000_000)
        drips = [Drip({"content-length": "900000"}, pieces=3, size=20_000) for _ in range(10)]
        tasks = [asyncio.create_task(read(reader, drip)) for drip in drips]
        for _ in range(50):
            await asyncio.sleep(0)
            assert reader._kept_bytes <= 100_000
        reader.give_up_all()
        assert reader._kept_bytes == 0
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(outcome) for outcome in loops.run(many())} == {BodyTimeout}


def test_a_dropped_body_is_not_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its next piece might have arrived already, or might be the cause of the drop."""
    monkeypatch.setattr(bodies, "MAX_UNFINISHED_BYTES", 50_000)

    async def one() -> tuple[object, int, int]:
        reader = BodyReader(limit=1_000_000)
        drip = Drip({"transfer-encoding": "chunked"}, pieces=100, size=20_000)
        outcomes = list(await asyncio.gather(read(reader, drip), return_exceptions=True))
        return type(outcomes[0]), drip.sent, reader._kept_bytes

    assert loops.run(one()) == (BodyTimeout, 3, 0)


def test_a_body_that_expires_while_dropped_affects_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "BASE_SECONDS", 0.01)
    monkeypatch.setattr(bodies, "MAX_UNFINISHED", 1)

    async def two() -> list[type]:
        reader = BodyReader(limit=1024)
        first = asyncio.create_task(read(reader, Drip({"content-length": "10"})))
        await asyncio.sleep(0)
        (timeout,) = reader._unfinished
        loop = asyncio.get_running_loop()
        second: list[asyncio.Task[Any]] = []

        def as_it_expires() -> None:
            # Its timer has fired, but its task has not run yet.
            timeout._on_timeout()
            second.append(loop.create_task(read(reader, Drip({"content-length": "10"}))))

        loop.call_soon(as_it_expires)
        await asyncio.sleep(0.001)
        outcomes: list[object] = await asyncio.gather(first, *second, return_exceptions=True)
        return [type(outcome) for outcome in outcomes]

    assert loops.run(two()) == [BodyTimeout, BodyTimeout]


@pytest.mark.parametrize("announced", [10**11, bodies.MAX_DISCARDED + 1])
def test_an_absurd_length_gets_no_time(announced: int) -> None:
    async def one() -> Any:
        async with asyncio.timeout(5):
            return await read(BodyReader(limit=1024), Drip({"content-length": str(announced)}))

    body = loops.run(one())
    assert body.length == str(announced)
    assert len(body.stream.read(2048)) == 2048, "long enough to be refused as too large"


def test_the_time_for_a_body_is_limited_by_the_largest_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[float | None] = []
    timeout = asyncio.timeout

    def short(seconds: float | None) -> asyncio.Timeout:
        given.append(seconds)
        return timeout(0.01)

    monkeypatch.setattr(bodies.asyncio, "timeout", short)
    drip = Drip({"content-length": str(20 * 1024 * 1024)}, pieces=0)
    with pytest.raises(BodyTimeout):
        loops.run(read(BodyReader(limit=1024 * 1024), drip))
    assert given == [46.0]


def _is_running(pid: int) -> bool:
    """Return whether a process is running; a zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def writes_blocked(database: str) -> Iterator[None]:
    """Hold a lock that blocks the creation of applications."""
    if database.startswith("sqlite"):
        path = urlsplit(database).path[1:]
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(database) as connection:
        connection.execute("LOCK TABLE accessrules_subject IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_blocked_workers_exit_within_five_seconds_of_their_parent(
    start_server: StartServer,
) -> None:
    server = start_server()
    workers = child_processes(server.process.pid)
    token = Access.of_administrator(server).token(server)
    headers = {"Authorization": f"Bearer {token}"}

    def create(number: int) -> None:
        with suppress(requests.RequestException):
            body = {"name": f"blocked-{number}"}
            requests.post(f"{server.url}/api/v1/apps", json=body, headers=headers, timeout=30)

    with writes_blocked(server.database), ThreadPoolExecutor(40) as clients:
        for number in range(40):
            clients.submit(create, number)
        # Requests that need a thread wait now; health checks do not.
        wait_until(lambda: not _page_in_time(server), "every thread to be blocked", seconds=10)
        assert requests.get(f"{server.url}/healthz", timeout=0.5).status_code == 200
        server.process.kill()
        wait_until(lambda: not any(map(_is_running, workers)), "the workers to end", seconds=5)


def _page_in_time(server: Server) -> bool:
    try:
        requests.get(f"{server.url}/sign-in/", timeout=1)
    except requests.Timeout:
        return False
    return True
