"""Django's PostgreSQL backend, with four additions.

- No request waits forever. The server limits statements and locks, and the client gives up a little
  later: the kernel of a frozen server still acknowledges data.
- It works through PgBouncer in transaction mode, where statements can run in different server sessions.
  It detects such a pooler, and then uses nothing that belongs to a session.
- Query plans suit short queries that stop after one page.
- A migration gives up a lock that it does not get soon, because all requests wait behind it.
"""

from types import ModuleType
from typing import Any, ClassVar, Self, TypeVar

import psycopg
from django.db.backends.postgresql import base, schema
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

RV = TypeVar("RV")

# In milliseconds, as in PostgreSQL. DATABASE_URL can override them: ?statement_timeout=5000.
DEFAULT_LIMITS = {"statement_timeout": 7_000, "lock_timeout": 7_000}
# The server's limit applies first: after its error the connection is still usable.
_GRACE_SECONDS = 1.0
_CHECK_SECONDS = 2.0
_CANCEL_SECONDS = 1.0
# In milliseconds: how long a transaction that changes tables waits for a lock. Requests wait behind it.
# In a deadlock it gives up before PostgreSQL cancels a request, after `deadlock_timeout` (1 s).
MIGRATION_LOCK_TIMEOUT = 500
# Starting parallel workers or JIT costs more than a query that stops after one page. And without
# synchronized scans, sampling always reads the beginning of a table, which is in memory.
_PLANS = {"max_parallel_workers_per_gather": "0", "jit": "off", "synchronize_seqscans": "off"}


class Connection(psycopg.Connection[Any]):
    """A connection that limits each query to `query_seconds`; None means no limit."""

    query_seconds: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Raise OperationalError and close the connection if the server does not respond."""
        if timeout is not None or self.query_seconds is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.query_seconds)
        except _WaitTimeout:
            self._abandon()
            raise psycopg.OperationalError(
                f"The database has not responded for {self.query_seconds:.0f} s."
            ) from None

    def _abandon(self) -> None:
        """Try briefly to cancel the query on the server, then close the connection."""
        self._try_cancel(timeout=_CANCEL_SECONDS)
        self.pgconn.finish()


# Django's backend calls this module `Database`: psycopg with our connection class.
_psycopg = ModuleType("psycopg")
vars(_psycopg).update({**vars(psycopg), "connect": Connection.connect})


class SchemaEditor(schema.DatabaseSchemaEditor):
    """Django's schema editor, which waits for a lock only briefly if it is in a transaction.

    A long query or a backup reads a table; ALTER TABLE waits for it, and everything else for that.
    """

    def __enter__(self) -> Self:
        super().__enter__()
        if self.atomic_migration and not self.collect_sql:
            self.execute(f"SET LOCAL lock_timeout = {MIGRATION_LOCK_TIMEOUT}")
        return self


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's connection wrapper with the additions of this module."""

    Database = _psycopg
    SchemaEditorClass = SchemaEditor
    connection: Any
    # True in server processes: commands and migrations have no limits.
    serves_requests: ClassVar[bool] = False
    # Whether there is a pooler, so that statements can run in different server sessions.
    is_pooled = False

    def get_connection_params(self) -> dict[str, Any]:
        """Return psycopg's parameters, without the limits, which psycopg does not know."""
        parameters: dict[str, Any] = super().get_connection_params()
        return {name: value for name, value in parameters.items() if name not in DEFAULT_LIMITS}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        connection: Connection = super().get_new_connection(conn_params)
        statement_timeout = self._limits()["statement_timeout"]
        if self.serves_requests and statement_timeout:
            connection.query_seconds = statement_timeout / 1000 + _GRACE_SECONDS
        return connection

    def init_connection_state(self) -> None:
        usual, self.connection.query_seconds = self.connection.query_seconds, _CHECK_SECONDS
        try:
            self._init_session()
        finally:
            self.connection.query_seconds = usual

    def _init_session(self) -> None:
        super().init_connection_state()
        with self.connection.cursor() as cursor:
            (backend_pid,) = cursor.execute("SELECT pg_backend_pid()").fetchone() or (None,)
            # A pooler reports a different number to its clients.
            self.is_pooled = backend_pid != self.connection.info.backend_pid
            if self.is_pooled:
                self.connection.prepare_threshold = None
                return
            settings = {**_PLANS, **(self._limits() if self.serves_requests else {})}
            cursor.execute("; ".join(f"SET {name} = {value}" for name, value in settings.items()))

    def chunked_cursor(self) -> Any:
        """Return a cursor for many rows: a server-side one if no other client shares the session."""
        self.ensure_connection()
        is_ours = self.in_atomic_block or not self.is_pooled
        return super().chunked_cursor() if is_ours else self.cursor()

    def is_usable(self) -> bool:
        """Check that the server responds, within a short time."""
        if self.connection is None or not self.serves_requests:
            return bool(super().is_usable())
        usual, self.connection.query_seconds = self.connection.query_seconds, _CHECK_SECONDS
        try:
            return bool(super().is_usable())
        finally:
            self.connection.query_seconds = usual

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]  # unknown to the stubs
        if not autocommit and self.is_pooled and self.serves_requests and self.connection:
            # For this transaction only: the pooler gives the session to another client next.
            with self.wrap_database_errors, self.connection.cursor() as cursor:
                cursor.execute(
                    "; ".join(
                        f"SET LOCAL {name} = {value}" for name, value in self._limits().items()
                    )
                )

    def _limits(self) -> dict[str, int]:
        options = self.settings_dict["OPTIONS"]
        return {name: int(options.get(name, value)) for name, value in DEFAULT_LIMITS.items()}
