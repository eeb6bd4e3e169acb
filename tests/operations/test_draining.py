"""A server that stops: first it drains, then it refuses connections, then it finishes requests."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from runai_access.server.draining import refuse_connections
from tests.conftest import StartServer
from tests.operations.conftest import SlowRequest, listens, port_of, wait_until
from tests.servers import Server, status_of

pytestmark = pytest.mark.any_database

# Enough requests to reach each of the two workers.
OFTEN = 12
# Longer than any test waits.
LONG = {"RUNAI_ACCESS_DRAIN_SECONDS": "600"}
needs_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux refuses connections before a port is closed"
)


def is_draining(server: Server) -> bool:
    """Return whether no worker is ready."""
    return {status_of(f"{server.url}/readyz") for _ in range(OFTEN)} == {503}


def ask_for_token(server: Server) -> requests.Response:
    body = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "nothing"}
    return requests.post(f"{server.url}/api/v2/token", data=body, timeout=30)


def test_during_the_delay_readyz_is_503_and_requests_are_answered(
    start_server: StartServer,
) -> None:
    server = start_server(environment=LONG)
    with requests.Session() as before:
        assert before.get(f"{server.url}/healthz", timeout=30).headers.get("Connection") is None
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_draining(server), "503 from every worker")
        kept = before.get(f"{server.url}/healthz", timeout=30)
    assert (kept.status_code, kept.headers["Connection"]) == (200, "close")
    ready = requests.get(f"{server.url}/readyz", timeout=30)
    assert ready.json() == {"status": "the server is stopping"}
    for _ in range(OFTEN):
        answer = ask_for_token(server)
        assert (answer.status_code, answer.headers["Connection"]) == (401, "close")
    page = requests.get(f"{server.url}/sign-in/", timeout=30)
    assert page.headers["Connection"] == "close"
    assert server.process.poll() is None


def test_a_second_signal_skips_the_rest_of_the_delay(start_server: StartServer) -> None:
    server = start_server(environment=LONG)
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: is_draining(server), "503 from every worker")
    request = SlowRequest(port_of(server))
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not listens(port_of(server)), "the server to refuse connections")
    assert request.finish().startswith(b"HTTP/1.1 401")
    assert server.process.wait(15) == 0
    assert "Traceback" not in server.output


def test_a_signal_to_every_process_does_not_skip_the_delay(
    start_server: StartServer,
) -> None:
    """A service manager signals the workers too, and then the main process signals them again."""
    server = start_server(environment=LONG)
    for pid in (*server.workers, server.process.pid):
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: is_draining(server), "503 from every worker")
    assert ask_for_token(server).status_code == 401
    assert server.stop() == 0


def test_after_the_delay_connections_are_refused_and_requests_finish(
    start_server: StartServer,
) -> None:
    server = start_server(environment={"RUNAI_ACCESS_DRAIN_SECONDS": "0.5"})
    request = SlowRequest(port_of(server))
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not listens(port_of(server)), "the server to refuse connections")
    assert time.monotonic() - began >= 0.5
    assert request.finish().startswith(b"HTTP/1.1 401")
    assert server.process.wait(15) == 0


def test_without_the_main_process_no_worker_waits_for_the_delay(
    start_server: StartServer,
) -> None:
    server = start_server(environment=LONG)
    server.process.kill()
    wait_until(lambda: not listens(port_of(server)), "the workers to end", seconds=10)


@needs_linux
def test_open_connections_are_kept_and_new_ones_are_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = listener.getsockname()
        with socket.create_connection(place, timeout=5) as waiting:
            refuse_connections()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(place, timeout=5)
            accepted, _ = listener.accept()
            with accepted:
                waiting.sendall(b"ask")
                assert accepted.recv(3) == b"ask"
                accepted.sendall(b"answer")
            assert waiting.recv(6) == b"answer"


@needs_linux
def test_searching_for_listeners_leaves_no_file_open() -> None:
    before = set(Path("/proc/self/fd").iterdir())
    refuse_connections()
    assert set(Path("/proc/self/fd").iterdir()) == before


@needs_linux
def test_searching_for_listeners_keeps_file_locks(tmp_path: Path) -> None:
    path = tmp_path / "locked"
    ask = (
        "import fcntl, sys\n"
        "try: fcntl.lockf(open(sys.argv[1], 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "except OSError: sys.exit(3)"
    )
    with path.open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        refuse_connections()
        other = subprocess.run([sys.executable, "-c", ask, str(path)], check=False)
    assert other.returncode == 3, "another process could lock the file"
