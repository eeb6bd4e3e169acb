"""The filterBy grammar: `field operator value`, all of them must hold (contract/README.md).

Repeated parameters and comma-joined ones are alike. Clients do not escape commas inside values, so
a comma separates only where a known field and an operator follow it.
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
    """What a field holds, and with it which operators make sense and how values are read."""

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
# SQLite takes no expression that is deeper than 1,000.
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
    """A field that lists may be filtered and sorted by: the model's lookup and its kind.

    `accepts` maps what clients may write to what the column holds, where they differ. A nullable
    field can be compared with `null`, which means no value; in any other field it is plain text.
    `normalized` is the lookup of the stored normalized form of a text, if there is one. `order` sorts a
    text in that form with the help of an index; without it the text itself is normalized to sort.
    """

    lookup: str
    kind: FieldType = FieldType.TEXT
    accepts: Mapping[str, str] | None = None
    is_nullable: bool = False
    normalized: str = ""
    order: Expression | F | None = None

    @property
    def sort_key(self) -> Expression | F:
        """What rows are sorted by; text in its normalized form, as filters compare it."""
        if self.order is not None:
            return self.order
        return (
            normalization_sql.normalized(self.lookup)
            if self.kind is FieldType.TEXT
            else F(self.lookup)
        )


@dataclass(frozen=True)
class Condition:
    """One of the conditions that must all hold: asked of a database, or of a row at hand."""

    field: Field
    comparison: str
    value: str | datetime | int | bool
    is_negated: bool

    def as_q(self) -> Q:
        """Return what a database is asked."""
        if isinstance(self.value, str) and self.field.kind is FieldType.TEXT:
            condition = like(
                self.field.lookup,
                self.comparison,
                self.value,
                normalized_column=self.field.normalized,
            )
        elif isinstance(self.value, datetime):
            condition = _in_time(self.field.lookup, self.comparison, self.value)
        else:
            condition = Q(**{f"{self.field.lookup}__{self.comparison}": self.value})
        return ~condition if self.is_negated else condition

    def holds_for(self, row: Mapping[str, Any]) -> bool:
        """Return whether it holds for a row of texts."""
        is_so = compare(row[self.field.lookup], self.comparison, str(self.value))
        return is_so is not self.is_negated


def _in_time(lookup: str, comparison: str, time: datetime) -> Q:
    """Compare to the millisecond, as times are answered: whoever asks for what they read finds it."""
    begin = time.replace(microsecond=time.microsecond // 1000 * 1000)
    is_last = begin > _LAST - _MILLISECOND
    begun = Q(**{f"{lookup}__gte": begin})
    not_over = Q(**{f"{lookup}__lte": time} if is_last else {f"{lookup}__lt": begin + _MILLISECOND})
    return {"gte": begun, "lte": not_over}.get(comparison, begun & not_over)


def conditions(
    filters: Iterable[str], fields: Mapping[str, Field], not_kept: Collection[str] = ()
) -> list[Condition]:
    """Return what all of `filters` together ask for.

    `not_kept` are fields that clients know and we do not keep: refused like unknown ones, and never
    taken for a part of the value before them. Raises InvalidParameter that names the field, operator
    or value, and lists the known ones.
    """
    parts = [part for text in filters for part in _split(text, [*fields, *not_kept])]
    if len(parts) > MAX_CONDITIONS:
        raise InvalidParameter(f"filterBy: there may be {MAX_CONDITIONS} conditions.")
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
            f"filterBy: there is no field {name[:80]!r}. Fields: {', '.join(fields)}."
        )
    lookups = LOOKUPS[field.kind]
    if operator not in lookups:
        raise InvalidParameter(
            f"filterBy: {name} can't be compared by {operator}. Operators: {' '.join(lookups)}."
        )
    is_negated = operator.startswith("!")
    if field.is_nullable and raw.strip().lower() == NULL:
        if operator not in EQUALITY:
            raise InvalidParameter(
                f"filterBy: {name} can be compared with null only by {' and '.join(EQUALITY)}."
            )
        return Condition(field, "isnull", True, is_negated)
    return Condition(field, lookups[operator], _value(name, field, raw), is_negated)


def _value(name: str, field: Field, raw: str) -> str | datetime | int | bool:
    match field.kind:
        case FieldType.TIME:
            return read_time(f"filterBy: {name}", raw)
        case FieldType.NUMBER:
            if not re.fullmatch(r"[0-9]{1,9}", raw):
                raise InvalidParameter(
                    f"filterBy: {name} must be a whole number, not {raw[:80]!r}."
                )
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
    """Return an ISO 8601 time, UTC where it names no zone; raise InvalidParameter that names it."""
    # In a URL an unescaped "+" of a zone arrives as a blank.
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
        # Within hours of the first or the last time there is: nothing lies beyond.
        return _FIRST if time.year == _FIRST.year else _LAST
