"""A worker process: starts the application, and shuts down gracefully."""

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from runai_access.server.draining import LAST_READ_SECONDS, SKIP_DRAIN, refuse_connections

if TYPE_CHECKING:
    from runai_access.server.application import Loaded
    from runai_access.server.gateway import Gateway

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
    loaded: list[Loaded] = []
    is_drain_skipped = threading.Event()
    threading.Thread(target=_listen_for_skip, args=[is_drain_skipped], daemon=True).start()
    threading.Thread(target=_pass_on_stop, args=[loaded, is_drain_skipped], daemon=True).start()
    threading.Thread(
        target=_end_with_parent, args=[os.getppid(), is_drain_skipped], daemon=True
    ).start()

    from runai_access.server.application import start

    loaded.append(start(max_waiting=MAX_WAITING))
    return loaded[0].gateway


def _pass_on_stop(loaded: list["Loaded"], is_drain_skipped: threading.Event) -> None:
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
