"""Query strategies of filtered lists: all return the rows that a plain test of each row returns."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessrules.authorization.authority import authority_of
from accessrules.models import AccessRule, Role, Scope
from applications import search as finding
from applications.filters import ApplicationFilterSet
from applications.models import Application, search_text_of, searched_details_of
from applications.search import has_text, keys_with_text, search
from applications.tables import ApplicationTable
from runai_access.accounts.models import User
from runai_access.db.keys import InKeySubquery, KeySubquery
from runai_access.db.normalization import normalize_term
from runai_access.lists import selection
from runai_access.lists.keyset import Count, OrderedQuery, Position, page_of
from runai_access.lists.selection import ListFilter, Selection
from runai_access.lists.sorts import Sort
from tests import factories, sizes
from tests.strategies import force
from tests.web.conftest import LISTING, Organization, SignedIn, column
from tests.web.selections import is_read_in_order, names_of, query_plan

ALPHABET = "ab@%_\"'\\\u00e9\u00df\u0130\u4e2d*^- "
creators = st.lists(st.text(ALPHABET, min_size=1, max_size=8), min_size=1, max_size=6)
STRATEGIES = ("keys", "sort", "scan")
SORTS = ("creation_time", "-creation_time", "-last_login", "access_rules", "application")
# A statement that tests texts for "q", which no index finds.
TESTS_Q = re.compile("'%?q%?'")

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(
    max_examples=sizes.LIST_EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(creators=creators, term=st.text(ALPHABET, min_size=1, max_size=5), data=st.data())
def test_search_finds_the_same_rows_as_a_substring_test(
    strategy: str, creators: list[str], term: str, data: st.DataObject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    force(strategy, monkeypatch)
    Application.objects.all().delete()
    for creator in creators:
        application = factories.application(f"app-{uuid4()}")
        text = search_text_of(application.name, creator)
        Application.objects.filter(pk=application.pk).update(created_by=creator, search_text=text)
    if data.draw(st.booleans()):  # half of the terms occur somewhere
        creator = data.draw(st.sampled_from(creators))
        start = data.draw(st.integers(0, len(creator) - 1))
        term = creator[start : start + data.draw(st.integers(1, 5))]
    rows = list(Application.objects.values_list("subject__name", "search_text"))
    expected = {name for name, text in rows if normalize_term(term) in text}
    authority = authority_of(factories.system_person())
    selected = Selection(Application.objects.all(), [search(term, authority)])
    assert names_of(selected) == expected
    assert selected.count() == Count(len(expected), is_exact=True)


@pytest.mark.usefixtures("thirty_applications")
@pytest.mark.parametrize(
    "forced", [("scan", 0), ("sort", 0), ("keys", 5), ("keys", 1_000)], ids=str
)
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "zoe"}, {0, 10, 20}),
        ({"search": "east"}, set(range(0, 30, 3))),
        ({"search": "Viewer"}, set(range(0, 30, 3))),
        ({"search": "ZO", "scope__any_of": "east"}, {0}),
        ({"search": "zoe", "role__any_of": "Viewer"}, {0}),
        ({"created_by__is": "zoe", "application__contains": "1"}, {10}),
        ({"created_by__starts_with": "Z"}, {0, 10, 20}),
        ({"created_by__is": "zo"}, set()),
        ({"application__starts_with": "app-1"}, set(range(10, 20))),
        ({"application__is": "app-1"}, set()),
        ({"application__is_not": "app-10", "created_by__is": "zoe"}, {0, 20}),
        ({"status__is": "enabled", "creation_time__after": "2020-01-01"}, set(range(30))),
        ({"last_login__never": "1", "access_rules__none": "1"}, set(range(30)) - set(range(0, 30, 3))),
        ({"last_login__never": "1", "status__is": "enabled", "search": "zo"}, {0, 10, 20}),
    ],
)  # fmt: skip
def test_all_query_strategies_return_the_same_rows(
    forced: tuple[str, int],
    query: dict[str, str],
    found: set[int],
    ada: User,
    as_: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    strategy, limit = forced
    force(strategy, monkeypatch, limit=limit)
    keys = dict(Role.objects.values_list("name", "pk")) | dict(
        Scope.objects.values_list("name", "pk")
    )
    asked = {name: str(keys.get(value, value)) for name, value in query.items()}
    asked["search"] = query.get("search", "")
    browser = as_(ada, headers=LISTING)
    # In small runs two of the sorts, others for the next strategy and the next query.
    first = request.node.callspec.indices["forced"] + request.node.callspec.indices["query"]
    sorts = SORTS if sizes.IS_LARGE else (SORTS[first % 5], SORTS[(first + 2) % 5])
    for sort in sorts:
        page = browser.get("/applications/", {**asked, "sort": sort, "size": "50"})
        names = column(page, "application")
        assert {int(name[-2:]) for name in names} == found
        assert len(names) == len(found)
        assert f'<span class="count">{len(found)}</span>' in page.content.decode()


def test_all_query_strategies_respect_visibility(
    dina: User, acme: Organization, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.application("ours", ("Viewer", acme.training))
    factories.application("theirs", ("Viewer", acme.dictation))
    browser = as_(dina, headers=LISTING)
    for strategy in STRATEGIES:
        force(strategy, monkeypatch)
        for query in ({}, {"search": "s"}, {"search": "our"}, {"sort": "access_rules"}):
            (name,) = column(browser.get("/applications/", query), "application")
            assert name.replace(" ", "") == "ours"  # highlighting splits the name
        assert column(browser.get("/applications/", {"search": "dictation"}), "application") == []


@pytest.mark.usefixtures("thirty_applications")
def test_only_unselective_filters_scan_the_index_of_the_sort(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 5)
    authority = authority_of(factories.system_person())
    sort, _ = ApplicationTable.sort_of("-creation_time", authority)
    plans = {}
    # Thirty rows are scanned, ten are sorted in the database, the keys of three are read.
    for term in ("app-", "app-1", "zoe"):
        selected = Selection(Application.objects.all(), [search(term, authority)], counted=13)
        rows = selected.rows(sort).annotate(key=selected.order(sort).by)
        plans[term] = rows.order_by("-key", "-pk")[:20].explain()
    for term, plan in plans.items():
        is_scan = term == "app-"
        if connection.vendor == "sqlite":
            assert ("application_by_creation" in plan) is is_scan
            assert ("TEMP B-TREE FOR ORDER BY" in plan) is not is_scan
        else:
            assert ("GREATEST" in plan) is not is_scan


@pytest.mark.usefixtures("thirty_applications")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"last_login__never": "1"}, "application_by_login"),
        ({"last_updated__after": "2020-01-01"}, "application_by_update"),
        ({"status__is": "enabled"}, "application_by_status"),
    ],
)
def test_range_filters_use_an_index_only_scan_in_default_order(
    query: dict[str, str], index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 5)
    authority = authority_of(factories.system_person())
    asked = QueryDict(urlencode(query))
    filters = ApplicationFilterSet(asked, Application.objects.all(), context=authority)
    selected = Selection(*filters.selection())
    sort, _ = ApplicationTable.sort_of(ApplicationTable.default_sort, authority)
    rows = selected.rows(sort).annotate(key=selected.order(sort).by).order_by("-key", "-pk")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = rows.values("pk")[:20].explain()
    index_only = "COVERING INDEX" if connection.vendor == "sqlite" else "Index Only Scan using"
    assert f"{index_only} {index}" in plan


@pytest.mark.usefixtures("thirty_applications")
def test_scanned_page_tests_access_rules_with_a_correlated_subquery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    force("scan", monkeypatch)
    authority = authority_of(factories.system_person())
    role = QueryDict(urlencode({"role__any_of": factories.role("Viewer").pk}))
    filters = ApplicationFilterSet(role, Application.objects.all(), context=authority)
    selected = Selection(*filters.selection())
    sort, _ = ApplicationTable.sort_of(ApplicationTable.default_sort, authority)
    page, all_ = selected.rows(sort, is_page=True), selected.rows(sort)
    assert {one.pk for one in page} == {one.pk for one in all_}
    assert len(page) == 10
    if connection.vendor == "postgresql":
        for_each_row = r"Filter: \(SubPlan \d\)"
        assert re.search(for_each_row, page.explain())
        assert not re.search(for_each_row, all_.explain())


@pytest.mark.parametrize("column", ["role", "scope"])
def test_subjects_with_several_rules_are_counted_once_from_the_index(
    column: str, acme: Organization
) -> None:
    authority = authority_of(factories.system_person())
    twice = [("Viewer", acme.east), ("Viewer", acme.speech), ("Editor", acme.east)]
    for number in range(4):
        factories.application(f"app-{number}", *twice)
    value = str({"role": factories.role("Viewer").pk, "scope": acme.east.pk}[column])
    asked = QueryDict(urlencode({f"{column}__any_of": value}))
    filters = ApplicationFilterSet(asked, Application.objects.all(), context=authority)
    (list_filter,) = filters.list_filters()
    keys = list_filter.keys
    assert keys
    assert keys.is_distinct
    assert (keys.count(9), keys.count(4), keys.count(3)) == ((4, True), (4, False), (3, False))
    assert len(keys.first(99)) == len(set(keys.first(99))) == 4
    assert (keys | KeySubquery()).is_distinct
    assert not (keys | keys).is_distinct
    assert is_read_in_order(*keys.parts[0])


@pytest.mark.parametrize("limit", [1, 9])
def test_subjects_are_found_if_their_rules_exceed_the_candidate_limit(
    limit: int, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", limit)
    places = (acme.east, acme.west, acme.speech, acme.vision)
    names = {f"app-{number}" for number in range(4)}
    for name in names:
        factories.application(name, *(("Viewer", place) for place in places))
    asked = QueryDict(urlencode({"role__any_of": factories.role("Viewer").pk}))
    authority = authority_of(factories.system_person())
    filters = ApplicationFilterSet(asked, Application.objects.all(), context=authority)
    selected = Selection(*filters.selection(), counted=4)
    assert names_of(selected) == names
    assert selected.count() == Count(4, is_exact=True)


def test_filter_with_more_keys_than_the_limit_is_not_deduplicated(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 1)
    names = {f"job-{number}" for number in range(4)}
    for name in names:
        factories.application(name, *(("Viewer", scope) for scope in (acme.east, acme.west)))
    factories.application("job-none")
    both = [search("job", authority_of(factories.system_person())), _with_rules()]
    limits: list[int] = []
    count, first = KeySubquery.count, KeySubquery.first

    def recorded(read: Any) -> Any:
        def reading(keys: KeySubquery, limit: int) -> Any:
            limits.extend([] if keys.is_distinct else [limit])
            return read(keys, limit)

        return reading

    monkeypatch.setattr(KeySubquery, "count", recorded(count))
    monkeypatch.setattr(KeySubquery, "first", recorded(first))
    Selection(Application.objects.all(), both, counted=3).rows()
    assert limits == []
    Selection(Application.objects.all(), both, counted=9).rows()
    assert limits
    for counted in (3, 4, 9):
        selected = Selection(Application.objects.all(), both, counted=counted)
        assert names_of(selected) == names
        assert selected.count() == Count(min(counted, 4), is_exact=counted == 9)


@pytest.mark.parametrize("limit", [0, 1_000])
@pytest.mark.parametrize("reader", ["ada", "dina"])
@pytest.mark.parametrize("search", ["", "a", "no-such-thing"])
@pytest.mark.parametrize(
    "address",
    [
        "/applications/?creation_time__after=2020-01-01",
        "/access-rules/?creation_time__after=2020-01-01",
        "/users/?creation_time__after=2020-01-01",
        "/users/?last_login__never=1",
        "/groups/?creation_time__after=2020-01-01",
        "/scopes/list/?creation_time__after=2020-01-01",
        "/roles/?last_updated__after=2020-01-01",
    ],
)
@pytest.mark.usefixtures("thirty_applications")
def test_count_equals_the_number_of_rows_shown(
    address: str, search: str, reader: str, limit: int, request: pytest.FixtureRequest,
    as_: SignedIn, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    user = request.getfixturevalue(reader)
    factories.group("a-group")
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", limit)
    monkeypatch.setattr(selection, "MIN_ESTIMATE", 1)
    browser = as_(user, headers=LISTING)
    page = browser.get(f"{address}&search={search}&size=100").content.decode()
    (count,) = re.findall(r'<span class="count">([\d,]+\+?)</span>', page)
    assert count == str(page.count('<tr role="row" data-row'))


@pytest.mark.parametrize(("keys", "read"), [("aabbc", 10), ("aabbc", 5), ("", 5)])
def test_count_is_of_distinct_keys_up_to_the_limit(keys: str, read: int) -> None:
    parts = tuple(("SELECT %s AS k", (key,)) for key in keys)
    many = KeySubquery((*parts, ("SELECT %s AS k WHERE 1 = 0", ("z",))))
    assert many.count(read) == (len(set(keys)), len(keys) < read)


def test_distinct_subquery_counts_without_deduplication() -> None:
    applications = factories.many_applications(5, ("Viewer", factories.account()))
    keys = KeySubquery.of(Application.objects.filter(pk__in=[one.pk for one in applications]))
    assert keys.is_distinct
    assert (keys.count(9), keys.count(5), keys.count(3)) == ((5, True), (5, False), (3, False))
    assert [keys.exists_more_than(number) for number in (4, 5, 6)] == [True, False, False]
    some = replace(keys, is_whole=False)
    assert [some.exists_more_than(number) for number in (4, 5)] == [True, None]
    assert (KeySubquery().exists_more_than(0), KeySubquery(is_whole=False).exists_more_than(0)) == (
        False,
        None,
    )
    assert (keys | keys).count(99) == (5, True)
    assert (keys | KeySubquery()).is_distinct
    assert (KeySubquery() | keys).is_distinct
    assert not (keys | keys).is_distinct


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


def test_empty_key_subquery_matches_no_row() -> None:
    application = factories.application("app")
    found = KeySubquery.of(Application.objects.filter(pk=application.pk))
    among = [
        InKeySubquery("pk", keys)
        for keys in (found, found.limited(1), KeySubquery(), KeySubquery().limited(1))
    ]
    assert [Application.objects.filter(one).count() for one in among] == [1, 1, 0, 0]


@pytest.mark.parametrize("term", ["zoe", "app"])
def test_probe_reads_at_most_the_candidate_limit(
    term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of a role contains "app", too, so its keys are deduplicated within the count limit."""
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 5)
    asked: list[int] = []

    def first(_: KeySubquery, limit: int) -> list[Any]:
        asked.append(limit)
        return [str(number) for number in range(limit)]

    monkeypatch.setattr(KeySubquery, "few", lambda _, most: asked.append(most))
    monkeypatch.setattr(KeySubquery, "first", first)
    monkeypatch.setattr(KeySubquery, "count", lambda _, limit: (limit, False))
    found = [search(term, authority_of(factories.application("nobody").subject))]
    many = Selection(Application.objects.all(), found, counted=17)
    many.rows()
    many.count()
    limits = [20] if connection.vendor == "sqlite" else []
    assert asked == ([5] if term == "zoe" else [5, *limits])


