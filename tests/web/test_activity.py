"""The Activity page: who did what, on what, when, from where, with what result."""

import csv
import io
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from applications.actions import create_application, set_application_enabled
from runai_access.accounts.models import User
from runai_access.activity import looking
from runai_access.audit.models import AuditEvent
from runai_access.ui import export
from tests import factories
from tests.web.conftest import DIALOG, Organisation, SignedIn, column, text_of, way

LIST = "/activity/"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
QUERIES = 6  # session, person, authority; preference, count, page
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


def happened(name: str = "ci", minutes: int = 0, **fields: Any) -> AuditEvent:
    """Make an event of that entity, so many minutes after noon."""
    known: dict[str, Any] = {
        "subject_type": "user",
        "subject_name": "rosa@acme.example",
        "action": "update",
        "entity_type": "application",
        "entity_id": str(uuid.UUID(int=7)),
        "entity_name": name,
        "result": "Succeeded",
        "source_ip": "192.0.2.1",
    }
    time = NOON + timedelta(minutes=minutes)
    return AuditEvent.objects.create(time=time, **known | fields)


def names(response: HttpResponse) -> list[str]:
    """Return the entities of the rows, without their type."""
    return [cell.partition(" ")[2] for cell in column(response, "entity")]


def body(response: Any) -> str:
    return b"".join(response.streaming_content).decode("utf-8-sig")


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
    assert "no access rule gives it" in column(page, "details")[0]


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


@pytest.mark.parametrize("address", ["", "activity.csv", "activity.json", "filter/", "1/"])
def test_only_an_administrator_of_the_account_sees_it(
    as_: SignedIn, dina: User, address: str
) -> None:
    refused = as_(dina).get(LIST + address)
    assert refused.status_code == 403
    assert "System administrator" in text_of(refused)


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
        ({"time__since": "yesterday"}, "Time: “yesterday” is no time like 2026-10-01T14:30."),
        ({"time__since": "0001-01-01T00:00+14:00"}, "is no time like"),
        ({"source_ip__is": "here"}, "“here” is no address like 192.0.2.1."),
        ({"action__any_of": "Robert'); --"}, "is none of those to choose from"),
        ({"history__is": "application:none"}, "is nothing that has a history"),
        ({"history__is": "application"}, "is nothing that has a history"),
        ({"sort": "subject"}, "There is no column “subject” to sort by."),
        ({"entity__contains": "x"}, "There is no filter “entity__contains”."),
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


# The history of one thing.


def history(response: HttpResponse) -> str:
    """Return the address of the first history that a page leads to."""
    found = re.search(r'href="(/activity/\?history__is=[^"]+)"', response.content.decode())
    assert found, "the page leads to no history"
    return unescape(found[1])


def test_an_applications_page_leads_to_all_of_its_history(
    browser: Client, ada: User, acme: Organisation
) -> None:
    caller = factories.caller(ada)
    ci, other = (create_application(caller=caller, name=n).application for n in ("ci", "other"))
    rule = factories.rule(ci, "Viewer", acme.training)
    factories.rule(other, "Viewer", acme.training)
    happened("its rule", 1, entity_type="access_rule", entity_id=str(rule.pk))
    happened("what it did", 2, subject_id=ci.pk, entity_id="5", entity_type="project")
    happened("ci", 3, entity_id="", result="Failed", action="sign-in", subject_name="ci")
    happened("another rule", 4, entity_type="access_rule", entity_id="999999")
    page = browser.get(history(browser.get(ci.get_absolute_url())))
    assert "History of application ci" in text_of(page)
    entities = column(page, "entity")
    assert entities == [
        "application ci", "application ci", "project what it did", "access rule its rule",
    ]  # fmt: skip


def test_a_scopes_history_has_its_rules(browser: Client, acme: Organisation) -> None:
    rule = factories.rule(factories.person("pat@acme.example"), "Viewer", acme.training)
    happened("project training", 0, entity_type="project", entity_id=acme.training.uid)
    happened("rule", 1, entity_type="access_rule", entity_id=str(rule.pk))
    happened("department vision", 2, entity_type="department", entity_id=acme.vision.uid)
    page = browser.get(LIST, {"history__is": f"project:{acme.training.uid}"})
    assert column(page, "entity") == ["access rule rule", "project training"]
    assert "History of project training" in text_of(page)


def test_an_entity_leads_to_its_history(browser: Client) -> None:
    happened("pat@acme.example", entity_type="user")
    happened("later", 1, entity_type="user", entity_id=str(uuid.UUID(int=8)))
    assert names(browser.get(history(browser.get(LIST)))) == ["later"]


# Looking through millions.


@pytest.fixture
def short_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest three rows are looked at, as if the record were large."""
    monkeypatch.setattr(looking, "LOOKED_AT", 3)
    monkeypatch.setattr(looking, "LOOKED_AT_OF_A_PART", 3)


def further(response: HttpResponse) -> str:
    found = re.search(r'id="look-further" href="([^"]+)"', response.content.decode())
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


# Files.


def test_the_view_can_be_had_as_csv(browser: Client) -> None:
    happened("=cmd()", 0, changes={"enabled": [True, False]})
    happened("other", 1, action="delete")
    response = browser.get(f"{LIST}activity.csv", {"action__any_of": "update"})
    header, row = csv.reader(io.StringIO(body(response)))
    assert header[:5] == ["Time", "Subject", "Action", "Entity", "Result"]
    assert row == [
        "2026-03-01T12:00:00+00:00", "rosa@acme.example", "Update", "application =cmd()",
        "Succeeded", "enabled: yes → no", "192.0.2.1",
    ]  # fmt: skip


def test_the_view_can_be_had_as_json_with_every_detail(browser: Client) -> None:
    event = happened("größer", changes={"enabled": [True, False]}, path="/x", http_method="PUT")
    happened("other", 1, action="delete")
    response = browser.get(f"{LIST}activity.json", {"action__any_of": "update"})
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == 'attachment; filename="activity.json"'
    [document] = json.loads(body(response))
    assert document["id"] == event.pk
    assert document["entity"]["name"] == "größer"
    assert document["changes"] == {"enabled": [True, False]}
    assert document["time"] == "2026-03-01T12:00:00+00:00"
    assert json.loads(body(browser.get(f"{LIST}activity.json", {"search": "none"}))) == []


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_file_that_does_not_hold_every_row_says_so(
    browser: Client, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("export", "customizing", "listing"):
        monkeypatch.setattr(f"runai_access.ui.{module}.ROW_LIMIT", 2)
    for minute in range(3):
        happened(f"event {minute}", minute)
    response = browser.get(f"{LIST}activity.{kind}")
    assert response["X-Row-Limit-Reached"] == "true"
    assert f"activity-first-{export.ROW_LIMIT}-rows.{kind}" in response["Content-Disposition"]
    text = body(response)
    assert len(json.loads(text) if kind == "json" else text.splitlines()[1:]) == 2
    dialog = browser.get(f"{LIST}download/")
    assert "DOWNLOAD JSON" in text_of(dialog)
    assert 'href="/activity/activity.json"' in dialog.content.decode()


def test_looking_writes_nothing(browser: Client) -> None:
    happened()
    before = AuditEvent.objects.count()
    for address in ("", "activity.csv", "activity.json"):
        browser.get(LIST + address)
    assert AuditEvent.objects.count() == before
