"""Query strategies of filtered lists: all return the rows that a plain test of each row returns."""

import re
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessrules.authorization.authority import authority_of
from accessrules.models import Role, Scope
from applications import search as finding
from applications.filters import ApplicationFilterSet
from applications.models import Application, search_text_of
from applications.search import has_text, keys_with_text, search
from applications.tables import ApplicationTable
from runai_access.accounts.models import User
from runai_access.db.normalization import normalize_term
from runai_access.lists import selection
from runai_access.lists.keyset import Count, OrderedQuery, Position, page_of
from runai_access.lists.selection import ListFilter, Selection
from tests import factories, sizes
from tests.plans import plan_of
from tests.strategies import force
from tests.web.conftest import LISTING, Organization, SignedIn, column
from tests.web.selections import names_of

ALPHABET = "ab@%_\"'\\\u00e9\u00df\u0130\u4e2d*^- "
creators = st.lists(st.text(ALPHABET, min_size=1, max_size=8), min_size=1, max_size=6)
STRATEGIES = ("keys", "sort", "scan")
SORTS = ("creation_time", "-creation_time", "-last_login", "access_rules", "application")

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
    plan = plan_of(*rows.values("pk")[:20].query.sql_with_params())
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
