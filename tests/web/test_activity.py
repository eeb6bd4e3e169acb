"""The Activity page: the audit log as a list."""

import re
import uuid
from html import unescape

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accessrules.actions.groups import add_member, remove_member
from applications.actions.creation import create_application
from applications.actions.status import set_application_enabled
from runai_access.accounts.models import User
from runai_access.activity import bounded_query
from tests import factories
from tests.web.activity import LIST, happened, names
from tests.web.conftest import DIALOG, Organization, SignedIn, column, linked_url, text_of

QUERIES = 6  # session, user, authority; preference, count, page
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


# Rows.


def test_row_shows_subject_action_entity_result_and_details(browser: Client, ada: User) -> None:
    caller = factories.caller(ada, "192.0.2.9")
    made = create_application(caller=caller, name="ci-prod").application
    set_application_enabled(caller=caller, application_id=made.pk, enabled=False)
    page = browser.get(LIST)
    assert column(page, "subject")[0] == "ada@acme.example"
    assert column(page, "action") == ["Edit", "Create"]
    assert column(page, "entity") == ["application ci-prod"] * 2
    assert column(page, "result")[0] == "Succeeded"
    assert column(page, "details") == ["enabled: yes → no", "name: ci-prod"]
    assert column(page, "source_ip")[0] == "192.0.2.9"


def test_added_and_removed_members_are_distinct(browser: Client, ada: User, vera: User) -> None:
    ops, caller = factories.group("ops"), factories.caller(ada, "192.0.2.9")
    add_member(caller=caller, group=ops, member=vera.subject)
    remove_member(caller=caller, group=ops, member=vera.subject)
    words = ["members: vera@acme.example → none", "members: none → vera@acme.example"]
    assert column(browser.get(LIST), "details") == words
    page = text_of(browser.get(f"/groups/{ops.pk}/"))
    assert "changed group ops · members: none → vera@acme.example" in page


def test_newest_event_comes_first(browser: Client) -> None:
    happened("old", 0)
    happened("new", 1)
    page = browser.get(LIST)
    assert names(page) == ["new", "old"]
    assert column(page, "time")[0] == "1 Mar 2026, 12:01:00 UTC"
    assert names(browser.get(LIST, {"sort": "time"})) == ["old", "new"]


def test_denied_request_is_listed_with_its_reason(
    browser: Client, as_: SignedIn, vera: User
) -> None:
    assert as_(vera).get("/applications/").status_code == 403
    page = browser.get(LIST)
    assert column(page, "subject") == ["vera@acme.example"]
    assert column(page, "entity") == ["request /applications/"]
    assert column(page, "result") == ["Failed"]
    assert "You need the “" in column(page, "details")[0]


def test_names_are_escaped(browser: Client) -> None:
    happened("<script>alert(1)</script>", subject_name="<b>", reason="<i>", result="Failed")
    page = browser.get(LIST).content.decode()
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "<i>" not in page


def test_empty_audit_log_explains_the_page(browser: Client) -> None:
    assert "No activity yet" in text_of(browser.get(LIST))


def test_rail_links_to_activity(browser: Client) -> None:
    page = browser.get(LIST).content.decode()
    assert re.search(r'href="/activity/" aria-current="page"', page)
    assert 'href="/activity/"' in browser.get("/applications/").content.decode()


# Permissions.


ADDRESSES = ["", "activity.csv", "activity.json", "filter/"]


@pytest.mark.parametrize("address", [*ADDRESSES, "1/"])
@pytest.mark.parametrize("role", ["Department administrator", "Auditor", "System administrator"])
def test_activity_requires_event_history_on_the_account(
    as_: SignedIn, acme: Organization, role: str, address: str
) -> None:
    person = factories.person("pat@acme.example", role, acme.vision)
    refused = as_(person).get(LIST + address)
    assert refused.status_code == 403
    assert "“View event history” permission in the account" in text_of(refused)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("role", ["Auditor", "Cloud operator", "System administrator"])
def test_event_history_on_the_account_grants_activity(
    as_: SignedIn, acme: Organization, role: str, address: str
) -> None:
    happened("made", 1)
    answer = as_(factories.person("pat@acme.example", role)).get(LIST + address)
    assert answer.status_code == 200


