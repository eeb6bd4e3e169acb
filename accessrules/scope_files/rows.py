"""One scope of a file: what it must say, and how what is wrong with it is told."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from accessrules.models import Scope
from accessrules.validators import check_name, check_scope_id
from runai_access.db.normalization import stored_form
from runai_access.errors import DomainError
from runai_access.ui.export import cell

COLUMNS = ("id", "type", "name", "parent")
REQUIRED = ("type", "name")
TYPES = {type_.value: type_ for type_ in Scope.CHILD_TYPE.values() if type_ != Scope.Type.TENANT}
_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Fault:
    """What is wrong, and on which line of the file; line 0 is about what the file leaves out."""

    line: int
    message: str

    def __str__(self) -> str:
        return (
            f"line {self.line}: {self.message}" if self.line else f"not in the file: {self.message}"
        )


class Faults(DomainError):
    """A file can't be imported; every fault with its line, in the order of the lines."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.line)
        count = len(self.faults)
        head = f"{count} fault{'s' if count > 1 else ''}; nothing was changed."
        super().__init__("\n".join([head, *(f"  {fault}" for fault in self.faults)]))


@dataclass(frozen=True, eq=False)
class Entry:
    """A scope that a file names. Where `id` is empty, its place (parent and name) identifies it."""

    line: int
    type: Scope.Type
    name: str
    id: str
    parent: str


@dataclass(frozen=True)
class Row:
    """A scope as it stands in the file, not yet checked."""

    line: int
    values: Mapping[str, str]


def shown(text: str) -> str:
    """Return a text of the file as a message quotes it: short, and every character printable."""
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


def guarded(text: str) -> str:
    """Return a text as the cell of a spreadsheet, where it does not run as a formula.

    An apostrophe says so, also before those that the text begins with: `unguarded` is then exact.
    """
    return f"'{text}" if _would_run(text) else text


def unguarded(text: str) -> str:
    """Return the text that `guarded` made this cell of; any other cell as it is."""
    return text[1:] if text.startswith("'") and _would_run(text) else text


def _would_run(text: str) -> bool:
    bare = text.lstrip("'")
    return cell(bare) != bare


def entry_of(row: Row) -> tuple[Entry | None, list[Fault]]:
    """Return the scope that a row names, or what is wrong with the row."""
    values = {key: value.strip() for key, value in row.values.items()}
    problems = [
        *_unknown(values),
        *(f"{key} is missing." for key in REQUIRED if not values.get(key)),
        *_type_problems(values.get("type", "")),
        *_problems_of(check_name, values.get("name", "")),
        *_problems_of(check_scope_id, values.get("id", "")),
    ]
    if problems:
        return None, [Fault(row.line, problem) for problem in problems]
    type_ = TYPES[values["type"]]
    name, id_, parent = (stored_form(values.get(key, "")) for key in ("name", "id", "parent"))
    return Entry(row.line, type_, name, id_, parent), []


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
