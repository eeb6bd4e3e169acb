"""Handling of database outages: log once, and reconnect."""

import logging

from django.db import connection

from runai_access.db.availability import WRITES, is_unavailable
from runai_access.measurements import DATABASE_ERRORS

logger = logging.getLogger(__name__)


def handle_outage(error: BaseException) -> None:
    """Log an outage, remember a refused write, and close the connection.

    The next query reconnects, so it reaches the new primary after a failover.
    """
    WRITES.note(error)
    cause = error.__cause__ or error
    reason = " ".join(str(cause).split())[:300]
    kind = type(cause).__name__
    DATABASE_ERRORS.labels(kind).inc()
    logger.error("The database is unavailable (%s): %s", kind, reason, extra={"kind": kind})
    connection.close()


class best_effort:  # noqa: N801  # used like contextlib.suppress
    """Continue without a write if the database is unavailable.

    For writes that the response does not depend on; docs/operations.md lists them.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, traceback: object) -> bool:
        if error is None or not is_unavailable(error):
            return False
        handle_outage(error)
        return True
