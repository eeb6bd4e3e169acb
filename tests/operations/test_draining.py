"""A server that is about to stop opens no connection any more and keeps those that are open."""

import fcntl
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from runai_access.server.draining import take_no_more_connections

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's socket filters")


def test_what_is_open_is_kept_and_nothing_new_is_opened() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = listener.getsockname()
        with socket.create_connection(place, timeout=5) as waiting:
            take_no_more_connections()
            with pytest.raises(TimeoutError):
                socket.create_connection(place, timeout=0.3)
            accepted, _ = listener.accept()
            with accepted:
                waiting.sendall(b"ask")
                assert accepted.recv(3) == b"ask"
                accepted.sendall(b"answer")
            assert waiting.recv(6) == b"answer"


def test_nothing_is_left_open_by_looking_for_listeners() -> None:
    before = set(Path("/proc/self/fd").iterdir())
    take_no_more_connections()
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_looking_for_listeners_keeps_the_locks_of_files(tmp_path: Path) -> None:
    path = tmp_path / "locked"
    ask = (
        "import fcntl, sys\n"
        "try: fcntl.lockf(open(sys.argv[1], 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "except OSError: sys.exit(3)"
    )
    with path.open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        take_no_more_connections()
        other = subprocess.run([sys.executable, "-c", ask, str(path)], check=False)
    assert other.returncode == 3, "another process could lock the file"


def test_the_client_that_was_not_let_in_is_refused_when_the_server_has_stopped() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = listener.getsockname()
        take_no_more_connections()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place, timeout=5)
