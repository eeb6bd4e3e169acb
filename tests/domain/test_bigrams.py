"""Texts of two characters, which indexes find on PostgreSQL."""

import pytest

from accessrules.models import Subject
from applications.search import keys_with_text
from runai_access.db.bigrams import HasBigram, has_bigram_index
from runai_access.settings import IS_SQLITE
from tests import factories
from tests.plans import plan_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(IS_SQLITE, reason="SQLite finds two characters by its trigrams"),
]
NAMES = [
    "a",
    "ab",
    "aba",
    "a b",
    "zürich",
    "a'b\\",
    "{a,b}",
    "%_",
    "\U0001f511\U0001f511 key",
    "日本語",
]


def test_a_text_has_all_of_its_bigrams_and_no_others() -> None:
    for name in NAMES:
        factories.group(name)
    parts = {name[place : place + 2] for name in NAMES for place in range(len(name) - 1)}
    for term in {*parts, "ba", "zz", "本日", "key"[1:], "__"}:
        assert has_bigram_index(term)
        found = Subject.objects.filter(HasBigram("normalized_name", term), type="group")
        expected = {name for name in NAMES if term in name}
        assert set(found.values_list("name", flat=True)) == expected


def test_other_texts_have_no_bigram_index() -> None:
    assert [has_bigram_index(term) for term in ("", "a", "abc")] == [False] * 3


def test_indexes_find_them() -> None:
    subjects = Subject.objects.filter(HasBigram("normalized_name", "ab"))
    scan = frozenset({"seqscan"})
    assert "subject_by_bigrams" in plan_of(*subjects.query.sql_with_params(), without=scan)
    assert "applications_search_bigrams" in plan_of(*keys_with_text("ab").sql(), without=scan)
