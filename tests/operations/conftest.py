"""Fixtures and helpers for the tests of running servers."""

import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests import databases
from tests.operations.scope_files import SourceRow, as_text
from tests.servers import Server, environment_on, fresh_database


@pytest.fixture
def empty_database(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a command, with an empty database."""
    with fresh_database(tmp_path) as database:
        yield environment_on(database)


@pytest.fixture
def migrated_database(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a command, with a migrated database."""
    with databases.migrated_database(tmp_path) as database:
        yield environment_on(database)


_BODY = b"grant_type=client_credentials&client_id=nobody&client_secret=nothing"


class SlowRequest:
    """A request whose body is sent by `finish`; the server waits for it until then."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.sendall(
            b"POST /api/v2/token HTTP/1.1\r\n"
            b"Host: 127.0.0.1\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Expect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n" % len(_BODY)
        )
        # The server sends this when the application starts to read.
        assert b"100 Continue" in self._socket.recv(1000)

    def finish(self) -> bytes:
        with closing(self._socket):
            self._socket.sendall(_BODY)
            return b"".join(iter(lambda: self._socket.recv(10_000), b""))


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Poll until `holds()` is true; fail with a message that names `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"Waited {seconds} s for: {what}"
        time.sleep(0.02)


def unsealed(server: Server) -> int:
    """Return the number of audit rows of a server that are not sealed yet, without a command."""
    query = "SELECT count(*) FROM audit_unsealed"
    parts = urlsplit(server.database)
    if parts.scheme == "sqlite":
        with closing(sqlite3.connect(parts.path[1:], timeout=30)) as connection:
            return int(connection.execute(query).fetchone()[0])
    with psycopg.connect(server.database) as other:
        row = other.execute(query).fetchone()
        return int(row[0]) if row else 0


def port_of(server: Server) -> int:
    """Return the port on which a server listens."""
    port = urlsplit(server.url).port
    assert port
    return port


def listens(port: int) -> bool:
    """Return whether a process accepts connections on the port."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def database_away(server: Server) -> Iterator[None]:
    """Make a server's database unavailable, like a move or a restart."""
    parts = urlsplit(server.database)
    if parts.scheme == "sqlite":
        with _files_away(Path(parts.path[1:])):
            yield
        return
    name = parts.path.lstrip("/")
    cluster = urlunsplit(urlsplit(os.environ["DATABASE_URL"]))
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            yield
        finally:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@contextmanager
def _files_away(file: Path) -> Iterator[None]:
    files = [file.with_name(file.name + end) for end in ("", "-wal", "-shm")]
    existing = [path for path in files if path.exists()]
    for path in existing:
        path.rename(path.with_name(f"away-{path.name}"))
    try:
        yield
    finally:
        for path in files:
            path.unlink(missing_ok=True)  # SQLite creates an empty file on a query
        for path in existing:
            path.with_name(f"away-{path.name}").rename(path)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes rows or text to a file and returns its name."""

    def written(content: list[SourceRow] | str | bytes, suffix: str = "csv") -> str:
        path = tmp_path / f"scopes.{suffix}"
        if isinstance(content, list):
            content = as_text(content, suffix)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return written
