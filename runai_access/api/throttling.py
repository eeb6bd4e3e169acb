"""Rate limiting of the API: a token bucket per caller and process.

Counts are in memory, because a database write per request would cost more than it saves. The limit is
generous: it stops runaway loops, not busy clients.
"""

import math
import time
from collections import OrderedDict
from threading import Lock
from uuid import UUID

from django.conf import settings

from runai_access.errors import TooMany

MAX_CALLERS = 10_000


class RateLimiter:
    """A token bucket for each caller, refilled at a constant rate."""

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: OrderedDict[UUID, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, caller: UUID) -> None:
        """Count a request of the caller. Raises TooMany if its bucket is empty."""
        now = time.monotonic()
        with self._lock:
            tokens, updated_at = self._buckets.pop(caller, (float(self._burst), now))
            tokens = min(self._burst, tokens + (now - updated_at) * self._per_second)
            self._buckets[caller] = (max(0.0, tokens - 1), now) if tokens >= 1 else (tokens, now)
            if len(self._buckets) > MAX_CALLERS:
                self._buckets.popitem(last=False)
        if tokens < 1:
            wait = math.ceil((1 - tokens) / self._per_second)
            raise TooMany("You exceeded the rate limit of the API.", retry_after=wait)


RATE_LIMITER = RateLimiter(
    per_second=settings.API_REQUESTS_PER_SECOND, burst=settings.API_REQUESTS_BURST
)
