"""Entries of a scope file: their validation, and the faults reported for them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from accessrules.models import Scope
from accessrules.validators import check_name, check_scope_id
from runai_access.db.normalization import stored_form
from runai_access.errors import DomainError

COLUMNS = ("id", "type", "name", "parent")
REQUIRED = ("type", "name")
TYPES = {type_.value: type_ for type_ in Scope.CHILD_TYPE.values() if type_ != Scope.Type.TENANT}
_MAX_SHOWN_LENGTH = 60


@dataclass(frozen=True, order=True)
class Place:
    """A place in the file. Line 0 means that the scope is not in the file.

    `entry` is the number of the entry, or 0 for the whole file. It is shown, with the entry's name, if
    the line has several entries, as in minified JSON.
    """

    line: int = 0
    entry: int = 0
    name: str = field(default="", compare=False)
    shares_line: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        if not self.line:
            return "not in the file"
        if not self.shares_line:
            return f"line {self.line}"
        name = f" ({shown(self.name)})" if self.name else ""
        return f"line {self.line}, entry {self.entry}{name}"


@dataclass(frozen=True)
class Fault:
    """An error in the file, and its place."""

    place: Place
    message: str

    @property
    def line(self) -> int:
        return self.place.line

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Faults(DomainError):
    """The file can't be imported. Lists every fault, ordered by place."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.place)
        count = len(self.faults)
        head = f"{count} error{'s' if count > 1 else ''}; nothing was changed."
        super().__init__("\n".join([head, *(f"  {fault}" for fault in self.faults)]))


@dataclass(frozen=True, eq=False)
class Entry:
    """A scope in the file. Without an `id`, its parent and name identify it."""

    place: Place
    type: Scope.Type
    name: str
    id: str
    parent: str


@dataclass(frozen=True)
class SourceRow:
    """An entry that is not yet validated; `problem` is the reason if it can't be parsed."""

    line: int
    values: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def shown(text: str) -> str:
    """Quote text of the file for a message: shortened, and with printable characters only."""
    return repr(text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]}…")


def entry_of(row: SourceRow, place: Place) -> tuple[Entry | None, list[Fault]]:
    """Return the entry of a row, or its faults."""
    if row.problem:
        return None, [Fault(place, row.problem)]
    values = {key: value.strip() for key, value in row.values.items()}
    problems = [
        *_unknown(values),
        *(f"{key} is missing." for key in REQUIRED if not values.get(key)),
        *_type_problems(values.get("type", "")),
        *_problems_of(check_name, values.get("name", "")),
        *_problems_of(check_scope_id, values.get("id", "")),
    ]
    if problems:
        return None, [Fault(place, problem) for problem in problems]
    type_ = TYPES[values["type"]]
    name, id_, parent = (stored_form(values.get(key, "")) for key in ("name", "id", "parent"))
    return Entry(place, type_, name, id_, parent), []


def _unknown(values: Mapping[str, str]) -> list[str]:
    unknown = [key for key in values if key not in COLUMNS]
    if not unknown:
        return []
    return [f"unknown field {shown(unknown[0])}; the fields are {', '.join(COLUMNS)}."]


def _type_problems(type_: str) -> list[str]:
    if not type_ or type_ in TYPES:
        return []
    if type_ in ("tenant", "account", "system"):
        return [f"a file can't contain the {type_}, only scopes below the account."]
    return [f"type must be one of {', '.join(TYPES)}, not {shown(type_)}."]


def _problems_of(check: Callable[[str], str], value: str) -> list[str]:
    if not value:
        return []
    try:
        check(value)
    except ValidationError as error:
        return error.messages
    return []
