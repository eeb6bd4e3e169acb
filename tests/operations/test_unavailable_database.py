"""While the database hangs, is read-only, moves or is full: 503 in time, then recovery."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from runai_access.server.readiness import FULL, READ_ONLY
from tests.conftest import StartServer, skip_for_missing_tool
from tests.databases import prepared_database
from tests.operations.conftest import wait_until
from tests.operations.faults import Proxy, dropped_packets
from tests.operations.postgresql import Cluster, require_postgresql_run, running_cluster
from tests.operations.writers import Access
from tests.servers import Server, status_of

pytestmark = [pytest.mark.slow, pytest.mark.waiting]
# Limits in seconds; see docs/operations.md.
NOT_READY, ANSWERED, BACK = 3, 15, 5


@dataclass
class Program:
    """A client whose secret every worker has cached."""

    server: Server
    access: Access

    @classmethod
    def of(cls, server: Server) -> "Program":
        program = cls(server, Access.of_administrator(server))
        for _ in range(12):
            assert program.ask_for_token().status_code == 200
        return program

    def ask_for_token(self, seconds: float = 30) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.access.client_id,
            "client_secret": self.access.secret,
        }
        return requests.post(f"{self.server.url}/api/v2/token", data=form, timeout=seconds)

    def create(self, name: str, token: str, seconds: float = 30) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.server.url}/api/v1/apps"
        return requests.post(url, json={"name": name}, headers=headers, timeout=seconds)

    def reports(self, problem: str) -> bool:
        """Return whether every worker reports this problem; each checks separately."""
        url = f"{self.server.url}/readyz"
        return {requests.get(url, timeout=5).json()["status"] for _ in range(8)} == {problem}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    require_postgresql_run()
    with running_cluster() as running:
        yield running


@dataclass
class Fault:
    """The URL of the database, and a function that makes it hang."""

    url: str
    hang: Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["packets dropped", "bytes swallowed", "processes stopped"])
def fault(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Fault]:
    match request.param:
        case "packets dropped":
            yield Fault(cluster.url(), lambda: dropped_packets(cluster.port))
        case "bytes swallowed":
            proxy = Proxy(cluster.port)
            yield Fault(cluster.url(port=proxy.port), proxy.swallowing)
            proxy.close()
        case _:
            yield Fault(cluster.url(), cluster.frozen)


def test_a_hanging_database_causes_503_until_it_recovers(
    start_server: StartServer, fault: Fault
) -> None:
    server = start_server(database=fault.url)
    program = Program.of(server)
    ready = f"{server.url}/readyz"

    bearer = {"Authorization": f"Bearer {program.ask_for_token().json()['access_token']}"}

    def ask(number: int) -> tuple[int, bool]:
        match number % 4:
            case 0:
                answer = program.ask_for_token(seconds=ANSWERED)
            case 1:
                url = f"{server.url}/.well-known/jwks.json"
                answer = requests.get(url, timeout=ANSWERED)
            case 2:
                url = f"{server.url}/api/v1/apps"
                answer = requests.get(url, headers=bearer, timeout=ANSWERED)
            case _:
                answer = program.create(f"frozen-{number}", bearer["Authorization"][7:], ANSWERED)
        return answer.status_code, "Retry-After" in answer.headers

    with fault.hang(), ThreadPoolExecutor(40) as clients:
        pending = [clients.submit(ask, number) for number in range(40)]
        wait_until(lambda: status_of(ready) == 503, "not ready", seconds=NOT_READY)
        for _ in range(5):
            assert requests.get(f"{server.url}/healthz", timeout=0.5).status_code == 200
        answers = {answer.result() for answer in pending}
        # Public keys can come from memory; requests that need the database are refused.
        assert (503, True) in answers
        assert answers <= {(503, True), (200, False)}
        assert program.ask_for_token(seconds=ANSWERED).status_code == 503
    wait_until(lambda: status_of(ready) == 200, "ready again", seconds=BACK)
    wait_until(lambda: program.ask_for_token().status_code == 200, "tokens again", seconds=BACK)
    outages = re.findall(r"ERROR .*The database is unavailable", server.output)
    assert outages
    assert len(outages) <= 2 * 2 * 3, "one line per kind, worker and minute"
    assert "Traceback" not in server.output


def test_a_read_only_database_still_issues_tokens(
    start_server: StartServer, cluster: Cluster
) -> None:
    server = start_server(database=cluster.url())
    program = Program.of(server)
    token = program.ask_for_token().json()["access_token"]
    cluster.configure("default_transaction_read_only", "on")
    wait_until(lambda: program.reports(READ_ONLY), "not ready", seconds=NOT_READY)
    refused = program.create("too-early", token)
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    assert {program.ask_for_token().status_code for _ in range(6)} == {200}
    cluster.configure("default_transaction_read_only", "off")
    wait_until(lambda: program.reports("ok"), "ready again", seconds=BACK)
    assert program.create("in-time", token).status_code in (200, 201, 202)


def test_the_new_primary_is_used_after_a_failover(
    start_server: StartServer, cluster: Cluster
) -> None:
    standby = cluster.standby()
    try:
        hosts = f"127.0.0.1:{cluster.port},127.0.0.1:{standby.port}"
        server = start_server(
            database=f"postgres://runai@{hosts}/runai_access?target_session_attrs=read-write"
        )
        program = Program.of(server)
        token = program.ask_for_token().json()["access_token"]
        cluster.stop()
        standby.promote()
        wait_until(lambda: status_of(f"{server.url}/readyz") == 200, "ready", seconds=ANSWERED)
        wait_until(
            lambda: program.create("after-the-failover", token).status_code in (200, 201, 202),
            "writes on the new primary",
            seconds=ANSWERED,
        )
        assert program.ask_for_token().status_code == 200
    finally:
        standby.remove()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of 64 MiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        skip_for_missing_tool("mounting a small disk requires root on Linux")
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "runai-access-test", str(folder)]
    subprocess.run(mounted, check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_still_issues_tokens(start_server: StartServer, tmp_path: Path) -> None:
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("tested in the run on SQLite")
    with small_disk(tmp_path / "disk") as disk, prepared_database(disk) as database:
        server = start_server(database=database)
        program = Program.of(server)
        token = program.ask_for_token().json()["access_token"]
        filler = disk / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(shutil.disk_usage(disk).free + 4096))
        wait_until(lambda: program.reports(FULL), "not ready", seconds=NOT_READY)
        names = (f"filling-{number}" for number in range(1000))
        refused = next(
            answer for name in names if (answer := program.create(name, token)).status_code >= 300
        )
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
        assert {program.ask_for_token().status_code for _ in range(6)} == {200}
        filler.unlink()
        wait_until(lambda: program.reports("ok"), "ready again", seconds=BACK)
        assert program.create("in-time", token).status_code in (200, 201, 202)
        assert "Traceback" not in server.output
        server.kill()
