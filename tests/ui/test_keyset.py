"""Keyset pagination, including rows with equal and NULL sort values."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from applications.models import Application
from runai_access.lists.keyset import (
    Count,
    OrderedQuery,
    Page,
    Position,
    count_up_to,
    in_order,
    page_of,
)
from runai_access.lists.scans import BoundedIndexScan, Scan
from runai_access.lists.sorts import BadCursor, Sort, decode, encode
from tests import factories, sizes
from tests.plans import plan_of

START = datetime(2026, 1, 1, tzinfo=UTC)
SORTS = {
    "name": Sort.text("subject__name"),
    "creator": Sort.text("created_by"),
    "created": Sort.time("created_at"),
    "login": Sort.time("last_login", is_nullable=True),
    "enabled": Sort.flag("subject__enabled"),
}
small = st.integers(0, 2)
rows = st.lists(st.tuples(small, small, st.none() | small, st.booleans()), max_size=9)


def _make(values: list[tuple[int, int, int | None, bool]]) -> None:
    Application.objects.all().delete()
    for number, (creator, created, login, enabled) in enumerate(values):
        application = factories.application(f"app-{number}-{timezone.now().timestamp()}")
        application.subject.enabled = enabled
        application.subject.save()
        Application.objects.filter(pk=application.pk).update(
            created_by=["Zoe", "anna", "\u00e9lodie"][creator],
            created_at=START + timedelta(days=created),
            last_login=None if login is None else START + timedelta(days=login),
        )


def _page(name: str, position: Position, *, is_descending: bool, size: int) -> Page[Application]:
    everything = Application.objects.select_related("subject")
    listed = OrderedQuery(everything, SORTS[name])
    return page_of(listed, position, is_descending=is_descending, size=size)


@pytest.mark.django_db
@pytest.mark.parametrize("name", SORTS)
@settings(
    max_examples=sizes.LIST_EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(values=rows, is_descending=st.booleans(), size=st.integers(1, 4))
def test_paging_in_both_directions_returns_each_row_once(
    name: str, values: list[tuple[int, int, int | None, bool]], is_descending: bool, size: int
) -> None:
    _make(values)
    sort = SORTS[name]
    everything = Application.objects.all()
    parts = in_order(everything, sort, is_descending=is_descending)
    expected = [row.pk for part in parts for row in part]
    page = _page(name, Position(), is_descending=is_descending, size=size)
    seen = [row.pk for row in page.rows]
    while page.has_next:
        after = decode(page.next_cursor, sort)
        position = Position((page.number or 0) + 1, after=after)
        page = _page(name, position, is_descending=is_descending, size=size)
        seen += [row.pk for row in page.rows]
    assert seen == expected
    last = _page(name, Position(is_last=True), is_descending=is_descending, size=size)
    assert [row.pk for row in last.rows] == [row.pk for row in page.rows]
    back = [row.pk for row in last.rows]
    while last.has_previous:
        before = decode(last.previous_cursor, sort)
        position = Position((last.number or 0) - 1, before=before)
        last = _page(name, position, is_descending=is_descending, size=size)
        back = [row.pk for row in last.rows] + back
    assert back == expected


@pytest.mark.django_db
@pytest.mark.parametrize("name", SORTS)
@settings(
    max_examples=sizes.LIST_EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(values=rows, is_descending=st.booleans(), size=st.integers(1, 4), limit=st.integers(0, 9))
def test_index_scan_returns_the_same_pages_for_every_limit(
    name: str,
    values: list[tuple[int, int, int | None, bool]],
    is_descending: bool,
    size: int,
    limit: int,
) -> None:
    _make(values)
    sort, everything = SORTS[name], Application.objects.all()
    some = everything.exclude(created_by="anna")
    scan = BoundedIndexScan(some, everything, sort, limit)

    def pages(position: Position) -> tuple[Page[Application], Page[Application]]:
        scanned, plain = (
            page_of(
                OrderedQuery(some, sort, plan), position, is_descending=is_descending, size=size
            )
            for plan in (scan, None)
        )
        return scanned, plain

    page, expected = pages(Position())
    assert page == expected
    while page.has_next:
        after = decode(page.next_cursor, sort)
        page, expected = pages(Position((page.number or 0) + 1, after=after))
        assert page == expected
    page, expected = pages(Position(is_last=True))
    assert page == expected
    while page.has_previous:
        before = decode(page.previous_cursor, sort)
        page, expected = pages(Position((page.number or 0) - 1, before=before))
        assert page == expected


@pytest.mark.django_db
def test_index_scan_stops_at_its_limit() -> None:
    _make([(0, number, None, True) for number in (0, 1, 2)] * 3)
    sort, everything = SORTS["created"], Application.objects.all()
    last = everything.filter(created_at=START + timedelta(days=2))

    def found(limit: int, *, is_descending: bool) -> tuple[int, bool]:
        scan = BoundedIndexScan(last, everything, sort, limit)
        result = scan.scan(Q(), 3, is_descending=is_descending)
        assert result
        return len(result.keys), result.stopped_at is not None

    assert found(9, is_descending=False) == (3, False)
    assert found(5, is_descending=False) == (0, True)
    assert found(8, is_descending=False) == (2, True)
    assert found(5, is_descending=True) == (3, False)


@pytest.mark.django_db
@pytest.mark.parametrize("is_descending", [True, False])
@pytest.mark.parametrize("name", ["created", "login"])
def test_index_scan_can_stop_within_equal_or_null_values(name: str, is_descending: bool) -> None:
    _make([(0, 0, None, True)] * 6)
    everything = Application.objects.all()
    scan = BoundedIndexScan(everything, everything, SORTS[name], 3)
    for length in (1, 2, 3):
        page = _page(name, Position(), is_descending=is_descending, size=length)
        expected = Scan([row.pk for row in page.rows])
        assert scan.scan(Q(), length, is_descending=is_descending) == expected
    assert scan.scan(Q(), 4, is_descending=is_descending) is None


@pytest.mark.django_db
def test_index_scan_that_stops_within_equal_values_reads_two_ranges() -> None:
    _make([(0, 0, None, True)] * 6)
    everything = Application.objects.all()
    scan = BoundedIndexScan(
        everything.filter(token_lifetime=1), everything, Sort.flag("is_enabled"), 3
    )
    with CaptureQueriesContext(connection) as queries:
        result = scan.scan(Q(), 3, is_descending=False)
    assert result
    assert result.stopped_at
    _, other_values, own_value = (query["sql"] for query in queries)
    is_sqlite = connection.vendor == "sqlite"
    range_ = "(is_enabled>? AND is_enabled<?)" if is_sqlite else "Index Cond: ((is_enabled >="
    assert range_ in plan_of(own_value)
    assert "application_by_status" in plan_of(other_values)


@pytest.mark.django_db
def test_deleted_row_does_not_make_the_next_page_skip_rows() -> None:
    _make([(0, number, None, True) for number in (0, 1, 2)] * 2)
    first = _page("created", Position(), is_descending=False, size=2)
    cursor = decode(first.next_cursor, SORTS["created"])
    expected = _page("created", Position(2, after=cursor), is_descending=False, size=2)
    for row in first.rows:
        row.delete()
    again = _page("created", Position(2, after=cursor), is_descending=False, size=2)
    assert [row.pk for row in again.rows] == [row.pk for row in expected.rows]


@pytest.mark.django_db
def test_text_is_sorted_by_bytes_in_every_database() -> None:
    _make([(creator, 0, None, True) for creator in (2, 1, 0)])
    (found,) = in_order(Application.objects.all(), SORTS["creator"], is_descending=False)
    assert [row.created_by for row in found] == ["Zoe", "anna", "\u00e9lodie"]


@pytest.mark.django_db
def test_count_stops_at_the_limit_and_is_marked_as_inexact() -> None:
    _make([(0, 0, None, True)] * 4)
    assert count_up_to(Application.objects.all(), 4) == Count(4, is_exact=True)
    assert count_up_to(Application.objects.all(), 3) == Count(3, is_exact=False)
    assert str(Count(10_000, is_exact=False)) == "10,000+"
    assert str(Count(9_999, is_exact=True)) == "9,999"


def _packed(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "%%%", "\u00e9", "\x00", "A" * 5000, _packed([]), _packed(["a"]), _packed({}),
        _packed([1, 2]), _packed([None, "x"]), _packed(["2026-01-01", 5]),
        _packed(["no time", "0" * 32]), _packed([None, "0" * 32]), _packed("ab"),
        "W1tbW1tbW1tbW1tbW1tbW1tbW1tb" * 100,
    ],
)  # fmt: skip
def test_invalid_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        decode(text, SORTS["created"])


@given(text=st.text())
def test_cursor_round_trips_value_and_key(text: str) -> None:
    class Row:
        sort_key = text
        pk = 7

    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        return
    found = decode(encode(Row()), Sort.text("name")) if len(encode(Row())) < 4000 else None
    assert found is None or (found.value, found.pk) == (text, 7)