@pytest.mark.usefixtures("thirty_applications")
def test_expensive_count_is_a_lower_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = authority_of(factories.system_person())
    both = [search("app", authority), _with_rules()]
    everything = Selection(Application.objects.all(), both).count()
    assert everything.is_exact
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 2)
    monkeypatch.setattr(selection, "_SAMPLES", (2,))
    count = Selection(Application.objects.all(), both, counted=everything.number - 2).count()
    assert not count.is_exact
    assert 0 < count.number < everything.number


@pytest.mark.usefixtures("thirty_applications")
def test_count_is_exact_if_one_filter_is_within_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = authority_of(factories.system_person())
    both = [search("app", authority), _with_rules()]
    everything = Selection(Application.objects.all(), both).count()
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 2)
    # The limit is below the number of name matches and above that of applications with rules.
    assert Selection(Application.objects.all(), both, counted=13).count() == everything


def _with_rules() -> ListFilter:
    role = ApplicationFilterSet.field_filters["role"]
    authority = authority_of(factories.system_person())
    condition = role.condition(role.operators[0], role.choices(authority), authority)
    return ListFilter(condition, KeySubquery.of(AccessRule.objects.living(), "subject_id"))


@pytest.mark.usefixtures("thirty_applications")
@pytest.mark.parametrize("sort", ["last_login", "-last_login", "access_rules", "-access_rules"])
def test_numbered_pages_continue_from_null_to_non_null_values(
    sort: str,
) -> None:
    authority = authority_of(factories.system_person())
    by, is_descending = ApplicationTable.sort_of(sort, authority)
    rows = Application.objects.all()
    pages = [
        page_of(OrderedQuery(rows, by), Position(number), is_descending=is_descending, size=7).rows
        for number in (1, 2, 3, 4, 5)
    ]
    names = [row.pk for page in pages for row in page]
    assert len(names) == len(set(names)) == 30


