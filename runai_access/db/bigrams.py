"""Finds texts of two characters on PostgreSQL: an index of bigrams, as trigram indexes need three."""

from typing import Any

from django.db import connection
from django.db.migrations import RunPython
from django.db.models import BooleanField, F, Func, Value

FUNCTION = "text_bigrams"
# The index calls the function. A condition on a row should not, so it is declared expensive.
_CREATE_FUNCTION = f"""CREATE OR REPLACE FUNCTION {FUNCTION}(given text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10000
    AS $$ SELECT array_agg(substr(given, place, 2))
        FROM generate_series(1, length(given) - 1) place $$"""  # noqa: S608  # a constant


def has_bigram_index(term: str) -> bool:
    """Return whether this database has indexes that find `term` by its bigrams: see `bigram_index`."""
    return connection.vendor == "postgresql" and len(term) == 2


class HasBigram(Func):
    """True if an indexed text contains a text of two characters. Only for `has_bigram_index`."""

    template = f"{FUNCTION}(%(expressions)s]"
    arg_joiner = ") @> ARRAY["
    output_field = BooleanField()
    conditional = True

    def __init__(self, column: str, term: str) -> None:
        super().__init__(F(column), Value(term))


def bigram_function() -> RunPython:
    """Return the migration operation that creates the function of the indexes."""
    return _on_postgresql([_CREATE_FUNCTION], [f"DROP FUNCTION IF EXISTS {FUNCTION}(text)"])


def bigram_index(table: str, column: str, name: str) -> RunPython:
    """Return the migration operation that indexes a column by bigrams. It does not block others."""
    drop = f"DROP INDEX CONCURRENTLY IF EXISTS {name}"
    create = [
        drop,  # an interrupted attempt leaves an invalid index
        f"CREATE INDEX CONCURRENTLY {name} ON {table} USING gin ({FUNCTION}({column}))",
        f"ANALYZE {table}",  # so that the planner knows how many texts have a bigram
    ]
    return _on_postgresql(create, [drop])


def _on_postgresql(forwards: list[str], backwards: list[str]) -> RunPython:
    def run(editor: Any, statements: list[str]) -> None:
        if editor.connection.vendor == "postgresql":
            for statement in statements:
                editor.execute(statement)

    return RunPython(
        lambda _, editor: run(editor, forwards), lambda _, editor: run(editor, backwards)
    )
