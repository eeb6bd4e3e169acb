"""Denormalized columns: each is declared once, and triggers maintain it in SQLite and PostgreSQL.

A declaration says how to compute a column, and from which tables. The triggers and the statements that
rebuild the column come from it.
"""

# ruff: noqa: S608  # statements consist of constants

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from django.db.models import Field

_AnyField = TypeVar("_AnyField", bound="Field[Any, Any]")


def denormalized(field: _AnyField) -> _AnyField:
    """Mark a model field that triggers maintain. It requires a declaration."""
    field.editable = False
    field.is_denormalized = True  # type: ignore[attr-defined]  # our own mark
    return field


class Action(NamedTuple):
    """SQL that a trigger runs for each changed row, to maintain `target`."""

    table: str
    event: str
    target: str
    sql: str
    condition: str = ""


def after(table: str, event: str, target: str, sql: str, columns: Iterable[str] = ()) -> Action:
    """Return the action after an event. An update runs it only if one of `columns` has changed."""
    if event != "UPDATE":
        return Action(table, f"AFTER {event}", target, sql)
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    event = f"AFTER UPDATE OF {', '.join(columns)}"
    return Action(table, event, target, sql, f"({old}) IS DISTINCT FROM ({new})")


@dataclass(frozen=True)
class Source:
    """A table that a column is computed from, and its columns that matter.

    `keys` is the SQL of the keys of the rows to recompute; {row} is the changed source row. If foreign
    keys reference the source row (`is_referenced`), it is neither created nor deleted under them.
    """

    table: str
    columns: tuple[str, ...]
    keys: str
    is_referenced: bool = True

    def keys_by_event(self) -> dict[str, str]:
        old, new = self.keys.format(row="OLD"), self.keys.format(row="NEW")
        if self.is_referenced:
            return {"UPDATE": new}
        return {"INSERT": new, "UPDATE": f"{old}, {new}", "DELETE": old}


