"""Denormalized columns: each is declared once, and triggers maintain it in SQLite and PostgreSQL.

A declaration says how to compute a column, and from which tables. The triggers and the statements that
rebuild the column come from it.
"""

# ruff: noqa: S608  # statements consist of constants

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field

from runai_access.db.batches import correct_in_batches
from runai_access.db.triggers import run

_AnyField = TypeVar("_AnyField", bound="Field[Any, Any]")


def denormalized(field: _AnyField) -> _AnyField:
    """Mark a model field that triggers maintain. It requires a declaration."""
    field.editable = False
    field.is_denormalized = True  # type: ignore[attr-defined]  # our own mark
    return field


class Action(NamedTuple):
    """SQL that a trigger runs for each row to maintain `target`.

    An update runs it only if it has changed one of `columns`.
    """

    table: str
    event: str
    target: str
    sql: str
    columns: Sequence[str] = ()


class Source(NamedTuple):
    """A table that a column is computed from, and its columns that matter.

    `keys` is the SQL of the keys of the rows to recompute; {row} is the changed source row. If foreign
    keys reference the source row (`is_referenced`), it is neither created nor deleted under them.
    """

    table: str
    columns: Sequence[str]
    keys: str
    is_referenced: bool = True


@dataclass(frozen=True)
class Column:
    """A denormalized column. `value` is the SQL that computes it; {key} is `key` of the same row.

    `is_locked`: concurrent transactions can change different sources of one value.
    """

    table: str
    name: str
    key: str
    value: str
    sources: Sequence[Source]
    is_locked: bool = False

    def value_for(self, row: str) -> str:
        return self.value.format(key=f"{row}.{self.key}")

    def is_outdated(self, row: str) -> str:
        return f"{row}.{self.name} IS DISTINCT FROM {self.value_for(row)}"

    def actions(self, vendor: str) -> Iterator[Action]:
        """Yield the actions that recompute the column after changes of its sources."""
        for source in self.sources:
            old, new = (source.keys.format(row=row) for row in ("OLD", "NEW"))
            changes = {"INSERT": new, "UPDATE": f"{old}, {new}", "DELETE": old}
            for event, keys in ({"UPDATE": new} if source.is_referenced else changes).items():
                columns = source.columns if event == "UPDATE" else ()
                sql = self._recompute(keys, vendor)
                yield Action(source.table, f"AFTER {event}", self.name, sql, columns)
            if vendor == "sqlite" or source.is_referenced:
                continue
            yield Action(source.table, "AFTER TRUNCATE", self.name, recompute([self]))
            if not self.is_locked:
                # The BEFORE trigger read the source without a lock. By now an action of a column that
                # is declared earlier has locked it.
                recomputed = self._recompute(f"NEW.{self.key}", vendor)
                sql = f"IF {self.is_outdated('NEW')} THEN {recomputed} END IF;"
                yield Action(self.table, f"AFTER INSERT OR UPDATE OF {self.key}", self.name, sql)

    def _recompute(self, keys: str, vendor: str) -> str:
        key = f"{self.table}.{self.key}"
        if vendor == "sqlite" or not self.is_locked:
            return recompute([self], f"{key} IN ({keys})")
        # Lock first: in READ COMMITTED the next statement sees everything that was committed before.
        return f"""DECLARE locked uuid[] := ARRAY(
                SELECT {key} FROM {self.table} WHERE {key} IN ({keys}) ORDER BY {key} FOR UPDATE
            ); BEGIN {recompute([self], f"{key} = ANY (locked)")} END;"""


def copy(column: str, of: str, *, by: str, is_referenced: bool = True) -> Column:
    """Declare a copy: `copy("book.author_name", "author.name", by="author_id = id")`."""
    (table, name), (source, source_name) = column.split("."), of.split(".")
    key, source_key = by.split(" = ")
    value = (
        f"(SELECT source.{source_name} FROM {source} source WHERE source.{source_key} = {{key}})"
    )
    columns = [source_name] if is_referenced else [source_key, source_name]
    sources = [Source(source, columns, f"{{row}}.{source_key}", is_referenced)]
    return Column(table, name, key, value, sources)


def recompute(columns: Sequence[Column], condition: str = "") -> str:
    """Return the statement that recomputes columns of one table, by default of outdated rows."""
    table = columns[0].table
    values = ", ".join(f"{column.name} = {column.value_for(table)}" for column in columns)
    return f"UPDATE {table} SET {values} WHERE {condition or are_outdated(columns)};"


def are_outdated(columns: Sequence[Column]) -> str:
    """Return the condition of rows with an outdated column; all columns are of one table."""
    return " OR ".join(column.is_outdated(column.table) for column in columns)


def rebuild(connection: BaseDatabaseWrapper, columns: Iterable[Column]) -> None:
    """Recompute the columns of all outdated rows, on PostgreSQL in batches."""
    for of_table in by_table(columns):
        if connection.vendor == "sqlite":
            run(connection, [recompute(of_table)])
        else:
            correct_in_batches(
                connection, of_table[0].table, are_outdated(of_table), partial(recompute, of_table)
            )


def by_table(columns: Iterable[Column]) -> list[list[Column]]:
    """Return the columns of each table."""
    tables: dict[str, list[Column]] = {}
    for column in columns:
        tables.setdefault(column.table, []).append(column)
    return list(tables.values())


def actions(columns: Sequence[Column], vendor: str) -> Iterator[Action]:
    """Yield the actions that maintain columns, in the order in which to run them."""
    for group in by_table(columns):
        # Also if a key is only written again: then so are the columns, with older values.
        events = ["INSERT", f"UPDATE OF {', '.join({column.key: '' for column in group})}"]
        if vendor == "postgresql":
            values = ", ".join(column.value_for("NEW") for column in group)
            sql = f"SELECT {values} INTO {', '.join(f'NEW.{column.name}' for column in group)};"
            yield Action(group[0].table, f"BEFORE {' OR '.join(events)}", "row", sql)
        else:
            sql = recompute(group, "rowid = NEW.rowid")
            yield from (Action(group[0].table, f"AFTER {event}", "row", sql) for event in events)
    for column in columns:
        yield from column.actions(vendor)


def triggers(actions: Iterable[Action], vendor: str) -> dict[str, list[str]]:
    """Return the statements that create the trigger of each action, by the trigger's name.

    The names sort like the actions, because PostgreSQL runs triggers in the order of their names.
    """
    found, numbers = {}, Counter[str]()
    for table, event, target, sql, columns in actions:
        if vendor == "sqlite" and "TRUNCATE" in event:
            continue  # SQLite has no such statement
        numbers[table] += 1
        name = f"{table}_{numbers[table]:02}_{event.split()[1].lower()}_{target}"
        of = when = ""
        if columns:
            old, new = (
                ", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW")
            )
            of, when = f"OF {', '.join(columns)}", f"WHEN (({old}) IS DISTINCT FROM ({new}))"
        if vendor == "sqlite":
            found[name] = [f"CREATE TRIGGER {name} {event} {of} ON {table} {when} BEGIN {sql} END"]
            continue
        each = "STATEMENT" if "TRUNCATE" in event else "ROW"
        run = f"FOR EACH {each} {when} EXECUTE FUNCTION {name}()"
        body = f"LANGUAGE plpgsql AS $$ BEGIN {sql} RETURN NEW; END $$"
        found[name] = [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger {body}",
            f"CREATE OR REPLACE TRIGGER {name} {event} {of} ON {table} {run}",
        ]
    return found