def test_auditor_can_read_activity_only(as_: SignedIn, acme: Organization) -> None:
    ci = factories.application("ci", ("Viewer", acme.training))
    auditor = as_(factories.person("audrey@acme.example", "Auditor"))
    page = auditor.get("/applications/").content.decode()
    assert 'href="/activity/"' in page
    assert "NEW APPLICATION" not in page
    assert auditor.post(f"/applications/{ci.pk}/delete/").status_code == 403


def test_rail_hides_activity_without_permission(as_: SignedIn, dina: User) -> None:
    assert 'href="/activity/"' not in as_(dina).get("/applications/").content.decode()


# Filters.

FILTERS: list[tuple[dict[str, str | list[str]], list[str]]] = [
    ({"subject__is": "ben@acme.example"}, ["ben's"]),
    ({"subject__is": "BEN"}, []),
    ({"action__any_of": "delete"}, ["removed"]),
    ({"action__any_of": ["delete", "create"]}, ["made", "removed"]),
    ({"entity_type__any_of": "user"}, ["person"]),
    ({"entity__is": "removed"}, ["removed"]),
    ({"result__is": "Failed"}, ["refused"]),
    ({"source_ip__is": "2001:db8::1"}, ["far"]),
    ({"source_ip__is": "2001:DB8:0::1"}, ["far"]),
    ({"result__is": "Failed", "action__any_of": "update"}, ["refused"]),
    ({"result__is": "Failed", "action__any_of": "delete"}, []),
    ({"entity__is": "removed", "action__any_of": "delete", "result__is": "Succeeded"}, ["removed"]),
    ({"time__since": "2026-03-01T12:05"}, ["made", "far"]),
    ({"time__since": "2026-03-01T12:05:00+00:00"}, ["made", "far"]),
    ({"time__until": "2026-03-01T12:01"}, ["ben's"]),
    ({"time__since": "2026-03-01T12:01", "time__until": "2026-03-01T12:03"}, ["person", "removed"]),
    ({"time__before": "2026-03-01"}, []),
    ({"time__after": "2026-02-28", "action__any_of": "delete"}, ["removed"]),
    ({"search": "PERSON"}, ["person"]),
    ({"search": "ben@", "result__is": "Succeeded"}, ["ben's"]),
    ({"search": "100%"}, []),
]


@pytest.mark.parametrize(("query", "found"), FILTERS)
def test_events_can_be_filtered(
    browser: Client, query: dict[str, str | list[str]], found: list[str]
) -> None:
    happened("ben's", 0, subject_name="ben@acme.example")
    happened("removed", 1, action="delete")
    happened("person", 2, entity_type="user")
    happened("refused", 4, result="Failed", reason="no")
    happened("far", 5, source_ip="2001:db8::1")
    happened("made", 6, action="create")
    assert names(browser.get(LIST, query)) == found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            {"time__since": "yesterday"},
            "“yesterday” is not a time. Use the format 2026-10-01T14:30.",
        ),
        ({"time__since": "0001-01-01T00:00+14:00"}, "is not a time"),
        ({"source_ip__is": "here"}, "“here” is not an IP address like 192.0.2.1."),
        ({"action__any_of": "Robert'); --"}, "is not one of the options"),
        ({"history__is": "application:none"}, "has no history"),
        ({"history__is": "application"}, "has no history"),
        ({"sort": "subject"}, "Ignored unknown sort column “subject”."),
        ({"entity__contains": "x"}, "Ignored unknown URL parameter “entity__contains”."),
    ],
)
def test_invalid_url_parameters_are_reported(
    browser: Client, query: dict[str, str], expected: str
) -> None:
    happened()
    page = browser.get(LIST, query)
    assert page.status_code == 200
    assert expected in text_of(page)
    assert names(page) == ["ci"]


def test_filter_choices_are_the_existing_values(browser: Client) -> None:
    for action in ("sign-in", "reset-password", "sign-in", "archive"):
        happened(action=action)
    page = text_of(browser.get(f"{LIST}filter/", {"column": "action"}))
    assert "Archive Reset password Sign in" in page
    assert "Delete" not in page


