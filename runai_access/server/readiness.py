"""Readiness of this process, checked every second in a thread with a separate connection."""

import shutil
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.db import Error, connection

from runai_access.db.availability import WRITES
from runai_access.measurements import READY

EVERY_SECONDS = 1.0
# A result older than this is ignored: the check itself blocks while the database hangs.
STALE_SECONDS = 2.9
# SQLite needs room for its write-ahead log.
MIN_FREE_BYTES = 16 * 1024 * 1024

AWAY = "the database does not answer"
NOT_MIGRATED = "the database is not migrated"
READ_ONLY = "the database is read-only"
FULL = "the disk is full"
NO_WRITES = "the database refuses writes"

_PROBE = """
INSERT INTO api_attemptcount (key, count, expires_at) VALUES ('readiness', 0, CURRENT_TIMESTAMP)
ON CONFLICT (key) DO UPDATE SET count = 1 - api_attemptcount.count
"""


class Readiness:
    """Checks readiness after `start` and holds the last result."""

    def __init__(self) -> None:
        self._problem = AWAY
        self._checked_at = float("-inf")
        self._own: Any = None
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="readiness", daemon=True)

    @property
    def problem(self) -> str:
        """The reason why this process can't serve requests; empty if it can."""
        if time.monotonic() - self._checked_at > STALE_SECONDS:
            return self._problem or AWAY
        return self._problem

    def start(self) -> None:
        """Check immediately, and then every second until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        self._check()
        while not self._stopping.wait(EVERY_SECONDS):
            self._check()
        self._close()

    def _check(self) -> None:
        try:
            self._problem = self._find_problem()
            if self._problem:
                # The next check reconnects, perhaps to a new primary.
                self._close()
        except Exception:  # noqa: BLE001  # also a missing folder; the next check can succeed
            self._problem = AWAY
            with suppress(Exception):
                self._close()
        self._checked_at = time.monotonic()
        READY.set(not self._problem)

    def _find_problem(self) -> str:
        if settings.IS_SQLITE:
            self._close()  # an open connection would still read a file that was moved away
            if _free_bytes() < MIN_FREE_BYTES:
                return FULL
        with self._connection().cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM accessrules_role)")
            if not cursor.fetchone()[0]:
                return NOT_MIGRATED
            if not settings.IS_SQLITE:
                cursor.execute(
                    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool"
                )
                if cursor.fetchone()[0]:
                    return READ_ONLY
            if WRITES.is_failing:
                return self._try_to_write(cursor)
        return ""

    def _try_to_write(self, cursor: Any) -> str:
        """Return NO_WRITES unless a write succeeds; called after a refused write."""
        try:
            cursor.execute(_PROBE)
        except Error:
            return NO_WRITES
        WRITES.note_success()
        return ""

    def _connection(self) -> Any:
        if self._own is None:
            self._own = connection.copy()
        return self._own

    def _close(self) -> None:
        if self._own is not None:
            own, self._own = self._own, None
            own.close()


def _free_bytes() -> int:
    folder = Path(settings.DATABASES["default"]["NAME"]).parent
    return shutil.disk_usage(folder).free
