"""CSV files: cells, lines, names and streaming."""

import csv
import io
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runai_access.lists.export import cell, csv_response, lines

readable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(rows=st.lists(st.lists(readable, min_size=2, max_size=2), max_size=5))
def test_csv_round_trips_through_an_rfc_4180_reader(rows: list[list[str]]) -> None:
    text = "".join(lines(["a", "b"], rows))
    assert text.startswith("\ufeff")
    assert text.endswith("\r\n")
    read = list(csv.reader(io.StringIO(text[1:], newline="")))
    assert read == [["a", "b"], *[[cell(value) for value in row] for row in rows]]


def test_truncated_file_says_so_in_its_name_and_a_header() -> None:
    cut = csv_response("things", ["a"], [["1"]], is_cut=True)
    assert "things-first-20000-rows.csv" in cut.headers["Content-Disposition"]
    assert cut.headers["X-Row-Limit-Reached"] == "true"
    whole = csv_response("things", ["a"], [["1"]], is_cut=False)
    assert 'filename="things.csv"' in whole.headers["Content-Disposition"]
    assert whole.headers["X-Row-Limit-Reached"] == "false"


@pytest.mark.parametrize(
    ("name", "saved_as"),
    [
        ("access of a b", "access of a b.csv"),
        ('a "b"; c=d, e', 'a "b"; c=d, e.csv'),
        ("größer 東京 🧪", "größer 東京 🧪.csv"),
        ("50%25 off", "50%25 off.csv"),
        ("ä'b;c\"", "ä'b;c\".csv"),
        ("../east/a\\b", "..-east-a-b.csv"),
        ("ä/b", "ä-b.csv"),
        ("a\r\nSet-Cookie: x=y", "a--Set-Cookie: x=y.csv"),
    ],
)
def test_file_name_is_quoted_or_encoded(name: str, saved_as: str) -> None:
    """RFC 6266: quoted, or encoded if it is not ASCII."""
    response = csv_response(name, ["a"], [], is_cut=False)
    header = response.headers["Content-Disposition"]
    assert header.isascii()
    assert header.startswith("attachment; filename")
    parsed = Message()
    parsed["Content-Disposition"] = header
    assert parsed.get_filename() == saved_as


def test_file_is_streamed() -> None:
    produced = []

    def endless() -> object:
        for number in range(1_000_000):
            produced.append(number)
            yield [str(number)]

    response = csv_response("things", ["a"], endless(), is_cut=False)
    next(iter(response))
    assert len(produced) < 10
