"""What a background job is, and how its last run ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

ShouldContinue = Callable[[], bool]


@dataclass(frozen=True)
class Job:
    """Work that repeats every `interval` seconds in one process of all replicas.

    `run` works in short transactions. Between two of them it asks the function that it gets whether
    to continue, and returns if not: its turn is over, the server stops, or another process runs the
    jobs now. Work that is left is continued in the next turn. Two processes can overlap for a
    moment, so a job must be safe to run twice at the same time.
    """

    name: str
    interval: float
    run: Callable[[ShouldContinue], object]
    # Seconds until the first run; `interval` if None.
    delay: float | None = None
    # Whether every process that stops runs it once more, also one that did not run the jobs.
    runs_at_stop: bool = False

    @property
    def first_delay(self) -> float:
        return self.interval if self.delay is None else self.delay


@dataclass(frozen=True)
class Outcome:
    """How the last run of a job in this process ended; `error` is empty if it succeeded."""

    started_at: datetime
    seconds: float
    error: str = ""
