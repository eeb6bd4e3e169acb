"""A worker process: loads the application, runs background work, and shuts down gracefully."""

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
# A worker whose main process has died exits within five seconds, even if its threads are blocked.
PARENT_CHECK_SECONDS = 0.5
ORPHAN_SECONDS = 4.0
# Time for bodies that are still arriving when the server stops.
LAST_BODY_SECONDS = 10.0
# Additional time for running requests; the main process waits 25 s in total.
LAST_REQUESTS_SECONDS = 8.0


def load() -> "Gateway":
    """Return the application; granian calls this in each worker."""
    # A separate process group: Ctrl-C in the terminal reaches only the main process, which then
    # stops the workers.
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
    """The application, and the scheduler, which stops after the last request."""

    gateway: "Gateway"
    scheduler: "Scheduler"


def _load() -> _Loaded:
    """Set up Django; start the readiness checks and the scheduler."""
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
    # Workers are multiprocessing children: they skip `atexit` but run finalizers.
    Finalize(None, scheduler.stop, exitpriority=1)
    gateway = Gateway(
        application,
        pool=ThreadPool(threads=THREADS, max_waiting=MAX_WAITING),
        readiness=readiness,
        body_limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    )
    return _Loaded(gateway, scheduler)


def _import_and_freeze_code() -> None:
    """Import all code and exclude it from garbage collection.

    A full collection runs when the number of objects has grown by a quarter. Without the code there
    are few objects, so garbage is collected often and pauses are short.
    """
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018  # imports every view
    gc.collect()
    gc.freeze()


def _pass_on_stop(loaded: list[_Loaded], is_drain_skipped: threading.Event) -> None:
    """Drain, then tell granian's worker to finish, once: a second time makes it drop requests."""
    signal.sigwait([signal.SIGTERM])
    if not loaded or not loaded[0].gateway.is_serving:
        os._exit(0)  # still loading: no requests in progress
    gateway = loaded[0].gateway
    gateway.start_draining()
    is_drain_skipped.wait(_drain_seconds())
    refuse_connections()
    time.sleep(LAST_READ_SECONDS)
    # Delivered to this thread, the only one that does not block the signal. Later ones stay blocked.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    signal.raise_signal(signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    time.sleep(LAST_BODY_SECONDS)
    gateway.give_up_bodies()
    # Idle or stalled connections must not delay the exit until the main process kills this worker:
    # first it seals the audit rows of the last requests.
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
    """End the drain delay when the main process sends SKIP_DRAIN.

    A second SIGTERM can't do this: a service manager that signals every process of a service sends
    one, and the main process sends another.
    """
    signal.sigwait([SKIP_DRAIN])
    is_drain_skipped.set()


def _end_with_parent(parent: int, is_drain_skipped: threading.Event) -> None:
    """Stop when the main process is gone: otherwise the worker would keep the port open.

    The kernel's alarm ends the process even if no thread can run Python.
    """
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, ORPHAN_SECONDS)
    is_drain_skipped.set()
    os.kill(os.getpid(), signal.SIGTERM)
