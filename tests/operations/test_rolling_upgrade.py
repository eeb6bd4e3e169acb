"""A rolling upgrade from an earlier commit loses no request and no write, and can be undone."""

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
import requests

from runai_access.settings import IS_SQLITE
from tests.conftest import StartServer
from tests.operations.conftest import wait_until
from tests.operations.nginx import running_nginx
from tests.servers import ROOT, Server

# The commit from which the test upgrades.
COMMIT = (ROOT / "tests/operations/data/upgrade_from.txt").read_text().strip()
SETTINGS = {"RUNAI_ACCESS_DRAIN_SECONDS": "0.5"}
APPS = "/api/v1/apps"
# Between the requests of a client, so that the replicas that start get CPU time.
PAUSE_SECONDS = 0.05


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The source tree of the earlier commit."""
    archive = subprocess.run(["git", "archive", COMMIT], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode != 0:
        pytest.skip(f"this clone does not contain the commit {COMMIT}")
    tree = tmp_path / "earlier"
    tree.mkdir()
    subprocess.run(["tar", "-x", "-C", tree], input=archive.stdout, check=True)
    return tree


class Load:
    """Clients that get tokens, read and write until they are stopped; they repeat nothing."""

    def __init__(self, url: str, credentials: dict[str, str]) -> None:
        self._url = url
        self._form = {
            "grant_type": "client_credentials",
            "client_id": credentials["clientId"],
            "client_secret": credentials["clientSecret"],
        }
        self.statuses = Counter[tuple[str, int]]()
        self.written: list[str] = []
        self._numbers = count()
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(3)
        self._clients = [
            self._pool.submit(self._repeat, name, act)
            for name, act in (("token", self._token), ("read", self._read), ("write", self._write))
        ]

    def finish(self) -> None:
        """Stop, and raise what a client raised."""
        self._stop.set()
        for client in self._clients:
            client.result(timeout=60)

    def wait_for_more(self) -> None:
        """Wait until each client has sent more requests."""
        before = Counter(name for name, _ in self.statuses.elements())
        wait_until(
            lambda: all(
                Counter(name for name, _ in self.statuses.elements())[name] > before[name] + 3
                for name in ("token", "read", "write")
            ),
            "requests of all clients",
        )

    def token_of(self, url: str) -> str:
        """Return a token that the server at `url` issues."""
        answer = requests.post(f"{url}/api/v2/token", data=self._form, timeout=30)
        return str(answer.json()["access_token"])

    def _repeat(self, name: str, act: Callable[[requests.Session], requests.Response]) -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self.token_of(self._url)}"
            while not self._stop.wait(PAUSE_SECONDS):
                answer = act(session)
                self.statuses[name, answer.status_code] += 1

    def _token(self, session: requests.Session) -> requests.Response:
        return requests.post(f"{self._url}/api/v2/token", data=self._form, timeout=30)

    def _read(self, session: requests.Session) -> requests.Response:
        return session.get(f"{self._url}{APPS}?limit=5", timeout=30)

    def _write(self, session: requests.Session) -> requests.Response:
        name = f"written-{next(self._numbers)}"
        answer = session.post(f"{self._url}{APPS}", json={"name": name}, timeout=30)
        if answer.ok:
            self.written.append(name)
        return answer


@pytest.mark.alone
@pytest.mark.skipif(IS_SQLITE, reason="several replicas use PostgreSQL")
def test_a_rolling_upgrade_loses_no_request_and_no_write(
    start_server: StartServer, earlier: Path, tmp_path: Path
) -> None:
    one = start_server(environment=SETTINGS, is_empty=True, source=earlier)
    two = start_server(
        database=one.database, environment={**SETTINGS, "RUNAI_ACCESS_URL": one.url}, source=earlier
    )
    role = ("--role", "System administrator")
    created = one.command("create_application", "busy", *role, "--json")
    assert created.returncode == 0, created.stderr

    def replace(server: Server, source: Path) -> Server:
        """Stop a replica, and start another version on its port."""
        assert server.stop() == 0
        new = start_server(database=one.database, environment=server.environment, source=source)
        load.wait_for_more()
        return new

    with running_nginx(tmp_path, [one, two], keeps_connections=True) as url:
        load = Load(url, json.loads(created.stdout))
        try:
            load.wait_for_more()
            new_one, new_two = replace(one, ROOT), replace(two, ROOT)
            # And back: the earlier version works with the migrated database.
            replace(new_two, earlier)
        finally:
            load.finish()
    failed = {key: number for key, number in load.statuses.items() if key[1] not in (200, 201)}
    assert failed == {}
    found = requests.get(
        f"{new_one.url}{APPS}?limit=1000",
        headers={"Authorization": f"Bearer {load.token_of(new_one.url)}"},
        timeout=30,
    ).json()
    assert {app["name"] for app in found} >= set(load.written)
    assert len(load.written) > 10
    verified = new_one.command("verify_audit")
    assert verified.returncode == 0, verified.stdout
