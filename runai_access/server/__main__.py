"""The main process: opens the port, starts the workers, and stops them again."""

import math
import os
import resource
import sys
from contextlib import suppress
from multiprocessing.process import BaseProcess
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import MPServer

from runai_access.environment import START_MESSAGE, drain_seconds
from runai_access.server.announcing import announce_when_serving
from runai_access.server.draining import SKIP_DRAIN

# A worker is a process with its own Python; its threads wait for the database or for Argon2, which
# both release the interpreter. Two workers at least, so that one long request never holds up the
# whole server; more workers than cores grant fewer tokens a second.
WORKERS = min(max(os.cpu_count() or 1, 2), 8)
# How long requests in progress can take to finish after a stop was requested.
STOP_SECONDS = 25
# How long a client can take to send its headers, and how long an idle connection is kept.
HEADER_SECONDS = 30
# Per worker. A connection costs one file; the rest is for the database, static files and logs.
MAX_CONNECTIONS = 8192
_RESERVED_FILES = 256
_WANTED_FILES = 2 * MAX_CONNECTIONS


def main(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM, then for the drain delay; finish the requests in progress."""
    files = raise_file_limit()
    # In the environment, because every user of the machine can read a command line.
    if message := os.environ.pop(START_MESSAGE, ""):
        announce_when_serving(host, port, message)
    _Server(
        "runai_access.server.worker:load",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        # HTTP/1.1 only: over HTTP/2 one connection could open streams without ever finishing one.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_SECONDS * 1000,
            max_buffer_size=64 * 1024,
        ),
        websockets=False,
        workers=WORKERS,
        loop=Loops.uvloop,
        # The threads that hand requests to the event loop: more would compete for the interpreter.
        runtime_blocking_threads=1,
        backlog=4096,
        backpressure=max(64, min(MAX_CONNECTIONS, files - _RESERVED_FILES)),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS + math.ceil(drain_seconds()),
        # No line per request: what matters is in the audit log, and a URL can hold something that
        # was pasted into it by mistake.
        log_access=False,
        log_level=LogLevels.error,
    ).serve()


class _Server(MPServer):
    """Granian, in which a second signal to stop skips the rest of the drain delay."""

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        if self.interrupt_signal:
            for worker in self.wrks:
                process: BaseProcess = worker.inner
                if process.is_alive() and process.pid:
                    os.kill(process.pid, SKIP_DRAIN)
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]


def raise_file_limit() -> int:
    """Raise the limit on open files up to the hard limit; return the new limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(_WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS refuses more than its own maximum, whatever the hard limit says.
        for limit in (wanted, 10_240):
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                return limit
    return soft if soft != resource.RLIM_INFINITY else wanted


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
