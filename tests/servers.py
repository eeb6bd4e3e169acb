"""Real servers for tests: the `serve` command, each with a separate database."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests import processes
from tests.processes import ROOT, Process

ADMIN_EMAIL = "alex.admin@example.com"
ADMIN_PASSWORD = "correct-horse-battery-staple"
READY_SECONDS = 60
SERVE = (sys.executable, "manage.py", "serve")

# Settings of all servers, unless a test has its own.
SERVER_SETTINGS = {
    "RUNAI_ACCESS_SECRET_KEY": "a-key-that-all-test-servers-share-" + "x" * 16,
    # No limit has an effect: tests and benchmarks send their load as one caller.
    "RUNAI_ACCESS_API_MILLISECONDS_PER_SECOND": "1000000",
    # Tests share a session for longer than 15 minutes on a slow machine.
    "RUNAI_ACCESS_REAUTHENTICATION_SECONDS": "36000",
}
# What `prepare` creates on an empty database.
ADMIN_SETTINGS = {
    "RUNAI_ACCESS_ADMIN_EMAIL": ADMIN_EMAIL,
    "RUNAI_ACCESS_ADMIN_PASSWORD": ADMIN_PASSWORD,
}
# The settings that `serve` uses before it starts the server process.
PREPARING_SETTINGS = (
    "RUNAI_ACCESS_SECRET_KEY",
    "RUNAI_ACCESS_ADMIN_",
    "RUNAI_ACCESS_EXAMPLE",
    "RUNAI_ACCESS_HOST",
    "RUNAI_ACCESS_METRICS_PORT",
    "RUNAI_ACCESS_VAR",
)


@dataclass
class Server:
    """A running server. Servers with the same `database` are replicas."""

    url: str
    database: str
    environment: dict[str, str]
    log: Path
    process: Process
    # The source tree that it runs.
    source: Path = ROOT
    admin_email: str = ADMIN_EMAIL
    admin_password: str = field(default=ADMIN_PASSWORD, repr=False)

    def command(
        self, *args: str, environment: Mapping[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run manage.py with this server's database and return the result."""
        settings = {**self.environment, **(environment or {})}
        return manage(*args, environment=settings, stdin=stdin, source=self.source)

    def cookie(self, name: str) -> str:
        """Return the name of this server's cookie `session` or `csrf` without TLS."""
        url = self.environment.get("RUNAI_ACCESS_URL") or self.url
        return f"runai-access-{urlsplit(url).port}-{name}"

    @property
    def output(self) -> str:
        """The server's standard output and error so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        """Poll /readyz until it returns 200; fail with the server's output."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(
                    f"The server ended ({self.process.returncode}):\n{self.output}"
                )
            if status_of(f"{self.url}/readyz") == 200:
                return
            time.sleep(0.05)
        raise AssertionError(f"The server is not ready after {seconds} s:\n{self.output}")

    def stop(self, seconds: float = 30) -> int:
        """Stop the server gracefully and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    @property
    def workers(self) -> list[int]:
        """The process IDs of the server's workers, after that of the process that serves metrics."""
        return child_processes(self.process.pid)

    def kill(self) -> None:
        """Kill the server and its workers, like a power failure."""
        if self.process.poll() is None:  # else another process can have its ID
            for pid in (self.process.pid, *self.workers):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait(10)


def child_processes(pid: int) -> list[int]:
    """Return the child processes of `pid`, the oldest first.

    Each worker has a separate process group."""
    return [child for _, child, parent in sorted(_process_table()) if parent == pid]


def _process_table() -> list[tuple[int, int, int]]:
    """Return the time when each process started, its ID and that of its parent.

    IDs start again at the lowest one, so they do not tell which process is older. Without /proc, all
    times are 0.
    """
    if not Path("/proc/self/stat").exists():
        table = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
        ).stdout
        return [(0, int(pid), int(parent)) for pid, parent in map(str.split, table.splitlines())]
    rows = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            pid, _, rest = stat.read_text().partition(" ")
            # The command's name is in parentheses and can contain spaces.
            fields = rest.rpartition(")")[2].split()
            rows.append((int(fields[19]), int(pid), int(fields[1])))
    return rows


def launch(
    folder: Path,
    *,
    database: str,
    environment: Mapping[str, str] | None = None,
    is_prepared: bool = False,
    command: Sequence[str] = SERVE,
    source: Path = ROOT,
) -> Server:
    """Start a server and return it without waiting for it to be ready.

    It listens on a free port, unless `environment` sets PORT. If `is_prepared`, it starts as `serve`
    starts it when nothing is left to prepare, in half the time.
    """
    port = int((environment or {}).get("PORT") or free_port())
    url = f"http://127.0.0.1:{port}"
    if is_prepared:
        command = (sys.executable, "-m", "runai_access.server", "127.0.0.1", str(port))
    settings = server_environment(
        {
            "DATABASE_URL": database,
            "PORT": str(port),
            **SERVER_SETTINGS,
            **({} if is_prepared else ADMIN_SETTINGS),
            **(environment or {}),
        }
    )
    log = folder / f"server-{port}.log"
    with log.open("wb") as stream:
        process = processes.start(
            command,
            environment=settings,
            stdout=stream.fileno(),
            stderr=stream.fileno(),
            folder=source,
        )
    return Server(url, database, settings, log, process, source)


def manage(
    *args: str,
    environment: Mapping[str, str],
    seconds: float = 120,
    stdin: str = "",
    source: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run a management command in a separate process."""
    return processes.run(
        [sys.executable, "manage.py", *args],
        environment=environment,
        stdin=stdin,
        seconds=seconds,
        folder=source,
    )


def server_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this machine's environment with only these settings of runai-access."""
    ours = ("RUNAI_ACCESS_", "DJANGO_", "GRANIAN_", "DATABASE_URL", "PORT")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    # The processes of a run share collected static files, but not those of an installation.
    run = os.environ.get("TESTS_RUN_FOLDER")
    files = {"RUNAI_ACCESS_VAR": f"{run}/var"} if run else {}
    return {**inherited, "PYTHONUNBUFFERED": "1", **files, **settings}


def environment_on(database: str) -> dict[str, str]:
    """Return the environment of a command on a database, with the settings of all test servers."""
    return server_environment({**SERVER_SETTINGS, "DATABASE_URL": database})


@contextmanager
def fresh_database(folder: Path, *, template: str = "") -> Iterator[str]:
    """Yield the DATABASE_URL of an empty database, of the kind that the tests use.

    On PostgreSQL it can be a copy of the database called `template`.
    """
    cluster = os.environ.get("DATABASE_URL", "")
    if not cluster.startswith("postgres"):
        yield f"sqlite:///{folder / f'{uuid.uuid4().hex}.sqlite3'}"
        return
    name = f"runai_access_{secrets.token_hex(6)}"
    with psycopg.connect(cluster, autocommit=True) as connection:
        create_database(connection, name, template)
    try:
        yield urlunsplit(urlsplit(cluster)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(cluster, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def create_database(connection: psycopg.Connection, name: str, template: str = "") -> None:
    """Create a PostgreSQL database, empty or as a copy of the one called `template`."""
    # .ci/with-postgres knows how a copy is made fastest.
    strategy = os.environ.get("POSTGRES_COPY_STRATEGY")
    copied = f' TEMPLATE "{template}"' + (f" STRATEGY {strategy}" if strategy else "")
    connection.execute(f'CREATE DATABASE "{name}"' + (copied if template else ""))


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def status_of(url: str) -> int:
    """Return the status of a GET request, or 0 without a response."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            status: int = response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
    return status
