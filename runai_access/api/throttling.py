"""Rate limiting of the API by cost: each caller has a budget of server time in each process.

Budgets are in memory, because a database write per request would cost more than it saves.
"""

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Protocol
from uuid import UUID

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

MAX_CALLERS = 10_000
# The least that a request costs, and the least that admits one. It also limits cheap requests.
MIN_COST_MS = 1.0
# The number of parallel requests that a full budget admits: more than a worker has threads.
MAX_PARALLEL = 16
MAX_TIMES_CPU = 10
POLICY = "server-ms"


class Stopwatch:
    """Measures the server time of the request that runs in this thread, from its creation.

    Wall time alone would charge a cheap request for waiting for expensive ones, for the GIL or a core.
    CPU time alone would limit no one on an overloaded machine, where a process gets little of it. So
    parallel requests share the wall time in proportion to their CPU time, and each costs at least its
    CPU time: queries can run on several cores. A lone request costs all of its wall time.

    PostgreSQL works without CPU time of this process. There, a request costs at least the wall time
    minus the CPU time of the other threads, for which it can have waited.

    Nothing here can tell a slow query from an overloaded machine. So the cost is at most MAX_TIMES_CPU
    times the CPU time, and cheap requests stay cheap.
    """

    def __init__(self) -> None:
        self._wall, self._thread, self._process = _clocks()

    @property
    def milliseconds(self) -> float:
        """The server time so far."""
        wall, thread, process = _clocks()
        elapsed, own = wall - self._wall, thread - self._thread
        all_threads = max(own, process - self._process)
        cost = max(own, elapsed * own / all_threads) if own else 0.0
        if not settings.IS_SQLITE:
            cost = max(cost, elapsed - (all_threads - own))
        return 1000 * min(cost, MAX_TIMES_CPU * own)


def _clocks() -> tuple[float, float, float]:
    return time.monotonic(), time.thread_time(), time.process_time()


@dataclass
class Budget:
    """The server time that one caller can use, in milliseconds; negative after expensive requests."""

    milliseconds: float
    updated_at: float
    running: int = 0


@dataclass(frozen=True)
class Status:
    """What a caller can use now. `wait`: seconds until its next request is admitted, or 0."""

    remaining: int
    wait: int


class Budgets:
    """A token bucket of server time for each caller, refilled at a constant rate.

    A request is admitted while its caller has time left, and costs what it has used when it ends.
    Until then it holds a share of a full budget. So a caller with a full budget can use all threads,
    and a caller that has used it up runs one or two requests at a time.
    """

    def __init__(self, *, per_second: int, burst: int) -> None:
        """`per_second` and `burst` are milliseconds of server time."""
        self.per_second = per_second
        self.burst = burst
        self._held_by_each = burst / MAX_PARALLEL
        self._budgets: OrderedDict[UUID, Budget] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._budgets)

    def admit(self, caller: UUID) -> tuple[Budget, Status]:
        """Return the caller's budget and status. Without a wait, the request is admitted.

        Each admitted request must be passed to `charge` when it ends.
        """
        with self._lock:
            budget = self._budgets.pop(caller, None) or Budget(self.burst, time.monotonic())
            self._budgets[caller] = budget
            if len(self._budgets) > MAX_CALLERS:
                self._budgets.popitem(last=False)
            status = self._status(budget)
            if not status.wait:
                budget.running += 1
        return budget, status

    def charge(self, budget: Budget, cost: float) -> Status:
        """Charge an admitted request that has ended: `cost` milliseconds of server time."""
        with self._lock:
            self._refill(budget)
            budget.running -= 1
            left = budget.milliseconds - max(cost, MIN_COST_MS)
            budget.milliseconds = max(left, MIN_COST_MS - self.burst)
            return self._status(budget)

    def _status(self, budget: Budget) -> Status:
        self._refill(budget)
        available = budget.milliseconds - budget.running * self._held_by_each
        # The longest wait is the time that fills an empty budget.
        missing = min(self.burst, MIN_COST_MS - available)
        wait = math.ceil(missing / self.per_second) if missing > 0 else 0
        return Status(remaining=max(0, math.floor(available)), wait=wait)

    def _refill(self, budget: Budget) -> None:
        now = time.monotonic()
        earned = (now - budget.updated_at) * self.per_second
        budget.milliseconds = min(self.burst, budget.milliseconds + earned)
        budget.updated_at = now


BUDGETS = Budgets(
    per_second=settings.API_MILLISECONDS_PER_SECOND, burst=settings.API_MILLISECONDS_BURST
)


class HasCaller(Protocol):
    """A view that identifies its caller."""

    @property
    def caller_id(self) -> UUID: ...


class ServerTimeThrottle(BaseThrottle):
    """Limits the server time of a caller, as `Budgets` describes.

    The view creates it when a request arrives, so that authentication counts, and calls `charge` when
    it has a response.
    """

    def __init__(self) -> None:
        self._budgets = BUDGETS
        self._stopwatch = Stopwatch()
        self._budget: Budget | None = None
        self._status: Status | None = None
        self._is_running = False

    def allow_request(self, request: Request, view: HasCaller) -> bool:  # type: ignore[override]  # only such views
        self._budget, self._status = self._budgets.admit(view.caller_id)
        self._is_running = not self._status.wait
        return self._is_running

    def wait(self) -> float | None:
        """Return the seconds until a request of the caller is admitted."""
        return self._status.wait if self._status else None

    def charge(self) -> None:
        """Charge the caller for an admitted request, once."""
        if self._budget and self._is_running:
            self._is_running = False
            self._status = self._budgets.charge(self._budget, self._stopwatch.milliseconds)

    @property
    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers-10, if the caller is known.

        `t`, the wait, is only sent when nothing remains: before that, a budget is refilled
        constantly. `qu` can't be sent, because no unit of time is registered.
        """
        status = self._status
        if status is None:
            return {}
        window = self._budgets.burst // self._budgets.per_second
        wait = f";t={status.wait}" if status.wait else ""
        return {
            "RateLimit-Policy": f'"{POLICY}";q={self._budgets.burst};w={window}',
            "RateLimit": f'"{POLICY}";r={status.remaining}{wait}',
        }
