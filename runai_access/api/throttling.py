"""Fair use of the API: no caller takes more than its share of a process.

Counted in the process and not in the database: a write for every request would cost more than what
it guards. So the limit is per process, and generous; it stops a loop gone wild, not a busy client.
"""

import math
import time
from collections import OrderedDict
from threading import Lock
from uuid import UUID

from django.conf import settings

from runai_access.errors import TooMany

MAX_CALLERS = 10_000


class FairUse:
    """A bucket of requests for every caller, filled again at a steady rate."""

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: OrderedDict[UUID, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, caller: UUID) -> None:
        """Take one request out of the caller's bucket; raise TooMany when it is empty."""
        now = time.monotonic()
        with self._lock:
            left, at = self._buckets.pop(caller, (float(self._burst), now))
            left = min(self._burst, left + (now - at) * self._per_second)
            self._buckets[caller] = (max(0.0, left - 1), now) if left >= 1 else (left, now)
            if len(self._buckets) > MAX_CALLERS:
                self._buckets.popitem(last=False)
        if left < 1:
            wait = math.ceil((1 - left) / self._per_second)
            raise TooMany("More requests than one caller's share.", retry_after=wait)


FAIR_USE = FairUse(per_second=settings.API_REQUESTS_PER_SECOND, burst=settings.API_REQUESTS_BURST)
