"""/healthz reports that the process is alive; /readyz that it can serve requests."""

import requests

from tests.conftest import StartServer
from tests.operations.conftest import database_away, wait_until
from tests.servers import Server, status_of


def test_a_running_server_is_alive_and_ready(server: Server) -> None:
    assert requests.get(f"{server.url}/healthz", timeout=5).json() == {"status": "ok"}
    assert requests.get(f"{server.url}/readyz", timeout=5).json() == {"status": "ok"}


def test_without_a_database_it_is_alive_but_not_ready(
    start_server: StartServer,
) -> None:
    server = start_server()
    ready, alive = f"{server.url}/readyz", f"{server.url}/healthz"
    with database_away(server):
        wait_until(lambda: status_of(ready) == 503, "503 while the database is away", seconds=5)
        assert status_of(alive) == 200
        refused = requests.get(f"{server.url}/api/v1/apps", timeout=30)
        assert refused.status_code in (401, 503)
        assert "detail" in refused.text
    wait_until(lambda: status_of(ready) == 200, "200 when the database is back", seconds=5)


def test_health_checks_accept_any_host(server: Server) -> None:
    answer = requests.get(f"{server.url}/readyz", headers={"Host": "10.1.2.3"}, timeout=5)
    assert answer.status_code == 200
