"""/healthz says that the process lives; /readyz says that it can serve."""

from tests.servers import Server, status_of


def test_a_running_server_is_alive_and_ready(server: Server) -> None:
    assert status_of(f"{server.url}/healthz") == 200
    assert status_of(f"{server.url}/readyz") == 200
