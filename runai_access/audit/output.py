"""Writes each sealed audit row as a line of JSON to a file or to standard output.

A background job, so no request waits for it, and a full disk or a reader that has stopped delays only
itself. Rows are written in the order of their seals. The position is stored after they were written,
so a row is written again rather than lost if the process is killed in between.
"""

import errno
import json
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from runai_access.audit.chain import FIELDS, plain
from runai_access.audit.models import Archive, OutputPosition, Seal
from runai_access.audit.rows import EventRow, rows_by_id
from runai_access.audit.verification import ids_of

STANDARD_OUTPUT = "-"
# Seals that are read at a time.
_BATCH = 50
# How long a reader can leave a pipe full.
WAIT_SECONDS = 1.0
# A pipe that is ready takes this much without blocking (pipe(7), PIPE_BUF).
_PIECE = 4096
_MEMBERS = tuple(name for name in FIELDS if name != "deduplication_key")


class OutputJob:
    """Writes the rows that were sealed since the last run. Raises OSError."""

    def __init__(self) -> None:
        # After a failed write, the next one begins a new line.
        self._is_torn = False

    def __call__(self, should_continue: Callable[[], bool]) -> None:
        while should_continue() and (seals := _next_seals()):
            with _opened(settings.AUDIT_LOG) as descriptor:
                for seal in seals:
                    self._write(descriptor, b"".join(_lines(seal)))
                if settings.AUDIT_LOG != STANDARD_OUTPUT:
                    _flush(descriptor)
            OutputPosition.objects.update_or_create(
                name=OutputPosition.NAME, defaults={"seal": seals[-1]["number"]}
            )

    def _write(self, descriptor: int, text: bytes) -> None:
        if self._is_torn:
            text = b"\n" + text
        self._is_torn = True
        start, until = 0, time.monotonic() + WAIT_SECONDS
        while start < len(text):
            _, ready, _ = select.select([], [descriptor], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError("Nobody reads RUNAI_ACCESS_AUDIT_LOG.")
            start += os.write(descriptor, text[start : start + _PIECE])
        self._is_torn = False


def position() -> int:
    """Return the number of the last seal whose rows were written, or are in an archive."""
    written = OutputPosition.objects.filter(name=OutputPosition.NAME)
    archived = Archive.objects.order_by("-last_seal").values_list("last_seal", flat=True).first()
    return max(written.values_list("seal", flat=True).first() or 0, archived or 0)


def pending() -> Callable[[], bool]:
    """Return a function that says whether a row which is sealed by now is still not written."""
    newest = Seal.objects.order_by("-number").values_list("number", flat=True).first() or 0
    return lambda: position() < newest


def _next_seals() -> list[EventRow]:
    seals = Seal.objects.filter(number__gt=position()).order_by("number")
    return list(seals.values("number", "event_ids")[:_BATCH])


def _lines(seal: EventRow) -> Iterator[bytes]:
    ids = list(ids_of(seal))
    rows = rows_by_id(ids)
    for id_ in (id_ for id_ in ids if id_ in rows):
        row = rows[id_]
        members: dict[str, Any] = {"seal": seal["number"], "id": id_, **plain(row, _MEMBERS)}
        members["source_ip"] = row["source_ip"]
        yield json.dumps(members).encode("ascii") + b"\n"


@contextmanager
def _opened(target: str) -> Iterator[int]:
    if target == STANDARD_OUTPUT:
        yield sys.__stdout__.fileno() if sys.__stdout__ else 1
        return
    # Opened each time, so that the file can be renamed. Opening a pipe does not wait for its reader.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
    descriptor = os.open(target, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _flush(descriptor: int) -> None:
    """Flush a file to disk before its position is stored; a pipe can't be flushed."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
