"""A real PgBouncer in transaction mode, in front of the PostgreSQL server that the tests use."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.conftest import skip_for_missing_tool
from tests.operations.conftest import listens, wait_until
from tests.servers import free_port

# Debian installs it in a folder that only root has in PATH.
_FOLDERS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
_CONFIG = """
[databases]
* = host={host} port={port} user={user}{password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
"""


@pytest.fixture
def pgbouncer(tmp_path: Path) -> Iterator["PgBouncer"]:
    """A running PgBouncer; skips on SQLite and if the program is missing."""
    with running_pgbouncer(tmp_path) as running:
        yield running


class PgBouncer:
    """A running PgBouncer."""

    def __init__(self, port: int) -> None:
        self._port = port

    def url(self, database: str) -> str:
        """Return `database`, a URL, with the address of PgBouncer."""
        parts = urlsplit(database)
        user = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{self._port}"))


@contextmanager
def running_pgbouncer(folder: Path, *, pool_size: int = 20) -> Iterator[PgBouncer]:
    """Run PgBouncer with its configuration in `folder`."""
    cluster = urlsplit(os.environ.get("DATABASE_URL", ""))
    if not cluster.scheme.startswith("postgres"):
        pytest.skip("only PostgreSQL has a connection pooler")
    program = shutil.which("pgbouncer", path=_FOLDERS)
    if program is None:
        skip_for_missing_tool("PgBouncer is not installed: apt-get install pgbouncer")
    port = free_port()
    config = folder / "pgbouncer.ini"
    config.write_text(
        _CONFIG.format(
            host=cluster.hostname,
            port=cluster.port or 5432,
            user=cluster.username,
            password=f" password='{cluster.password}'" if cluster.password else "",
            own_port=port,
            pool_size=pool_size,
        )
    )
    # It refuses to run as root, and switches to another user after reading its configuration.
    as_user = ["--user", "nobody"] if os.geteuid() == 0 else []
    log = folder / "pgbouncer.log"
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            [program, "--quiet", *as_user, str(config)], stdout=stream, stderr=stream
        ) as process,
    ):
        try:
            wait_until(lambda: process.poll() is not None or listens(port), "PgBouncer to listen")
            assert process.poll() is None, log.read_text()
            yield PgBouncer(port)
        finally:
            process.kill()
