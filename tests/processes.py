"""Processes that tests start. Programs of this source tree are forked if there is a fork server."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import connection
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock

ROOT = Path(__file__).resolve().parent.parent
# Of a Unix socket, in bytes.
MAX_ADDRESS_LENGTH = 108


class ForkedProcess:
    """A process that the fork server has forked; its methods are those of `subprocess.Popen`."""

    def __init__(self, command: Sequence[str], client: socket.socket) -> None:
        self.args = command
        self.pid = _receive(client)
        self.returncode: int | None = None
        self._client = client
        self._lock = Lock()

    def poll(self) -> int | None:
        with self._lock:
            if self.returncode is None and connection.wait([self._client], 0):
                self.returncode = _receive(self._client)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            connection.wait([self._client], timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _receive(client: socket.socket) -> int:
    """Return what the fork server sends: the process ID, and then the exit status."""
    message = client.recv(100)
    if not message:
        raise AssertionError("The fork server has ended.")
    return int(message)


Process = subprocess.Popen[bytes] | ForkedProcess


class ForkServer:
    """The fork server of a run; the first process that needs it starts it."""

    def __init__(self, address: Path, environment: Mapping[str, str]) -> None:
        self._address = address
        self._log = address.with_suffix(".log")
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def start(self) -> None:
        """Start it without waiting until it has imported the application."""
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener,
            self._log.open("wb") as log,
        ):
            listener.bind(str(self._address))
            listener.listen(100)
            program = "from tests.fork_server import main; main()"
            self._process = subprocess.Popen(
                [sys.executable, "-c", program, str(listener.fileno())],
                cwd=ROOT,
                env=dict(self._environment),
                # It ends when this process does.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno()],
                process_group=0,
            )

    def stop(self) -> None:
        """Stop it, if this process has started it."""
        if self._process:
            self._process.communicate()

    def fork(
        self, command: Sequence[str], environment: Mapping[str, str], files: Sequence[int]
    ) -> ForkedProcess:
        """Return a forked process that runs `command`, a Python program of this source tree."""
        with self._lock:
            if not self._address.exists():
                self.start()
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = {"arguments": [*command[1:]], "environment": {**environment}}
        try:
            client.connect(str(self._address))
            socket.send_fds(client, [json.dumps(program).encode()], files)
            return ForkedProcess(command, client)
        except (AssertionError, ConnectionError) as error:
            raise AssertionError(f"The fork server: {self._log.read_text()}") from error


# Set by tests/conftest.py. Benchmarks start their processes.
fork_server: ForkServer | None = None


def start(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    folder: Path = ROOT,
) -> Process:
    """Start a process in its own process group, so that Ctrl-C in the terminal reaches only pytest.

    The standard streams are file descriptors; /dev/null if there is none.
    """
    with Path(os.devnull).open("r+b") as null:
        given = (stdin, stdout, stderr)
        files = [null.fileno() if file is None else file for file in given]
        if fork_server and command[0] == sys.executable and folder == ROOT:
            return fork_server.fork(command, environment, files)
        return subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environment),
            stdin=files[0],
            stdout=files[1],
            stderr=files[2],
            process_group=0,
        )


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdin: str = "",
    seconds: float = 120,
    folder: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run a process that reads `stdin` from a pipe; return its exit status and its output."""
    with TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
        reader, writer = os.pipe()
        with open(reader, "rb"):  # noqa: PTH123  # a descriptor
            process = start(
                command,
                environment=environment,
                stdin=reader,
                stdout=output.fileno(),
                stderr=errors.fileno(),
                folder=folder,
            )
        try:
            with suppress(BrokenPipeError), open(writer, "w", encoding="utf-8") as pipe:  # noqa: PTH123
                pipe.write(stdin)
            status = process.wait(seconds)
        except BaseException:
            process.kill()
            process.wait()
            raise
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess([*command], status, output.read(), errors.read())
