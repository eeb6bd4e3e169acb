"""Issued tokens are counted per day, in memory, and written by a background job."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from applications.models import TokenCount
from applications.oauth import tokens
from applications.oauth.token_counts import TokenCounter, delete_old_counts, tokens_per_day
from tests import factories

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 2)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 2, 12, tzinfo=UTC))


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> TokenCounter:
    """The counter of a new process."""
    found = TokenCounter()
    monkeypatch.setattr(tokens, "COUNTER", found)
    return found


def rows() -> list[tuple[date, int]]:
    return list(TokenCount.objects.order_by("day").values_list("day", "count"))


def test_processes_add_up_the_tokens_that_they_issued(
    counter: TokenCounter, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ci = factories.application("ci")
    tokens.issue(ci)
    tokens.issue(ci)
    assert rows() == []
    counter.write()
    assert rows() == [(TODAY, 2)]
    other = TokenCounter()
    other.note(timezone.now())
    other.write()
    assert rows() == [(TODAY, 3)]
    with django_assert_num_queries(0):
        other.write()


def test_counts_that_can_not_be_written_are_written_later(
    counter: TokenCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.note(timezone.now())

    def fail() -> None:
        raise DatabaseError("disk full")

    with monkeypatch.context() as patch, pytest.raises(DatabaseError):
        patch.setattr(connection, "cursor", fail)
        counter.write()
    counter.note(timezone.now())
    counter.write()
    assert rows() == [(TODAY, 2)]


def test_days_without_tokens_are_zero_and_old_days_are_deleted() -> None:
    for days in (0, 89, 90):
        TokenCount.objects.create(day=TODAY - days * DAY, count=days + 1)
    shown = tokens_per_day()
    assert len(shown) == 90
    assert [one for one in shown if one[1]] == [(TODAY - 89 * DAY, 90), (TODAY, 1)]
    assert delete_old_counts() == 1
    assert rows() == [(TODAY - 89 * DAY, 90), (TODAY, 1)]
