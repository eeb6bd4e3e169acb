"""Databases of the first release: loading one, and reading schemas and rows to compare them."""

import re
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import dict_row

from runai_access.upgrade import first_release_names as names

DATA = Path(__file__).parent / "data"
# The secret key with which the copied database was sealed.
SECRET_KEY = {"RUNAI_ACCESS_SECRET_KEY": "a-key-for-one-test-" + "x" * 32}
Rows = dict[str, list[dict[str, Any]]]

# Each yields (kind, table or "", name, definition).
_POSTGRESQL_SCHEMA = """
SELECT 'column', table_name, column_name, concat_ws(' ', data_type, character_maximum_length,
        is_nullable, column_default, is_identity)
    FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', '', proname, prosrc FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prolang <> (
        SELECT oid FROM pg_language WHERE lanname = 'c')
UNION ALL SELECT 'sequence', '', sequencename, data_type::text FROM pg_sequences
"""


def load(database: str) -> None:
    """Fill an empty database, given by its URL, with a copy of one of the first release."""
    if _is_sqlite(database):
        # The first release left its file in this mode, and a dump does not contain the mode.
        execute(database, "PRAGMA journal_mode=WAL")
        execute(database, (DATA / "first_release_sqlite.sql").read_text())
    else:
        execute(database, (DATA / "first_release_postgresql.sql").read_text())


def drop_triggers(database: str) -> None:
    """Drop all triggers of the first release."""
    if _is_sqlite(database):
        statements = [f"DROP TRIGGER IF EXISTS {name}" for name in names.SQLITE_TRIGGERS]
    else:
        functions = names.POSTGRESQL_FUNCTIONS
        statements = [f"DROP FUNCTION IF EXISTS {name}() CASCADE" for name in functions]
    execute(database, ";".join(statements))


def execute(database: str, statements: str) -> None:
    """Run statements."""
    if _is_sqlite(database):
        with _sqlite(database) as connection:
            connection.executescript(statements)
        connection.close()
        return
    with psycopg.connect(database) as other:
        other.execute(statements)  # type: ignore[call-overload]  # a text of many statements


def expire_leases(database: str) -> None:
    """End the leases of killed processes, as their expiry would. On SQLite they ended with them."""
    if not _is_sqlite(database):
        execute(database, "DELETE FROM runai_access_lease")


def schema_of(database: str) -> set[tuple[str, ...]]:
    """Return everything in the schema but the order of columns."""
    if not _is_sqlite(database):
        with psycopg.connect(database) as connection:
            return {
                (kind, table, name, _one_line(definition))
                for kind, table, name, definition in connection.execute(_POSTGRESQL_SCHEMA)
                if table != "runai_access_lease"
            }
    with _sqlite(database) as other:
        rows = other.execute("SELECT type, tbl_name, name, sql FROM sqlite_master").fetchall()
    other.close()
    found: set[tuple[str, ...]] = set()
    for kind, table, name, sql in rows:
        definition = _one_line(sql or "")
        if kind == "table" and sql and "VIRTUAL" not in sql:
            found |= {("table", table, part) for part in _parts(definition)}
        else:
            found.add((kind, table, name, definition))
    return found


def rows_of(database: str) -> Rows:
    """Return the rows of every table, in the order of their first column."""
    if not _is_sqlite(database):
        with psycopg.connect(database, row_factory=dict_row) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                " AND tablename <> 'runai_access_lease'"
            ).fetchall()
            return {
                table["tablename"]: connection.execute(
                    f'SELECT * FROM "{table["tablename"]}" ORDER BY 1'  # type: ignore[arg-type]  # noqa: S608
                ).fetchall()
                for table in tables
            }
    found: Rows = defaultdict(list)
    with _sqlite(database) as other:
        tables = other.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if not table.startswith("applications_search_index"):
                rows = other.execute(f'SELECT * FROM "{table}" ORDER BY 1')  # noqa: S608
                columns = [column[0] for column in rows.description]
                found[table] = [dict(zip(columns, row, strict=True)) for row in rows]
    other.close()
    return found


def _is_sqlite(database: str) -> bool:
    return database.startswith("sqlite")


def _sqlite(database: str) -> sqlite3.Connection:
    return sqlite3.connect(urlsplit(database).path[1:])


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _parts(definition: str) -> list[str]:
    """Return the columns and constraints of a CREATE TABLE statement."""
    body = definition[definition.index("(") + 1 : definition.rindex(")")]
    parts, depth = [""], 0
    for character in body:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