def test_time_filter_accepts_a_time_of_day(browser: Client) -> None:
    page = browser.get(f"{LIST}filter/", {"column": "time", "operator": "since"})
    assert 'type="datetime-local"' in page.content.decode()
    query = {"column": "time", "operator": "since", "value": "2026-03-01T12:00", "do": "apply"}
    went = browser.get(f"{LIST}filter/", query)
    assert went["Location"] == "/activity/?time__since=2026-03-01T12%3A00&zone=UTC"
    assert "Time is since 1 Mar 2026, 12:00 UTC" in text_of(browser.get(went["Location"]))


# Limited searches.


@pytest.fixture
def scan_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit searches to the newest three rows, as in a large audit log."""
    monkeypatch.setattr(bounded_query, "MAX_SCANNED", 3)
    monkeypatch.setattr(bounded_query, "MAX_SCANNED_PER_FILTER", 3)


def continue_url(response: HttpResponse) -> str:
    found = re.search(r'id="continue-search" href="([^"]+)"', response.content.decode())
    assert found, "there is no link to older events"
    return unescape(found[1])


@pytest.mark.usefixtures("scan_limit")
@pytest.mark.parametrize(
    "query",
    [
        {"search": "old"},
        {"action__any_of": "update", "result__is": "Failed"},
        {"action__any_of": ["delete", "create"]},
        {"history__is": f"application:{uuid.UUID(int=7)}", "result__is": "Failed"},
    ],
)
def test_limited_search_shows_its_limit_and_can_continue(
    browser: Client, query: dict[str, str]
) -> None:
    happened("oldest", 0, result="Failed")
    happened("old made", 1, action="create")
    for minute in (2, 3, 4, 5):
        happened(f"event {minute}", minute)
    page = browser.get(LIST, query)
    assert "back to 1 Mar 2026, 12:03:00 UTC" in text_of(page)
    assert names(page) == []
    page = browser.get(continue_url(page))
    assert "is until 1 Mar 2026, 12:03 UTC" in text_of(page)
    assert set(names(page)) & {"oldest", "old made"}
    assert "back to" not in text_of(page)


@pytest.mark.usefixtures("scan_limit")
def test_single_filter_is_not_limited(browser: Client) -> None:
    for minute in range(6):
        happened(f"event {minute}", minute)
    page = browser.get(LIST, {"action__any_of": "update"})
    assert len(names(page)) == 6
    assert "back to" not in text_of(page)


def test_pages_have_no_gaps(browser: Client) -> None:
    for minute in range(50):
        happened(f"event {minute}", minute // 10)  # ten at the same moment
    seen: list[str] = []
    page = browser.get(LIST, {"action__any_of": "update"})
    for _ in range(2):
        seen += names(page)
        page = browser.get(linked_url(page, "next"))
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
def test_query_count_does_not_depend_on_the_number_of_rows(
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


def test_event_has_a_page_with_all_details(browser: Client) -> None:
    event = happened(
        changes={"enabled": [True, False], "clientSecret": ["previous", "regenerated"]},
        http_method="PUT",
        path="/api/v1/apps/7",
        request_id=uuid.UUID(int=9),
    )
    page = text_of(browser.get(f"{LIST}{event.pk}/"))
    for expected in (
        "Edit application ci", "Result Succeeded", "Time 1 Mar 2026, 12:00:00 UTC",
        "Subject rosa@acme.example user", f"Entity ID {uuid.UUID(int=7)}",
        "Source address 192.0.2.1", "Request PUT /api/v1/apps/7",
        f"Request ID {uuid.UUID(int=9)}", "Enabled yes no", "Client secret previous regenerated",
    ):  # fmt: skip
        assert expected in page


def test_event_dialog_returns_to_the_list(browser: Client) -> None:
    event = happened(result="Failed", reason="wrong secret")
    page = browser.get(f"{LIST}{event.pk}/", {"from": "/activity/?result__is=Failed"})
    assert 'href="/activity/?result__is=Failed"' in page.content.decode()
    dialog = browser.get(f"{LIST}{event.pk}/", headers=DIALOG)
    assert "Reason wrong secret" in text_of(dialog)
    assert "<html" not in dialog.content.decode()


@pytest.mark.parametrize("number", [999_999, 2**63])
def test_unknown_event_is_404(browser: Client, number: int) -> None:
    assert browser.get(f"{LIST}{number}/").status_code == 404
