"""Files of tables: CSV (RFC 4180, UTF-8 with a BOM for Excel, formulas escaped) and JSON."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any, TypeVar

import orjson
from django.db.models import Func, TextField
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from runai_access.compression import allow_compression
from runai_access.lists.formulas import escape_formulas

ROW_LIMIT = 20_000
_BOM = "\ufeff"
_BATCH_SIZE = 100

_Row = TypeVar("_Row")


def within_limit(rows: Iterable[_Row]) -> tuple[list[_Row], bool]:
    """Return the first ROW_LIMIT rows, and whether there are more."""
    first = list(islice(rows, ROW_LIMIT + 1))
    return first[:ROW_LIMIT], len(first) > ROW_LIMIT


class SpreadsheetTime(Func):
    """A time in UTC in a format that spreadsheets sort: `2026-11-29 06:53:09`; NULL stays NULL.

    The database formats it, because Python is much slower. The title of the column names the zone.
    """

    template = "SUBSTR(%(expressions)s, 1, 19)"  # SQLite stores text in UTC
    output_field = TextField()
    _IN_POSTGRESQL = "TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template=self._IN_POSTGRESQL, **extra)


def in_zone(zone: tzinfo) -> Callable[[str | None], str | None]:
    """Return a function that converts a `SpreadsheetTime` from UTC to a time zone."""

    def converted(text: str | None) -> str | None:
        if not text:
            return text
        time = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return time.astimezone(zone).replace(tzinfo=None).isoformat(" ")

    return converted


def cell(value: object) -> str:
    """Return a value as the text of a cell; "" for None."""
    return "" if value is None else escape_formulas(str(value))


def lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield the CSV file: first the header, then batches of lines."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(_BOM)
    writer.writerow([cell(title) for title in header])
    yield buffer.getvalue()
    rows = iter(rows)
    while batch := list(islice(rows, _BATCH_SIZE)):
        buffer.seek(0)
        buffer.truncate()
        writer.writerows([[cell(value) for value in row] for row in batch])
        yield buffer.getvalue()


def csv_response(
    name: str,
    header: Iterable[str],
    rows: Iterable[Iterable[object]],
    *,
    is_cut: bool,
    cut_name: str = "",
) -> StreamingHttpResponse:
    """Stream a CSV file. If rows are missing, a header and the file name say so.

    The file name says `cut_name`, or else that the row limit truncated it.
    """
    name = _cut(name, cut_name) if is_cut else name
    return _file(lines(header, rows), f"{name}.csv", "text/csv; charset=utf-8", is_cut=is_cut)


def json_response(name: str, rows: Iterable[object], *, is_cut: bool) -> StreamingHttpResponse:
    """Stream a JSON list, one row per line. If it is truncated, the file name and a header say so."""
    name = _cut(name) if is_cut else name
    return _file(json_lines(rows), f"{name}.json", "application/json", is_cut=is_cut)


def _cut(name: str, cut_name: str = "") -> str:
    return f"{name}-{cut_name or f'first-{ROW_LIMIT}-rows'}"


def json_lines(rows: Iterable[object]) -> Iterator[str]:
    """Yield the JSON list line by line."""
    separator = "[\n"
    for row in rows:
        yield f"{separator}{orjson.dumps(row).decode()}"
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _file(
    pieces: Iterable[str], name: str, content_type: str, *, is_cut: bool
) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_buffered(pieces), content_type=content_type)
    allow_compression(response)  # lists contain no secret
    response.headers["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=_file_name(name)
    )
    response.headers["X-Row-Limit"] = str(ROW_LIMIT)
    response.headers["X-Row-Limit-Reached"] = "true" if is_cut else "false"
    return response


def _file_name(name: str) -> str:
    """Replace control characters, and path separators, which truncate a name (RFC 6266 §4.3)."""
    return "".join("-" if char in "/\\" or not char.isprintable() else char for char in name)


def _buffered(pieces: Iterable[str]) -> Iterator[bytes]:
    """Join lines into larger chunks; yield the first line immediately."""
    pending: list[str] = []
    length = 0
    size = 0
    for piece in pieces:
        pending.append(piece)
        length += len(piece)
        if length > size:
            yield "".join(pending).encode("utf-8", "replace")
            pending, length, size = [], 0, 16_384
    if pending:
        yield "".join(pending).encode("utf-8", "replace")
