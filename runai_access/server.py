"""The production server: granian in WSGI mode, stopping cleanly however it is asked to.

`serve` becomes this module: python -m runai_access.server HOST PORT
"""

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing.util import Finalize
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from runai_access.draining import DRAIN_SECONDS, take_no_more_connections

# A worker is a process with a Python of its own; its threads wait for the database or for Argon2,
# which both let go of the interpreter. Two workers at least, so that one long request never holds
# up the whole server; more workers than cores grant fewer tokens a second.
WORKERS = min(max(os.cpu_count() or 1, 2), 8)
THREADS_PER_WORKER = 8
# How long requests under way may take to finish after a stop was asked for.
STOP_SECONDS = 25

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def main(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way."""
    Granian(
        "runai_access.server:load",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        websockets=False,
        workers=WORKERS,
        blocking_threads=THREADS_PER_WORKER,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        # No line per request: what matters is in the audit record, and an address may carry what
        # somebody pasted into it by mistake.
        log_access=False,
        log_level=LogLevels.error,
    ).serve()


def load() -> Application:
    """Return the application; granian calls this in each worker."""
    # A group of its own: Ctrl-C in the terminal is for the main process alone, which then asks the
    # workers to finish.
    os.setpgrp()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    before = signal.getsignal(signal.SIGTERM)
    threading.Thread(target=_pass_on_stop, args=[before], daemon=True).start()
    threading.Thread(target=_stop_without, args=[os.getppid()], daemon=True).start()
    from runai_access.wsgi import application

    _set_apart_what_stays()
    _seal_until_the_end()
    return application


def _set_apart_what_stays() -> None:
    """Load all of the code, and let the garbage collector look at it no more.

    It looks at everything only when a quarter more has come to what is there. Without the code that
    is little: what large answers leave behind goes soon, and to look for it stops nobody for long.
    """
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018  # imports every view
    gc.collect()
    gc.freeze()


def _seal_until_the_end() -> None:
    """Seal the audit record beside the requests; what the last of them record is sealed as well."""
    from runai_access.audit.sealer import Sealer

    sealer = Sealer()
    sealer.start()
    # A worker is a child of the main process, which skips `atexit` but not this.
    Finalize(None, sealer.stop, exitpriority=1)


def _pass_on_stop(before: Any) -> None:
    """Tell granian's worker to finish, once: told again, it forgets what is under way."""
    signal.sigwait([signal.SIGTERM])
    take_no_more_connections()
    time.sleep(DRAIN_SECONDS)
    handler = signal.getsignal(signal.SIGTERM)
    if not callable(handler) or handler is before:
        os._exit(0)  # still loading: there is nothing under way
    handler(signal.SIGTERM, None)


def _stop_without(parent: int) -> None:
    """Stop when the main process is gone: nobody would tell us to, and the port would stay taken."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
