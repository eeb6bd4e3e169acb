"""Text normalization, in Python and in both databases."""

import unicodedata

import pytest
from django.db.models import F, TextField, Value
from django.db.models.expressions import RawSQL
from hypothesis import given
from hypothesis import strategies as st

from accessrules.models import Scope
from runai_access.db.normalization import (
    find_normalized,
    normalize,
    normalize_email,
    normalize_password,
    normalize_term,
    stored_form,
)
from runai_access.db.normalization_sql import normalized
from runai_access.lists.markup import marked
from tests.unicode_examples import SAME, decomposed

# Marks, joiners and letters that combine, fold or vanish, much more often than in random text.
_TRICKY = (
    "iIıİ\u0307\u0323\u0301\u0345αςσΣßẞµ\u200b\u200c\u200d\u00ad\ufe0fü\u3164\uffa0가ᅡᆨ㎏ﬁＡａ ℃ᾳ"
)
texts = st.text(st.one_of(st.sampled_from(_TRICKY), st.characters(exclude_categories=["Cs"])))


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equivalent_texts_have_the_same_normalized_form(one: str, other: str) -> None:
    assert normalize(one) == normalize(other)


@pytest.mark.parametrize(
    ("one", "other"), [("istanbul", "ıstanbul"), ("resume", "résumé"), ("ab", "a b")]
)
def test_different_letters_stay_different(one: str, other: str) -> None:
    assert normalize(one) != normalize(other)


@given(text=texts)
def test_normalization_is_idempotent(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(text=texts)
def test_composed_and_decomposed_texts_are_equivalent(text: str) -> None:
    assert normalize(decomposed(text)) == normalize(text) == normalize(stored_form(text))


@given(before=texts, text=texts.filter(normalize), after=texts)
def test_match_contains_the_normalized_term(before: str, text: str, after: str) -> None:
    whole, term = f"{before} {text} {after}", normalize(text)
    for start, end in find_normalized(whole, term):
        assert term in normalize(whole[start:end])
    assert bool(find_normalized(whole, term)) == (term in normalize(whole))


def test_term_of_ignorable_characters_is_empty() -> None:
    assert normalize_term(" \u200b\u2060 ") == ""


def test_match_is_found_when_normalization_changes_lengths() -> None:
    assert find_normalized("Hauptstra\u00dfe 1", normalize("STRASSE")) == [(5, 11)]
    assert find_normalized(decomposed("in Zürich"), normalize("zür")) == [(3, 7)]
    assert find_normalized("İSTANBUL", "istanbul") == [(0, 8)]


@pytest.mark.parametrize("behind", ["", " \u00df"])
def test_all_matches_are_found_at_their_positions(behind: str) -> None:
    assert find_normalized(f"A1 a1-xA1{behind}", "a1") == [(0, 2), (3, 5), (7, 9)]
    assert find_normalized(f"aaa{behind}", "aa") == [(0, 2)]
    assert find_normalized(f"abc{behind}", "d") == []


def test_all_matches_are_marked_and_escaped() -> None:
    assert marked("<b>Ab ab", "AB") == "&lt;b&gt;<mark>Ab</mark> <mark>ab</mark>"
    assert marked("a&b", "") == "a&amp;b"


def test_email_is_stored_composed_and_in_lowercase() -> None:
    assert normalize_email(decomposed(" Rosa@Bücher.de ")) == "rosa@bücher.de"


@pytest.mark.parametrize(
    ("typed", "hashed"),
    [
        (decomposed("Zürich ist schön"), "Zürich ist schön"),
        ("no\u00a0break\u3000space", "no break space"),
        ("ＦＵＬＬ width ß", "ＦＵＬＬ width ß"),
    ],
)
def test_password_is_composed_and_keeps_case_and_width(typed: str, hashed: str) -> None:
    assert normalize_password(typed) == hashed


@pytest.mark.django_db
def test_database_normalizes_all_characters_like_python() -> None:
    characters = [
        chr(code)
        for code in range(1, 0x110000)
        if unicodedata.category(chr(code)) not in ("Cs", "Cn", "Co")
    ]
    # Few statements, each with many separated characters.
    chunks = [characters[at : at + 2000] for at in range(0, len(characters), 2000)]
    for chunk in chunks:
        text = "|".join(chunk)
        found, expected = _in_database(text).split("|"), normalize(text).split("|")
        assert [c for c in zip(chunk, found, expected, strict=False) if c[1] != c[2]] == []
        assert found == expected


@pytest.mark.django_db
@given(text=texts.filter(lambda text: "\x00" not in text and _is_known(text)))
def test_database_normalizes_all_texts_like_python(text: str) -> None:
    assert _in_database(text) == normalize(text)


@pytest.mark.django_db
def test_database_normalizes_text_with_accents_like_python() -> None:
    latin = map(chr, range(0x80, 0x300))
    text = "A" + "".join(one for one in latin if one.isalpha() and normalize(one) == one)
    assert _in_database(text) == normalize(text)
    assert _in_database(f"{text}\n") == normalize(f"{text}\n")


@pytest.mark.django_db
def test_database_normalizes_null_to_empty_text() -> None:
    nothing = RawSQL("NULL", (), output_field=TextField())
    assert Scope.objects.values_list(normalized(nothing), flat=True).first() == ""


def _in_database(text: str) -> str:
    value = Value(text, output_field=TextField())
    return str(
        Scope.objects.annotate(found=normalized(value)).values_list(F("found"), flat=True)[0]
    )


def _is_known(text: str) -> bool:
    return not any(unicodedata.category(c) == "Cn" for c in text)
