"""The main process of the server: opens the port, and starts and stops the workers."""

import math
import multiprocessing
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

from runai_access.environment import START_MESSAGE, drain_seconds, log_format, metrics_port
from runai_access.metrics.publishing import published
from runai_access.server import sizing
from runai_access.server.announcing import announce_when_serving
from runai_access.server.draining import SKIP_DRAIN

# Time for requests in progress to finish after a stop was requested.
STOP_SECONDS = 25
# Time for a client to send its headers, and for which an idle connection stays open.
HEADER_SECONDS = 30
# Per worker. A connection uses one file descriptor. The reserved ones are for the database, static
# files and logs.
MAX_CONNECTIONS = 8192
_RESERVED_FILES = 256
_WANTED_FILES = 2 * MAX_CONNECTIONS
# Replaces granian's formatters.
_JSON_LOG = {
    "formatters": {
        name: {"()": "runai_access.logs.JSONFormatter"} for name in ("generic", "access")
    }
}


def main(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM, then for the drain delay; finish the requests in progress."""
    files = raise_file_limit()
    _share_code()
    with published(host, metrics_port()):
        _serve(host, port, files)


def _serve(host: str, port: int, files: int) -> None:
    # Passed in the environment, because every user of the machine can read a command line.
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
        workers=sizing.workers(),
        loop=Loops.uvloop,
        # Threads that hand requests to the event loop: more would compete for the GIL.
        runtime_blocking_threads=1,
        backlog=4096,
        backpressure=max(64, min(MAX_CONNECTIONS, files - _RESERVED_FILES)),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS + math.ceil(drain_seconds()),
        # No access log: the audit log has the relevant events, and a URL can contain a secret that
        # was pasted by mistake.
        log_access=False,
        log_level=LogLevels.error,
        log_dictconfig=_JSON_LOG if log_format() == "json" else None,
    ).serve()


def _share_code() -> None:
    """Import the application before the workers are forked, so that they start fast and share it.

    macOS does not fork safely: there each worker imports the application.
    """
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork")
        from runai_access.server.application import import_and_freeze_code

        import_and_freeze_code()


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
        # macOS refuses more than its own maximum, even below the hard limit.
        for limit in (wanted, 10_240):
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                return limit
    return soft if soft != resource.RLIM_INFINITY else wanted


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
