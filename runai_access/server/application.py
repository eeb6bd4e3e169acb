"""The application of a worker: its gateway, readiness checks and background work."""

import gc
from dataclasses import dataclass
from multiprocessing.util import Finalize

# Sets Django up for the imports below.
from runai_access.wsgi import application

# isort: split

from django.conf import settings
from django.urls import get_resolver

from runai_access.background.heartbeat import Heartbeat
from runai_access.background.scheduler import Scheduler
from runai_access.db.connections import limit_waiting
from runai_access.server.gateway import Gateway
from runai_access.server.pool import ThreadPool
from runai_access.server.readiness import Readiness


@dataclass(frozen=True)
class Loaded:
    """The gateway, and the scheduler, which stops after the last request."""

    gateway: Gateway
    scheduler: Scheduler


def start(*, max_waiting: int) -> Loaded:
    """Start the readiness checks and the scheduler; return them with the gateway."""
    import_and_freeze_code()
    limit_waiting()
    readiness = Readiness()
    readiness.start()
    scheduler = Scheduler(heartbeat=Heartbeat())
    scheduler.start()
    # Workers are multiprocessing children: they skip `atexit` but run finalizers.
    Finalize(None, scheduler.stop, exitpriority=1)
    gateway = Gateway(
        application,
        pool=ThreadPool(threads=settings.THREADS, max_waiting=max_waiting),
        readiness=readiness,
        body_limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    )
    return Loaded(gateway, scheduler)


def import_and_freeze_code() -> None:
    """Import all code and exclude it from garbage collection.

    A full collection runs when the number of objects has grown by a quarter. Without the code there
    are few objects, so garbage is collected often and pauses are short. Forked processes also keep
    sharing the code's memory, because a collection writes to every object it looks at.
    """
    get_resolver().url_patterns  # noqa: B018  # imports every view
    gc.collect()
    gc.freeze()
