"""Verifies a file that `archive` wrote; needs only the secret key."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from runai_access.audit.chain import columns_of
from runai_access.audit.rows import EventRow
from runai_access.audit.verification import Report, ids_of, row_faults, seal_faults, seals_missing

# Never changes: existing files contain it.
# Never changes: existing files contain it.
FORMAT = "runai-access audit record 1"


def verify_file(path: Path, expected: tuple[int, str] | None = None) -> Report:
    """Read a whole file and report its faults. Raises OSError.

    `expected` is the number and hash of a seal that the file must contain.
    """
    reader = _Reader(expected)
    for number, line in _parsed(path):
        if line is None or not reader.accept(line):
            reader.report.fault(f"Line {number} can't be read.")
    reader.finish()
    return reader.report


def _parsed(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    with path.open(encoding="ascii", errors="replace") as stream:
        for number, text in enumerate(stream, 1):
            try:
                line = json.loads(text)
            except ValueError:
                line = None
            yield number, line if isinstance(line, dict) else None


class _Reader:
    """Verifies the lines of a file, one after the other."""

    def __init__(self, expected: tuple[int, str] | None) -> None:
        self.report = Report(archives=1)
        self._expected, self._is_found = expected, expected is None
        self._last: tuple[int, str] | None = None
        self._seal: EventRow | None = None
        self._rows: dict[int, EventRow] = {}
        self._is_closed = False

    def accept(self, line: Any) -> bool:
        """Process one line; return whether it is valid in this place."""
        try:
            match line:
                case {"archive": format_, "first_seal": int(), "previous": str()}:
                    self._last = line["first_seal"] - 1, line["previous"]
                    self.report.start = self._last
                    return bool(format_ == FORMAT)
                case {"seal": dict()} if self._last is not None:
                    self._begin_seal(line["seal"])
                case {"event": dict()} if self._last is not None:
                    event = line["event"]
                    time = datetime.fromisoformat(event["time"])
                    self._rows[event["id"]] = {**columns_of(event), "time": time}
                case {"end": dict()}:
                    self._close(line["end"])
                case _:
                    return False
        except (KeyError, ValueError, TypeError):
            return False
        return True

    def finish(self) -> None:
        """Report faults that are known only at the end of the file."""
        if not self._is_closed:
            self.report.fault("The file is truncated: its last line is missing.")
        if self._expected and not self._is_found:
            number, hash_ = self._expected
            self.report.fault(f"The file does not contain seal {number}:{hash_}.")

    def _begin_seal(self, seal: dict[str, Any]) -> None:
        self._finish_seal()
        number, previous = self._last or (0, "")
        is_next = seal["number"] == number + 1
        faults = seal_faults(seal)
        if not is_next:
            self.report.fault(seals_missing(number + 1, seal["number"] - 1))
        elif not faults and seal["previous"] != previous:
            faults = [f"Seal {seal['number']} does not follow seal {number}: it was replaced."]
        for fault in faults:
            self.report.fault(fault)
        self._seal = None if faults else seal
        self._last = self.report.head = seal["number"], seal["hash"]
        self._is_found = self._is_found or self._last == self._expected
        self.report.seals += 1

    def _finish_seal(self) -> None:
        seal, rows = self._seal, self._rows
        self._seal, self._rows = None, {}
        self.report.events += len(rows)
        if seal is None:
            return
        ids = list(ids_of(seal))
        for fault in row_faults(seal, ids, rows):
            self.report.fault(fault)
        for id_ in sorted(rows.keys() - set(ids)):
            self.report.fault(f"Row {id_} is in no seal of this file.")

    def _close(self, end: dict[str, Any]) -> None:
        self._finish_seal()
        self._is_closed = True
        if (end["events"], end["head"]) != (self.report.events, self.report.head[1]):
            self.report.fault("The last line of the file does not match the lines before it.")
