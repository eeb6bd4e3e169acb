"""Subqueries of primary keys, and covering indexes that have the keys in a list's order."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet
from django.db.models.expressions import RawSQL

from runai_access.db.conditions import renamed
from runai_access.db.expressions import BinaryCollation

# When ranges are merged, each first reads _SPREAD times its share, at least _MIN_CHUNK keys.
_SPREAD = 2
_MIN_CHUNK = 8


@dataclass(frozen=True)
class CoveringIndexScan:
    """A covering index of another table that has the keys of a list's rows in the list's order.

    `rows` of that table contain the key in their column `key` (possibly repeated), and in `value` a
    copy of the list's `column`. The index starts with the column `behind`, which is equal in all
    `rows`, or with `behind` and the column `choice`; then the ranges of the given `choices` are
    merged.

    Conditions for a part of the list use `sort_key` for the value and `pk` for the key.
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
        """The rows of the other table that contain the keys."""
        if not self.choice:
            return self.rows
        return self.rows.filter(**{f"{self.choice}__in": self.choices})

    @property
    def by(self) -> tuple[str, ...]:
        """The columns of the index, in order."""
        return (self.behind, self.value, self.key)

    def count(self, part: Q) -> int:
        """Return the number of distinct keys in a part."""
        return self._found(self.all, part).count()

    def keys(self, part: Q, start: int, end: int, *, is_descending: bool) -> Any:
        """Return the keys of a part from `start` to `end`, as a query or a list."""
        if self.choice and connection.vendor == "postgresql":
            return [key for _, key in self._merged(part, start, end, is_descending)]
        # SQLite stops reading a range once it cannot contribute to the first rows.
        by = (self.value, self.key) if self.choice else self.by
        return self._found(self.all, part).order_by(*_order(by, is_descending))[start:end]

    def edges(self, part: Q, number: int, *, is_descending: bool) -> list[tuple[Any, Any]]:
        """Return the first (value, key) pairs of a part."""
        if self.choice and connection.vendor == "postgresql":
            return self._merged(part, 0, number, is_descending)
        found = self.keys(part, 0, number, is_descending=is_descending)
        return list(found.values_list(self.value, self.key))

    def _merged(self, part: Q, start: int, end: int, is_descending: bool) -> list[tuple[Any, Any]]:
        """Merge the ranges: read a few pairs of each, then more of those that reach into the result."""
        few = min(end, max(_MIN_CHUNK, end // len(self.choices) * _SPREAD))
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
        """Return a SELECT of the first `number` (value, key) pairs of the choice `chosen.id`."""
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


_Select = tuple[str, tuple[Any, ...]]
"""SQL and its parameters."""


@dataclass(frozen=True)
class KeySubquery:
    """A subquery of primary keys matching a filter: the UNION ALL of `parts`, SELECTs of one column.

    `is_exact`: no false positives, so the filter need not be applied again. `is_whole`: no false
    negatives. `is_distinct`: no duplicates; `counted` can then be a cheaper SELECT with as many rows.
    `is_scan`: the text is too short for an index, so reading the keys tests every row, unless they can
    be `counted`. `ordered` is set if a covering index has them in a list's order.
    """

    parts: tuple[_Select, ...] = ()
    is_exact: bool = True
    is_whole: bool = True
    is_distinct: bool = False
    is_scan: bool = False
    counted: _Select | None = None
    ordered: CoveringIndexScan | None = None

    @classmethod
    def of(
        cls,
        rows: QuerySet[Any],
        column: str = "pk",
        *,
        is_exact: bool = True,
        is_whole: bool = True,
    ) -> "KeySubquery":
        """Return the keys in `column` of a queryset."""
        try:
            select = _select(rows.order_by().values(column))
        except EmptyResultSet:
            return cls(is_exact=is_exact, is_whole=is_whole)
        return cls((select,), is_exact, is_whole, is_distinct=column == "pk")

    @classmethod
    def in_range(
        cls, rows: QuerySet[Any], column: str, *, is_binary: bool = False
    ) -> "KeySubquery":
        """Return the keys of rows that are one range of the index on a column.

        They are counted in its order: else PostgreSQL would count most rows by reading the whole table.
        `is_binary`: the index has texts in the order of their bytes.
        """
        keys = cls.of(rows)
        by = BinaryCollation(F(column)) if is_binary else F(column)
        counted = _select(rows.order_by(by).values("pk")) if keys.parts else None
        return replace(keys, counted=counted)

    @classmethod
    def in_order(cls, ordered: CoveringIndexScan) -> "KeySubquery":
        """Return the keys of a covering index."""
        found = cls.of(ordered.all, ordered.key)
        if not found.parts:
            return found
        if not ordered.choice:  # the index has repeated keys one after the other
            sql, parameters = _select(ordered.all.order_by().values(*ordered.by).distinct())
            part = f"SELECT {ordered.key} FROM ({sql}) once", parameters  # noqa: S608  # built from constants
            found = replace(found, parts=(part,), is_distinct=True)
        return replace(found, ordered=ordered)

    @classmethod
    def known(cls, keys: Sequence[Any]) -> "KeySubquery":
        """Return a subquery of known, distinct keys, as returned by `first`."""
        if not keys:
            return cls()
        if connection.vendor == "sqlite":
            return cls(
                (("SELECT value FROM json_each(%s)", (json.dumps(keys),)),), is_distinct=True
            )
        type_ = "uuid" if isinstance(keys[0], UUID) else "bigint"
        return cls(((f"SELECT unnest(%s::{type_}[])", (list(keys),)),), is_distinct=True)

    @property
    def tests_all(self) -> bool:
        """True if reading the keys tests every row."""
        return self.is_scan and self.counted is None

    def __or__(self, other: "KeySubquery") -> "KeySubquery":
        is_exact, is_whole = self.is_exact and other.is_exact, self.is_whole and other.is_whole
        if self.parts and other.parts:
            is_scan = self.is_scan or other.is_scan
            return KeySubquery(self.parts + other.parts, is_exact, is_whole, is_scan=is_scan)
        return replace(self if self.parts else other, is_exact=is_exact, is_whole=is_whole)

    def first(self, limit: int) -> list[Any]:
        """Read at most `limit` keys in the database's format."""
        if not self.parts:
            return []
        sql, parameters = self._limited(limit)
        if connection.vendor == "sqlite":  # one text is faster than thousands of rows
            sql = f"WITH k(key) AS ({sql}) SELECT json_group_array(key) FROM k"  # noqa: S608
            ((keys,),) = _rows_of(sql, parameters)
            return list(json.loads(keys))
        return [key for (key,) in _rows_of(sql, parameters)]

    def few(self, most: int) -> list[Any] | None:
        """Read all of distinct keys; None, without sending any, if there are more than `most`."""
        if not self.parts:
            return []
        sql, parameters = self._limited(most + 1)
        if connection.vendor == "sqlite":
            sql = f"""WITH k(key) AS ({sql})
                SELECT CASE WHEN COUNT(*) <= {int(most)} THEN json_group_array(key) END FROM k"""  # noqa: S608
            ((keys,),) = _rows_of(sql, parameters)
            return keys and list(json.loads(keys))
        sql = f"""WITH k(key) AS MATERIALIZED ({sql}), n(n) AS (SELECT COUNT(*) FROM k)
            SELECT n, key FROM n LEFT JOIN k ON n <= {int(most)}"""  # noqa: S608
        rows = _rows_of(sql, parameters)
        number = rows[0][0]
        if number > most:
            return None
        return [key for _, key in rows] if number else []

    def count(self, limit: int) -> tuple[int, bool]:
        """Return the number of distinct keys that `first` would return, and whether that is all."""
        if not self.parts:
            return 0, self.is_whole
        if self.is_distinct:
            sql, parameters = self._as_many(limit)
            ((number,),) = _rows_of(f"SELECT COUNT(*) FROM ({sql}) k", parameters)  # noqa: S608
            return number, number < limit and self.is_whole
        sql, parameters = self._limited(limit)
        # GROUP BY is faster than COUNT(DISTINCT).
        counted = f"""WITH k(key) AS ({sql}), n(n) AS (SELECT COUNT(*) FROM k GROUP BY key)
            SELECT COUNT(*), SUM(n) FROM n"""  # noqa: S608
        ((different, read),) = _rows_of(counted, parameters)
        return different, (read or 0) < limit and self.is_whole

    def exists_more_than(self, number: int) -> bool | None:
        """Return whether there are more than `number` keys; None if the subquery is incomplete.

        Counts duplicates unless `is_distinct`. Reading the one key beyond `number` is faster than
        counting.
        """
        if not self.parts:
            return False if self.is_whole else None
        sql, parameters = self._as_many(number + 1)
        sql = f"SELECT 1 FROM ({sql}) k LIMIT 1 OFFSET {int(number)}"  # noqa: S608
        return bool(_rows_of(sql, parameters)) or (False if self.is_whole else None)

    def limited(self, limit: int) -> "KeySubquery":
        """Return the subquery of the keys that `first` would return."""
        return KeySubquery((self._limited(limit),)) if self.parts else self

    def sql(self) -> tuple[str, list[Any]]:
        """Return a SELECT of all keys."""
        sql = _union(text for text, _ in self.parts)
        return sql, [p for _, parameters in self.parts for p in parameters]

    def _as_many(self, limit: int) -> _Select:
        """Return a SELECT with as many rows as there are keys, up to `limit`."""
        if not self.counted:
            return self._limited(limit)
        sql, parameters = self.counted
        return f"{sql} LIMIT {int(limit)}", parameters

    def _limited(self, limit: int) -> _Select:
        """Return a SELECT of at most `limit` keys."""
        limited = f"LIMIT {int(limit)}"
        # Limit each part, too: PostgreSQL plans a part of a UNION as if it were read completely.
        parts = [f"{text} {limited}" for text, _ in self.parts]
        parameters = tuple(p for _, parameters in self.parts for p in parameters)
        return parts[0] if len(parts) == 1 else f"{_union(parts)} {limited}", parameters


class InKeySubquery(Func):
    """True if a key is in a `KeySubquery`, which the database evaluates.

    If there are at most thousands (`are_few`), PostgreSQL looks each up instead of reading the table.
    """

    output_field = BooleanField()
    conditional = True

    def __init__(self, key: str, keys: KeySubquery, *, are_few: bool = False) -> None:
        super().__init__(F(key))
        self._keys, self._are_few = keys, are_few

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # type: ignore[override]  # the stubs name each parameter
        if not self._keys.parts:
            raise EmptyResultSet
        key, parameters = compiler.compile(self.source_expressions[0])
        sql, more = self._keys.sql()
        if self._are_few and connection.vendor == "postgresql":
            return f"{key} = ANY (ARRAY({sql}))", [*parameters, *more]
        return f"{key} IN ({sql})", [*parameters, *more]


def as_stored(keys: Iterable[UUID]) -> list[Any]:
    """Return UUIDs in the format in which the database stores them."""
    return [key.hex for key in keys] if connection.vendor == "sqlite" else list(keys)


def _union(parts: Iterable[str]) -> str:
    return " UNION ALL ".join(
        f"SELECT * FROM ({text}) part_{number}"  # noqa: S608
        for number, text in enumerate(parts)
    )


def _select(rows: QuerySet[Any]) -> _Select:
    sql, parameters = rows.query.sql_with_params()
    return sql, tuple(parameters)


def _rows_of(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
