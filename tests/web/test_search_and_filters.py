"""Finding rows among very many: the same rows as a plain look at each, whichever way is taken."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accessrules.authorization.authority import authority_of
from accessrules.models import AccessRule, Role, Scope
from applications import search as finding
from applications.filters import ApplicationFilterSet
from applications.models import Application, search_text_of
from applications.search import keys_with_text, search
from applications.tables import ApplicationTable
from runai_access.accounts.models import User
from runai_access.db import keys as ordered_keys
from runai_access.db.keys import CoveringIndexScan, InKeySubquery, KeySubquery
from runai_access.db.normalization import normalize_term
from runai_access.lists import selection
from runai_access.lists.keyset import (
    Count,
    Cursor,
    OrderedQuery,
    Page,
    Position,
    Sort,
    decode,
    page_of,
)
from runai_access.lists.selection import KeyScan, ListFilter, Selection
from tests import factories, sizes
from tests.web.conftest import Organization, SignedIn, column

ALPHABET = "ab@%_\"'\\\u00e9\u00df\u0130\u4e2d*^- "
creators = st.lists(st.text(ALPHABET, min_size=1, max_size=8), min_size=1, max_size=6)
WAYS = ("few", "counted", "many")

pytestmark = pytest.mark.django_db


def take(way: str, monkeypatch: pytest.MonkeyPatch, few: int = 1_000) -> None:
    """Have rows found as few are, as those that are counted whole, or as many."""
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", few if way == "few" else -1)
    if way == "many":
        monkeypatch.setattr(Selection, "_is_scan", True)


def _names(selected: Selection) -> set[str]:
    return set(selected.rows().values_list("subject__name", flat=True))


@pytest.mark.parametrize("way", WAYS)
@settings(
    max_examples=sizes.LIST_EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(creators=creators, term=st.text(ALPHABET, min_size=1, max_size=5), data=st.data())
def test_a_search_finds_what_a_plain_look_for_the_substring_finds(
    way: str, creators: list[str], term: str, data: st.DataObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(way, monkeypatch)
    Application.objects.all().delete()
    for creator in creators:
        made = factories.application(f"app-{uuid4()}")
        text = search_text_of(made.name, creator)
        Application.objects.filter(pk=made.pk).update(created_by=creator, search_text=text)
    if data.draw(st.booleans()):  # half of the terms stand somewhere
        creator = data.draw(st.sampled_from(creators))
        start = data.draw(st.integers(0, len(creator) - 1))
        term = creator[start : start + data.draw(st.integers(1, 5))]
    rows = list(Application.objects.values_list("subject__name", "search_text"))
    expected = {name for name, text in rows if normalize_term(term) in text}
    authority = authority_of(factories.system_person())
    selected = Selection(Application.objects.all(), [search(term, authority)])
    assert _names(selected) == expected
    assert selected.count() == Count(len(expected), is_exact=True)


@pytest.fixture
def thirty(acme: Organization) -> None:
    """Thirty applications: each third has a rule in east, each tenth is made by zoe."""
    for number in range(30):
        made = factories.application(f"app-{number:02}")
        if number % 3 == 0:
            factories.rule(made, "Viewer", acme.east)
        if number % 10 == 0:
            text = search_text_of(made.name, "zoe")
            Application.objects.filter(pk=made.pk).update(created_by="zoe", search_text=text)


@pytest.mark.usefixtures("thirty")
@pytest.mark.parametrize(("way", "few"), [("many", 0), ("counted", 0), ("few", 5), ("few", 1_000)])
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
def test_every_way_leads_to_the_same_rows(
    way: str,
    few: int,
    query: dict[str, str],
    found: set[int],
    ada: User,
    as_: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take(way, monkeypatch, few)
    keys = dict(Role.objects.values_list("name", "pk")) | dict(
        Scope.objects.values_list("name", "pk")
    )
    asked = {name: str(keys.get(value, value)) for name, value in query.items()}
    asked["search"] = query.get("search", "")
    for sort in ("creation_time", "-creation_time", "-last_login", "access_rules", "application"):
        page = as_(ada).get("/applications/", {**asked, "sort": sort, "size": "50"})
        names = column(page, "application")
        assert {int(name[-2:]) for name in names} == found
        assert len(names) == len(found)
        assert f'<span class="count">{len(found)}</span>' in page.content.decode()


def test_who_sees_one_department_finds_only_there_whichever_way(
    dina: User, acme: Organization, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.application("ours", ("Viewer", acme.training))
    factories.application("theirs", ("Viewer", acme.dictation))
    for way in WAYS:
        take(way, monkeypatch)
        for query in ({}, {"search": "s"}, {"search": "our"}, {"sort": "access_rules"}):
            (name,) = column(as_(dina).get("/applications/", query), "application")
            assert name.replace(" ", "") == "ours"  # what was searched for is marked
        assert column(as_(dina).get("/applications/", {"search": "dictation"}), "application") == []


@pytest.mark.usefixtures("thirty")
def test_many_are_walked_through_and_others_are_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 5)
    authority = authority_of(factories.system_person())
    sort, _ = ApplicationTable.sort_of("-creation_time", authority)
    plans = {}
    # Thirty are many, ten can be counted, three are few.
    for term in ("app-", "app-1", "zoe"):
        selected = Selection(Application.objects.all(), [search(term, authority)], counted=13)
        rows = selected.rows(sort).annotate(key=selected.order(sort).by)
        plans[term] = rows.order_by("-key", "-pk")[:20].explain()
    for term, plan in plans.items():
        is_walked = term == "app-"
        if connection.vendor == "sqlite":
            assert ("application_by_creation" in plan) is is_walked
            assert ("TEMP B-TREE FOR ORDER BY" in plan) is not is_walked
        else:
            assert ("GREATEST" in plan) is not is_walked


@pytest.mark.usefixtures("thirty")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"last_login__never": "1"}, "application_by_login"),
        ({"last_updated__after": "2020-01-01"}, "application_by_update"),
        ({"status__is": "enabled"}, "application_by_status"),
    ],
)
def test_what_is_counted_in_a_range_of_an_index_is_read_from_it_alone_in_the_usual_order(
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
    alone = "COVERING INDEX" if connection.vendor == "sqlite" else "Index Only Scan using"
    assert f"{alone} {index}" in plan


@pytest.mark.usefixtures("thirty")
def test_for_a_page_that_is_walked_to_rules_are_looked_for_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take("many", monkeypatch)
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


@pytest.mark.usefixtures("thirty")
@pytest.mark.parametrize(
    ("query", "is_tried"),
    [
        ({"role__any_of": "Viewer"}, True),
        ({"role__any_of": "Viewer", "search": "app"}, False),
        ({"last_login__never": "1"}, False),
    ],
)
def test_a_page_of_what_is_sorted_is_looked_for_along_the_order_where_one_condition_holds(
    query: dict[str, str], is_tried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    take("counted", monkeypatch)
    authority = authority_of(factories.system_person())
    role = {"role__any_of": str(factories.role("Viewer").pk)}
    asked = QueryDict(urlencode(query | (role if "role__any_of" in query else {})))
    filters = ApplicationFilterSet(asked, Application.objects.all(), context=authority)
    rows, list_filters = filters.selection()
    if "search" in query:
        list_filters.append(search(query["search"], authority))
    sort, _ = ApplicationTable.sort_of(ApplicationTable.default_sort, authority)
    walk = Selection(rows, list_filters).index_scan(sort)
    assert (walk is not None) is is_tried
    by_what_has_no_index = Sort(Coalesce(F("last_login"), F("created_at")))
    assert Selection(rows, list_filters).index_scan(by_what_has_no_index) is None
    take("few", monkeypatch)
    assert Selection(rows, list_filters).index_scan(sort) is None
    if walk:
        assert walk.limit == 15  # half as many again as there are
        assert walk.all.count() == 30
        assert walk.rows.count() == 10


_Holders = tuple[str, list[int]]


@pytest.fixture
def holders(acme: Organization) -> dict[str, _Holders]:
    """Nineteen with several rules, in threes of the same age; each filter, and whom it leaves."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    factories.rule(factories.group("ops"), "Viewer", acme.east)
    factories.application("none", ("Editor", acme.west))
    lost = factories.rule(factories.application("lost"), "Viewer", acme.east)
    AccessRule.objects.filter(pk=lost.pk).update(deleted_at=timezone.now())
    for number in range(19):
        rules = [("Viewer", acme.east), ("Viewer", acme.west), ("Editor", acme.east)]
        made = factories.application(f"app-{number:02}", *rules)
        age = start + timedelta(days=number // 3)
        Application.objects.filter(pk=made.pk).update(created_at=age)
    return {
        "role": ("role__any_of", [factories.role("Viewer").pk]),
        "roles": ("role__any_of", [factories.role(name).pk for name in ("Viewer", "Editor")]),
        "scope": ("scope__any_of", [acme.east.pk]),
        "scopes": ("scope__any_of", [acme.east.pk, acme.west.pk]),
    }


def _narrowed(query: dict[str, Any]) -> Selection:
    return Selection(Application.objects.all(), _list_filters(query))


def _list_filters(query: dict[str, Any]) -> list[ListFilter]:
    authority = authority_of(factories.system_person())
    asked = QueryDict(urlencode(query, doseq=True))
    filters = ApplicationFilterSet(asked, Application.objects.all(), context=authority)
    return list(filters.list_filters())


@pytest.mark.parametrize(
    ("column_", "number"), [("role", 19), ("roles", 20), ("scope", 19), ("scopes", 20)]
)
@pytest.mark.parametrize("sort", ["creation_time", "-creation_time"])
def test_the_holders_of_roles_or_in_scopes_are_paged_through_as_their_index_has_them(
    sort: str, column_: str, number: int, holders: dict[str, _Holders]
) -> None:
    authority = authority_of(factories.system_person())
    by, is_descending = ApplicationTable.sort_of(sort, authority)
    listed = _narrowed(dict([holders[column_]])).listed(by)
    assert listed.ordered

    def page(position: Position) -> Page[Application]:
        return page_of(
            listed, position, is_descending=is_descending, size=5, whole=Application.objects.all()
        )

    plain = Application.objects.exclude(subject__name="lost")
    plain = plain if number == 20 else plain.exclude(subject__name="none")
    direction = "-" if is_descending else ""
    expected = [row.pk for row in plain.order_by(f"{direction}created_at", f"{direction}pk")]
    numbered = [page(Position(one)) for one in (1, 2, 3, 4)]
    assert [row.pk for one in numbered for row in one.rows] == expected
    assert [one.has_next for one in numbered] == [True, True, True, False]
    assert page(Position(is_last=True)).rows == numbered[3].rows
    assert numbered[0].count == Count(number, is_exact=True)
    next_url = numbered[0]
    for same in numbered[1:]:
        next_url = page(Position(after=decode(next_url.next_cursor, by)))
        assert next_url.rows == same.rows
    for same in numbered[2::-1]:
        next_url = page(Position(before=decode(next_url.previous_cursor, by)))
        assert next_url.rows == same.rows


@pytest.mark.parametrize("along", [3_000, 3])
@pytest.mark.parametrize("column_", ["role", "roles", "scope", "scopes"])
@pytest.mark.parametrize("sort", ["creation_time", "-creation_time"])
def test_what_is_left_of_holders_is_met_along_their_index_or_else_found_behind_it(
    sort: str, column_: str, along: int, holders: dict[str, _Holders],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    take("many", monkeypatch)
    monkeypatch.setattr(selection, "SCAN_LIMIT", along)
    monkeypatch.setattr(selection, "_MORE", 1)  # so that a page is not full at once
    authority = authority_of(factories.system_person())
    by, is_descending = ApplicationTable.sort_of(sort, authority)
    found = [*_list_filters(dict([holders[column_]])), search("app-1", authority)]
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
    for place, row in enumerate(expected[:-1]):
        edge = Cursor(row.created_at, row.pk)
        assert page(Position(after=edge)) == expected[place + 1 :][:size]
        if place >= size:
            assert page(Position(before=edge)) == expected[place - size : place]


def _walk_along_holders(number: int, acme: Organization) -> KeyScan[Application]:
    """Return the walk to a page of so many new ones that have a rule, and are searched as well."""
    factories.many_applications(number, ("Viewer", acme.east))
    authority = authority_of(factories.system_person())
    by, _ = ApplicationTable.sort_of("creation_time", authority)
    found = [*_list_filters({"scope__any_of": acme.east.pk}), search("many", authority)]
    walk = Selection(Application.objects.all(), found).listed(by).index_scan
    assert isinstance(walk, KeyScan)
    return walk


def test_no_more_of_an_index_is_read_than_fills_a_page(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    take("many", monkeypatch)
    walk = _walk_along_holders(60, acme)
    asked: list[int] = []
    edges = CoveringIndexScan.edges

    def counted(self: CoveringIndexScan, part: Q, number: int, **way: bool) -> list[Any]:
        asked.append(number)
        return edges(self, part, number, **way)

    monkeypatch.setattr(CoveringIndexScan, "edges", counted)
    assert len(walk.keys(Q(), 5, is_descending=True) or []) == 5
    assert asked == [20]
    assert len(walk.keys(Q(), 99, is_descending=True) or []) == 60  # which is all
    asked.clear()
    nobody = replace(walk, rows=walk.rows.filter(search_text="x"), limit=50)
    assert nobody.keys(Q(), 5, is_descending=True) is None
    assert asked == [20, 30]
    asked.clear()
    assert nobody.keys(Q(), 51, is_descending=True) is None
    assert not asked


def test_a_row_that_comes_while_keys_are_walked_along_is_not_met_twice(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    take("many", monkeypatch)
    monkeypatch.setattr(selection, "_MORE", 1)
    walk = _walk_along_holders(6, acme)
    last = Application.objects.order_by("-created_at", "-pk").first()
    assert last
    edges = CoveringIndexScan.edges
    asked: list[int] = []

    def with_another(self: CoveringIndexScan, part: Q, number: int, **way: bool) -> list[Any]:
        if asked:
            factories.many_applications(1, ("Viewer", acme.east))
        asked.append(number)
        return edges(self, part, number, **way)

    monkeypatch.setattr(CoveringIndexScan, "edges", with_another)
    walk = replace(
        walk, rows=walk.rows.exclude(pk=last.pk)
    )  # so that the first three are not enough
    plain = Application.objects.exclude(pk=last.pk).order_by("-created_at", "-pk")
    expected = [one.pk for one in plain[:3]]
    assert walk.keys(Q(), 3, is_descending=True) == expected
    assert len(asked) == 2


@pytest.mark.parametrize("sort", ["creation_time", "-creation_time"])
def test_holders_are_not_walked_along_where_a_range_of_the_order_is_asked_for(
    sort: str, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    take("many", monkeypatch)
    factories.many_applications(9, ("Viewer", acme.east))
    by, _ = ApplicationTable.sort_of(sort, authority_of(factories.system_person()))
    query = {"scope__any_of": acme.east.pk, "creation_time__before": "2100-01-01"}
    assert _narrowed(query).listed(by).index_scan is None
    with_others = {"scope__any_of": acme.east.pk, "last_updated__before": "2100-01-01"}
    assert isinstance(_narrowed(with_others).listed(by).index_scan, KeyScan)


def _four_of_one_and_two_of_others(*ages: int) -> list[tuple[int, list[int]]]:
    held = zip(ages, (4, 2, 2), (0, 2, 4), strict=True)
    return [(age, [rule]) for age, number, rule in held for _ in range(number)]


@pytest.mark.parametrize("is_descending", [True, False])
@settings(
    max_examples=sizes.LIST_EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    held=st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.integers(0, 5), max_size=4)), max_size=9
    ),
    chosen=st.sets(st.integers(0, 2), min_size=2),
    size=st.integers(1, 4),
    share=st.integers(1, 4),  # of what is read of each at first
)
# All of a page stand in one of three, of which half as many are read at first.
@example(held=_four_of_one_and_two_of_others(0, 1, 2), chosen={0, 1, 2}, size=4, share=2)
@example(held=_four_of_one_and_two_of_others(2, 1, 0), chosen={0, 1, 2}, size=4, share=2)
def test_merged_ranges_have_what_a_plain_sort_of_the_holders_has(
    is_descending: bool, held: list[tuple[int, list[int]]], chosen: set[int], size: int, share: int,
    acme: Organization, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name in ("_MIN_CHUNK", "_SPREAD"):
        monkeypatch.setattr(ordered_keys, name, share)
    Application.objects.all().delete()
    places = (acme.east, acme.west, acme.speech)
    expected = []
    for age, rules in held:
        granted = [(("Viewer", "Editor")[rule % 2], places[rule // 2]) for rule in set(rules)]
        made = factories.application(f"app-{uuid4()}", *granted)
        made.created_at = datetime(2026, 1, 1 + age, tzinfo=UTC)
        made.save()
        if {rule // 2 for rule in rules} & chosen:
            expected.append((made.created_at, made.pk))
    keys = [pk for _, pk in sorted(expected, reverse=is_descending)]
    query = {"scope__any_of": [places[number].pk for number in chosen]}
    by, _ = ApplicationTable.sort_of("creation_time", authority_of(factories.system_person()))
    listed = _narrowed(query).listed(by)
    assert listed.ordered
    whole = Application.objects.all()
    read: list[Any] = []
    position = Position()
    while True:
        page = page_of(listed, position, is_descending=is_descending, size=size, whole=whole)
        read += [row.pk for row in page.rows]
        if not page.has_next:
            break
        position = Position(after=decode(page.next_cursor, by))
    assert read == keys
    assert page.count == Count(len(keys), is_exact=True)


@pytest.mark.parametrize(
    ("column_", "text"), [("role", ""), ("scope", ""), ("role", "Editor"), ("scope", "east")]
)
def test_a_page_of_holders_is_one_range_of_an_index_which_tells_all_that_is_asked(
    column_: str, text: str, holders: dict[str, _Holders]
) -> None:
    authority = authority_of(factories.system_person())
    by, _ = ApplicationTable.sort_of("-creation_time", authority)
    found = [search(text, authority)] if text else _list_filters(dict([holders[column_]]))
    assert found[0].keys
    assert found[0].keys.once
    assert _is_read_in_order(*found[0].keys.once)
    listed = Selection(Application.objects.all(), found).listed(by)
    with CaptureQueriesContext(connection) as queries:
        page_of(listed, Position(), is_descending=True, size=5, whole=Application.objects.all())
    plan = _plan(queries[-1]["sql"])
    if connection.vendor == "sqlite":
        assert f"COVERING INDEX access_rule_of_{column_}" in plan
        assert plan.count("TEMP B-TREE") == 1  # the page itself
    else:
        _, is_there, way = plan.partition("Unique")
        way, is_there, _ = way.partition(f"Index Only Scan Backward using access_rule_of_{column_}")
        assert is_there
        assert "Sort" not in way


@pytest.mark.parametrize("column_", ["role", "scope"])
def test_the_holders_of_several_are_merged_from_the_range_of_each_unless_those_are_very_many(
    column_: str, holders: dict[str, _Holders], monkeypatch: pytest.MonkeyPatch
) -> None:
    by, _ = ApplicationTable.sort_of("-creation_time", authority_of(factories.system_person()))
    query = dict([holders[f"{column_}s"]])
    with CaptureQueriesContext(connection) as queries:
        merged = page_of(_narrowed(query).listed(by), Position(), is_descending=True, size=5)
    read = [query["sql"] for query in queries if "application_created_at" in query["sql"]]
    way = "COVERING INDEX" if connection.vendor == "sqlite" else "Index Only Scan Backward using"
    assert f"{way} access_rule_of_{column_}" in _plan(read[-1])
    monkeypatch.setattr(finding, "_MAX_MERGED_RANGES", 1)
    listed = _narrowed(query).listed(by)
    assert listed.ordered is None
    assert page_of(listed, Position(), is_descending=True, size=5).rows == merged.rows


@pytest.mark.parametrize(
    ("more", "sort"),
    [
        ({}, "application"),
        ({"search": "app"}, "creation_time"),
        ({"status__is": "enabled"}, "creation_time"),
    ],
)
def test_other_orders_and_conditions_are_not_read_from_the_index_of_holders(
    more: dict[str, str], sort: str, holders: dict[str, _Holders], ada: User, as_: SignedIn
) -> None:
    authority = authority_of(factories.system_person())
    by, _ = ApplicationTable.sort_of(sort, authority)
    query: dict[str, Any] = dict([holders["role"]]) | more
    if "search" not in more:
        assert _narrowed(query).listed(by).ordered is None
    page = as_(ada).get("/applications/", {**query, "sort": sort, "size": "50"})
    assert len(column(page, "application")) == 19


@pytest.mark.usefixtures("holders")
@pytest.mark.parametrize(
    ("text", "is_ordered", "found"),
    [
        ("Editor", True, 20),  # one role, and nobody is called so
        ("editor-to-be", False, 1),
        ("dito", False, 21),  # the role, and somebody's name
        ("east", True, 19),  # one scope
        ("admin", True, 0),  # several roles
    ],
)
def test_a_search_that_leads_to_roles_or_scopes_alone_is_read_from_the_index_of_holders(
    text: str, is_ordered: bool, found: int, ada: User, as_: SignedIn
) -> None:
    if text in ("editor-to-be", "dito"):
        factories.application("editor-to-be")
    authority = authority_of(factories.system_person())
    by, _ = ApplicationTable.sort_of(ApplicationTable.default_sort, authority)
    listed = Selection(Application.objects.all(), [search(text, authority)]).listed(by)
    assert (listed.ordered is not None) is is_ordered
    page = as_(ada).get("/applications/", {"search": text, "size": "50"})
    assert len(column(page, "application")) == found


@pytest.mark.usefixtures("holders")
@pytest.mark.parametrize(("far", "is_sorted"), [(100, True), (10, False)])
@pytest.mark.parametrize(
    "query",
    [
        {"search": "app-0"},
        {"last_login__after": "2026-01-01"},
        {"last_login__after": "2026-01-01", "role__any_of": "Viewer"},
        {"search": "app-0", "role__any_of": "Viewer"},
    ],
)
def test_many_that_stand_at_the_far_end_are_sorted_unless_they_are_too_many(
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
    found = _list_filters(query)
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
def test_the_second_page_is_walked_to_as_well_and_a_later_one_is_not(
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
def test_whoever_sees_a_part_at_the_far_end_is_shown_all_of_it_in_order(
    query: dict[str, str], counted: int, far: int, dina: User, acme: Organization,
    as_: SignedIn, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    factories.many_applications(12, ("Viewer", acme.dictation))
    expected = [f"app-{number:02}" for number in range(25)]
    for number, name in enumerate(expected):
        made = factories.application(name, ("Viewer", acme.training), ("Editor", acme.vision))
        old = datetime(2020, 1, 30 - number, tzinfo=UTC)
        Application.objects.filter(pk=made.pk).update(created_at=old)
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", -1)
    for name, value in (("MAX_SORT_FALLBACK", far), ("COUNTED", counted), ("MIN_ESTIMATE", 3)):
        monkeypatch.setattr(selection, name, value)
    address = f"/applications/?{urlencode({**query, 'size': 20})}"
    pages = [as_(dina).get(f"{address}&page={number}") for number in ("1", "2")]
    names = [name.replace(" ", "") for page in pages for name in column(page, "application")]
    assert names == expected
    last = column(as_(dina).get(f"{address}&page=last"), "application")
    assert [name.replace(" ", "") for name in last][-5:] == expected[-5:]


@pytest.mark.usefixtures("thirty")
def test_a_range_of_the_order_itself_needs_no_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 1)
    authority = authority_of(factories.system_person())
    list_filters = _list_filters({"creation_time__before": "2100-01-01"})
    selected = Selection(Application.objects.all(), list_filters, counted=9)
    walks = {
        sort: selected.index_scan(ApplicationTable.sort_of(sort, authority)[0])
        for sort in ("creation_time", "application")
    }
    assert walks["application"]
    assert not walks["creation_time"]


@pytest.mark.parametrize("column", ["role", "scope"])
def test_who_holds_a_rule_is_counted_once_as_an_index_has_them(
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
    assert keys.once
    assert (keys.count(9), keys.count(4), keys.count(3)) == ((4, True), (4, False), (3, False))
    assert sorted(keys.first(99)) == sorted(set(KeySubquery(keys.parts).first(99)))
    assert (keys | KeySubquery()).once == keys.once
    assert (keys | keys).once is None
    assert _is_read_in_order(*keys.once)


@pytest.mark.parametrize("few", [1, 9])
def test_holders_of_more_rules_than_are_read_are_all_found(
    few: int, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", few)
    places = (acme.east, acme.west, acme.speech, acme.vision)
    names = {f"app-{number}" for number in range(4)}
    for name in names:
        factories.application(name, *(("Viewer", place) for place in places))
    asked = QueryDict(urlencode({"role__any_of": factories.role("Viewer").pk}))
    authority = authority_of(factories.system_person())
    filters = ApplicationFilterSet(asked, Application.objects.all(), context=authority)
    selected = Selection(*filters.selection(), counted=4)
    assert _names(selected) == names
    assert selected.count() == Count(4, is_exact=True)


def test_one_of_several_conditions_may_have_more_keys_than_are_told_apart(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 1)
    names = {f"job-{number}" for number in range(4)}
    for name in names:
        factories.application(name, *(("Viewer", scope) for scope in (acme.east, acme.west)))
    factories.application("job-none")
    both = [search("job", authority_of(factories.system_person())), _with_rules()]
    told_apart: list[int] = []
    count, first = KeySubquery.count, KeySubquery.first

    def noted(read: Any) -> Any:
        def reading(keys: KeySubquery, limit: int) -> Any:
            told_apart.extend([] if keys.has_distinct_keys else [limit])
            return read(keys, limit)

        return reading

    monkeypatch.setattr(KeySubquery, "count", noted(count))
    monkeypatch.setattr(KeySubquery, "first", noted(first))
    Selection(Application.objects.all(), both, counted=3).rows()
    assert told_apart == []
    Selection(Application.objects.all(), both, counted=9).rows()
    assert told_apart
    for counted in (3, 4, 9):
        selected = Selection(Application.objects.all(), both, counted=counted)
        assert _names(selected) == names
        assert selected.count() == Count(min(counted, 4), is_exact=counted == 9)


@pytest.mark.parametrize("few", [0, 1_000])
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
@pytest.mark.usefixtures("thirty")
def test_as_many_are_counted_as_are_shown(
    address: str, search: str, reader: str, few: int, request: pytest.FixtureRequest,
    as_: SignedIn, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    person = request.getfixturevalue(reader)
    factories.group("a-group")
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", few)
    monkeypatch.setattr(selection, "MIN_ESTIMATE", 1)
    page = as_(person).get(f"{address}&search={search}&size=100").content.decode()
    (count,) = re.findall(r'<span class="count">([\d,]+\+?)</span>', page)
    assert count == str(page.count('<tr role="row" data-row'))


def _is_read_in_order(sql: str, parameters: tuple[Any, ...]) -> bool:
    plan = _plan(sql, parameters)
    if connection.vendor == "sqlite":
        return "TEMP B-TREE" not in plan
    return "Unique" in plan and "Sort" not in plan


def _plan(sql: str, parameters: tuple[Any, ...] | None = None) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
        else:  # of so few rows it would make less of the order than of very many
            for way in ("seqscan", "bitmapscan", "sort", "hashagg"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
            cursor.execute(f"EXPLAIN {sql}", parameters)
        return str(cursor.fetchall())


@pytest.mark.parametrize(("keys", "read"), [("aabbc", 10), ("aabbc", 5), ("", 5)])
def test_keys_are_counted_once_each_and_as_far_as_they_are_read(keys: str, read: int) -> None:
    parts = tuple(("SELECT %s AS k", (key,)) for key in keys)
    many = KeySubquery((*parts, ("SELECT %s AS k WHERE 1 = 0", ("z",))))
    assert many.count(read) == (len(set(keys)), len(keys) < read)


def test_keys_that_never_repeat_are_counted_alike() -> None:
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
def test_keys_are_sent_only_where_they_are_few(term: str, number: int) -> None:
    factories.many_applications(5)
    keys = keys_with_text(term)
    assert len(keys.first(9)) == number
    assert keys.few(9) == keys.few(5) == keys.first(9)
    assert keys.few(4) == keys.few(0) == (None if number else [])
    assert KeySubquery().few(3) == []


@pytest.mark.parametrize(("term", "number"), [("app-", 5), ("no-such", 0), ("p", 5), ('"', 0)])
def test_texts_are_counted_as_they_are_found(term: str, number: int) -> None:
    for one in range(5):
        factories.application(f"app-{one}")
    keys = keys_with_text(term)
    assert keys.has_distinct_keys
    assert len(keys.first(9)) == number
    assert (keys.count(9), keys.count(3)) == ((number, True), (min(number, 3), number < 3))
    assert [keys.exists_more_than(most) for most in (3, 4, 5)] == [number > 3, number > 4, False]


def test_among_no_keys_is_nobody() -> None:
    made = factories.application("app")
    found = KeySubquery.of(Application.objects.filter(pk=made.pk))
    among = [
        InKeySubquery("pk", keys)
        for keys in (found, found.limited(1), KeySubquery(), KeySubquery().limited(1))
    ]
    assert [Application.objects.filter(one).count() for one in among] == [1, 1, 0, 0]


@pytest.mark.parametrize("spellings", [["{}", "0{}"], ["{}", "0{}", "00{}"], ["{} ", "{}"]])
def test_a_scope_that_is_asked_for_twice_is_one(
    spellings: list[str], ada: User, acme: Organization, as_: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(ordered_keys, "_MIN_CHUNK", 1)
    factories.many_applications(30, ("Viewer", acme.east))
    asked = urlencode([("scope__any_of", text.format(acme.east.pk)) for text in spellings])
    for also in ("", f"&scope__any_of={acme.west.pk}"):
        page = as_(ada).get(f"/applications/?{asked}{also}&size=50")
        assert len(column(page, "application")) == 30


def test_where_nothing_is_found_there_is_no_order_to_read() -> None:
    ordered = CoveringIndexScan(
        AccessRule.objects.none(), "subject_id", "application_created_at", "created_at", "deleted_at",
        choice="role", choices=(1, 2),
    )  # fmt: skip
    keys = KeySubquery.in_order(ordered)
    assert keys.ordered is None
    assert keys.count(9) == (0, True)


def test_what_is_cut_is_not_counted_to_know_how_far_to_walk(acme: Organization) -> None:
    authority = authority_of(factories.system_person())
    by, _ = ApplicationTable.sort_of("application", authority)
    cut = KeySubquery.of(AccessRule.objects.living(), "subject_id", is_whole=False)
    selected = Selection(
        Application.objects.all(), [ListFilter(Q(created_by="ada"), cut)], counted=10
    )
    with CaptureQueriesContext(connection) as queries:
        walk = selected.index_scan(by)
    assert walk
    assert walk.limit == 18
    assert not len(queries)


@pytest.mark.parametrize("term", ["zoe", "app"])
def test_no_more_keys_are_read_than_tell_few_from_many(
    term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Roles are called so too ("app"): the same ones are told apart among those that are counted."""
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 5)
    asked: list[int] = []

    def first(_: KeySubquery, limit: int) -> list[Any]:
        asked.append(limit)
        return [str(number) for number in range(limit)]

    monkeypatch.setattr(KeySubquery, "few", lambda _, most: asked.append(most))
    monkeypatch.setattr(KeySubquery, "first", first)
    monkeypatch.setattr(KeySubquery, "count", lambda _, limit: (limit, False))
    found = [search(term, authority_of(_nobody()))]
    many = Selection(Application.objects.all(), found, counted=17)
    many.rows()
    many.count()
    told_apart = [20] if connection.vendor == "sqlite" else []
    assert asked == ([5] if term == "zoe" else [5, *told_apart])


def _nobody() -> Any:
    return factories.application("nobody").subject


@pytest.mark.usefixtures("thirty")
def test_what_takes_too_long_to_count_is_counted_as_at_least(
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


@pytest.mark.usefixtures("thirty")
def test_a_count_is_exact_where_one_of_several_conditions_can_be_read_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = authority_of(factories.system_person())
    both = [search("app", authority), _with_rules()]
    everything = Selection(Application.objects.all(), both).count()
    monkeypatch.setattr(selection, "MAX_SORTED_CANDIDATES", 2)
    # Fewer are counted than are named so, more than have rules.
    assert Selection(Application.objects.all(), both, counted=13).count() == everything


def _with_rules() -> ListFilter:
    role = ApplicationFilterSet.field_filters["role"]
    authority = authority_of(factories.system_person())
    condition = role.condition(role.operators[0], role.choices(authority), authority)
    return ListFilter(condition, KeySubquery.of(AccessRule.objects.living(), "subject_id"))


@pytest.mark.usefixtures("thirty")
@pytest.mark.parametrize("sort", ["last_login", "-last_login", "access_rules", "-access_rules"])
def test_a_page_by_its_number_crosses_from_rows_without_a_value_to_those_with_one(
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


def test_the_page_of_a_person_without_any_filter_reads_no_keys(
    ada: User, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(KeySubquery, "first", first)
    client: Client = as_(ada)
    assert client.get("/applications/").status_code == 200
