"""The threads that run requests: a fixed number of threads and a bounded queue."""

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from runai_access.server.frames import with_space_for_frames

Job = Callable[[], None]


class QueueFull(Exception):
    """The queue has no room for another request."""


class ThreadPool:
    """Runs jobs in a fixed number of threads, oldest job first.

    The thread that became idle last gets the next job: its data is still in the CPU caches, and
    under low load few threads compete for the GIL. Round-robin would cost 10% of the requests per
    second (bench/servers.py).
    """

    def __init__(self, *, threads: int, max_waiting: int) -> None:
        self._threads = threads
        self._max_waiting = max_waiting
        self._waiting: deque[Job] = deque()
        self._idle: list[SimpleQueue[Job]] = []
        self._lock = threading.Lock()
        run = with_space_for_frames(self._run)
        for number in range(threads):
            inbox: SimpleQueue[Job] = SimpleQueue()
            self._idle.append(inbox)
            name = f"request-{number}"
            threading.Thread(target=run, args=[inbox], name=name, daemon=True).start()

    def submit(self, job: Job) -> bool:
        """Queue `job`; return whether an idle thread starts it immediately. Raises QueueFull.

        A job must handle its own exceptions.
        """
        with self._lock:
            if self._idle:
                self._idle.pop().put(job)
                return True
            if len(self._waiting) >= self._max_waiting:
                raise QueueFull
            self._waiting.append(job)
            return False

    @property
    def is_idle(self) -> bool:
        """Whether no job is running or waiting."""
        with self._lock:
            return len(self._idle) == self._threads and not self._waiting

    @property
    def load(self) -> tuple[int, int]:
        """The numbers of running and of waiting jobs."""
        with self._lock:
            return self._threads - len(self._idle), len(self._waiting)

    def withdraw(self, job: Job) -> bool:
        """Remove a job from the queue; return False if a thread has already started it."""
        with self._lock:
            try:
                self._waiting.remove(job)
            except ValueError:
                return False
            return True

    def _run(self, inbox: "SimpleQueue[Job]") -> None:
        while True:
            job: Job | None = inbox.get()
            while job is not None:
                job()
                job = self._next(inbox)

    def _next(self, inbox: "SimpleQueue[Job]") -> Job | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._idle.append(inbox)
            return None
