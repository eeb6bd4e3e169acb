"""Cells and lines of a CSV file."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from runai_access.ui.export import cell, csv_response, lines

DANGEROUS = set("=+-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20")
readable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(text=readable)
def test_no_cell_runs_as_a_formula_and_every_one_is_still_readable(text: str) -> None:
    made = cell(text)
    assert made[:1] not in DANGEROUS
    assert made in (text, f"'{text}")
    assert (made != text) == (text[:1] in DANGEROUS)


@given(rows=st.lists(st.lists(readable, min_size=2, max_size=2), max_size=5))
def test_a_reader_of_rfc_4180_gets_back_every_cell(rows: list[list[str]]) -> None:
    text = "".join(lines(["a", "b"], rows))
    assert text.startswith("\ufeff")
    assert text.endswith("\r\n")
    read = list(csv.reader(io.StringIO(text[1:], newline="")))
    assert read == [["a", "b"], *[[cell(value) for value in row] for row in rows]]


def test_a_file_that_is_cut_says_so_in_its_name_and_a_header() -> None:
    cut = csv_response("things", ["a"], [["1"]], is_cut=True)
    assert "things-first-20000-rows.csv" in cut.headers["Content-Disposition"]
    assert cut.headers["X-Row-Limit-Reached"] == "true"
    whole = csv_response("things", ["a"], [["1"]], is_cut=False)
    assert 'filename="things.csv"' in whole.headers["Content-Disposition"]
    assert whole.headers["X-Row-Limit-Reached"] == "false"


def test_a_file_is_made_while_it_is_sent() -> None:
    made = []

    def endless() -> object:
        for number in range(1_000_000):
            made.append(number)
            yield [str(number)]

    response = csv_response("things", ["a"], endless(), is_cut=False)
    next(iter(response))
    assert len(made) < 10
