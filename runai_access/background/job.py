"""A background job and the outcome of its last run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

ShouldContinue = Callable[[], bool]


@dataclass(frozen=True)
class Job:
    """Work that runs every `interval` seconds, usually in only one process of all replicas.

    `run` works in short transactions and calls its argument between them. It returns if the result
    is False: its turn is over, the server is stopping, or another process runs the jobs now. The
    next turn continues the work. Two processes can overlap briefly, so a job must be safe to run
    twice at the same time.
    """

    name: str
    interval: float
    run: Callable[[ShouldContinue], object]
    # Seconds until the first run; `interval` if None.
    delay: float | None = None
    # Whether every process runs the job, not only one of all replicas.
    in_every_process: bool = False
    # Whether every process runs the job once before it exits, even if it did not run the jobs.
    runs_at_stop: bool = False
    # Called when this process stops; returns a function that says whether work which was pending then
    # still is. It must be done before the last process stops: this process does it as the leader,
    # unless another one does.
    pending_at_stop: Callable[[], Callable[[], bool]] = lambda: lambda: False

    @property
    def first_delay(self) -> float:
        return self.interval if self.delay is None else self.delay


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job's last run in this process; `error` is empty if it succeeded."""

    started_at: datetime
    seconds: float
    error: str = ""
