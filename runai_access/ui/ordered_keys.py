"""Keys that stand in another table in a list's own order: a page of the list is read from there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from runai_access.ui.conditions import renamed

# Of each range that is merged, so many times its share is read at first, and no fewer than these.
_SPREAD = 2
_LEAST = 8


@dataclass(frozen=True)
class OrderedKeys:
    """Where the keys of a list's rows stand in its order already: in another table, maybe repeatedly.

    `rows` of that table hold the key in their column `key`, and in `value` what the list's own rows
    have in `column`. An index has them in this order, behind the column `behind`, the same in all; or
    behind that and each of some different `choices` of the column `choice`, which are merged then.

    Conditions that are a part of the list say `sort_key` for the value, and `pk` for the key.
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
            return [key for _, key in self._merged(part, start, end, is_descending)]
        # Of several ranges, SQLite leaves each where it could add nothing to the first so many.
        by = (self.value, self.key) if self.choice else self.by
        return self._found(self.all, part).order_by(*_order(by, is_descending))[start:end]

    def edges(self, part: Q, number: int, *, is_descending: bool) -> list[tuple[Any, Any]]:
        """Return the first keys of a part, each with its value before it."""
        if self.choice and connection.vendor == "postgresql":
            return self._merged(part, 0, number, is_descending)
        found = self.keys(part, 0, number, is_descending=is_descending)
        return list(found.values_list(self.value, self.key))

    def _merged(self, part: Q, start: int, end: int, is_descending: bool) -> list[tuple[Any, Any]]:
        """Read a few of each choice, and as many as are wanted of all of those that go on before the
        last that is wanted."""
        few = min(end, max(_LEAST, end // len(self.choices) * _SPREAD))
        first, parameters = self._of_one_choice(part, few, is_descending)
        more, _ = self._of_one_choice(part, end, is_descending)
        way, last, before = ("DESC", "MIN", ">=") if is_descending else ("ASC", "MAX", "<=")
        merged = f"""WITH found AS MATERIALIZED (
                SELECT chosen.id, one.value, one.key
                FROM unnest(%s::bigint[]) chosen(id) CROSS JOIN LATERAL ({first}) one
            ), far AS (
                SELECT DISTINCT value, key FROM found
                ORDER BY 1 {way}, 2 {way} LIMIT 1 OFFSET {int(end - 1)}
            ), chosen AS (
                SELECT id, {last}(value) AS value FROM found GROUP BY id HAVING COUNT(*) = {int(few)}
            )
            SELECT value, key FROM found UNION SELECT more.value, more.key
            FROM chosen LEFT JOIN far ON TRUE CROSS JOIN LATERAL ({more}) more
            WHERE {int(few)} < {int(end)} AND (far IS NULL OR chosen.value {before} far.value)
            ORDER BY 1 {way}, 2 {way} LIMIT {int(end - start)} OFFSET {int(start)}"""  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(merged, [list(self.choices), *parameters, *parameters])
            rows: list[tuple[Any, Any]] = cursor.fetchall()
        return rows

    def _of_one_choice(self, part: Q, number: int, is_descending: bool) -> tuple[str, Any]:
        """Return a SELECT of the value and key of the first so many of the choice `chosen.id`."""
        one = self.rows.filter(**{self.choice: RawSQL("chosen.id", ())})
        first = self._found(one, part).order_by(*_order(self.by, is_descending))[:number]
        sql, parameters = first.values_list(self.value, self.key).query.sql_with_params()
        return f"SELECT {self.value} AS value, {self.key} AS key FROM ({sql}) first", parameters  # noqa: S608

    def _found(self, rows: QuerySet[Any], part: Q) -> QuerySet[Any, Any]:
        within = rows.filter(renamed(renamed(part, "sort_key", self.value), "pk", self.key))
        keys: QuerySet[Any, Any] = within.order_by().values(self.key).distinct()
        return keys


def _order(columns: Sequence[str], is_descending: bool) -> list[str]:
    return [f"-{name}" if is_descending else name for name in columns]
