"""Readers of scope files. They report every error with its line, and bound time and memory.

A file has at most MAX_BYTES and MAX_ROWS. YAML is read as events: values stay text, and tags, anchors
and aliases are rejected, so nothing is expanded.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice, pairwise
from pathlib import PurePath
from typing import Any, BinaryIO

import yaml

from accessrules.scope_import.rows import (
    COLUMNS,
    REQUIRED,
    Entry,
    Fault,
    Faults,
    Place,
    SourceRow,
    entry_of,
    shown,
)
from runai_access.lists.formulas import unescape_formulas

MAX_BYTES = 32 * 1024 * 1024
MAX_ROWS = 100_000
_SUFFIXES = {".csv": "csv", ".json": "json", ".yaml": "yaml", ".yml": "yaml"}
# The separator declaration of Excel in the first line of a file.
_SEPARATOR_LINE = re.compile(r'("?)sep=([^"\r\n\0])\1(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_WHITESPACE = re.compile(r"[ \t\r\n]*")

Found = Iterator[SourceRow | Fault]


def format_of(name: str) -> str:
    """Return the format for the extension of a file name, or an empty string."""
    return _SUFFIXES.get(PurePath(name).suffix.lower(), "")


@dataclass(frozen=True)
class Contents:
    """The entries and faults of a file. `broken_ids` are the ids of invalid entries."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    broken_ids: set[str] = field(default_factory=set)


def read(stream: BinaryIO, format_: str) -> Contents:
    """Read a file. Raises Faults if it is too large or not UTF-8."""
    contents = Contents()
    rows = _READERS[format_](_text_of(stream))
    for found, place in _placed(islice(rows, MAX_ROWS)):
        if isinstance(found, Fault):
            contents.faults.append(found)
            continue
        entry, faults = entry_of(found, place)
        contents.faults.extend(faults)
        if entry is not None:
            contents.entries.append(entry)
        else:
            contents.broken_ids.add(found.values.get("id", "").strip())
    if (more := next(rows, None)) is not None:
        message = f"a file can have at most {MAX_ROWS:,} scopes; split it."
        contents.faults.append(Fault(Place(more.line), message))
    return contents


def _placed(rows: Found) -> Iterator[tuple[SourceRow | Fault, Place]]:
    """Yield each row with its place: its number, and its name if entries share a line."""
    number = line_before = 0
    for row, following in pairwise(chain(rows, [None])):
        if isinstance(row, Fault):
            yield row, row.place
        elif row is not None:
            number += 1
            line_after = following.line if isinstance(following, SourceRow) else 0
            shares_line = row.line in (line_before, line_after)
            name = row.values.get("name", "").strip() if shares_line else ""
            yield row, Place(row.line, number, name, shares_line)
            line_before = row.line


