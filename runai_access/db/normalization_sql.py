"""The compared form of `normalization.normalize` in SQL, for text without a normalized column.

SQLite calls the Python function. PostgreSQL has a function built from the same tables, but uses the
server's NFKC: characters newer than its Unicode version can compare differently. Both are skipped
for ASCII text, which nearly all text is, because calling Python for each row is slow.
"""

import sys
import unicodedata
from functools import cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import BooleanField, Case, F, Func, Q, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Length, StrIndex
from django.db.models.lookups import Exact, In

from runai_access.db.expressions import SQLiteNoIndexHint
from runai_access.db.normalization import DOTTED_I, IGNORABLE_RANGES, normalize

FUNCTION = "normalized_text"
_FIRST_COMBINING = 0x300  # Latin letters before it never change with their neighbors
_TEXT: "TextField[str, str]" = TextField()


class _ByteLength(Func):
    """The length of text in UTF-8 bytes."""

    template = "LENGTH(CAST(%(expressions)s AS BLOB))"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="OCTET_LENGTH(%(expressions)s)", **extra)


class LowerAscii(Func):
    """Lowercase ASCII text. In some locales PostgreSQL's LOWER differs even for ASCII."""

    template = "LOWER(%(expressions)s)"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = 'LOWER(%(expressions)s COLLATE "C")'
        return self.as_sql(compiler, connection, template=template, **extra)


def is_lower(column: str, *texts: str) -> Q:
    """Return the condition that a column is one of `texts` up to the case of ASCII, for an index."""
    lower = ["".join(one.lower() if one.isascii() else one for one in text) for text in texts]
    return Q(In(LowerAscii(F(column)), lower))


def is_exactly(column: str, *texts: str) -> Q:
    """Return the condition that a column is one of `texts`, by the index on its lower case.

    SQLite would put a value that the column equals into LOWER(), and then not use that index.
    """
    return is_lower(column, *texts) & Q(In(SQLiteNoIndexHint(F(column)), texts))


class _Function(Func):
    """The compared form of any text."""

    function = FUNCTION


def is_ascii(text: Combinable) -> Exact:
    """Return the condition that `text` is ASCII; then its compared form is its lower case."""
    return Exact(_ByteLength(text), Length(text))


class _IsPlain(Func):
    """True if a text has one line, and characters that only differ from their compared form in case.

    For PostgreSQL, whose function is slow. SQLite calls Python faster than it tests each character.
    """

    output_field = BooleanField()
    conditional = True

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        raise EmptyResultSet

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        text = "%(expressions)s"
        return self.as_sql(compiler, connection, template=f"{text} !~ '[^{_plain()}]'", **extra)


@cache
def _plain() -> str:
    """Return the characters of a regular expression: ASCII, and lower-case Latin with accents."""
    latin = (chr(code) for code in range(0x80, _FIRST_COMBINING))
    kept = "".join(one for one in latin if one.isalpha() and normalize(one) == one)
    return rf"\x01-\x09\x0b-\x7f{kept}"


def normalized(column: str | Combinable) -> Coalesce:
    """Return the compared form of `column`; NULL becomes the empty string."""
    text: Combinable = F(column) if isinstance(column, str) else column
    is_one_line = Exact(StrIndex(text, Value("\n")), 0)
    in_lower_case = When(Q(is_ascii(text)) & Q(is_one_line), then=LowerAscii(text))
    plain = When(Q(_IsPlain(text)), then=LowerAscii(text))
    return Coalesce(
        Case(in_lower_case, plain, default=_Function(text), output_field=_TEXT), Value("", _TEXT)
    )


def register_with_sqlite(*, connection: Any, **_: Any) -> None:
    """Register the function with a new SQLite connection; a receiver of `connection_created`."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(FUNCTION, 1, _normalize, deterministic=True)


def _normalize(text: str | None) -> str | None:
    return None if text is None else normalize(text)


def create_in_postgresql() -> str:
    """Return the statement that creates the function. It has the same steps as `normalize`."""
    foldings = {character: character.casefold() for character in _stable_characters()}
    changed = {large: small for large, small in foldings.items() if large != small}
    single = {large: small for large, small in changed.items() if len(small) == 1}
    longer = {large: small for large, small in changed.items() if len(small) > 1}
    ranges = "".join(f"\\U{first:08X}-\\U{last:08X}" for first, last in IGNORABLE_RANGES)
    replacements = "\n".join(
        f"folded := replace(folded, '{large}', '{small}');" for large, small in longer.items()
    )
    return f"""CREATE OR REPLACE FUNCTION {FUNCTION}(given text) RETURNS text
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
        DECLARE folded text := regexp_replace(normalize(given, NFKC), '[{ranges}]', '', 'g');
        BEGIN
            folded := translate(folded, '{"".join(single)}', '{"".join(single.values())}');
            IF folded ~ '[{"".join(longer)}]' THEN {replacements} END IF;
            folded := regexp_replace(folded, '{DOTTED_I}', 'i', 'g');
            RETURN replace(normalize(folded, NFKC), E'\\n', ' ');
        END $$"""


def drop_in_postgresql() -> str:
    """Return the statement that drops the function."""
    return f"DROP FUNCTION IF EXISTS {FUNCTION}(text)"


def _stable_characters() -> list[str]:
    """Return the characters that NFKC does not change; NFKC text contains no others."""
    every = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF)
    return [c for c in every if unicodedata.is_normalized("NFKC", c)]
