"""Leases: locks held by one process at a time, which expire soon after their holder is killed.

On PostgreSQL a lease is a row with a name, an owner and an expiry. It needs no session and no open
transaction. So it works through PgBouncer in transaction mode, and CREATE INDEX CONCURRENTLY never
waits for it. The database's clock decides what has expired. SQLite serves a single machine: there a
lease is a locked file next to the database.

A lease has no fencing token. A holder that was frozen for longer than the expiry can overlap with its
successor until it checks `is_held`. Work that must never overlap also needs a database lock.
"""

import logging
import os
import secrets
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from threading import Event, Thread
from typing import Any

from django.apps.registry import Apps
from django.db import Error, IntegrityError, ProgrammingError, models
from django.db.backends.base.base import BaseDatabaseWrapper

EXPIRY_SECONDS = 30.0
# At least two renewals can fail before the lease expires.
RENEWAL_SECONDS = 8.0
# How long `release` waits for a renewal in progress.
_JOIN_SECONDS = 2.0
_NEVER = float("-inf")
_TABLE = "runai_access_lease"

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The lease was not renewed in time, so another process can hold it."""


class LeaseRow(models.Model):
    """A lease on PostgreSQL. No migration creates the table: the first migration already needs it."""

    name = models.CharField(max_length=64, primary_key=True)
    owner = models.CharField(max_length=255)
    expires_at = models.DateTimeField()

    class Meta:
        apps = Apps()
        app_label = "leases"
        db_table = _TABLE

    def __str__(self) -> str:
        return f"{self.name} held by {self.owner}"


class Lease(ABC):
    """A lock held by one process at a time. Use each object from a single thread."""

    @property
    @abstractmethod
    def is_held(self) -> bool:
        """Whether this object currently holds the lease. Does not query the database."""

    @abstractmethod
    def try_acquire(self) -> bool:
        """Take the lease if it is free, without waiting; return whether it is held."""

    @abstractmethod
    def release(self) -> None:
        """Release the lease if it is held, and close its file or connection."""

    @abstractmethod
    def holder(self) -> str:
        """Return the name of the process that holds the lease, or ""."""

    def require_held(self) -> None:
        """Raise LeaseLost unless the lease is held."""
        if not self.is_held:
            raise LeaseLost


def lease_for(
    connection: BaseDatabaseWrapper,
    name: str,
    *,
    expiry: float = EXPIRY_SECONDS,
    renewal: float = RENEWAL_SECONDS,
) -> Lease:
    """Return the lease of that name on the database of `connection`."""
    if connection.vendor == "sqlite":
        database = Path(connection.settings_dict["NAME"]).resolve()
        return FileLease(database.with_name(f"{database.name}.{name}.lock"))
    return DatabaseLease(connection, name, expiry=expiry, renewal=renewal)


class FileLease(Lease):
    """A lease between the processes of one machine: a locked file, which is never removed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        return self._descriptor is not None

    def try_acquire(self) -> bool:
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, _new_owner().encode(), 0)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)  # releases the lock
            self._descriptor = None

    def holder(self) -> str:
        """Return the name of the process that holds the lease, or that held it last."""
        return self._path.read_text(errors="replace") if self._path.exists() else ""


