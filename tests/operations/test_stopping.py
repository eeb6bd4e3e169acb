"""Stopping finishes requests in progress, for any signal and any number of signals."""

import os
import signal
import socket

import pytest

from tests.conftest import StartServer
from tests.operations.conftest import SlowRequest, listens, port_of, wait_until

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("number", "to_group"),
    [(signal.SIGTERM, False), (signal.SIGINT, True), (signal.SIGTERM, True)],
    ids=["SIGTERM", "Ctrl-C", "SIGTERM to all processes"],
)
def test_a_request_in_progress_is_answered_before_the_server_exits(
    start_server: StartServer, number: signal.Signals, to_group: bool
) -> None:
    server = start_server()
    request = SlowRequest(port_of(server))
    if to_group:
        os.killpg(server.process.pid, number)
    else:
        server.process.send_signal(number)
    wait_until(lambda: not listens(port_of(server)), "the server to accept nothing new")
    answer = request.finish()
    assert answer.startswith(b"HTTP/1.1 401"), answer
    assert b"invalid_client" in answer
    assert server.process.wait(15) == 0
    assert "Traceback" not in server.output


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /healthz HTTP/1.1\r\n",
        b"POST /api/v2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
    ],
    ids=["headers", "body"],
)
def test_an_idle_connection_does_not_delay_a_clean_stop(
    start_server: StartServer, sent: bytes
) -> None:
    """If it were killed, it would not seal the audit rows of its last requests."""
    server = start_server()
    with socket.create_connection(("127.0.0.1", port_of(server))) as connection:
        connection.sendall(sent)
        assert server.stop(seconds=20) == 0
    assert "refused to gracefully stop" not in server.output


def test_stopping_right_after_starting_is_fast_and_clean(start_server: StartServer) -> None:
    for _ in range(3):
        server = start_server()
        assert server.stop(seconds=10) == 0


def test_workers_end_when_the_main_process_is_killed(start_server: StartServer) -> None:
    server = start_server()
    server.process.kill()
    wait_until(lambda: not listens(port_of(server)), "the workers to end")
