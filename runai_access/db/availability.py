"""Database availability: classifies errors, and remembers refused writes."""

import sqlite3

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError
from psycopg.errors import DiskFull, ReadOnlySqlTransaction

_SQLITE_WRITE_ERRORS = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_CANTOPEN")


def is_unavailable(error: BaseException | None) -> bool:
    """Return whether an error means that the database is currently unavailable.

    It is down, frozen, overloaded, full, or read-only like a demoted primary. Django raises
    InternalError for a read-only database.
    """
    return isinstance(error, OperationalError | InterfaceError) or is_refused_write(error)


def is_refused_write(error: BaseException | None) -> bool:
    """Return whether the database refused a write because it is read-only or full."""
    cause = error.__cause__ if isinstance(error, DatabaseError) else None
    if isinstance(cause, psycopg.Error):
        return isinstance(cause, ReadOnlySqlTransaction | DiskFull)
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorname", "").startswith(_SQLITE_WRITE_ERRORS)
    return False


class WriteHealth:
    """Remembers a refused write until a write succeeds. One instance per process."""

    def __init__(self) -> None:
        self.is_failing = False

    def note(self, error: BaseException) -> None:
        """Remember a database error if it is a refused write."""
        if is_refused_write(error):
            self.is_failing = True

    def note_success(self) -> None:
        self.is_failing = False


WRITES = WriteHealth()
