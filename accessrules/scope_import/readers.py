"""Reading scopes from a file: every fault is found with its line, and no file takes long or much.

A file has at most MAX_BYTES and MAX_ROWS. YAML is read as events: values are taken as the texts
that they are written as, and tags, anchors and aliases are refused, so nothing is ever expanded.
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
# Excel's way to name the separator, as the first line of a file.
_SEPARATOR_LINE = re.compile(r'("?)sep=([^"\r\n\0])\1(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_BETWEEN = re.compile(r"[ \t\r\n]*")

Found = Iterator[SourceRow | Fault]


def format_of(name: str) -> str:
    """Return the format that a file's name ends with, or nothing."""
    return _SUFFIXES.get(PurePath(name).suffix.lower(), "")


@dataclass(frozen=True)
class Contents:
    """The scopes that a file names, and what is wrong with it; `broken_ids` are of faulty ones."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    broken_ids: set[str] = field(default_factory=set)


def read(stream: BinaryIO, format_: str) -> Contents:
    """Return what a file says. Raises Faults where it can't be read: too large, or not UTF-8."""
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
        message = f"a file names at most {MAX_ROWS:,} scopes; divide it."
        contents.faults.append(Fault(Place(more.line), message))
    return contents


def _placed(rows: Found) -> Iterator[tuple[SourceRow | Fault, Place]]:
    """Yield each row with its place: entries are numbered, and named where they share a line."""
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
        most = MAX_BYTES // 1024 // 1024
        raise Faults([Fault(Place(last), f"A file has at most {most} MiB; divide it.")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Faults(
            [Fault(Place(line), "This is not UTF-8; save the file in that encoding.")]
        ) from error


# CSV: a header, then a scope on each line.


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
        yield Fault(Place(line), f"This is not CSV: {error}.")


def _delimiter_of(text: str) -> str:
    header = text[: text.find("\n")] if "\n" in text else text
    return ";" if header.count(";") > header.count(",") else ","


def _header_problem(header: list[str]) -> str:
    unknown = [name for name in header if name.lower() not in COLUMNS]
    if unknown:
        return f"There is no column {shown(unknown[0])}; they are {', '.join(COLUMNS)}."
    names = {name.lower() for name in header}
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        return f"The column {missing[0]} is missing; the first line names the columns."
    if len(names) < len(header):
        return "A column is named twice."
    return ""


def _csv_row(line: int, columns: list[str], cells: list[str]) -> SourceRow:
    values = {name: unescape_formulas(cell) for name, cell in zip(columns, cells, strict=False)}
    if len(cells) > len(columns):
        return SourceRow(line, values, f"There are {len(cells)} cells, and {len(columns)} columns.")
    return SourceRow(line, values)


# JSON: a list of objects.


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, as they stand there."""


class _NoText:
    """What a JSON number is read as: its value is of no use here."""


def _no_text(_: str) -> _NoText:
    return _NoText()


_NO_OBJECT = "This is not a scope: an object with type, name, parent and id."
_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=_no_text, parse_float=_no_text, parse_constant=_no_text
)


def _read_json(text: str) -> Found:
    cursor = _Cursor(text)
    if not cursor.take("["):
        yield Fault(Place(cursor.line), "A JSON file is a list of scopes: it begins with [.")
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
            yield SourceRow(error.lineno, problem=f"This is not JSON: {error.msg}.")
            return
        except RecursionError:
            yield SourceRow(line, problem="This is nested too deeply.")
            return
        yield (
            _row_of_pairs(line, value)
            if isinstance(value, _Pairs)
            else SourceRow(line, problem=_NO_OBJECT)
        )
        if cursor.take("]"):
            yield from _rest(cursor)
            return
        if not cursor.take(","):
            yield SourceRow(cursor.line, problem="This is not JSON: a comma or ] is missing.")
            return


def _rest(cursor: "_Cursor") -> Found:
    cursor.skip()
    if not cursor.is_at_end:
        yield Fault(Place(cursor.line), "There is something behind the list.")


class _Cursor:
    """Where reading a text stands, and on which line that is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self.line = 1

    @property
    def is_at_end(self) -> bool:
        return self._position >= len(self._text)

    def skip(self) -> None:
        """Go past what JSON allows between two things."""
        between = _BETWEEN.match(self._text, self._position)
        self._go(between.end() if between else self._position)

    def take(self, character: str) -> bool:
        """Go past this character, if it comes next."""
        self.skip()
        comes = self._text.startswith(character, self._position)
        if comes:
            self._position += 1
        return comes

    def value(self) -> object:
        """Return the JSON value that comes next, and go past it."""
        value, end = _DECODER.raw_decode(self._text, self._position)
        self._go(end)
        return value

    def _go(self, position: int) -> None:
        self.line += self._text.count("\n", self._position, position)
        self._position = position


def _row_of_pairs(line: int, pairs: list[tuple[str, Any]]) -> SourceRow:
    values: dict[str, str] = {}
    problem = ""
    for key, value in pairs:
        is_text = value is None or isinstance(value, str)
        if key in values:
            problem = problem or f"{shown(key)} is said twice."
        elif not is_text:
            problem = problem or f"{shown(key)} must be a text in quotes."
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
        yield SourceRow(
            mark.line + 1 if mark else line, problem=f"This is not YAML: {error.problem}."
        )
    except yaml.YAMLError:
        place = Place(_line_of_unprintable(text) or line)
        yield Fault(place, "YAML allows no character that doesn't print.")


def _yaml_document(events: Iterator[Any]) -> Found:
    event = next(events)
    if isinstance(event, yaml.ScalarEvent) and not event.value:
        return  # an empty file
    if not isinstance(event, yaml.SequenceStartEvent):
        yield _yaml_fault(event, "A YAML file is a list of scopes: each begins with a hyphen.")
        return
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        yield _yaml_row(event, events)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            yield _yaml_fault(event, "There is a second document; a file has one.")
            return


def _yaml_row(begin: Any, events: Iterator[Any]) -> SourceRow:
    line = begin.start_mark.line + 1
    problem = _meaning_more(begin)
    if not isinstance(begin, yaml.MappingStartEvent):
        _go_past(begin, events)
        return SourceRow(
            line, problem=problem or "This is not a scope: a mapping with type and name."
        )
    values: dict[str, str] = {}
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        key, problem = _yaml_text(event, events, problem)
        value, problem = _yaml_text(next(events), events, problem)
        if key in values:
            problem = problem or f"{shown(key)} is said twice."
        values.setdefault(key, value)
    return SourceRow(line, values, problem)


def _yaml_text(event: Any, events: Iterator[Any], problem: str) -> tuple[str, str]:
    """Return the text that this is, and what is wrong so far."""
    problem = problem or _meaning_more(event)
    if not isinstance(event, yaml.ScalarEvent):
        _go_past(event, events)
        return "", problem or "Every value of a scope is a text."
    is_nothing = event.style is None and event.value in ("null", "Null", "NULL", "~")
    return "" if is_nothing else event.value, problem


def _meaning_more(event: Any) -> str:
    """Return why this is not taken as it is written, if so."""
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return "Anchors and aliases are not read; write the value out."
    tag = getattr(event, "tag", None)
    return f"Tags are not read: {shown(tag)}." if tag else ""


def _go_past(event: Any, events: Iterator[Any]) -> None:
    """Go to the end of a list or mapping that begins here."""
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
