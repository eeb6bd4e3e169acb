"""The Activity page: who did what, on what, when, from where, with what result."""

import re
import uuid
from html import unescape

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accessrules.actions.groups import add_member, remove_member
from applications.actions import create_application, set_application_enabled
from runai_access.accounts.models import User
from runai_access.activity import bounded_query
from tests import factories
from tests.web.activity import LIST, happened, names
from tests.web.conftest import DIALOG, Organization, SignedIn, column, text_of, way

QUERIES = 6  # session, person, authority; preference, count, page
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


# What it shows.


def test_an_event_says_who_did_what_on_what_when_from_where_with_what_result(
    browser: Client, ada: User
) -> None:
    caller = factories.caller(ada, "192.0.2.9")
    made = create_application(caller=caller, name="ci-prod").application
    set_application_enabled(caller=caller, application_id=made.pk, enabled=False)
    page = browser.get(LIST)
    assert column(page, "subject")[0] == "ada@acme.example"
    assert column(page, "action") == ["Update", "Create"]
    assert column(page, "entity") == ["application ci-prod"] * 2
    assert column(page, "result")[0] == "Succeeded"
    assert column(page, "details") == ["enabled: yes → no", "name: ci-prod"]
    assert column(page, "source_ip")[0] == "192.0.2.9"


def test_who_came_is_told_from_who_left(browser: Client, ada: User, vera: User) -> None:
    ops, caller = factories.group("ops"), factories.caller(ada, "192.0.2.9")
    add_member(caller=caller, group=ops, member=vera.subject)
    remove_member(caller=caller, group=ops, member=vera.subject)
    words = ["members: vera@acme.example → none", "members: none → vera@acme.example"]
    assert column(browser.get(LIST), "details") == words
    page = text_of(browser.get(f"/groups/{ops.pk}/"))
    assert "changed group ops · members: none → vera@acme.example" in page


def test_the_newest_comes_first_to_the_second(browser: Client) -> None:
    happened("old", 0)
    happened("new", 1)
    page = browser.get(LIST)
    assert names(page) == ["new", "old"]
    assert column(page, "time")[0] == "1 Mar 2026, 12:01:00 UTC"
    assert names(browser.get(LIST, {"sort": "time"})) == ["old", "new"]


def test_what_was_refused_is_there_with_its_reason(
    browser: Client, as_: SignedIn, vera: User
) -> None:
    assert as_(vera).get("/applications/").status_code == 403
    page = browser.get(LIST)
    assert column(page, "subject") == ["vera@acme.example"]
    assert column(page, "entity") == ["request /applications/"]
    assert column(page, "result") == ["Failed"]
    assert "You need the “" in column(page, "details")[0]


def test_a_name_can_not_become_markup(browser: Client) -> None:
    happened("<script>alert(1)</script>", subject_name="<b>", reason="<i>", result="Failed")
    page = browser.get(LIST).content.decode()
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "<i>" not in page


def test_an_empty_record_says_what_belongs_there(browser: Client) -> None:
    assert "Nothing has happened yet" in text_of(browser.get(LIST))


def test_the_rail_leads_to_it(browser: Client) -> None:
    page = browser.get(LIST).content.decode()
    assert re.search(r'href="/activity/" aria-current="page"', page)
    assert 'href="/activity/"' in browser.get("/applications/").content.decode()


# Who sees it.


ADDRESSES = ["", "activity.csv", "activity.json", "filter/"]


@pytest.mark.parametrize("address", [*ADDRESSES, "1/"])
@pytest.mark.parametrize("role", ["Department administrator", "Auditor", "System administrator"])
def test_who_does_not_hold_event_history_on_the_account_is_refused(
    as_: SignedIn, acme: Organization, role: str, address: str
) -> None:
    person = factories.person("pat@acme.example", role, acme.vision)
    refused = as_(person).get(LIST + address)
    assert refused.status_code == 403
    assert "“View event history” permission in the account" in text_of(refused)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("role", ["Auditor", "Cloud operator", "System administrator"])
def test_who_holds_event_history_on_the_account_sees_it(
    as_: SignedIn, acme: Organization, role: str, address: str
) -> None:
    happened("made", 1)
    answer = as_(factories.person("pat@acme.example", role)).get(LIST + address)
    assert answer.status_code == 200


