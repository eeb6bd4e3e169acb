"""Is the database able to serve? Which errors say that it is not, and how that is remembered."""

import sqlite3

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError
from psycopg.errors import DiskFull, ReadOnlySqlTransaction

_SQLITE_WRITE_ERRORS = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_CANTOPEN")


def is_unavailable(error: BaseException | None) -> bool:
    """Return whether an error means that the database cannot serve right now.

    It is away, frozen, overloaded or full, or it is read-only, as a demoted primary is: Django calls
    the last an InternalError.
    """
    return isinstance(error, OperationalError | InterfaceError) or is_refused_write(error)


def is_refused_write(error: BaseException | None) -> bool:
    """Return whether the database refused a write although it answers: it is read-only or full."""
    cause = error.__cause__ if isinstance(error, DatabaseError) else None
    if isinstance(cause, psycopg.Error):
        return isinstance(cause, ReadOnlySqlTransaction | DiskFull)
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorname", "").startswith(_SQLITE_WRITE_ERRORS)
    return False


class WriteHealth:
    """Remembers a refused write until one succeeds; each process has its own."""

    def __init__(self) -> None:
        self.is_failing = False

    def note(self, error: BaseException) -> None:
        """Note an error of the database, whatever it is."""
        if is_refused_write(error):
            self.is_failing = True

    def note_success(self) -> None:
        self.is_failing = False


WRITES = WriteHealth()
