"""Keys that stand in another table in a list's own order: a page of the list is read from there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL


@dataclass(frozen=True)
class OrderedKeys:
    """Where the keys of a list's rows stand in its order already: in another table, maybe repeatedly.

    `rows` of that table hold the key in their column `key`, and in `value` what the list's own rows
    have in `column`. An index has them in this order, behind the column `behind`, the same in all; or
    behind that and each of some `choices` of the column `choice`, which are merged then.

    Conditions that are a part of the list say `sort_key` for the value.
    """

    rows: QuerySet[Any]
    key: str
    value: str
    column: str
    behind: str
    choice: str = ""
    choices: tuple[int, ...] = ()

    @property
    def all(self) -> QuerySet[Any]:
        """The rows of that table that hold the keys."""
        if not self.choice:
            return self.rows
        return self.rows.filter(**{f"{self.choice}__in": self.choices})

    @property
    def by(self) -> tuple[str, ...]:
        """The columns in whose order the index has them."""
        return (self.behind, self.value, self.key)

    def count(self, part: Q) -> int:
        """Return how many different keys there are in a part."""
        return self._found(self.all, part).count()

    def keys(self, part: Q, start: int, end: int, *, is_descending: bool) -> Any:
        """Return the keys from one place of a part to another, as a query or as they are."""
        if self.choice and connection.vendor == "postgresql":
            return self._merged(part, start, end, is_descending)
        # Of several ranges, SQLite leaves each where it could add nothing to the first so many.
        by = (self.value, self.key) if self.choice else self.by
        return self._found(self.all, part).order_by(*_order(by, is_descending))[start:end]

    def _merged(self, part: Q, start: int, end: int, is_descending: bool) -> list[Any]:
        """Read as many of each choice as there could be among the first of all."""
        one = self.rows.filter(**{self.choice: RawSQL("chosen.id", ())})
        first = self._found(one, part).order_by(*_order(self.by, is_descending))[:end]
        sql, parameters = first.values_list(self.value, self.key).query.sql_with_params()
        way = "DESC" if is_descending else "ASC"
        merged = f"""SELECT DISTINCT {self.value}, {self.key}
            FROM unnest(%s::bigint[]) chosen(id) CROSS JOIN LATERAL ({sql}) found
            ORDER BY 1 {way}, 2 {way} LIMIT {int(end - start)} OFFSET {int(start)}"""  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(merged, [list(self.choices), *parameters])
            return [key for _, key in cursor.fetchall()]

    def _found(self, rows: QuerySet[Any], part: Q) -> QuerySet[Any, Any]:
        within = rows.alias(sort_key=F(self.value)).filter(part)
        keys: QuerySet[Any, Any] = within.order_by().values(self.key).distinct()
        return keys


def _order(columns: Sequence[str], is_descending: bool) -> list[str]:
    return [f"-{name}" if is_descending else name for name in columns]
