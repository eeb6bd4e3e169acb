"""The filterBy grammar: conditions `field operator value`, joined with AND (contract/README.md).

Conditions are in repeated parameters or separated by commas. Clients do not escape commas in values,
so a comma is a separator only before a known field and an operator.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from runai_access.api.errors import InvalidParameter
from runai_access.db.normalization_sql import normalized
from runai_access.lists.filters import FieldFilter, PlainTextFilter
from runai_access.lists.operators import (
    AT_LEAST,
    AT_MOST,
    CONTAINS,
    ENDS_WITH,
    EVER,
    IS,
    IS_NOT,
    NEVER,
    NOT_CONTAINS,
    STARTS_WITH,
    Operator,
)
from runai_access.lists.selection import ListFilter
from runai_access.lists.sorts import Sort
from runai_access.lists.time_filters import TimeFilter


class FieldType(Enum):
    """The type of a field, which determines its operators and the format of its values."""

    TEXT = "text"
    LABEL = "label"
    TIME = "time"
    NUMBER = "number"
    FLAG = "flag"


_ORDERED = {"==": IS, "!=": IS_NOT, "<=": AT_MOST, ">=": AT_LEAST}
OPERATORS: dict[FieldType, dict[str, Operator]] = {
    FieldType.TEXT: {
        "==": IS, "!=": IS_NOT, "=@": CONTAINS, "!@": NOT_CONTAINS,
        "=^": STARTS_WITH, "=$": ENDS_WITH,
    },
    FieldType.LABEL: {"==": IS, "!=": IS_NOT, "=^": STARTS_WITH},
    FieldType.TIME: _ORDERED,
    FieldType.NUMBER: _ORDERED,
    FieldType.FLAG: {"==": IS, "!=": IS_NOT},
}  # fmt: skip
# Limited because SQLite's maximum expression depth is 1,000.
MAX_CONDITIONS = 100
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
NULL = "null"
# The operators that compare with `null`.
EQUALITY = {"==": NEVER, "!=": EVER}
_OPERATORS = ["==", "!=", "<=", ">=", "=@", "!@", "=^", "=$"]
_OPERATOR = "|".join(re.escape(operator) for operator in _OPERATORS)
_CONDITION = re.compile(rf"([A-Za-z0-9_]+)({_OPERATOR})(.*)", re.DOTALL)


@dataclass(frozen=True)
class Field:
    """A field of a list, with the filter and the sort of the console. Some fields can't be sorted by.

    `accepts` maps values of the API to those of the column if they differ. A nullable field can be
    compared with `null`; in other fields, `null` is plain text.
    """

    filter: FieldFilter
    sort: Sort | None
    kind: FieldType = FieldType.TEXT
    accepts: Mapping[str, str] | None = None
    is_nullable: bool = False

    @classmethod
    def text(cls, path: str) -> "Field":
        """Return a field of a text column that is not stored in normalized form."""
        return cls(PlainTextFilter(path), Sort(normalized(path)))

    @classmethod
    def time(cls, path: str, *, is_nullable: bool = False, is_indexed: bool = True) -> "Field":
        """Return a field of a time column."""
        time_filter = TimeFilter(path, can_be_never=is_nullable, is_indexed=is_indexed)
        sort = Sort.time(path, is_nullable=is_nullable, nulls_last=True)
        return cls(time_filter, sort, FieldType.TIME, is_nullable=is_nullable)


@dataclass(frozen=True)
class Condition:
    """A condition: a field with its name, an operator and a parsed value."""

    name: str
    field: Field
    operator: Operator
    value: Any

    def list_filter(self, context: Any, rows: QuerySet[Any]) -> ListFilter:
        """Return the same filter as the console for this operator and value."""
        return self.field.filter.list_filter(self.operator, [self.value], context, rows)


def parse_conditions(
    filters: Iterable[str], fields: Mapping[str, Field], unsupported: Collection[str] = ()
) -> list[Condition]:
    """Return the conditions of all `filters`.

    `unsupported` are fields of the contract that are not stored. They are refused like unknown fields,
    and a comma before them is a separator. Raises InvalidParameter with the invalid field, operator or
    value, and the valid ones.
    """
    parts = [part for text in filters for part in _split(text, [*fields, *unsupported])]
    if len(parts) > MAX_CONDITIONS:
        raise InvalidParameter(f"filterBy: must have at most {MAX_CONDITIONS} conditions.")
    return [_condition(part, fields) for part in parts]


def _split(text: str, names: Iterable[str]) -> list[str]:
    known = "|".join(re.escape(name) for name in names)
    return re.split(rf",(?=(?:{known})(?:{_OPERATOR}))", text)


def _condition(text: str, fields: Mapping[str, Field]) -> Condition:
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise InvalidParameter(
            f"filterBy: {text[:80]!r} must be a field, an operator ({' '.join(_OPERATORS)}) and a "
            f"value. Fields: {', '.join(fields)}."
        )
    name, operator, raw = match.groups()
    field = fields.get(name)
    if field is None:
        raise InvalidParameter(
            f"filterBy: unknown field {name[:80]!r}. Fields: {', '.join(fields)}."
        )
    operators = OPERATORS[field.kind]
    if operator not in operators:
        raise InvalidParameter(
            f"filterBy: {name} doesn't support {operator}. Operators: {' '.join(operators)}."
        )
    if field.is_nullable and raw.strip().lower() == NULL:
        if operator not in EQUALITY:
            raise InvalidParameter(
                f"filterBy: {name} supports null only with {' and '.join(EQUALITY)}."
            )
        return Condition(name, field, EQUALITY[operator], True)
    return Condition(name, field, operators[operator], _value(name, field, raw))


def _value(name: str, field: Field, raw: str) -> str | datetime | int | bool:
    match field.kind:
        case FieldType.TIME:
            return read_time(f"filterBy: {name}", raw)
        case FieldType.NUMBER:
            if not re.fullmatch(r"[0-9]{1,9}", raw):
                raise InvalidParameter(f"filterBy: {name} must be an integer, not {raw[:80]!r}.")
            return int(raw)
        case FieldType.FLAG:
            if raw.lower() not in ("true", "false"):
                raise InvalidParameter(f"filterBy: {name} must be true or false, not {raw[:80]!r}.")
            return raw.lower() == "true"
        case FieldType.TEXT | FieldType.LABEL:
            return (field.accepts or {}).get(raw.lower(), raw)


def read_time(name: str, text: str) -> datetime:
    """Parse an ISO 8601 time, in UTC if it has no zone. Raises InvalidParameter, with `name`."""
    # An unescaped "+" of a zone in a URL is decoded as a space.
    try:
        time = parse_datetime(text.strip().replace(" ", "+") if "T" in text else text)
        time = time or datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidParameter(
            f"{name} must be an ISO 8601 time like 2026-01-31T12:00:00Z, not {text[:80]!r}."
        ) from None
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        # Within hours of the minimum or maximum datetime.
        return _FIRST if time.year == _FIRST.year else _LAST
