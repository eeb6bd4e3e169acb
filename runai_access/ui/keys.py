"""Where the keys of rows are found, and how a query says that a row is one of many or is not to be
met by an index."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet, TextField

from runai_access.ui.keyset import Sort
from runai_access.ui.ordered_keys import OrderedKeys

_Select = tuple[str, tuple[Any, ...]]
"""SQL and its parameters."""


@dataclass(frozen=True)
class Keys:
    """Where the keys of rows are found: SELECTs of one column, which may repeat a key.

    `is_exact` says that they are none but those of the condition they belong to, `is_whole` that they
    are all of those, `is_distinct` that none repeats; then `counted` may be a SELECT of as many rows
    that takes less. `once` is a SELECT with a row for each, the key in its column `key`: it tells the
    same ones apart by the order of an index, and is read no further than is asked for. `ordered` is
    where that is the order of a list as well.
    """

    parts: tuple[_Select, ...] = ()
    is_exact: bool = True
    is_whole: bool = True
    is_distinct: bool = False
    counted: _Select | None = None
    once: _Select | None = None
    key: str = ""
    ordered: OrderedKeys | None = None

    @classmethod
    def of(
        cls,
        rows: QuerySet[Any],
        column: str = "pk",
        *,
        is_exact: bool = True,
        is_whole: bool = True,
    ) -> "Keys":
        """Return the keys that a queryset holds in `column`: each row once."""
        try:
            select = _select(rows.order_by().values(column))
        except EmptyResultSet:
            return cls(is_exact=is_exact, is_whole=is_whole)
        return cls((select,), is_exact, is_whole, is_distinct=column == "pk")

    @classmethod
    def in_order(cls, ordered: OrderedKeys) -> "Keys":
        """Return the keys that stand in another table as a list has them."""
        rows, key = ordered.all.order_by(), ordered.key
        found = cls.of(rows, key)
        if not found.parts:
            return found
        if ordered.choice:
            return replace(found, ordered=ordered)
        once = _select(rows.values(*ordered.by).distinct())
        return replace(found, once=once, key=key, ordered=ordered)

    @classmethod
    def known(cls, keys: Sequence[Any]) -> "Keys":
        """Return keys that were read before, as `first` returned them: each once."""
        if not keys:
            return cls()
        if connection.vendor == "sqlite":
            return cls(
                (("SELECT value FROM json_each(%s)", (json.dumps(keys),)),), is_distinct=True
            )
        type_ = "uuid" if isinstance(keys[0], UUID) else "bigint"
        return cls(((f"SELECT unnest(%s::{type_}[])", (list(keys),)),), is_distinct=True)

    def __or__(self, other: "Keys") -> "Keys":
        is_exact, is_whole = self.is_exact and other.is_exact, self.is_whole and other.is_whole
        if self.parts and other.parts:
            return Keys(self.parts + other.parts, is_exact, is_whole)
        return replace(self if self.parts else other, is_exact=is_exact, is_whole=is_whole)

    @property
    def tells_apart(self) -> bool:
        """Whether the same ones are told apart as they are read."""
        return self.is_distinct or self.once is not None

    def first(self, limit: int) -> list[Any]:
        """Return at most `limit` keys, as the database holds them: different ones, if `once` is set."""
        if not self.parts:
            return []
        sql, parameters = self._limited(limit)
        if connection.vendor == "sqlite":  # which hands over one text sooner than thousands of rows
            sql = f"WITH k(key) AS ({sql}) SELECT json_group_array(key) FROM k"  # noqa: S608
            ((keys,),) = _rows_of(sql, parameters)
            return list(json.loads(keys))
        return [key for (key,) in _rows_of(sql, parameters)]

    def few(self, most: int) -> list[Any] | None:
        """Return all of keys that never repeat, as `first` does; None where they are more than `most`,
        of which none is sent."""
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
        """Return how many there are among what `first` would return, and whether those are all."""
        if not self.parts:
            return 0, self.is_whole
        if self.tells_apart:
            sql, parameters = self._as_many(limit)
            ((number,),) = _rows_of(f"SELECT COUNT(*) FROM ({sql}) k", parameters)  # noqa: S608
            return number, number < limit and self.is_whole
        sql, parameters = self._limited(limit)
        # Grouping takes less than counting what is distinct.
        counted = f"""WITH k(key) AS ({sql}), n(n) AS (SELECT COUNT(*) FROM k GROUP BY key)
            SELECT COUNT(*), SUM(n) FROM n"""  # noqa: S608
        ((different, read),) = _rows_of(counted, parameters)
        return different, (read or 0) < limit and self.is_whole

    def exceed(self, number: int) -> bool | None:
        """Return whether they are more than so many; None where there may be others.

        Those that are not told apart count as often as they are repeated. To ask for the one that
        would be too many takes less than to count up to it.
        """
        if not self.parts:
            return False if self.is_whole else None
        sql, parameters = self._as_many(number + 1)
        sql = f"SELECT 1 FROM ({sql}) k LIMIT 1 OFFSET {int(number)}"  # noqa: S608
        return bool(_rows_of(sql, parameters)) or (False if self.is_whole else None)

    def limited(self, limit: int) -> "Keys":
        """Return those that `first` would."""
        return Keys((self._limited(limit),)) if self.parts else self

    def sql(self) -> tuple[str, list[Any]]:
        """Return a SELECT of all of them."""
        sql = _union(text for text, _ in self.parts)
        return sql, [p for _, parameters in self.parts for p in parameters]

    def _as_many(self, limit: int) -> _Select:
        """Return a SELECT of as many rows as there are keys, up to `limit`."""
        if not self.counted:
            return self._limited(limit)
        sql, parameters = self.counted
        return f"{sql} LIMIT {int(limit)}", parameters

    def _limited(self, limit: int) -> _Select:
        """Return a SELECT of at most `limit` keys."""
        limited = f"LIMIT {int(limit)}"
        if self.once:
            sql, parameters = self.once
            return f"SELECT {self.key} FROM ({sql} {limited}) once", parameters  # noqa: S608
        # Each part is limited too: PostgreSQL plans a part of a union as if all of it were wanted.
        parts = [f"{text} {limited}" for text, _ in self.parts]
        parameters = tuple(p for _, parameters in self.parts for p in parameters)
        return parts[0] if len(parts) == 1 else f"{_union(parts)} {limited}", parameters


class Among(Func):
    """Whether a key is one of many, sent as one parameter."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, key: str | Func, keys: Sequence[Any]) -> None:
        super().__init__(F(key) if isinstance(key, str) else key)
        self._keys = list(keys)

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # type: ignore[override]
        key, parameters = compiler.compile(self.source_expressions[0])
        if connection.vendor == "sqlite":
            listed = json.dumps(self._keys)
            return f"{key} IN (SELECT value FROM json_each(%s))", [*parameters, listed]  # noqa: S608
        if all(isinstance(one, UUID | int) for one in self._keys):
            # As one text: to adapt thousands of values, each by itself, takes longer than to find them.
            type_ = self.source_expressions[0].output_field.db_type(connection)
            listed = ",".join([k.hex if isinstance(k, UUID) else str(k) for k in self._keys])
            return f"{key} = ANY(%s::{type_}[])", [*parameters, f"{{{listed}}}"]
        return f"{key} = ANY(%s)", [*parameters, self._keys]