def test_an_auditor_finds_activity_and_changes_nothing(as_: SignedIn, acme: Organization) -> None:
    ci = factories.application("ci", ("Viewer", acme.training))
    auditor = as_(factories.person("audrey@acme.example", "Auditor"))
    page = auditor.get("/applications/").content.decode()
    assert 'href="/activity/"' in page
    assert "NEW APPLICATION" not in page
    assert auditor.post(f"/applications/{ci.pk}/delete/").status_code == 403


def test_the_rail_does_not_lead_others_there(as_: SignedIn, dina: User) -> None:
    assert 'href="/activity/"' not in as_(dina).get("/applications/").content.decode()


# Filters.

FILTERS: list[tuple[dict[str, str | list[str]], list[str]]] = [
    ({"subject__is": "ben@acme.example"}, ["ben's"]),
    ({"subject__is": "BEN"}, []),
    ({"action__any_of": "delete"}, ["gone"]),
    ({"action__any_of": ["delete", "create"]}, ["made", "gone"]),
    ({"entity_type__any_of": "user"}, ["person"]),
    ({"entity__is": "gone"}, ["gone"]),
    ({"result__is": "Failed"}, ["refused"]),
    ({"source_ip__is": "2001:db8::1"}, ["far"]),
    ({"source_ip__is": "2001:DB8:0::1"}, ["far"]),
    ({"result__is": "Failed", "action__any_of": "update"}, ["refused"]),
    ({"result__is": "Failed", "action__any_of": "delete"}, []),
    ({"entity__is": "gone", "action__any_of": "delete", "result__is": "Succeeded"}, ["gone"]),
    ({"time__since": "2026-03-01T12:05"}, ["made", "far"]),
    ({"time__since": "2026-03-01T12:05:00+00:00"}, ["made", "far"]),
    ({"time__until": "2026-03-01T12:01"}, ["ben's"]),
    ({"time__since": "2026-03-01T12:01", "time__until": "2026-03-01T12:03"}, ["person", "gone"]),
    ({"time__before": "2026-03-01"}, []),
    ({"time__after": "2026-02-28", "action__any_of": "delete"}, ["gone"]),
    ({"search": "PERSON"}, ["person"]),
    ({"search": "ben@", "result__is": "Succeeded"}, ["ben's"]),
    ({"search": "100%"}, []),
]


@pytest.mark.parametrize(("query", "found"), FILTERS)
def test_events_can_be_filtered(
    browser: Client, query: dict[str, str | list[str]], found: list[str]
) -> None:
    happened("ben's", 0, subject_name="ben@acme.example")
    happened("gone", 1, action="delete")
    happened("person", 2, entity_type="user")
    happened("refused", 4, result="Failed", reason="no")
    happened("far", 5, source_ip="2001:db8::1")
    happened("made", 6, action="create")
    assert names(browser.get(LIST, query)) == found


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            {"time__since": "yesterday"},
            "“yesterday” is not a time. Use the format 2026-10-01T14:30.",
        ),
        ({"time__since": "0001-01-01T00:00+14:00"}, "is not a time"),
        ({"source_ip__is": "here"}, "“here” is no address like 192.0.2.1."),
        ({"action__any_of": "Robert'); --"}, "is not one of the options"),
        ({"history__is": "application:none"}, "is nothing that has a history"),
        ({"history__is": "application"}, "is nothing that has a history"),
        ({"sort": "subject"}, "Unknown sort column “subject”."),
        ({"entity__contains": "x"}, "Unknown URL parameter “entity__contains”."),
    ],
)
def test_what_an_address_says_that_can_not_be_read_is_told(
    browser: Client, query: dict[str, str], told: str
) -> None:
    happened()
    page = browser.get(LIST, query)
    assert page.status_code == 200
    assert told in text_of(page)
    assert names(page) == ["ci"]


def test_the_words_to_choose_from_are_those_that_are_there(browser: Client) -> None:
    for action in ("sign-in", "reset-password", "sign-in", "archive"):
        happened(action=action)
    page = text_of(browser.get(f"{LIST}filter/", {"column": "action"}))
    assert "Archive Reset password Sign in" in page
    assert "Delete" not in page


def test_a_time_of_day_can_be_asked_for(browser: Client) -> None:
    page = browser.get(f"{LIST}filter/", {"column": "time", "operator": "since"})
    assert 'type="datetime-local"' in page.content.decode()
    query = {"column": "time", "operator": "since", "value": "2026-03-01T12:00", "do": "apply"}
    went = browser.get(f"{LIST}filter/", query)
    assert went["Location"] == "/activity/?time__since=2026-03-01T12%3A00"
    assert "Time is since 1 Mar 2026, 12:00 UTC" in text_of(browser.get(went["Location"]))


