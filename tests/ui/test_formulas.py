"""No part of a cell is a formula, at whatever separator a spreadsheet splits it."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runai_access.lists.export import lines
from runai_access.lists.formulas import escape_formulas, unescape_formulas
from tests.spreadsheets import SEPARATORS, STARTS, formulas

# Separators, characters that start formulas, characters that spreadsheets remove, and letters.
hostile = st.text(alphabet=f"{SEPARATORS}{STARTS}\"' \r\n\v\u00a0ax9.", max_size=20)
readable = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
texts = hostile | readable


@given(text=texts)
@example(text='"x;=9+9;y"@example.com')
@example(text="\t=9+9")
@example(text="a\n=9+9")
@example(text=';"=9+9"')
@example(text=';"" =9+9')
@example(text=";\t=9+9")
@example(text="'=9+9")
@example(text=";''=9+9")
def test_escaped_text_contains_no_formula(text: str) -> None:
    escaped = escape_formulas(text)
    for separators in (*SEPARATORS, SEPARATORS):
        assert formulas(escaped, separators) == []


@given(rows=st.lists(st.lists(texts, min_size=3, max_size=3), max_size=4))
@pytest.mark.parametrize("separators", [*SEPARATORS, SEPARATORS])
def test_file_contains_no_formula(separators: str, rows: list[list[str]]) -> None:
    assert formulas("".join(lines(["a", "b", "c"], rows)), separators) == []


@given(text=texts)
@example(text="'=")
@example(text="';'=")
@example(text="\t'=")
@example(text="'\t=")
def test_unescaping_restores_the_text_exactly(text: str) -> None:
    assert unescape_formulas(escape_formulas(text)) == text


@given(text=st.text(alphabet="abc .:/()\"'\u00e4\u6771", max_size=20))
def test_text_without_a_formula_is_unchanged(text: str) -> None:
    assert escape_formulas(text) == text
    assert unescape_formulas(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("=9+9", "'=9+9"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\uff1d9", "'\uff1d9"),
        ("'=9", "''=9"),
        ('"x;=9+9;y"@example.com', '"x;\'=9+9;y"@example.com'),
        ("Viewer in a; -b in c", "Viewer in a; '-b in c"),
        ('x|"=9"', 'x|"\'=9"'),
        ("\ttext", "'\ttext"),
        ("a-b, c=d, e@f", "a-b, c=d, e@f"),
        ("it's; 'quoted'", "it's; 'quoted'"),
    ],
)
def test_only_the_start_of_a_formula_is_escaped(text: str, escaped: str) -> None:
    assert escape_formulas(text) == escaped


@pytest.mark.parametrize("text", ["\t" * 200_000, "; " * 100_000, "'" * 200_000, ";'\"" * 70_000])
def test_long_hostile_text_is_escaped_in_linear_time(text: str) -> None:
    began = time.process_time()
    assert unescape_formulas(escape_formulas(text)) == text
    assert time.process_time() - began < 2
