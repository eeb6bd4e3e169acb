"""Records the use of client secrets: counted in memory, and written every WRITE_SECONDS.

A killed process loses the counts of its last WRITE_SECONDS. It never loses the day of a last use,
because the first use of a secret on a day is written immediately.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from applications.models import AGENT_MAX_LENGTH, ClientSecret, SecretUse
from runai_access.audit.recorder import Origin
from runai_access.db.batches import delete_in_batches
from runai_access.db.outage import best_effort
from runai_access.security.masking import masked

WRITE_SECONDS = 10.0
KEPT_DAYS = 90
# Callers of one secret that are counted separately per day. Those beyond share one row.
MAX_CALLERS = 20
_MAX_BUFFERED = 20_000
_MAX_REMEMBERED = 20_000
_BATCH_SIZE = 500
_ADD_UP = """
INSERT INTO applications_secretuse AS kept (secret_id, day, address, agent, count, last_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (secret_id, day, address, agent) DO UPDATE SET count = kept.count + excluded.count,
last_at = CASE WHEN excluded.last_at > kept.last_at THEN excluded.last_at ELSE kept.last_at END"""
_SET_LAST_USE = """
UPDATE applications_clientsecret SET last_used_at = %s
WHERE id = %s AND (last_used_at IS NULL OR last_used_at < %s)"""


class SecretCaller(NamedTuple):
    """A caller of a secret on a day, in UTC; without address and agent, those beyond MAX_CALLERS."""

    secret_id: str
    day: date
    address: str
    agent: str

    @property
    def other(self) -> "SecretCaller":
        return self._replace(address="", agent="")


class UseCount(NamedTuple):
    """How often a secret was used, and when it was used last."""

    number: int
    last_at: datetime

    def __add__(self, more: "UseCount") -> "UseCount":  # type: ignore[override]  # not a concatenation
        return UseCount(self.number + more.number, max(self.last_at, more.last_at))


Uses = dict[SecretCaller, UseCount]


class UseBuffer:
    """The uses that this process has not written yet."""

    def __init__(self) -> None:
        self._uses: Uses = {}
        self._days: OrderedDict[str, date] = OrderedDict()
        self._lock = Lock()

    def note(self, secret_id: str, origin: Origin, now: datetime) -> None:
        """Count a use. Writes it immediately if it is the first one of the day."""
        caller = SecretCaller(secret_id, now.date(), origin.address or "", agent_of(origin.agent))
        with self._lock:
            known = self._uses.get(caller)
            if known:  # most uses, without the cost of adding two counts
                self._uses[caller] = UseCount(known.number + 1, now)
            else:
                self._add(caller, UseCount(1, now))
            if self._days.get(secret_id) == caller.day:
                return
            self._days[secret_id] = caller.day
            self._days.move_to_end(secret_id)
            while len(self._days) > _MAX_REMEMBERED:
                self._days.popitem(last=False)
            first = {
                key: self._uses.pop(key) for key in [caller, caller.other] if key in self._uses
            }
        # A token must not be refused because of its count. The next regular write tries again.
        with best_effort(), suppress(IntegrityError):  # the secret was deleted meanwhile
            self._write_or_keep(first)

    def write(self, should_continue: Callable[[], bool] = lambda: True) -> None:
        """Write all counts: a background job."""
        with self._lock:
            uses, self._uses = self._uses, {}
        self._write_or_keep(uses)

    def _write_or_keep(self, uses: Uses) -> None:
        try:
            write(uses)
        except BaseException:
            with self._lock:
                for caller, count in uses.items():
                    self._add(caller, count)
            raise

    def _add(self, caller: SecretCaller, count: UseCount) -> None:
        if len(self._uses) >= _MAX_BUFFERED and caller not in self._uses:
            caller = caller.other
        known = self._uses.get(caller)
        self._uses[caller] = known + count if known else count


@lru_cache(maxsize=1000)
def agent_of(header: str) -> str:
    """Return a User-Agent header as it is stored: printable, short, and without credentials."""
    return masked("".join(filter(str.isprintable, header)))[:AGENT_MAX_LENGTH]


def write(uses: Mapping[SecretCaller, UseCount]) -> None:
    """Add these uses to the stored ones, in batches; forget those of deleted secrets."""
    # All processes lock rows in the same order.
    callers = sorted(uses)
    for start in range(0, len(callers), _BATCH_SIZE):
        _write_batch({caller: uses[caller] for caller in callers[start : start + _BATCH_SIZE]})


@transaction.atomic
def _write_batch(uses: Uses) -> None:
    secrets = {caller.secret_id for caller in uses}
    existing = set(ClientSecret.objects.filter(pk__in=secrets).values_list("pk", flat=True))
    uses = _limited({caller: use for caller, use in uses.items() if caller.secret_id in existing})
    last: dict[str, datetime] = {}
    for caller, use in uses.items():
        last[caller.secret_id] = max(use.last_at, last.get(caller.secret_id, use.last_at))
    adapted = connection.ops.adapt_datetimefield_value
    rows = [
        (*caller[:1], connection.ops.adapt_datefield_value(caller.day), *caller[2:], use.number,
         adapted(use.last_at))
        for caller, use in sorted(uses.items())
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_UP, rows)
        cursor.executemany(
            _SET_LAST_USE,
            [(adapted(at), key, adapted(at)) for key, at in sorted(last.items())],
        )


def _limited(uses: Uses) -> Uses:
    """Return the uses with at most MAX_CALLERS callers per secret and day, stored ones included."""
    stored = set(
        SecretUse.objects.filter(
            secret__in={caller.secret_id for caller in uses},
            day__in={caller.day for caller in uses},
        ).values_list("secret_id", "day", "address", "agent")
    )
    counts = Counter((secret_id, day) for secret_id, day, *_ in stored)
    limited: Uses = {}
    for caller, use in uses.items():
        kept = caller
        if tuple(caller) not in stored and kept not in limited:
            counts[caller.secret_id, caller.day] += 1
            if counts[caller.secret_id, caller.day] > MAX_CALLERS:
                kept = caller.other
        known = limited.get(kept)
        limited[kept] = known + use if known else use
    return limited


def delete_old_uses(should_continue: Callable[[], bool] = lambda: True) -> int:
    """Delete uses that are older than KEPT_DAYS, and return how many."""
    since = timezone.now().date() - timedelta(days=KEPT_DAYS)
    return delete_in_batches(SecretUse.objects.filter(day__lt=since), should_continue)


BUFFER = UseBuffer()
