"""The filterBy grammar: conditions `field operator value`, joined with AND (contract/README.md).

Conditions are in repeated parameters or separated by commas. Clients do not escape commas in values,
so a comma is a separator only before a known field and an operator.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from django.db.models import F, Q
from django.db.models.expressions import Expression
from django.utils.dateparse import parse_datetime

from runai_access.api.errors import InvalidParameter
from runai_access.api.texts import compare, like
from runai_access.db import normalization_sql
from runai_access.db.normalization import normalize


class FieldType(Enum):
    """The type of a field, which determines its operators and the format of its values."""

    TEXT = "text"
    ADDRESS = "address"
    TIME = "time"
    NUMBER = "number"
    FLAG = "flag"


_TEXT = {
    "==": "iexact", "!=": "iexact", "=@": "icontains", "!@": "icontains",
    "=^": "istartswith", "=$": "iendswith",
}  # fmt: skip
_ORDERED = {"==": "exact", "!=": "exact", "<=": "lte", ">=": "gte"}
LOOKUPS = {
    FieldType.TEXT: _TEXT,
    FieldType.ADDRESS: _TEXT,
    FieldType.TIME: _ORDERED,
    FieldType.NUMBER: _ORDERED,
    FieldType.FLAG: {"==": "exact", "!=": "exact"},
}
# Limited because SQLite's maximum expression depth is 1,000.
MAX_CONDITIONS = 100
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
NULL = "null"
# The operators that compare with `null`.
EQUALITY = ("==", "!=")
_MILLISECOND = timedelta(milliseconds=1)
_OPERATORS = ["==", "!=", "<=", ">=", "=@", "!@", "=^", "=$"]
_OPERATOR = "|".join(re.escape(operator) for operator in _OPERATORS)
_CONDITION = re.compile(rf"([A-Za-z0-9_]+)({_OPERATOR})(.*)", re.DOTALL)


@dataclass(frozen=True)
class Field:
    """A field that a list can be filtered and sorted by.

    `lookup` is the model lookup, and `accepts` maps values of the API to values of the column if they
    differ. A nullable field can be compared with `null`; in other fields, `null` is plain text.
    `normalized` is the lookup of the stored normalized form, if there is one. `order` is an indexed
    sort key for that form; without it, the text is normalized in the query.
    """

    lookup: str
    kind: FieldType = FieldType.TEXT
    accepts: Mapping[str, str] | None = None
    is_nullable: bool = False
    normalized: str = ""
    order: Expression | F | None = None

    @property
    def sort_key(self) -> Expression | F:
        """The sort key. Text is sorted in its normalized form, as in filters."""
        if self.order is not None:
            return self.order
        return (
            normalization_sql.normalized(self.lookup)
            if self.kind is FieldType.TEXT
            else F(self.lookup)
        )


@dataclass(frozen=True)
class Condition:
    """A filter condition, for a query or for a row in memory."""

    field: Field
    comparison: str
    value: str | datetime | int | bool
    is_negated: bool

    def as_q(self) -> Q:
        """Return the condition as a Q object."""
        if isinstance(self.value, str) and self.field.kind is FieldType.TEXT:
            condition = like(
                self.field.lookup,
                self.comparison,
                self.value,
                normalized_column=self.field.normalized,
            )
        elif isinstance(self.value, datetime):
            condition = _compare_time(self.field.lookup, self.comparison, self.value)
        else:
            condition = Q(**{f"{self.field.lookup}__{self.comparison}": self.value})
        return ~condition if self.is_negated else condition

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row of texts matches the condition."""
        is_match = compare(row[self.field.lookup], self.comparison, str(self.value))
        return is_match is not self.is_negated


def _compare_time(lookup: str, comparison: str, time: datetime) -> Q:
    """Compare with millisecond precision, so clients can filter by times from responses."""
    begin = time.replace(microsecond=time.microsecond // 1000 * 1000)
    is_last = begin > _LAST - _MILLISECOND
    from_begin = Q(**{f"{lookup}__gte": begin})
    until_end = Q(
        **{f"{lookup}__lte": time} if is_last else {f"{lookup}__lt": begin + _MILLISECOND}
    )
    return {"gte": from_begin, "lte": until_end}.get(comparison, from_begin & until_end)


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
    lookups = LOOKUPS[field.kind]
    if operator not in lookups:
        raise InvalidParameter(
            f"filterBy: {name} doesn't support {operator}. Operators: {' '.join(lookups)}."
        )
    is_negated = operator.startswith("!")
    if field.is_nullable and raw.strip().lower() == NULL:
        if operator not in EQUALITY:
            raise InvalidParameter(
                f"filterBy: {name} supports null only with {' and '.join(EQUALITY)}."
            )
        return Condition(field, "isnull", True, is_negated)
    return Condition(field, lookups[operator], _value(name, field, raw), is_negated)


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
        case FieldType.ADDRESS:
            return normalize(raw)
        case FieldType.TEXT:
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
