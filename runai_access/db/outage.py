"""What to do when the database cannot serve: say so once, and connect again."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from runai_access.db.availability import WRITES, is_unavailable

logger = logging.getLogger(__name__)


def handle_outage(error: BaseException) -> None:
    """Log an outage, remember a refused write, and close the connection.

    The next query connects again, and so finds the new primary after a failover.
    """
    WRITES.note(error)
    cause = error.__cause__ or error
    reason = " ".join(str(cause).split())[:300]
    kind = type(cause).__name__
    logger.error("The database cannot serve (%s): %s", kind, reason, extra={"kind": kind})
    connection.close()


@contextmanager
def best_effort() -> Iterator[None]:
    """Go on without a write that the database refuses or cannot take right now.

    For writes that an answer does not depend on; docs/operations.md lists them.
    """
    try:
        yield
    except Exception as error:
        if not is_unavailable(error):
            raise
        handle_outage(error)
