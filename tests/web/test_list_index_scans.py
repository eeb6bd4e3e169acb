"""Scans of a list's index or of a filter's keys, which test each row, up to a limit."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accessrules.authorization.authority import authority_of
from accessrules.models import AccessRule
from applications.filters import ApplicationFilterSet
from applications.models import Application
from applications.search import search
from applications.tables import ApplicationTable
from runai_access.accounts.models import User
from runai_access.db.keys import CoveringIndexScan, KeySubquery
from runai_access.lists import scans, selection
from runai_access.lists.keyset import Position, page_of
from runai_access.lists.scans import KeyScan, Scan
from runai_access.lists.selection import ListFilter, Selection
from runai_access.lists.sorts import Cursor, Sort
from tests import factories
from tests.strategies import force
from tests.web.conftest import LISTING, Organization, SignedIn, column
from tests.web.selections import FilterQuery, filters_of, selection_of

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("thirty_applications")
@pytest.mark.parametrize(
    ("query", "is_tried"),
    [
        ({"role__any_of": "Viewer"}, True),
        ({"role__any_of": "Viewer", "search": "app"}, False),
        ({"last_login__never": "1"}, False),
    ],
)
def test_index_scan_is_tried_before_sorting_only_for_one_filter(
    query: dict[str, str], is_tried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    force("sort", monkeypatch)
    authority = authority_of(factories.system_person())
    role = {"role__any_of": str(factories.role("Viewer").pk)}
    asked = QueryDict(urlencode(query | (role if "role__any_of" in query else {})))
    filters = ApplicationFilterSet(asked, Application.objects.all(), context=authority)
    rows, list_filters = filters.selection()
    if "search" in query:
        list_filters.append(search(query["search"], authority))
    sort, _ = ApplicationTable.sort_of(ApplicationTable.default_sort, authority)
    scan = Selection(rows, list_filters).index_scan(sort)
    assert (scan is not None) is is_tried
    sort_without_index = Sort(Coalesce(F("last_login"), F("created_at")))
    assert Selection(rows, list_filters).index_scan(sort_without_index) is None
    force("keys", monkeypatch)
    assert Selection(rows, list_filters).index_scan(sort) is None
    if scan:
        assert scan.limit == 15  # 1.5 times the number of matches
        assert scan.all.count() == 30
        assert scan.rows.count() == 10


@pytest.mark.parametrize("limit", [3_000, 3])
@pytest.mark.parametrize("column_", ["role", "roles", "scope", "scopes"])
@pytest.mark.parametrize("sort", ["creation_time", "-creation_time"])
def test_key_scan_tests_other_filters_up_to_its_limit(
    sort: str, column_: str, limit: int, holders: dict[str, FilterQuery],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    force("scan", monkeypatch)
    monkeypatch.setattr(selection, "SCAN_LIMIT", limit)
    monkeypatch.setattr(scans, "_MORE", 1)  # a page needs more than one read
    authority = authority_of(factories.system_person())
    by, is_descending = ApplicationTable.sort_of(sort, authority)
    found = [*filters_of(dict([holders[column_]])), search("app-1", authority)]
    listed = Selection(Application.objects.all(), found).listed(by)
    assert isinstance(listed.index_scan, KeyScan)
    direction = "-" if is_descending else ""
    plain = Application.objects.filter(subject__name__startswith="app-1")
    expected = list(plain.order_by(f"{direction}created_at", f"{direction}pk"))
    size = 4

    def page(position: Position) -> list[Application]:
        return page_of(
            listed,
            position,
            is_descending=is_descending,
            size=size,
            whole=Application.objects.all(),
        ).rows

    assert page(Position()) == expected[:size]
    for index, row in enumerate(expected[:-1]):
        edge = Cursor(row.created_at, row.pk)
        assert page(Position(after=edge)) == expected[index + 1 :][:size]
        if index >= size:
            assert page(Position(before=edge)) == expected[index - size : index]


def _key_scan(number: int, acme: Organization) -> KeyScan[Application]:
    """Create applications and return the key scan of a filter by scope and a search for them."""
    factories.many_applications(number, ("Viewer", acme.east))
    authority = authority_of(factories.system_person())
    by, _ = ApplicationTable.sort_of("creation_time", authority)
    found = [*filters_of({"scope__any_of": acme.east.pk}), search("many", authority)]
    scan = Selection(Application.objects.all(), found).listed(by).index_scan
    assert isinstance(scan, KeyScan)
    return scan


def _scanned(scan: KeyScan[Application], length: int) -> Scan:
    found = scan.scan(Q(), length, is_descending=True)
    assert found
    return found


def test_key_scan_reads_no_more_keys_than_a_page_needs(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    force("scan", monkeypatch)
    scan = _key_scan(60, acme)
    asked: list[int] = []
    edges = CoveringIndexScan.edges

    def recorded(self: CoveringIndexScan, part: Q, number: int, **options: bool) -> list[Any]:
        asked.append(number)
        return edges(self, part, number, **options)

    monkeypatch.setattr(CoveringIndexScan, "edges", recorded)
    assert len(_scanned(scan, 5).keys) == 5
    assert asked == [20]
    assert len(_scanned(scan, 99).keys) == 60  # all of them
    asked.clear()
    no_match = replace(scan, rows=scan.rows.filter(search_text="x"), limit=50)
    assert _scanned(no_match, 5).stopped_at
    assert asked == [20, 30]
    asked.clear()
    assert no_match.scan(Q(), 51, is_descending=True) is None
    assert not asked


def test_row_created_during_a_key_scan_is_not_returned_twice(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    force("scan", monkeypatch)
    monkeypatch.setattr(scans, "_MORE", 1)
    scan = _key_scan(6, acme)
    last = Application.objects.order_by("-created_at", "-pk").first()
    assert last
    edges = CoveringIndexScan.edges
    asked: list[int] = []

    def with_new_row(self: CoveringIndexScan, part: Q, number: int, **options: bool) -> list[Any]:
        if asked:
            factories.many_applications(1, ("Viewer", acme.east))
        asked.append(number)
        return edges(self, part, number, **options)

    monkeypatch.setattr(CoveringIndexScan, "edges", with_new_row)
    scan = replace(scan, rows=scan.rows.exclude(pk=last.pk))  # the first three keys do not suffice
    plain = Application.objects.exclude(pk=last.pk).order_by("-created_at", "-pk")
    expected = [row.pk for row in plain[:3]]
    assert _scanned(scan, 3).keys == expected
    assert len(asked) == 2


@pytest.mark.parametrize("sort", ["creation_time", "-creation_time"])
def test_range_of_the_sort_column_rules_out_a_key_scan(
    sort: str, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    force("scan", monkeypatch)
    factories.many_applications(9, ("Viewer", acme.east))
    by, _ = ApplicationTable.sort_of(sort, authority_of(factories.system_person()))
    query = {"scope__any_of": acme.east.pk, "creation_time__before": "2100-01-01"}
    assert selection_of(query).listed(by).index_scan is None
    with_others = {"scope__any_of": acme.east.pk, "last_updated__before": "2100-01-01"}
    assert isinstance(selection_of(with_others).listed(by).index_scan, KeyScan)


@pytest.mark.usefixtures("holders")
@pytest.mark.parametrize(("far", "is_sorted"), [(10, True), (9, False)])
@pytest.mark.parametrize(
    "query",
    [
        {"search": "app-0"},
        {"last_login__after": "2026-01-01"},
        {"last_login__after": "2026-01-01", "role__any_of": "Viewer"},
        {"search": "app-0", "role__any_of": "Viewer"},
    ],
)
def test_matches_at_the_end_of_a_scan_are_sorted_up_to_a_limit(
    query: dict[str, str], far: int, is_sorted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 1)
    monkeypatch.setattr(selection, "MAX_SORT_FALLBACK", far)
    authority = authority_of(factories.system_person())
    by, _ = ApplicationTable.sort_of("-application", authority)
    first = Application.objects.filter(subject__name__startswith="app-0")
    first.update(last_login=timezone.now())
    if "role__any_of" in query:
        query = query | {"role__any_of": str(factories.role("Viewer").pk)}
    found = filters_of(query)
    if "search" in query:
        found.append(search(query["search"], authority))
    listed = Selection(Application.objects.all(), found, counted=2).listed(by)
    assert listed.index_scan
    assert listed.sort_fallback
    assert (listed.sort_fallback() is not None) is is_sorted
    assert not listed.count or not listed.count.is_exact
    pages = [
        page_of(
            listed, Position(number), is_descending=True, size=4, whole=Application.objects.all()
        ).rows
        for number in (1, 2, 3)
    ]
    names = [row.name for page in pages for row in page]
    assert names == [f"app-0{number}" for number in range(9, -1, -1)]


@pytest.mark.usefixtures("holders")
def test_index_scan_serves_the_second_page_but_not_later_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 1)
    authority = authority_of(factories.system_person())
    by, is_descending = ApplicationTable.sort_of("application", authority)
    selected = Selection(Application.objects.all(), [search("app-", authority)], counted=9)
    listed = selected.listed(by)
    asked = []
    listed = replace(listed, sort_fallback=lambda: asked.append("far"))

    def names(number: int) -> list[str]:
        page = page_of(
            listed, Position(number), is_descending=is_descending, size=4,
            whole=Application.objects.all(),
        )  # fmt: skip
        return [row.name for row in page.rows]

    assert names(2) == [f"app-{number:02}" for number in range(4, 8)]
    assert not asked
    assert names(4) == [f"app-{number:02}" for number in range(12, 16)]
    assert asked


@pytest.mark.parametrize("far", [100, 1])
@pytest.mark.parametrize("counted", [5, 100])
@pytest.mark.parametrize(
    "query", [{}, {"sort": "application"}, {"search": "app"}, {"status__is": "enabled"}]
)
def test_visible_rows_at_the_end_of_a_scan_are_all_shown_in_order(
    query: dict[str, str], counted: int, far: int, dina: User, acme: Organization,
    as_: SignedIn, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    factories.many_applications(12, ("Viewer", acme.dictation))
    expected = [f"app-{number:02}" for number in range(25)]
    for number, name in enumerate(expected):
        application = factories.application(
            name, ("Viewer", acme.training), ("Editor", acme.vision)
        )
        old = datetime(2020, 1, 30 - number, tzinfo=UTC)
        Application.objects.filter(pk=application.pk).update(created_at=old)
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", -1)
    for name, value in (("MAX_SORT_FALLBACK", far), ("COUNTED", counted), ("MIN_ESTIMATE", 3)):
        monkeypatch.setattr(selection, name, value)
    address = f"/applications/?{urlencode({**query, 'size': 20})}"
    browser = as_(dina, headers=LISTING)
    pages = [browser.get(f"{address}&page={number}") for number in ("1", "2")]
    names = [name.replace(" ", "") for page in pages for name in column(page, "application")]
    assert names == expected
    last = column(browser.get(f"{address}&page=last"), "application")
    assert [name.replace(" ", "") for name in last][-5:] == expected[-5:]


@pytest.mark.usefixtures("thirty_applications")
def test_filter_on_the_sort_column_needs_no_index_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 1)
    authority = authority_of(factories.system_person())
    list_filters = filters_of({"creation_time__before": "2100-01-01"})
    selected = Selection(Application.objects.all(), list_filters, counted=9)
    scans = {
        sort: selected.index_scan(ApplicationTable.sort_of(sort, authority)[0])
        for sort in ("creation_time", "application")
    }
    assert scans["application"]
    assert not scans["creation_time"]


def test_partial_key_subquery_does_not_limit_the_scan(acme: Organization) -> None:
    authority = authority_of(factories.system_person())
    by, _ = ApplicationTable.sort_of("application", authority)
    cut = KeySubquery.of(AccessRule.objects.living(), "subject_id", is_whole=False)
    selected = Selection(
        Application.objects.all(), [ListFilter(Q(created_by="ada"), cut)], counted=10
    )
    with CaptureQueriesContext(connection) as queries:
        scan = selected.index_scan(by)
    assert scan
    assert scan.limit == 18
    assert not len(queries)