@dataclass(frozen=True)
class Column:
    """A denormalized column. `value` is the SQL that computes it; {key} is `key` of the same row.

    `is_locked`: several source rows determine one value, and concurrent transactions can change them.
    """

    table: str
    name: str
    key: str
    value: str
    sources: tuple[Source, ...]
    is_locked: bool = False

    def value_for(self, row: str) -> str:
        return self.value.format(key=f"{row}.{self.key}")

    def is_outdated(self, row: str) -> str:
        """Return the condition that the column of `row` differs from its value."""
        return f"{row}.{self.name} IS DISTINCT FROM {self.value_for(row)}"

    def actions(self, vendor: str) -> Iterator[Action]:
        """Yield the actions that recompute the column after changes of its sources."""
        for source in self.sources:
            for event, keys in source.keys_by_event().items():
                sql = self._recompute(keys, vendor)
                yield after(source.table, event, self.name, sql, source.columns)
            if vendor == "postgresql" and not source.is_referenced:
                yield after(source.table, "TRUNCATE", self.name, f"{rebuild([self])[0]};")
                if not self.is_locked:
                    yield from self._verify(source)

    def _recompute(self, keys: str, vendor: str) -> str:
        key, is_outdated = f"{self.table}.{self.key}", self.is_outdated(self.table)
        update = f"UPDATE {self.table} SET {self.name} = {self.value_for(self.table)} WHERE"
        if vendor == "sqlite" or not self.is_locked:
            return f"{update} {key} IN ({keys}) AND {is_outdated};"
        # Lock first: in READ COMMITTED the next statement sees everything that was committed before.
        return f"""DECLARE locked uuid[] := ARRAY(SELECT {key} FROM {_lock(self.table, key, keys)});
            BEGIN {update} {key} = ANY (locked) AND {is_outdated}; END;"""

    def _verify(self, source: Source) -> Iterator[Action]:
        """Yield the actions that recompute the column of a new row, with its source row locked.

        The BEFORE trigger read the source row without a lock.
        """
        source_key = source.keys.format(row=source.table)
        for event, rows in {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW")}.items():
            keys = ", ".join(f"{row}.{self.key}" for row in rows)
            sql = f"""PERFORM 1 FROM {_lock(source.table, source_key, keys)};
                IF {self.is_outdated("NEW")} THEN
                    {self._recompute(f"NEW.{self.key}", "postgresql")}
                END IF;"""
            yield after(self.table, event, self.name, sql, (self.key,))


def copy(column: str, of: str, *, by: str, is_referenced: bool = True) -> Column:
    """Declare a copy: `copy("book.author_name", "author.name", by="author_id = id")`."""
    (table, name), (source, source_name) = column.split("."), of.split(".")
    key, source_key = by.split(" = ")
    value = f"(SELECT source.{source_name} FROM {source} source WHERE source.{source_key} = {{key}})"
    columns = (source_name,) if is_referenced else (source_key, source_name)
    sources = (Source(source, columns, f"{{row}}.{source_key}", is_referenced),)
    return Column(table, name, key, value, sources)


def rebuild(columns: Iterable[Column]) -> list[str]:
    """Return the statements that recompute columns, one for each table."""
    return [
        f"UPDATE {table} SET {', '.join(f'{one.name} = {one.value_for(table)}' for one in group)}"
        f" WHERE {' OR '.join(one.is_outdated(table) for one in group)}"
        for table, group in _by_table(columns).items()
    ]


def actions(columns: Iterable[Column], vendor: str) -> Iterator[Action]:
    """Yield the actions that maintain columns, in the order in which to run them."""
    for table, group in _by_table(columns).items():
        yield from _set_in_new_row(table, group, vendor)
    for column in columns:
        yield from column.actions(vendor)


def triggers(actions: Iterable[Action], vendor: str) -> dict[str, list[str]]:
    """Return the statements that create the trigger of each action, by the trigger's name.

    The names sort like the actions, because PostgreSQL runs triggers in the order of their names.
    """
    found, numbers = {}, Counter[str]()
    for table, event, target, sql, condition in actions:
        name = f"{table}_{event.split()[1].lower()}"
        numbers[name] += 1
        name = f"{name}_{numbers[name]}_{target}"
        when = f"WHEN ({condition})" if condition else ""
        if vendor == "sqlite":
            found[name] = [f"CREATE TRIGGER {name} {event} ON {table} {when} BEGIN {sql} END"]
        else:
            each = "STATEMENT" if "TRUNCATE" in event else "ROW"
            found[name] = [
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
                f" AS $$ BEGIN {sql} RETURN NEW; END $$",
                f"CREATE OR REPLACE TRIGGER {name} {event} ON {table} FOR EACH {each} {when}"
                f" EXECUTE FUNCTION {name}()",
            ]
    return found


def _set_in_new_row(table: str, columns: list[Column], vendor: str) -> Iterator[Action]:
    """Yield the actions that set the columns of a new row, or of one whose keys are written."""
    events = ["INSERT", f"UPDATE OF {', '.join({one.key: None for one in columns})}"]
    values = {one.name: one.value_for("NEW") for one in columns}
    if vendor == "postgresql":
        variables = ", ".join(f"NEW.{name}" for name in values)
        sql = f"SELECT {', '.join(values.values())} INTO {variables};"
        yield Action(table, f"BEFORE {' OR '.join(events)}", "row", sql)
        return
    assigned = ", ".join(f"{name} = {value}" for name, value in values.items())
    outdated = " OR ".join(f"{name} IS DISTINCT FROM {value}" for name, value in values.items())
    for event in events:
        sql = f"UPDATE {table} SET {assigned} WHERE rowid = NEW.rowid AND ({outdated});"
        yield Action(table, f"AFTER {event}", "row", sql)


def _lock(table: str, key: str, keys: str) -> str:
    return f"{table} WHERE {key} IN ({keys}) ORDER BY {key} FOR UPDATE"


def _by_table(columns: Iterable[Column]) -> dict[str, list[Column]]:
    tables: dict[str, list[Column]] = {}
    for column in columns:
        tables.setdefault(column.table, []).append(column)
    return tables
