"""How a line of the log reads."""

import logging

from runai_access.masking import masked


class LineFormatter(logging.Formatter):
    """Names the request that a line is about by its id, and masks credentials: an address, or the
    text of an error, may hold what somebody pasted into it by mistake."""

    def format(self, record: logging.LogRecord) -> str:
        origin = getattr(getattr(record, "request", None), "origin", None)
        line = super().format(record)
        return masked(f"[{origin.request_id}] {line}" if origin else line)
