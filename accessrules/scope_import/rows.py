"""One scope of a file: what it must say, and how what is wrong with it is told."""

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
    """Where the file says something; line 0 stands for what the file leaves out.

    `entry` is the number of the entry, 0 for the file itself. It and the entry's name are shown where
    the line also has other entries, as in minified JSON.
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
    """What is wrong, and where in the file."""

    place: Place
    message: str

    @property
    def line(self) -> int:
        return self.place.line

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Faults(DomainError):
    """A file can't be imported; every fault with its place, in the order of the places."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.place)
        count = len(self.faults)
        head = f"{count} fault{'s' if count > 1 else ''}; nothing was changed."
        super().__init__("\n".join([head, *(f"  {fault}" for fault in self.faults)]))


@dataclass(frozen=True, eq=False)
class Entry:
    """A scope that a file names. Where `id` is empty, its place (parent and name) identifies it."""

    place: Place
    type: Scope.Type
    name: str
    id: str
    parent: str


@dataclass(frozen=True)
class SourceRow:
    """An entry of the file, not yet checked; `problem` says why it could not be read as a scope."""

    line: int
    values: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def shown(text: str) -> str:
    """Return a text of the file as a message quotes it: short, and every character printable."""
    return repr(text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]}…")


def entry_of(row: SourceRow, place: Place) -> tuple[Entry | None, list[Fault]]:
    """Return the scope that a row names, or what is wrong with the row."""
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
    return [f"{shown(unknown[0])} is no field of a scope; they are {', '.join(COLUMNS)}."]


def _type_problems(type_: str) -> list[str]:
    if not type_ or type_ in TYPES:
        return []
    if type_ in ("tenant", "account", "system"):
        return [f"a file names what is below the account, not the {type_} itself."]
    return [f"type must be {', '.join(TYPES)}, not {shown(type_)}."]


def _problems_of(check: Callable[[str], str], value: str) -> list[str]:
    if not value:
        return []
    try:
        check(value)
    except ValidationError as error:
        return error.messages
    return []
