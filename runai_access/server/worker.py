"""A worker process: what it starts beside the requests, and how it ends."""

import gc
import os
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from runai_access.server.draining import LAST_READ_SECONDS, SKIP_DRAIN, refuse_connections

if TYPE_CHECKING:
    from runai_access.background.scheduler import Scheduler
    from runai_access.server.gateway import Gateway

THREADS = 12
MAX_WAITING = 512
# A worker whose main process has died ends within five seconds, whatever its threads wait for.
PARENT_CHECK_SECONDS = 0.5
ORPHAN_SECONDS = 4.0
# While the server stops, a body that is still arriving gets this long.
LAST_BODY_SECONDS = 10.0
# Then requests that have a thread get this long; the main process waits 25 s in total.
LAST_REQUESTS_SECONDS = 8.0


def load() -> "Gateway":
    """Return the application; granian calls this in each worker."""
    # A process group for each worker: Ctrl-C in the terminal is for the main process alone, which
    # then asks the workers to finish.
    os.setpgrp()
    # Blocked before any other thread starts, so that all threads inherit it: _pass_on_stop and
    # _listen_for_skip wait for these signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, SKIP_DRAIN])
    loaded: list[_Loaded] = []
    is_drain_skipped = threading.Event()
    threading.Thread(target=_listen_for_skip, args=[is_drain_skipped], daemon=True).start()
    threading.Thread(target=_pass_on_stop, args=[loaded, is_drain_skipped], daemon=True).start()
    threading.Thread(
        target=_end_with_parent, args=[os.getppid(), is_drain_skipped], daemon=True
    ).start()

    loaded.append(_load())
    return loaded[0].gateway


@dataclass(frozen=True)
class _Loaded:
    """The application, and the background work that ends after the last request."""

    gateway: "Gateway"
    scheduler: "Scheduler"


def _load() -> _Loaded:
    """Set up Django and start what runs beside the requests."""
    from runai_access.wsgi import application

    _import_and_freeze_code()
    from django.conf import settings

    from runai_access.background.scheduler import Scheduler
    from runai_access.db.connections import limit_waiting
    from runai_access.server.gateway import Gateway
    from runai_access.server.pool import ThreadPool
    from runai_access.server.readiness import Readiness

    limit_waiting()
    readiness = Readiness()
    readiness.start()
    scheduler = Scheduler()
    scheduler.start()
    # A worker is a child of the main process, which skips `atexit` but not this.
    Finalize(None, scheduler.stop, exitpriority=1)
    gateway = Gateway(
        application,
        pool=ThreadPool(threads=THREADS, max_waiting=MAX_WAITING),
        readiness=readiness,
        body_limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    )
    return _Loaded(gateway, scheduler)


def _import_and_freeze_code() -> None:
    """Import all of the code, and exclude it from garbage collection.

    The collector scans everything when the number of objects has grown by a quarter. Without the
    code that is little: what large answers leave behind goes soon, and no pause is long.
    """
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018  # imports every view
    gc.collect()
    gc.freeze()


def _pass_on_stop(loaded: list[_Loaded], is_drain_skipped: threading.Event) -> None:
    """Drain, then tell granian's worker to finish, once: a second time makes it drop requests."""
    signal.sigwait([signal.SIGTERM])
    if not loaded or not loaded[0].gateway.is_serving:
        os._exit(0)  # still loading: no request is in progress
    gateway = loaded[0].gateway
    gateway.start_draining()
    is_drain_skipped.wait(_drain_seconds())
    refuse_connections()
    time.sleep(LAST_READ_SECONDS)
    # Delivered to this thread, the only one that does not block it; later ones stay blocked.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    signal.raise_signal(signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    time.sleep(LAST_BODY_SECONDS)
    gateway.give_up_bodies()
    # Connections that say nothing, or read nothing, must not make the main process kill this one
    # before it has sealed what the last requests recorded.
    until = time.monotonic() + LAST_REQUESTS_SECONDS
    while not gateway.is_idle and time.monotonic() < until:
        time.sleep(0.1)
    loaded[0].scheduler.stop()
    os._exit(0)


def _drain_seconds() -> float:
    from django.conf import settings

    seconds: float = settings.DRAIN_SECONDS
    return seconds


def _listen_for_skip(is_drain_skipped: threading.Event) -> None:
    """End the drain delay when the main process asks for it.

    A second SIGTERM cannot ask for it: a service manager that signals every process of a service
    sends one, and the main process another.
    """
    signal.sigwait([SKIP_DRAIN])
    is_drain_skipped.set()


def _end_with_parent(parent: int, is_drain_skipped: threading.Event) -> None:
    """Stop when the main process is gone: nothing else would tell us, and the port would stay taken.

    The alarm is the kernel's: it ends the process even where no thread can run Python any more.
    """
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, ORPHAN_SECONDS)
    is_drain_skipped.set()
    os.kill(os.getpid(), signal.SIGTERM)
