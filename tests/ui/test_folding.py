"""Text without regard to case, also beyond ASCII; and where a term stands in it."""

import pytest

from runai_access.folding import find_folded, fold
from runai_access.ui.markup import marked


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u00c9quipe", "\u00e9quipe"), ("STRASSE", "stra\u00dfe"),
        ("\u03a3\u03c3", "\u03c2\u03c3"), ("e\u0301", "\u00c9"),
    ],
)  # fmt: skip
def test_case_and_composition_make_no_difference(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_a_match_is_found_where_folding_changes_lengths() -> None:
    assert find_folded("Hauptstra\u00dfe 1", fold("STRASSE")) == [(5, 11)]


@pytest.mark.parametrize("behind", ["", " \u00df"])
def test_every_match_is_found_where_it_stands_whatever_else_the_text_holds(behind: str) -> None:
    assert find_folded(f"A1 a1-xA1{behind}", "a1") == [(0, 2), (3, 5), (7, 9)]
    assert find_folded(f"aaa{behind}", "aa") == [(0, 2)]
    assert find_folded(f"abc{behind}", "d") == []


def test_every_match_is_marked_and_everything_is_escaped() -> None:
    assert marked("<b>Ab ab", "AB") == "&lt;b&gt;<mark>Ab</mark> <mark>ab</mark>"
    assert marked("a&b", "") == "a&amp;b"
