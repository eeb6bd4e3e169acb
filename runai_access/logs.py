"""How the log reads, and why it stays small while something goes wrong again and again."""

import logging
import time
from collections import OrderedDict
from threading import Lock

from runai_access.security.masking import masked

REPEAT_SECONDS = 60.0
# Lines with a traceback, of one kind, in that time.
TRACEBACKS = 20
MAX_KINDS = 1000


class LineFormatter(logging.Formatter):
    """Names the request that a line is about by its id, counts the lines that were left out before it,
    and masks credentials: an address, or the text of an error, can hold one pasted by mistake."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # of logging.Formatter
        line = super().formatMessage(record)
        left_out = getattr(record, "left_out", 0)
        return f"{line} ({left_out} more like it before)" if left_out else line

    def format(self, record: logging.LogRecord) -> str:
        origin = getattr(getattr(record, "request", None), "origin", None)
        line = super().format(record)
        return masked(f"[{origin.correlation_id}] {line}" if origin else line)


class RepeatFilter(logging.Filter):
    """Lets one line of a kind through in a minute; a later one says how many were left out.

    A kind is the logger, the level, the message before its values are filled in, the `kind` that the
    caller gave as extra, and the place where an exception was raised. So neither an outage nor a
    stranger's requests fill the disk. Errors with a traceback may repeat a little: an answer refers
    to each of them by its request id.
    """

    def __init__(self, *, seconds: float = REPEAT_SECONDS) -> None:
        super().__init__()
        self._seconds = seconds
        self._lock = Lock()
        # Kind -> when its minute began, and how many lines there were since.
        self._kinds: OrderedDict[tuple[object, ...], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        kind, limit = _kind_of(record), TRACEBACKS if record.exc_info else 1
        with self._lock:
            began, count = self._kinds.pop(kind, (now, 0))
            left_out = 0
            if now - began >= self._seconds:
                began, count, left_out = now, 0, max(0, count - limit)
            self._kinds[kind] = (began, count + 1)
            if len(self._kinds) > MAX_KINDS:
                self._kinds.popitem(last=False)
        # The message stays as it is: other handlers get the same record.
        record.left_out = left_out
        return count < limit


class LoggedElsewhere(logging.Filter):
    """Leaves out Django's line for an answer 503: its reason is logged where it is known."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", 0) != 503


def _kind_of(record: logging.LogRecord) -> tuple[object, ...]:
    parts: list[object] = [record.name, record.levelno, record.msg, getattr(record, "kind", "")]
    if record.exc_info and record.exc_info[1] is not None:
        parts.append(type(record.exc_info[1]))
        trace = record.exc_info[2]
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            parts += [trace.tb_frame.f_code.co_filename, trace.tb_lineno]
    return tuple(parts)