class AmongKeys(Func):
    """Whether a key is one of `Keys`, which stay where they are."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, key: str, keys: Keys) -> None:
        super().__init__(F(key))
        self._keys = keys

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # type: ignore[override]
        if not self._keys.parts:
            raise EmptyResultSet
        key, parameters = compiler.compile(self.source_expressions[0])
        sql, more = self._keys.sql()
        return f"{key} IN ({sql})", [*parameters, *more]


class AsStored(Func):
    """A key as the database holds it, and as `Among` takes it: no UUID is made of it."""

    template = "%(expressions)s"
    output_field = TextField()


def as_stored(keys: Iterable[UUID]) -> list[Any]:
    """Return the same of keys that are at hand."""
    return [key.hex for key in keys] if connection.vendor == "sqlite" else list(keys)


class Unindexed(Func):
    """The same value, of which no index knows: what is few already is sorted, not walked to."""

    template = "+%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="GREATEST(%(expressions)s)", **extra)


def unindexed(sort: Sort) -> Sort:
    """Return the same order for rows that are found by their keys."""
    return Sort(Unindexed(sort.by), sort.is_nullable, sort.read)


class Aside(Func):
    """The same value, for whose sake SQLite leaves no better way. PostgreSQL knows how many rows a
    condition leaves, and may judge by itself."""

    template = "+%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="%(expressions)s", **extra)


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
