"""SQL expressions that Django lacks."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, F, Func, Q, TextField
from django.db.models.lookups import GreaterThanOrEqual, LessThan

_MAX_CHARACTER = "\U0010ffff"  # the last code point


class InArray(Func):
    """True if a key is in a list, which is sent as a single parameter."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, key: str | Func | F, keys: Sequence[Any]) -> None:
        super().__init__(F(key) if isinstance(key, str) else key)
        self._keys = list(keys)

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # type: ignore[override]  # the stubs name each parameter
        key, parameters = compiler.compile(self.source_expressions[0])
        if connection.vendor == "sqlite":
            listed = json.dumps(self._keys)
            return f"{key} IN (SELECT value FROM json_each(%s))", [*parameters, listed]  # noqa: S608
        if all(isinstance(one, UUID | int) for one in self._keys):
            # As one text: adapting thousands of values takes longer than the query.
            type_ = self.source_expressions[0].output_field.db_type(connection)
            listed = ",".join([k.hex if isinstance(k, UUID) else str(k) for k in self._keys])
            return f"{key} = ANY(%s::{type_}[])", [*parameters, f"{{{listed}}}"]
        return f"{key} = ANY(%s)", [*parameters, self._keys]


def starts_with(path: str, text: str) -> Q:
    """Return the condition that a column starts with `text`, as a range of its index."""
    stored = BinaryCollation(F(path))
    return Q(GreaterThanOrEqual(stored, text)) & Q(LessThan(stored, text + _MAX_CHARACTER))


class AsStored(Func):
    """A key as the database stores it, for `InArray`: not converted to a UUID."""

    template = "%(expressions)s"
    output_field = TextField()


class NoIndexHint(Func):
    """The same value, computed, so that no database uses an index for it.

    For rows that another filter finds already: sorting those beats scanning an index in order.
    """

    template = "+%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="GREATEST(%(expressions)s)", **extra)


class SQLiteNoIndexHint(NoIndexHint):
    """A `NoIndexHint` for SQLite only: PostgreSQL has statistics and picks the better index itself."""

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="%(expressions)s", **extra)


class BinaryCollation(Func):
    """Text compared byte by byte: the default of SQLite, COLLATE "C" in PostgreSQL."""

    template = "%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template='%(expressions)s COLLATE "C"', **extra)
