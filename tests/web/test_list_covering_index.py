"""Pages of roles and scopes, which are read from ranges of a covering index."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accessrules.authorization.authority import authority_of
from accessrules.models import AccessRule
from applications import search as finding
from applications.models import Application
from applications.search import search
from applications.tables import ApplicationTable
from runai_access.accounts.models import User
from runai_access.db import keys as ordered_keys
from runai_access.db.keys import CoveringIndexScan, KeySubquery
from runai_access.lists.keyset import Count, Page, Position, page_of
from runai_access.lists.selection import Selection
from runai_access.lists.sorts import decode
from tests import factories, sizes
from tests.plans import plan_of
from tests.web.conftest import Organization, SignedIn, column
from tests.web.selections import FilterQuery, filters_of, is_read_in_order, selection_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("column_", "number"), [("role", 19), ("roles", 20), ("scope", 19), ("scopes", 20)]
)
@pytest.mark.parametrize("sort", ["creation_time", "-creation_time"])
def test_subjects_of_roles_and_scopes_are_paged_from_a_covering_index(
    sort: str, column_: str, number: int, holders: dict[str, FilterQuery]
) -> None:
    authority = authority_of(factories.system_person())
    by, is_descending = ApplicationTable.sort_of(sort, authority)
    listed = selection_of(dict([holders[column_]])).listed(by)
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


def _four_and_twice_two(*ages: int) -> list[tuple[int, list[int]]]:
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
    share=st.integers(1, 4),  # of the keys that are first read from each range
)
# One of three ranges has all rows of the page, and half as many are read from it at first.
@example(held=_four_and_twice_two(0, 1, 2), chosen={0, 1, 2}, size=4, share=2)
@example(held=_four_and_twice_two(2, 1, 0), chosen={0, 1, 2}, size=4, share=2)
def test_merged_index_ranges_equal_a_plain_sort(
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
        application = factories.application(f"app-{uuid4()}", *granted)
        application.created_at = datetime(2026, 1, 1 + age, tzinfo=UTC)
        application.save()
        if {rule // 2 for rule in rules} & chosen:
            expected.append((application.created_at, application.pk))
    keys = [pk for _, pk in sorted(expected, reverse=is_descending)]
    query = {"scope__any_of": [places[number].pk for number in chosen]}
    by, _ = ApplicationTable.sort_of("creation_time", authority_of(factories.system_person()))
    listed = selection_of(query).listed(by)
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
def test_page_of_a_role_or_scope_is_one_covering_index_range(
    column_: str, text: str, holders: dict[str, FilterQuery]
) -> None:
    authority = authority_of(factories.system_person())
    by, _ = ApplicationTable.sort_of("-creation_time", authority)
    found = [search(text, authority)] if text else filters_of(dict([holders[column_]]))
    assert found[0].keys
    assert found[0].keys.is_distinct
    assert is_read_in_order(*found[0].keys.parts[0])
    listed = Selection(Application.objects.all(), found).listed(by)
    with CaptureQueriesContext(connection) as queries:
        page_of(listed, Position(), is_descending=True, size=5, whole=Application.objects.all())
    plan = plan_of(queries[-1]["sql"])
    if connection.vendor == "sqlite":
        assert f"COVERING INDEX access_rule_of_{column_}" in plan
        assert plan.count("TEMP B-TREE") == 1  # the page itself
    else:
        _, _, rest = plan.partition("Unique")
        steps, scan, _ = rest.partition(f"Index Only Scan Backward using access_rule_of_{column_}")
        assert scan
        assert "Sort" not in steps


@pytest.mark.parametrize("column_", ["role", "scope"])
def test_roles_or_scopes_are_merged_from_index_ranges_up_to_a_limit(
    column_: str, holders: dict[str, FilterQuery], monkeypatch: pytest.MonkeyPatch
) -> None:
    by, _ = ApplicationTable.sort_of("-creation_time", authority_of(factories.system_person()))
    query = dict([holders[f"{column_}s"]])
    with CaptureQueriesContext(connection) as queries:
        merged = page_of(selection_of(query).listed(by), Position(), is_descending=True, size=5)
    read = [query["sql"] for query in queries if "application_created_at" in query["sql"]]
    scan = "COVERING INDEX" if connection.vendor == "sqlite" else "Index Only Scan Backward using"
    assert f"{scan} access_rule_of_{column_}" in plan_of(read[-1])
    monkeypatch.setattr(finding, "_MAX_MERGED_RANGES", 1)
    listed = selection_of(query).listed(by)
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
def test_covering_index_is_not_used_for_other_sorts_and_filters(
    more: dict[str, str], sort: str, holders: dict[str, FilterQuery], ada: User, as_: SignedIn
) -> None:
    authority = authority_of(factories.system_person())
    by, _ = ApplicationTable.sort_of(sort, authority)
    query: dict[str, Any] = dict([holders["role"]]) | more
    if "search" not in more:
        assert selection_of(query).listed(by).ordered is None
    page = as_(ada).get("/applications/", {**query, "sort": sort, "size": "50"})
    assert len(column(page, "application")) == 19


@pytest.mark.usefixtures("holders")
@pytest.mark.parametrize(
    ("text", "is_ordered", "found"),
    [
        ("Editor", True, 20),  # one role, no application name
        ("editor-to-be", False, 1),
        ("dito", False, 21),  # the role and an application name
        ("east", True, 19),  # one scope
        ("admin", True, 0),  # many roles
    ],
)
def test_search_matching_only_roles_or_scopes_uses_the_covering_index(
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


@pytest.mark.parametrize("spellings", [["{}", "0{}"], ["{}", "0{}", "00{}"], ["{} ", "{}"]])
def test_scope_given_twice_counts_once(
    spellings: list[str], ada: User, acme: Organization, as_: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(ordered_keys, "_MIN_CHUNK", 1)
    factories.many_applications(30, ("Viewer", acme.east))
    asked = urlencode([("scope__any_of", text.format(acme.east.pk)) for text in spellings])
    for also in ("", f"&scope__any_of={acme.west.pk}"):
        page = as_(ada).get(f"/applications/?{asked}{also}&size=50")
        assert len(column(page, "application")) == 30


def test_empty_key_subquery_has_no_covering_index_scan() -> None:
    ordered = CoveringIndexScan(
        AccessRule.objects.none(), "subject_id", "application_created_at", "created_at", "deleted_at",
        choice="role", choices=(1, 2),
    )  # fmt: skip
    keys = KeySubquery.in_order(ordered)
    assert keys.ordered is None
    assert keys.count(9) == (0, True)