def test_unfiltered_page_reads_no_keys(
    ada: User, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(KeySubquery, "first", first)
    client: Client = as_(ada)
    assert client.get("/applications/").status_code == 200


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
        with connection.cursor() as cursor:
            sql, parameters = keys.sql()
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
            assert "SCAN application" not in str(cursor.fetchall())


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


def test_order_without_an_index_sorts_only_visible_applications(
    dina: User, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    force("scan", monkeypatch)
    factories.application("ours", ("Viewer", acme.training))
    factories.application("theirs", ("Viewer", acme.dictation))
    authority = authority_of(dina.subject)
    by, _ = ApplicationTable.sort_of("access_rules", authority)
    visible = [finding.permission_filter(authority)]
    rows = Application.objects.filter(authority.visible_q("apps"))
    found = Selection(rows, [one for one in visible if one]).listed(by).rows
    # Tested row by row, the visible ones would be found by reading all rows.
    assert "EXISTS" not in str(found.query)
    assert [row.name for row in found] == ["ours"]


def test_owned_application_without_visible_rules_is_first_in_their_order(
    dina: User, acme: Organization, as_: SignedIn
) -> None:
    def names() -> list[str]:
        return column(as_(dina).get("/applications/", {"sort": "access_rules"}), "application")

    factories.application("ours", ("Viewer", acme.training))
    authority = authority_of(dina.subject)
    by, _ = ApplicationTable.sort_of("access_rules", authority)
    assert not by.is_nullable  # so it is computed once
    assert names() == ["ours"]
    owned = factories.application("owned", ("Viewer", acme.dictation))
    Application.objects.filter(pk=owned.pk).update(owner=dina.subject)
    assert names() == ["owned", "ours"]


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
    plan = query_plan(*keys.sql())
    index = "access_rule_in_scope" if scopes > 1 else "access_rule_of_role"
    if connection.vendor == "sqlite":  # PostgreSQL chooses by its statistics
        assert f"COVERING INDEX {index}" in plan


def test_filter_of_most_rows_is_counted_in_the_order_of_its_index() -> None:
    for number in range(3):
        factories.application(f"app-{number}")
    keys = KeySubquery.in_range(Application.objects.filter(is_enabled=True), "is_enabled")
    with CaptureQueriesContext(connection) as queries:
        assert keys.count(100) == (3, True)
    (counted,) = queries.captured_queries
    assert re.search('ORDER BY "applications_application"."is_enabled" ASC LIMIT', counted["sql"])


@pytest.mark.parametrize("column", ["is_enabled", "owner_name", "dormancy", "created_at"])
def test_range_of_an_index_is_counted_without_sorting(column: str) -> None:
    rows = Application.objects.filter(**{f"{column}__isnull": False})
    keys = KeySubquery.in_range(rows, column, is_binary=column == "owner_name")
    assert keys.counted
    plan = query_plan(*keys.counted)
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_rows_to_sort_are_looked_up_by_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    force("sort", monkeypatch)
    for number in range(3):
        factories.application(f"app-{number}")
    keys = keys_with_text("app-", is_exact=False)
    selected = Selection(Application.objects.all(), [ListFilter(has_text("app-"), keys)])
    with CaptureQueriesContext(connection) as queries:
        assert len(selected.rows()) == 3
    # Else PostgreSQL would join the keys with all applications.
    looked_up = " IN (SELECT " if connection.vendor == "sqlite" else " = ANY (ARRAY(SELECT "
    assert looked_up in queries.captured_queries[-1]["sql"]
