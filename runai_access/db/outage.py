"""What to do when the database cannot serve: say so once, and connect again."""

import logging

from django.db import connection

from runai_access.db.availability import WRITES

logger = logging.getLogger(__name__)


def handle_outage(error: BaseException) -> None:
    """Log an outage, remember a refused write, and close the connection.

    The next query connects again, and so finds the new primary after a failover.
    """
    WRITES.note(error)
    cause = error.__cause__ or error
    reason = " ".join(str(cause).split())[:300]
    logger.error("The database cannot serve (%s): %s", type(cause).__name__, reason)
    connection.close()
