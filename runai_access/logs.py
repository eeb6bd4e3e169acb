"""Log formats, and a filter that limits repeated lines during an outage or an attack."""

import json
import logging
import time
from collections import OrderedDict
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from runai_access.security.masking import masked

REPEAT_SECONDS = 60.0
# Lines of one kind with a traceback in that time.
TRACEBACKS = 20
MAX_KINDS = 1000


class LineFormatter(logging.Formatter):
    """Adds the request ID and the number of suppressed lines, and masks credentials.

    A URL or an error message can contain a credential that was pasted by mistake.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # of logging.Formatter
        line = super().formatMessage(record)
        suppressed = getattr(record, "suppressed", 0)
        return f"{line} ({suppressed} similar lines suppressed)" if suppressed else line

    def format(self, record: logging.LogRecord) -> str:
        origin = _origin_of(record)
        line = super().format(record)
        return masked(f"[{origin.correlation_id}] {line}" if origin else line)


class JSONFormatter(logging.Formatter):
    """Writes each record as one line of JSON, with credentials masked.

    The members that a record passes as `members` in `extra` are added.
    """

    def format(self, record: logging.LogRecord) -> str:
        time_ = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        members: dict[str, object] = {
            "time": time_,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if origin := _origin_of(record):
            members["request_id"] = origin.correlation_id
            if origin.trace_id:
                members["trace_id"] = origin.trace_id
        members.update(getattr(record, "members", {}))
        if suppressed := getattr(record, "suppressed", 0):
            members["suppressed"] = suppressed
        if record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        texts = {name: masked(text) for name, text in members.items() if isinstance(text, str)}
        return json.dumps({**members, **texts}, default=str)


def _origin_of(record: logging.LogRecord) -> Any:
    return getattr(getattr(record, "request", None), "origin", None)


class RepeatFilter(logging.Filter):
    """Passes one line of each kind per minute; the next one reports how many were suppressed.

    A kind is the logger, the level, the message before formatting, the `kind` given in `extra`, and the
    place where an exception was raised. So neither an outage nor an attack fills the disk. Up to
    TRACEBACKS errors with a traceback pass: a response refers to each by its request ID.
    """

    def __init__(self, *, seconds: float = REPEAT_SECONDS) -> None:
        super().__init__()
        self._seconds = seconds
        self._lock = Lock()
        # Kind -> start of its minute, and number of lines since.
        self._kinds: OrderedDict[tuple[object, ...], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        kind, limit = _kind_of(record), TRACEBACKS if record.exc_info else 1
        with self._lock:
            began, count = self._kinds.pop(kind, (now, 0))
            suppressed = 0
            if now - began >= self._seconds:
                began, count, suppressed = now, 0, max(0, count - limit)
            self._kinds[kind] = (began, count + 1)
            if len(self._kinds) > MAX_KINDS:
                self._kinds.popitem(last=False)
        # Not added to the message: other handlers get the same record.
        record.suppressed = suppressed
        return count < limit


class LoggedElsewhere(logging.Filter):
    """Drops Django's line for a 503 response: its cause is logged elsewhere."""

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
