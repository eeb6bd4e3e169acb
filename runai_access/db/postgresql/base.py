"""Django's PostgreSQL backend, with three additions.

- No request waits for ever: statements and locks have a limit on the server, and the client gives up
  a little later, because the kernel of a frozen server still acknowledges what is sent to it.
- It works through PgBouncer in transaction mode, where a session of the client is not one of the
  server: such a pooler is detected, and nothing that belongs to a session is used then.
- Plans suit short queries that stop after a page.
"""

from types import ModuleType
from typing import Any, ClassVar, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

RV = TypeVar("RV")

# Milliseconds, as PostgreSQL counts them. DATABASE_URL can name others: ?statement_timeout=5000.
DEFAULT_LIMITS = {"statement_timeout": 7_000, "lock_timeout": 7_000}
# The server's own limit comes first: its error leaves the connection usable.
_GRACE_SECONDS = 1.0
_CHECK_SECONDS = 2.0
_CANCEL_SECONDS = 1.0
# Parallel workers and compilation take longer to start than a query that stops after a page. And a
# sample of rows is always the same one, from the beginning of the table, which is in memory.
_PLANS = {"max_parallel_workers_per_gather": "0", "jit": "off", "synchronize_seqscans": "off"}


class Connection(psycopg.Connection[Any]):
    """A connection on which nothing takes longer than `query_seconds`; None means no limit."""

    query_seconds: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Raise OperationalError, and close the connection, when the server does not answer."""
        if timeout is not None or self.query_seconds is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.query_seconds)
        except _WaitTimeout:
            self._abandon()
            raise psycopg.OperationalError(
                f"The database has not answered for {self.query_seconds:.0f} s."
            ) from None

    def _abandon(self) -> None:
        """Close the connection; ask the server, briefly, to end the query that nobody waits for."""
        self._try_cancel(timeout=_CANCEL_SECONDS)
        self.pgconn.finish()


# What Django's backend calls `Database`: psycopg, but for the kind of connection.
_psycopg = ModuleType("psycopg")
vars(_psycopg).update({**vars(psycopg), "connect": Connection.connect})


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of Django's, with the additions of this module."""

    Database = _psycopg
    connection: Any
    # Set in the processes that answer requests: commands and migrations take as long as they take.
    serves_requests: ClassVar[bool] = False
    # Whether a pooler is between, so that two statements can run in two sessions of the server.
    is_pooled = False

    def get_connection_params(self) -> dict[str, Any]:
        """Return what psycopg takes: without the limits, which are no parameters of a connection."""
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
            # A pooler tells its clients another number.
            self.is_pooled = backend_pid != self.connection.info.backend_pid
            if self.is_pooled:
                self.connection.prepare_threshold = None
                return
            settings = {**_PLANS, **(self._limits() if self.serves_requests else {})}
            cursor.execute("; ".join(f"SET {name} = {value}" for name, value in settings.items()))

    def chunked_cursor(self) -> Any:
        """Return a cursor for many rows: on the server, where its session is ours alone."""
        self.ensure_connection()
        is_ours = self.in_atomic_block or not self.is_pooled
        return super().chunked_cursor() if is_ours else self.cursor()

    def is_usable(self) -> bool:
        """Ask the server whether it still answers, and wait for that only shortly."""
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
            # For this transaction only: the session behind the pooler is somebody else's next.
            with self.wrap_database_errors, self.connection.cursor() as cursor:
                cursor.execute(
                    "; ".join(
                        f"SET LOCAL {name} = {value}" for name, value in self._limits().items()
                    )
                )

    def _limits(self) -> dict[str, int]:
        options = self.settings_dict["OPTIONS"]
        return {name: int(options.get(name, value)) for name, value in DEFAULT_LIMITS.items()}
