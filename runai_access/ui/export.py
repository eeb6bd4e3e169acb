"""A table as a file: CSV (RFC 4180, in UTF-8 that Excel opens, with no cell that would run as a
formula), or JSON."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime

import orjson
from django.http import StreamingHttpResponse

ROW_LIMIT = 20_000
_BOM = "\ufeff"
# OWASP, CSV Injection; the last four are the full-width forms that some spreadsheets take as well.
_FORMULA_STARTS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\x00",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)


class _Echo:
    """What csv.writer writes into: it hands each line straight on."""

    def write(self, line: str) -> str:
        return line


def cell(value: object) -> str:
    """Return a value as the text of a cell: harmless, and still readable."""
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield the file line by line."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield _BOM + writer.writerow([cell(title) for title in header])
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def csv_response(
    name: str, header: Iterable[str], rows: Iterable[Iterable[object]], *, is_cut: bool
) -> StreamingHttpResponse:
    """Stream a file; where it does not hold every row, its name and a header say so."""
    return _file(lines(header, rows), f"{name}.csv", "text/csv; charset=utf-8", is_cut=is_cut)


def json_response(name: str, rows: Iterable[object], *, is_cut: bool) -> StreamingHttpResponse:
    """Stream one list, a row on each line; where it does not hold every row, it says so as well."""
    return _file(json_lines(rows), f"{name}.json", "application/json", is_cut=is_cut)


def json_lines(rows: Iterable[object]) -> Iterator[str]:
    """Yield the list line by line."""
    start = "[\n"
    for row in rows:
        yield f"{start}{orjson.dumps(row).decode()}"
        start = ",\n"
    yield "[]\n" if start == "[\n" else "\n]\n"


def _file(
    pieces: Iterable[str], name: str, content_type: str, *, is_cut: bool
) -> StreamingHttpResponse:
    stem, _, end = name.rpartition(".")
    stem = f"{stem}-first-{ROW_LIMIT}-rows" if is_cut else stem
    response = StreamingHttpResponse(_buffered(pieces), content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{stem}.{end}"'
    response.headers["X-Row-Limit"] = str(ROW_LIMIT)
    response.headers["X-Row-Limit-Reached"] = "true" if is_cut else "false"
    return response


def _buffered(pieces: Iterable[str]) -> Iterator[bytes]:
    """Join lines to pieces worth sending; the first goes out at once."""
    waiting: list[str] = []
    length = 0
    size = 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length > size:
            yield "".join(waiting).encode("utf-8", "replace")
            waiting, length, size = [], 0, 16_384
    if waiting:
        yield "".join(waiting).encode("utf-8", "replace")