# Looking through millions.


@pytest.fixture
def short_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest three rows are looked at, as if the record were large."""
    monkeypatch.setattr(bounded_query, "MAX_SCANNED", 3)
    monkeypatch.setattr(bounded_query, "MAX_SCANNED_PER_FILTER", 3)


def further(response: HttpResponse) -> str:
    found = re.search(r'id="continue-search" href="([^"]+)"', response.content.decode())
    assert found, "there is no way further back"
    return unescape(found[1])


@pytest.mark.usefixtures("short_sight")
@pytest.mark.parametrize(
    "query",
    [
        {"search": "old"},
        {"action__any_of": "update", "result__is": "Failed"},
        {"action__any_of": ["delete", "create"]},
        {"history__is": f"application:{uuid.UUID(int=7)}", "result__is": "Failed"},
    ],
)
def test_a_look_that_did_not_reach_the_beginning_says_so_and_goes_on(
    browser: Client, query: dict[str, str]
) -> None:
    happened("oldest", 0, result="Failed")
    happened("old made", 1, action="create")
    for minute in (2, 3, 4, 5):
        happened(f"event {minute}", minute)
    page = browser.get(LIST, query)
    assert "back to 1 Mar 2026, 12:03:00 UTC" in text_of(page)
    assert names(page) == []
    page = browser.get(further(page))
    assert "is until 1 Mar 2026, 12:03 UTC" in text_of(page)
    assert set(names(page)) & {"oldest", "old made"}
    assert "back to" not in text_of(page)


@pytest.mark.usefixtures("short_sight")
def test_one_filter_alone_sees_everything(browser: Client) -> None:
    for minute in range(6):
        happened(f"event {minute}", minute)
    page = browser.get(LIST, {"action__any_of": "update"})
    assert len(names(page)) == 6
    assert "back to" not in text_of(page)


def test_pages_follow_one_another_without_a_gap(browser: Client) -> None:
    for minute in range(50):
        happened(f"event {minute}", minute // 10)  # ten at the same moment
    seen: list[str] = []
    page = browser.get(LIST, {"action__any_of": "update"})
    for _ in range(2):
        seen += names(page)
        page = browser.get(way(page, "next"))
    seen += names(page)
    assert seen == [f"event {number}" for number in reversed(range(50))]


@pytest.mark.parametrize("count", [1, 60])
@pytest.mark.parametrize(
    ("query", "more"),
    [
        ({}, 0),
        ({"action__any_of": "update"}, 0),
        ({"action__any_of": "update", "result__is": "Succeeded"}, 1),
        ({"search": "event"}, 1),
    ],
)
def test_the_number_of_queries_does_not_depend_on_the_rows(
    browser: Client,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
    query: dict[str, str],
    more: int,
) -> None:
    for minute in range(count):
        happened(f"event {minute}", minute)
    with django_assert_num_queries(QUERIES + more):
        assert names(browser.get(LIST, query))


# One event.


def test_an_event_has_a_page_with_all_its_details(browser: Client) -> None:
    event = happened(
        changes={"enabled": [True, False], "clientSecret": ["previous", "regenerated"]},
        http_method="PUT",
        path="/api/v1/apps/7",
        request_id=uuid.UUID(int=9),
    )
    page = text_of(browser.get(f"{LIST}{event.pk}/"))
    for told in (
        "Update application ci", "Result Succeeded", "Time 1 Mar 2026, 12:00:00 UTC",
        "Subject rosa@acme.example user", f"Entity ID {uuid.UUID(int=7)}",
        "Source address 192.0.2.1", "Request PUT /api/v1/apps/7",
        f"Request ID {uuid.UUID(int=9)}", "Enabled yes no", "Client secret previous regenerated",
    ):  # fmt: skip
        assert told in page


def test_an_event_opens_in_a_dialog_and_leads_back(browser: Client) -> None:
    event = happened(result="Failed", reason="wrong secret")
    page = browser.get(f"{LIST}{event.pk}/", {"from": "/activity/?result__is=Failed"})
    assert 'href="/activity/?result__is=Failed"' in page.content.decode()
    dialog = browser.get(f"{LIST}{event.pk}/", headers=DIALOG)
    assert "Reason wrong secret" in text_of(dialog)
    assert "<html" not in dialog.content.decode()


@pytest.mark.parametrize("number", [999_999, 2**63])
def test_an_event_that_is_not_there_is_404(browser: Client, number: int) -> None:
    assert browser.get(f"{LIST}{number}/").status_code == 404
