"""Counts of filtered lists, and the keys from which they are counted."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accessrules.authorization.authority import authority_of
from accessrules.models import AccessRule
from applications.filters import ApplicationFilterSet
from applications.models import Application
from applications.search import search
from runai_access.accounts.models import User
from runai_access.db.keys import InKeySubquery, KeySubquery
from runai_access.lists import selection
from runai_access.lists.keyset import Count
from runai_access.lists.selection import ListFilter, Selection
from tests import factories
from tests.plans import plan_of
from tests.web.conftest import LISTING, Organization, SignedIn
from tests.web.selections import is_read_in_order, names_of

pytestmark = pytest.mark.django_db


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


def test_unfiltered_page_reads_no_keys(
    ada: User, as_: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(KeySubquery, "first", first)
    client: Client = as_(ada)
    assert client.get("/applications/").status_code == 200


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
    plan = plan_of(*keys.counted)
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
