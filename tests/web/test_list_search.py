"""The search of lists: how matches of a text are found, also those of one or two characters."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accessrules.authorization.authority import authority_of
from applications import search as finding
from applications.models import Application, search_text_of, searched_details_of
from applications.search import has_text, keys_with_text, search
from runai_access.accounts.models import User
from runai_access.db.keys import KeySubquery
from runai_access.lists import selection
from runai_access.lists.keyset import Position, page_of
from runai_access.lists.selection import ListFilter, Selection
from runai_access.lists.sorts import Sort
from tests import factories
from tests.plans import plan_of
from tests.web.conftest import Organization, SignedIn, column

# A statement that tests texts for "q", which no index finds.
TESTS_Q = re.compile("'%?q%?'")

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("term", "number"), [("many-", 5), ("no-such", 0), ("m", 5)])
def test_keys_are_read_only_up_to_the_candidate_limit(term: str, number: int) -> None:
    factories.many_applications(5)
    keys = keys_with_text(term)
    assert len(keys.first(9)) == number
    assert keys.few(9) == keys.few(5) == keys.first(9)
    assert keys.few(4) == keys.few(0) == (None if number else [])
    assert KeySubquery().few(3) == []


@pytest.mark.parametrize(("term", "number"), [("app-", 5), ("no-such", 0), ("p", 5), ('"', 0)])
def test_text_matches_are_counted_exactly_up_to_the_limit(term: str, number: int) -> None:
    for one in range(5):
        factories.application(f"app-{one}")
    keys = keys_with_text(term)
    assert keys.is_distinct
    assert len(keys.first(9)) == number
    assert (keys.count(9), keys.count(3)) == ((number, True), (min(number, 3), number < 3))
    assert [keys.exists_more_than(most) for most in (3, 4, 5)] == [number > 3, number > 4, False]


def test_short_search_tests_each_application_once_for_count_and_page(
    ada: User, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 1)
    for number in range(4):
        factories.application(f"q-{number}")
    with CaptureQueriesContext(connection) as queries:
        page = as_(ada).get("/applications/", {"search": "q"})
    assert len(column(page, "application")) == 4
    assert len([one for one in queries.captured_queries if TESTS_Q.search(one["sql"])]) == 1


def test_total_of_a_short_search_is_counted_by_the_keys_of_its_page() -> None:
    for number in range(4):
        factories.application(f"q-{number}")
    selected = Selection(
        Application.objects.all(), [ListFilter(has_text("q"), keys_with_text("q"))]
    )
    with CaptureQueriesContext(connection) as queries:
        count = selected.total()
        page = page_of(
            selected.listed(Sort.text("search_text"), count),
            Position(),
            is_descending=False,
            size=50,
        )
    assert len(page.rows) == count.number == 4
    assert len([one for one in queries.captured_queries if TESTS_Q.search(one["sql"])]) == 1


def test_two_characters_are_found_wherever_they_are() -> None:
    owner = factories.person("ana@zq")
    found = [
        factories.application("zq"),
        factories.application("a-zq"),
        factories.application("zqzq-b"),
        *(factories.application(f"of-{number}") for number in range(4)),
    ]
    factories.application("z-q")
    creator, description, label, owned = (application.pk for application in found[3:])
    rows = Application.objects
    rows.filter(pk=creator).update(search_text=search_text_of("of-0", "bo@zq"))
    rows.filter(pk=description).update(searched_details=searched_details_of("a zq", {}))
    rows.filter(pk=label).update(searched_details=searched_details_of("", {"team": "zq"}))
    rows.filter(pk=owned).update(owner=owner.subject)
    keys = keys_with_text("zq")
    assert len(keys.first(100)) == len(found)
    assert keys.count(100) == (len(found), True)
    assert keys_with_text("qz").count(100)[0] == 1
    assert keys_with_text("zz").first(100) == []
    if connection.vendor == "sqlite":
        assert "SCAN application" not in plan_of(*keys.sql())


def test_short_search_reads_the_keys_of_a_selective_filter_first(
    dina: User, acme: Organization, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        factories.application(f"q-{number}", ("Viewer", acme.training))
    query = {"search": "q", "application__is": "q-3"}
    with CaptureQueriesContext(connection) as queries:
        page = as_(dina).get("/applications/", query)
    assert [name.replace(" ", "") for name in column(page, "application")] == ["q-3"]
    tests = [one["sql"] for one in queries.captured_queries if TESTS_Q.search(one["sql"])]
    assert tests
    key = Application.objects.get(subject__name="q-3").pk
    assert all(key.hex in sql.replace("-", "") for sql in tests)


@pytest.mark.parametrize(("tested", "matches"), [(30_000, 10_000), (30_000, 3), (3, 10_000)])
def test_short_search_tests_the_visible_applications_if_they_are_few(
    tested: int, matches: int, dina: User, acme: Organization, as_: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(selection, "MAX_TESTED_VISIBLE", tested)
    monkeypatch.setattr(selection, "MAX_SCANNED_CANDIDATES", matches)
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 1)
    for number in range(4):
        factories.application(f"q-{number}", ("Viewer", acme.training), ("Editor", acme.vision))
        factories.application(f"q-{number}-elsewhere", ("Viewer", acme.dictation))
    factories.application("other", ("Viewer", acme.training))
    with CaptureQueriesContext(connection) as queries:
        page = as_(dina).get("/applications/", {"search": "q", "sort": "application"})
    names = [name.replace(" ", "") for name in column(page, "application")]
    assert names == ["q-0", "q-1", "q-2", "q-3"]
    tests = [one["sql"] for one in queries.captured_queries if TESTS_Q.search(one["sql"])]
    if (tested, matches) == (30_000, 10_000):
        (only,) = tests  # count and page read the keys that it found
        assert "EXISTS" not in only
        assert '<span class="count">4</span>' in page.content.decode()


@pytest.mark.parametrize("scopes", [200, 1])
def test_applications_with_a_role_are_found_by_rules_in_visible_scopes(
    scopes: int, dina: User, acme: Organization, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_MAX_MERGED_RANGES", scopes)
    factories.application("ours", ("Viewer", acme.training))
    factories.application("theirs", ("Viewer", acme.dictation))
    factories.rule(factories.person("bo@acme.example"), "Viewer", acme.training)
    assert column(as_(dina).get("/applications/", {"search": "viewer"}), "application") == ["ours"]
    keys = search("viewer", authority_of(dina.subject)).keys
    assert keys
    plan = plan_of(*keys.sql())
    index = "access_rule_in_scope" if scopes > 1 else "access_rule_of_role"
    if connection.vendor == "sqlite":  # PostgreSQL chooses by its statistics
        assert f"COVERING INDEX {index}" in plan
