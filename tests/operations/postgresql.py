"""PostgreSQL servers that a test can freeze, demote and kill; each has separate data."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.conftest import skip_for_missing_tool
from tests.databases import run_folder
from tests.servers import (
    ADMIN_SETTINGS,
    SERVER_SETTINGS,
    child_processes,
    free_port,
    manage,
    server_environment,
)

USER = "runai-access-postgres"  # created by .ci/with-postgres: PostgreSQL refuses to run as root


def require_postgresql_run() -> None:
    """Skip the test in the run on SQLite."""
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("tested in the run on PostgreSQL")


class Cluster:
    """A running PostgreSQL server on a port of 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self._folder = folder

    @classmethod
    def create(cls) -> "Cluster":
        """Start a new server with a database that `prepare` got ready."""
        cluster = cls(_own_folder())
        subprocess.run(["cp", "-a", _prepared_data(), cluster.data], check=True)
        cluster.start()
        return cluster

    def prepare(self) -> None:
        """Create the data of the server, and stop it again."""
        self._run(
            "initdb", "-D", self.data, "-U", "runai", "-E", "UTF8", "--no-locale", "--auth=trust"
        )
        self.start()
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE runai_access")
        settings = {**SERVER_SETTINGS, **ADMIN_SETTINGS, "DATABASE_URL": self.url()}
        prepared = manage("prepare", environment=server_environment(settings))
        assert prepared.returncode == 0, prepared.stderr
        self._run("pg_ctl", "-D", self.data, "-w", "-s", "stop")

    def standby(self) -> "Cluster":
        """Start a server that replicates this one, and refuses writes until `promote`."""
        other = Cluster(_own_folder())
        source = f"host=127.0.0.1 port={self.port} user=runai"
        other._run("pg_basebackup", "-D", other.data, "-R", "-d", source, "--checkpoint=fast")
        other.start()
        return other

    def url(self, database: str = "runai_access", port: int | None = None) -> str:
        return f"postgres://runai@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
        options += " -c unix_socket_directories=''"
        self._run(
            "pg_ctl",
            "-D",
            self.data,
            "-l",
            self._folder / "log",
            "-w",
            "-s",
            "start",
            "-o",
            options,
        )

    def stop(self) -> None:
        """Stop the server like a crash."""
        with suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-s", "stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def promote(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-w", "-s", "promote")

    def configure(self, setting: str, value: str) -> None:
        """Change a setting of the running server."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER SYSTEM SET {setting} = {value}")
            connection.execute("SELECT pg_reload_conf()")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Suspend every process of the server, like a hypervisor; its kernel still responds."""
        main = int((self.data / "postmaster.pid").read_text().split()[0])
        processes = [main, *child_processes(main)]
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in processes:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _run(self, program: str, *arguments: str | Path) -> None:
        user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        command = [*(user if os.geteuid() == 0 else []), _program(program), *map(str, arguments)]
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL)


def _program(name: str) -> str:
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(newest[-1]) if newest else shutil.which(name)
    if path is None:
        skip_for_missing_tool(f"PostgreSQL's {name} is not installed")
    return str(path)


def _own_folder() -> Path:
    """Create a folder owned by the server's user, who can't read pytest's folders."""
    folder = Path(tempfile.mkdtemp(prefix="runai-access-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER, USER)
    return folder


def _prepared_data() -> Path:
    """Return the data that servers of this run start with. The first caller creates it."""
    data = run_folder() / "cluster"
    with (run_folder() / "cluster.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not data.exists():
            cluster = Cluster(_own_folder())
            cluster.prepare()
            shutil.move(cluster.data, data)
            cluster.remove()
    return data


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a server; stop it and delete its data at the end."""
    cluster = Cluster.create()
    try:
        yield cluster
    finally:
        cluster.remove()
