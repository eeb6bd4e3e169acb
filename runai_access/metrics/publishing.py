"""The process that serves /metrics: one for each replica.

Workers write what they measure to files in a folder, which this process reads. It reads values from
the database when it is asked, so that each replica queries them once. It needs no worker thread, and
answers while all of them are busy or the database is away.
"""

import multiprocessing
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import django
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# In memory on Linux, also in a container with a read-only file system.
_MEMORY = Path("/dev/shm")  # noqa: S108
CLIENT_SECONDS = 10
PARENT_CHECK_SECONDS = 0.5


def create_folder(port: int, fallback: Path) -> None:
    """Create an empty folder for the measurements of this server, and tell other modules.

    Call before `prometheus_client` is imported. Raises OSError.
    """
    parent = _MEMORY if os.access(_MEMORY, os.W_OK) else fallback
    folder = parent / f"runai-access-metrics-{os.getuid()}-{port}"
    shutil.rmtree(folder, ignore_errors=True)  # left over from a server that was killed
    folder.mkdir(mode=0o700)  # raises FileExistsError if another user has created it
    os.environ[FOLDER] = str(folder)


@contextmanager
def published(host: str, port: int | None) -> Iterator[None]:
    """Serve /metrics in another process while the block runs. Enter it before threads start."""
    if port is None:
        yield
        return
    process = multiprocessing.Process(target=_serve, args=[host, port, os.getpid()], daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        shutil.rmtree(os.environ[FOLDER], ignore_errors=True)


def _serve(host: str, port: int, parent: int) -> None:
    os.setpgrp()  # Ctrl-C in the terminal reaches only the main process
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # metrics are useful until the last worker has ended
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runai_access.settings")
    django.setup()  # where the process is not forked
    server = _Server((host, port), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    shutil.rmtree(os.environ[FOLDER], ignore_errors=True)
    os._exit(0)


class WorkerCollector(Collector):
    """Adds up what the workers have written to a folder.

    A worker that starts creates its files empty, and writes their headers a moment later.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in self._folder.glob("*.db") if file.stat().st_size]
        merged: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return merged


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        from runai_access.metrics.collector import DatabaseCollector

        self.address_family = _family(address[0])
        self.registry = CollectorRegistry()
        self.registry.register(WorkerCollector(Path(os.environ[FOLDER])))
        self.registry.register(DatabaseCollector())
        self.collecting = threading.Lock()
        super().__init__(address, handler)


class _Handler(BaseHTTPRequestHandler):
    timeout = CLIENT_SECONDS
    server: _Server

    def do_GET(self) -> None:  # of BaseHTTPRequestHandler
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        with self.server.collecting:  # two scrapes at a time would query twice
            _forget_dead_workers(Path(os.environ[FOLDER]))
            text = generate_latest(self.server.registry)
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # of the base class
        """Log nothing: each scrape would be a line."""


def _forget_dead_workers(folder: Path) -> None:
    """Remove the gauges of workers that have ended; their counters stay."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(OSError):
                mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _family(host: str) -> socket.AddressFamily:
    return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][0]
