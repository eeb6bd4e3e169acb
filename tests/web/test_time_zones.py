"""One time zone for times, day filters, chips, files and links: the person's."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from applications.models import Application
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import SignedIn, column, text_of

LIST = "/applications/"
NEW_YORK, KOLKATA = "America/New_York", "Asia/Kolkata"
TOKYO, LORD_HOWE = "Asia/Tokyo", "Australia/Lord_Howe"


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


def _created(name: str, *moment: int) -> Application:
    application = factories.application(name)
    Application.objects.filter(pk=application.pk).update(created_at=datetime(*moment, tzinfo=UTC))  # type: ignore[arg-type,misc]  # the parts
    return application


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        (NEW_YORK, "28 Feb 2026, 21:30 EST"),
        (KOLKATA, "1 Mar 2026, 08:00 IST"),
        (TOKYO, "1 Mar 2026, 11:30 JST"),
        (LORD_HOWE, "1 Mar 2026, 13:30 UTC+11"),
        ("Mars/Base", "1 Mar 2026, 02:30 UTC"),
    ],
)
def test_times_are_shown_in_the_zone_of_the_browser(browser: Client, zone: str, shown: str) -> None:
    _created("ci", 2026, 3, 1, 2, 30)
    browser.cookies["browser-zone"] = zone
    assert column(browser.get(LIST), "creation_time") == [shown]


def test_chosen_zone_and_format_are_remembered(browser: Client) -> None:
    _created("ci", 2026, 3, 1, 2, 30)
    browser.cookies["browser-zone"] = TOKYO
    chosen = {"zone": KOLKATA, "format": "iso", "next": "/account/"}
    assert browser.post(reverse("ui:times"), chosen).headers["Location"] == "/account/"
    assert column(browser.get(LIST), "creation_time") == ["2026-03-01 08:00 IST"]
    account = browser.get("/account/").content.decode()
    assert f"<option selected>{KOLKATA}</option>" in account
    browser.post(reverse("ui:times"), {"zone": "", "format": "text"})
    assert column(browser.get(LIST), "creation_time") == ["1 Mar 2026, 11:30 JST"]


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        (NEW_YORK, "2026-03-08", (2026, 3, 8, 5, 0), (2026, 3, 9, 3, 59)),  # 23 hours
        (NEW_YORK, "2026-11-01", (2026, 11, 1, 4, 0), (2026, 11, 2, 4, 59)),  # 25 hours
        (KOLKATA, "2026-05-10", (2026, 5, 9, 18, 30), (2026, 5, 10, 18, 29)),
        (TOKYO, "2026-05-10", (2026, 5, 9, 15, 0), (2026, 5, 10, 14, 59)),
        (LORD_HOWE, "2026-04-05", (2026, 4, 4, 13, 0), (2026, 4, 5, 13, 29)),  # 24.5 hours
        (LORD_HOWE, "2026-10-04", (2026, 10, 3, 13, 30), (2026, 10, 4, 12, 59)),  # 23.5 hours
    ],
)
def test_day_filters_follow_the_days_of_the_zone(
    browser: Client, zone: str, day: str, first: tuple[int, ...], last: tuple[int, ...]
) -> None:
    """Also on the days on which the clocks change."""
    _created("first", *first)
    _created("last", *last)
    browser.cookies["browser-zone"] = zone
    one_day = timedelta(days=1)
    for operator, other_day in (("after", -one_day), ("before", one_day)):
        other = (date.fromisoformat(day) + other_day).isoformat()
        both = browser.get(LIST, {f"creation_time__{operator}": other})
        assert sorted(column(both, "application")) == ["first", "last"]
        none = browser.get(LIST, {f"creation_time__{operator}": day})
        assert column(none, "application") == []
        assert f"is {operator} {int(day[8:])} " in text_of(none)


def test_url_of_a_day_filter_names_the_zone(browser: Client) -> None:
    """Someone in another zone sees the same rows and the same times."""
    _created("ci", 2026, 3, 1, 2, 30)
    browser.cookies["browser-zone"] = KOLKATA
    asked = {"column": "creation_time", "operator": "after", "value": "2026-02-28", "do": "apply"}
    address = browser.get(f"{LIST}filter/", asked).headers["Location"]
    assert address == f"{LIST}?creation_time__after=2026-02-28&zone=Asia%2FKolkata"
    browser.cookies["browser-zone"] = NEW_YORK
    shared = browser.get(address)
    assert column(shared, "creation_time") == ["1 Mar 2026, 08:00 IST"]
    assert f"{LIST}applications.csv?creation_time__after=2026-02-28&amp;zone=Asia" in (
        shared.content.decode()
    )
    assert column(browser.get(address.partition("&")[0]), "creation_time") == []
    assert "Ignored unknown time zone “Nowhere”." in text_of(browser.get(LIST, {"zone": "Nowhere"}))


def test_removing_the_day_filter_removes_the_zone(browser: Client) -> None:
    page = browser.get(LIST, {"creation_time__after": "2026-02-28", "status__is": "enabled"})
    content = page.content.decode()
    assert 'href="/applications/?status__is=enabled" aria-label="Remove filter: Creation' in content
    assert 'href="/applications/" data-focus-after="add-filter">Clear all' in content


def test_file_contains_times_in_the_zone_and_names_it(browser: Client) -> None:
    _created("ci", 2026, 3, 8, 7, 30)
    browser.cookies["browser-zone"] = NEW_YORK
    address = f"{LIST}applications.csv?columns=application,creation_time,last_login"
    content = browser.get(address).getvalue().decode("utf-8-sig")  # type: ignore[attr-defined]  # a stream
    assert content.splitlines() == [
        "Application,Creation time (America/New_York),Last login (America/New_York)",
        "ci,2026-03-08 03:30:00,",
    ]


def test_time_of_day_is_in_the_zone(browser: Client) -> None:
    browser.cookies["browser-zone"] = TOKYO
    page = browser.get("/activity/", {"time__since": "2026-03-01T12:00"})
    assert "Time is since 1 Mar 2026, 12:00 JST" in text_of(page)


def test_day_beyond_the_calendar_is_refused(browser: Client) -> None:
    browser.cookies["browser-zone"] = TOKYO
    page = browser.get(LIST, {"creation_time__before": "0001-01-01"})
    assert "“0001-01-01” is not a date." in text_of(page)


def test_api_uses_utc(browser: Client) -> None:
    application = _created("ci", 2026, 3, 1, 2, 30)
    browser.cookies["browser-zone"] = TOKYO
    answer = browser.get(f"/api/v1/apps/{application.pk}")
    assert answer.json()["createdAt"].startswith("2026-03-01T02:30:00")