class DatabaseLease(Lease):
    """A lease between all processes of one PostgreSQL database: a row that a thread renews.

    It has a separate connection. Only the thread uses it while the lease is held; only the caller
    uses it before and after.
    """

    def __init__(
        self, connection: BaseDatabaseWrapper, name: str, *, expiry: float, renewal: float
    ) -> None:
        self._name, self._owner = name, _new_owner()
        self._expiry, self._renewal = expiry, renewal
        self._held_until = _NEVER
        self._releasing = Event()
        self._renewer: Thread | None = None
        self._connection = connection.copy()
        self._connection.inc_thread_sharing()

    @property
    def is_held(self) -> bool:
        return time.monotonic() < self._held_until

    def try_acquire(self) -> bool:
        if self.is_held:
            return True
        if self._renewer is not None and self._renewer.is_alive():
            return False  # lost, and the thread is still waiting for the database
        # Measured before the statement, so that our expiry is never later than the database's.
        expires = time.monotonic() + self._expiry
        if not self._insert():
            return False
        self._held_until = expires
        self._releasing.clear()
        self._renewer = Thread(target=self._renew, name=f"lease {self._name}", daemon=True)
        self._renewer.start()
        return True

    def release(self) -> None:
        self._releasing.set()
        was_acquired, self._held_until = self._held_until > _NEVER, _NEVER
        if self._renewer is not None:
            self._renewer.join(_JOIN_SECONDS)
            if self._renewer.is_alive():
                return  # the database does not respond: the lease expires
        try:
            if was_acquired:
                self._execute(
                    "DELETE FROM runai_access_lease WHERE name = %s AND owner = %s",
                    [self._name, self._owner],
                )
        except Error as error:
            logger.warning(
                "A lease could not be released and expires later: %s", str(error).strip()
            )
        finally:
            self._connection.close()

    def holder(self) -> str:
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT owner FROM runai_access_lease"
                " WHERE name = %s AND expires_at > clock_timestamp()",
                [self._name],
            )
            row = cursor.fetchone()
        return row[0] if row else ""

    def _insert(self) -> bool:
        """Write the row unless another owner holds an unexpired lease; return whether we hold it."""
        statement = (
            "INSERT INTO runai_access_lease AS lease (name, owner, expires_at)"
            " VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s))"
            " ON CONFLICT (name) DO UPDATE"
            " SET owner = EXCLUDED.owner, expires_at = EXCLUDED.expires_at"
            " WHERE lease.expires_at <= clock_timestamp() OR lease.owner = EXCLUDED.owner"
        )
        parameters = [self._name, self._owner, self._expiry]
        try:
            return self._execute(statement, parameters) == 1
        except ProgrammingError:  # most likely the table does not exist
            self._ensure_table()
        return self._execute(statement, parameters) == 1

    def _renew(self) -> None:
        """Renew until the lease is released or lost; the body of the thread."""
        while not self._releasing.wait(self._renewal) and self.is_held:
            expires = time.monotonic() + self._expiry
            try:
                # No INSERT: if the row is gone, another process had the lease in the meantime.
                renewed = self._execute(
                    "UPDATE runai_access_lease"
                    " SET expires_at = clock_timestamp() + make_interval(secs => %s)"
                    " WHERE name = %s AND owner = %s",
                    [self._expiry, self._name, self._owner],
                )
            except Error:
                continue  # the next renewal can still succeed in time
            if self._releasing.is_set():
                return
            self._held_until = expires if renewed else _NEVER

    def _execute(self, statement: str, parameters: Sequence[Any]) -> int:
        """Run a statement in a separate transaction; return the number of rows it wrote."""
        # As Django does between requests: reconnect if the database closed the connection.
        self._connection.close_if_unusable_or_obsolete()
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return int(cursor.rowcount)
        except Error:
            self._connection.close()
            raise

    def _ensure_table(self) -> None:
        """Create the table of leases if it is missing, as Django does for the table of migrations."""
        if self._has_table():
            return
        try:
            # Not atomic: Django would begin the transaction on another connection.
            with self._connection.schema_editor(atomic=False) as editor:
                editor.create_model(LeaseRow)
        except (IntegrityError, ProgrammingError):
            if not self._has_table():  # else another process has just created it
                raise

    def _has_table(self) -> bool:
        with self._connection.cursor() as cursor:
            return _TABLE in self._connection.introspection.table_names(cursor)


def _new_owner() -> str:
    """Return a unique name for this holder, with which an admin can find the process."""
    host = socket.gethostname()[:200]
    return f"process {os.getpid()} on {host} ({secrets.token_hex(4)})"