def _text_of(stream: BinaryIO) -> str:
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        last = data.count(b"\n") + 1
        limit = MAX_BYTES // 1024 // 1024
        raise Faults([Fault(Place(last), f"a file can have at most {limit} MiB; split it.")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Faults(
            [Fault(Place(line), "not UTF-8; save the file with that encoding.")]
        ) from error


# CSV: a header, then one scope per line.


def _read_csv(text: str) -> Found:
    declared = _SEPARATOR_LINE.match(text)
    if declared:
        first, delimiter, text = 2, declared[2], text[declared.end() :]
    else:
        first, delimiter = 1, _delimiter_of(text)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    line = first
    try:
        header = [name.strip() for name in next(reader, [])]
        if problem := _header_problem(header):
            yield Fault(Place(line), problem)
            return
        columns = [name.lower() for name in header]
        line = first + reader.line_num
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _csv_row(line, columns, cells)
            line = first + reader.line_num
    except csv.Error as error:
        yield Fault(Place(line), f"invalid CSV: {error}.")


def _delimiter_of(text: str) -> str:
    header = text[: text.find("\n")] if "\n" in text else text
    return ";" if header.count(";") > header.count(",") else ","


def _header_problem(header: list[str]) -> str:
    unknown = [name for name in header if name.lower() not in COLUMNS]
    if unknown:
        return f"unknown column {shown(unknown[0])}; the columns are {', '.join(COLUMNS)}."
    names = {name.lower() for name in header}
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        return f"column {missing[0]} is missing; the first line must list the columns."
    if len(names) < len(header):
        return "duplicate column."
    return ""


def _csv_row(line: int, columns: list[str], cells: list[str]) -> SourceRow:
    values = {name: unescape_formulas(cell) for name, cell in zip(columns, cells, strict=False)}
    if len(cells) > len(columns):
        return SourceRow(line, values, f"{len(cells)} cells, but only {len(columns)} columns.")
    return SourceRow(line, values)


# JSON: a list of objects.


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object in order, including duplicates."""


class _NotText:
    """A JSON number or constant; its value is not used."""


def _not_text(_: str) -> _NotText:
    return _NotText()


_NOT_AN_OBJECT = "a scope must be an object with type, name, parent and id."
_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=_not_text, parse_float=_not_text, parse_constant=_not_text
)


def _read_json(text: str) -> Found:
    cursor = _Cursor(text)
    if not cursor.take("["):
        yield Fault(Place(cursor.line), "a JSON file must be a list of scopes, starting with [.")
        return
    if cursor.take("]"):
        yield from _rest(cursor)
        return
    while True:
        cursor.skip()
        line = cursor.line
        try:
            value = cursor.value()
        except json.JSONDecodeError as error:
            yield SourceRow(error.lineno, problem=f"invalid JSON: {error.msg}.")
            return
        except RecursionError:
            yield SourceRow(line, problem="nested too deeply.")
            return
        yield (
            _row_of_pairs(line, value)
            if isinstance(value, _Pairs)
            else SourceRow(line, problem=_NOT_AN_OBJECT)
        )
        if cursor.take("]"):
            yield from _rest(cursor)
            return
        if not cursor.take(","):
            yield SourceRow(cursor.line, problem="invalid JSON: a comma or ] is missing.")
            return


def _rest(cursor: "_Cursor") -> Found:
    cursor.skip()
    if not cursor.is_at_end:
        yield Fault(Place(cursor.line), "unexpected text after the list.")


class _Cursor:
    """A position in a text and its line number."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self.line = 1

    @property
    def is_at_end(self) -> bool:
        return self._position >= len(self._text)

    def skip(self) -> None:
        """Skip whitespace."""
        whitespace = _WHITESPACE.match(self._text, self._position)
        self._move(whitespace.end() if whitespace else self._position)

    def take(self, character: str) -> bool:
        """Skip whitespace and then `character`; return whether it was there."""
        self.skip()
        is_next = self._text.startswith(character, self._position)
        if is_next:
            self._position += 1
        return is_next

    def value(self) -> object:
        """Read the next JSON value."""
        value, end = _DECODER.raw_decode(self._text, self._position)
        self._move(end)
        return value

    def _move(self, position: int) -> None:
        self.line += self._text.count("\n", self._position, position)
        self._position = position


def _row_of_pairs(line: int, pairs: list[tuple[str, Any]]) -> SourceRow:
    values: dict[str, str] = {}
    problem = ""
    for key, value in pairs:
        is_text = value is None or isinstance(value, str)
        if key in values:
            problem = problem or f"duplicate key {shown(key)}."
        elif not is_text:
            problem = problem or f"{shown(key)} must be a string in quotes."
        values.setdefault(key, (value or "") if is_text else "")
    return SourceRow(line, values, problem)


# YAML: a list of mappings.


def _read_yaml(text: str) -> Found:
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    line = 1
    try:
        events: Iterator[Any] = iter(yaml.parse(text, Loader=loader))
        for event in events:
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                yield from _yaml_document(events)
                return
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        yield SourceRow(mark.line + 1 if mark else line, problem=f"invalid YAML: {error.problem}.")
    except yaml.YAMLError:
        place = Place(_line_of_unprintable(text) or line)
        yield Fault(place, "YAML does not allow unprintable characters.")


def _yaml_document(events: Iterator[Any]) -> Found:
    event = next(events)
    if isinstance(event, yaml.ScalarEvent) and not event.value:
        return  # an empty file
    if not isinstance(event, yaml.SequenceStartEvent):
        yield _yaml_fault(
            event, "a YAML file must be a list of scopes, each starting with a hyphen."
        )
        return
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        yield _yaml_row(event, events)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            yield _yaml_fault(event, "a file can have only one document.")
            return


def _yaml_row(begin: Any, events: Iterator[Any]) -> SourceRow:
    line = begin.start_mark.line + 1
    problem = _unsupported_syntax(begin)
    if not isinstance(begin, yaml.MappingStartEvent):
        _skip_node(begin, events)
        return SourceRow(line, problem=problem or "a scope must be a mapping with type and name.")
    values: dict[str, str] = {}
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        key, problem = _yaml_text(event, events, problem)
        value, problem = _yaml_text(next(events), events, problem)
        if key in values:
            problem = problem or f"duplicate key {shown(key)}."
        values.setdefault(key, value)
    return SourceRow(line, values, problem)


def _yaml_text(event: Any, events: Iterator[Any], problem: str) -> tuple[str, str]:
    """Return the text of a scalar, and the first problem so far."""
    problem = problem or _unsupported_syntax(event)
    if not isinstance(event, yaml.ScalarEvent):
        _skip_node(event, events)
        return "", problem or "every value of a scope must be text."
    is_null = event.style is None and event.value in ("null", "Null", "NULL", "~")
    return "" if is_null else event.value, problem


def _unsupported_syntax(event: Any) -> str:
    """Return the problem if the event has an anchor, an alias or a tag."""
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return "anchors and aliases are not supported; repeat the value."
    tag = getattr(event, "tag", None)
    return f"tags are not supported: {shown(tag)}." if tag else ""


def _skip_node(event: Any, events: Iterator[Any]) -> None:
    """Skip the rest of the node that starts with `event`."""
    depth = 0
    while True:
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth == 0:
            return
        event = next(events)


def _yaml_fault(event: Any, message: str) -> Fault:
    return Fault(Place(event.start_mark.line + 1), message)


def _line_of_unprintable(text: str) -> int:
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 0


_READERS: dict[str, Callable[[str], Found]] = {
    "csv": _read_csv,
    "json": _read_json,
    "yaml": _read_yaml,
}
FORMATS = tuple(_READERS)
