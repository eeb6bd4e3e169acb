"""The pages of groups, and the access of their members."""

import csv
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accessrules.authorization.authority import authority_of
from accessrules.authorization.effective_access import visible_members
from accessrules.models import AccessRule, GroupMembership, Subject
from applications.oauth.tokens import issue
from runai_access.accounts.models import User
from runai_access.accounts.tables import GroupTable
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn, column, linked_url, text_of

GROUPS = "/groups/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


@pytest.fixture
def engineers(acme: Organization) -> Subject:
    """A group of viewers of training, with Bo and an application as members."""
    members = factories.person("bo@acme.example"), factories.application("ci")
    group = factories.group("engineers", *members)
    factories.rule(group, "Viewer", acme.training)
    return group


def url(name: str, group: Subject, *more: object) -> str:
    return reverse(f"groups:{name}", args=[group.pk, *more])


def test_group_rule_applies_to_members_immediately(
    browser: Client, as_: SignedIn, acme: Organization
) -> None:
    bo, robot = factories.person("bo@acme.example"), factories.application("robot")
    group = factories.group("engineers", robot)
    theirs = as_(bo)
    program = Client(headers={"Authorization": f"Bearer {issue(robot).text}"})
    assert theirs.get("/applications/").status_code == 403
    assert theirs.get("/api/v1/apps").status_code == 403
    assert program.get("/api/v1/apps").status_code == 403
    rule = {"subject": str(group.pk), "role": "1", "scope": str(factories.account().pk)}
    report = browser.post("/access-rules/new/", {**rule, "do": "save"})
    assert "1 of 1 done" in text_of(report)
    assert program.get("/api/v1/apps").status_code == 200
    assert theirs.get("/api/v1/apps").status_code == 403
    browser.post(url("members", group), {"subject": str(bo.pk), "do": "save"})
    assert theirs.get("/applications/").status_code == 200
    assert theirs.get("/api/v1/apps").status_code == 200
    browser.post(url("disable", group))
    assert theirs.get("/applications/").status_code == 403
    browser.post(url("enable", group))
    assert theirs.get("/api/v1/apps").status_code == 200
    browser.post(url("remove-member", group, bo.pk))
    assert theirs.get("/applications/").status_code == 403
    assert theirs.get("/api/v1/apps").status_code == 403
    browser.post(url("delete", group))
    assert program.get("/api/v1/apps").status_code == 403


# The list


def test_row_shows_members_and_rules(
    browser: Client, engineers: Subject, acme: Organization
) -> None:
    factories.group("empty")
    answer = browser.get(GROUPS)
    assert column(answer, "group") == ["empty", "engineers"]
    assert column(answer, "members") == ["None", "2"]
    assert column(answer, "access_rules")[1].startswith("Viewer in training")
    assert column(answer, "status") == ["Enabled", "Enabled"]


@pytest.mark.parametrize("name", list(GroupTable.titles()))
def test_all_columns_sort_both_ways(browser: Client, engineers: Subject, name: str) -> None:
    empty = factories.group("Empty")
    Subject.objects.filter(pk=empty.pk).update(enabled=False)
    up = column(browser.get(GROUPS, {"sort": name}), "group")
    down = column(browser.get(GROUPS, {"sort": f"-{name}"}), "group")
    assert up == down[::-1]
    assert up[0].startswith("Empty")


def test_paging_works_with_all_sort_orders(browser: Client) -> None:
    person = factories.person("bo@acme.example")
    for number in range(45):
        factories.group(f"g{number:02}", *([person] if number % 2 else []))
    for sort in ("members", "-members", "access_rules", "status"):
        first = browser.get(GROUPS, {"sort": sort, "size": "20"})
        second = browser.get(linked_url(first, "next"))
        names = column(first, "group") + column(second, "group")
        assert len(set(names)) == 40, sort


@pytest.mark.parametrize("cursor", ["WyIxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyIiwgIjEiXQ", "x", "W10"])
def test_invalid_cursor_shows_the_first_page(browser: Client, cursor: str) -> None:
    factories.group("engineers")
    answer = browser.get(GROUPS, {"sort": "members", "after": cursor})
    assert answer.status_code == 200


FILTERS = {
    "group__contains=ENG": ["engineers"],
    "access_rules__none=1": ["pilots"],
    "status__is=disabled": ["pilots"],
    "search=pil": ["pil ots"],
    "search=training": ["engineers"],
}


@pytest.mark.parametrize("query", FILTERS)
def test_list_can_be_filtered(browser: Client, engineers: Subject, query: str) -> None:
    pilots = factories.group("pilots")
    Subject.objects.filter(pk=pilots.pk).update(enabled=False)
    shown = column(browser.get(f"{GROUPS}?{query}"), "group")
    assert [text.removesuffix(" Disabled") for text in shown] == FILTERS[query]


def test_file_matches_the_view(browser: Client, engineers: Subject) -> None:
    answer = browser.get("/groups/groups.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(StringIO(text))) == [
        ["Group", "Members", "Access rule(s)", "Status"],
        ["engineers", "2", "Viewer in training", "enabled"],
    ]


@pytest.mark.parametrize("number", [1, 12])
def test_query_count_does_not_depend_on_the_number_of_rows(
    browser: Client,
    acme: Organization,
    django_assert_num_queries: DjangoAssertNumQueries,
    number: int,
) -> None:
    for count in range(number):
        person = factories.person(f"p{count}@acme.example")
        factories.rule(factories.group(f"g{count}", person), "Viewer", acme.training)
    with django_assert_num_queries(7):
        assert browser.get(GROUPS).status_code == 200


def test_list_shows_only_visible_groups_and_members(
    as_: SignedIn, acme: Organization, dina: User, engineers: Subject
) -> None:
    near = factories.person("near@acme.example", "Viewer", acme.training)
    GroupMembership.objects.create(group=engineers, member=near.subject)
    far = factories.group("far")
    factories.rule(far, "Viewer", acme.dictation)
    browser = as_(dina)
    answer = browser.get(GROUPS)
    assert column(answer, "group") == ["engineers"]
    assert column(answer, "members") == ["1"]
    page = text_of(browser.get(url("detail", engineers)))
    assert "near@acme.example" in page
    assert "bo@acme.example" not in page
    assert "Members that you can't see are not shown." in page
    assert browser.get(url("detail", far)).status_code == 404
    assert "NEW GROUP" not in text_of(answer)
    for name in ("members", "disable", "delete"):
        assert browser.get(url(name, engineers)).status_code == 403


def test_only_members_are_tested_for_visibility(dina: User, engineers: Subject) -> None:
    """A list of all visible subjects takes seconds if there are a million."""
    members = visible_members(authority_of(dina.subject)).filter(group=engineers)
    assert not members.exists()
    if connection.vendor == "sqlite":  # PostgreSQL joins both
        assert "SCAN" not in members.explain().replace("SCAN json_each", "")


def test_empty_list_offers_to_create_a_group(browser: Client) -> None:
    text = text_of(browser.get(GROUPS))
    assert "No groups yet" in text
    assert "NEW GROUP" in text


# Creating, deleting, disabling


@pytest.mark.parametrize(
    ("name", "status", "expected"),
    [
        ("", 422, "Enter a name."),
        ("   ", 422, "Enter a name."),
        ("x" * 300, 422, "A name must have 1 to 255 characters."),
        ("a\u200bb", 422, "unprintable characters"),
        ("Engineers", 409, "A group named Engineers already exists."),
    ],
)
def test_invalid_name_shows_an_error_on_the_field(
    browser: Client, name: str, status: int, expected: str
) -> None:
    factories.group("Engineers")
    answer = browser.post("/groups/new/", {"name": name})
    assert answer.status_code == status
    assert expected in answer.content.decode()
    assert 'id="name-error"' in answer.content.decode()
    assert Subject.objects.filter(type="group").count() == 1


def test_group_can_be_created(browser: Client) -> None:
    answer = browser.post("/groups/new/", {"name": " platform engineers "})
    group = Subject.objects.get(type="group")
    assert group.name == "platform engineers"
    assert answer.url == f"/groups/?changed={group.pk}&new=1"
    assert "Group platform engineers created." in text_of(browser.get(answer.url))


def test_delete_dialog_shows_the_effect(browser: Client, engineers: Subject) -> None:
    text = text_of(browser.get(url("delete", engineers)))
    assert "Members 2" in text
    assert "Access rules deleted with it 1" in text
    page = url("detail", engineers)
    answer = browser.post(url("delete", engineers), {"from": page})
    assert answer.url == GROUPS
    assert "Group engineers deleted." in text_of(browser.get(GROUPS))
    assert browser.get(page).status_code == 404
    assert not AccessRule.objects.living().filter(subject=engineers).exists()


def test_delete_dialog_counts_only_visible_members(
    as_: SignedIn, engineers: Subject, acme: Organization
) -> None:
    kim = factories.person("kim@acme.example")
    keeper = factories.custom_role("Keeper of groups", groups="rd", apps="r")
    factories.rule(kim, keeper.name, factories.account())
    text = text_of(as_(kim).get(url("delete", engineers)))
    assert "Members 1 that you can see, and any others" in text


def test_groups_can_be_disabled_and_enabled_in_bulk(browser: Client, engineers: Subject) -> None:
    pilots = factories.group("pilots")
    selected = {"selected": [str(engineers.pk), str(pilots.pk)]}
    assert "Disable 2 groups?" in text_of(browser.get("/groups/bulk/disable/", selected))
    assert "2 of 2 done" in text_of(browser.post("/groups/bulk/disable/", selected))
    assert not Subject.objects.filter(type="group", enabled=True).exists()
    browser.post("/groups/bulk/enable/", selected)
    assert Subject.objects.filter(type="group", enabled=True).count() == 2


def test_enabling_requires_the_permissions_of_the_group(
    as_: SignedIn, engineers: Subject, acme: Organization
) -> None:
    Subject.objects.filter(pk=engineers.pk).update(enabled=False)
    factories.custom_role("Clerk", groups="cru")
    clerk = as_(factories.person("kim@acme.example", "Clerk"))
    for answer in (clerk.get(url("enable", engineers)), clerk.post(url("enable", engineers))):
        assert answer.status_code == 403
    assert not Subject.objects.get(pk=engineers.pk).enabled


# Members


def test_members_can_be_searched_selected_and_added(browser: Client, engineers: Subject) -> None:
    cid, night = factories.person("cid@acme.example"), factories.application("nightly")
    factories.group("other-group")
    page = url("members", engineers)
    answer = browser.post(page, {"do": "refresh", "find_subject": "ni", "subject": str(cid.pk)})
    text = text_of(answer)
    assert "nightly" in text
    assert "cid@acme.example" in text, "the selection is kept"
    offered = browser.get(page, {"add": ""}).content.decode()
    assert "other-group" not in offered
    assert offered.count("bo@acme.example</strong>") == 1
    assert 'value="' + str(User.objects.get(email="bo@acme.example").pk) not in offered, (
        "is already a member"
    )
    answer = browser.post(page, {"do": "save", "subject": [str(cid.pk), str(night.pk)]})
    assert answer.url == page
    shown = text_of(browser.get(page))
    assert "cid@acme.example, nightly added to engineers." in shown
    assert GroupMembership.objects.filter(group=engineers).count() == 4


def test_report_lists_each_refused_member(browser: Client, engineers: Subject) -> None:
    bo = User.objects.get(email="bo@acme.example")
    cid = factories.person("cid@acme.example")
    sent = {"do": "save", "subject": [str(bo.pk), str(cid.pk)]}
    report = text_of(browser.post(url("members", engineers), sent, headers=DIALOG))
    assert "1 of 2 done, 1 not" in report
    assert "bo@acme.example is already in engineers." in report
    assert "cid@acme.example added to engineers" in report


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ([], "Select a user or an application."),
        (["x"], "Select a user or an application."),
        (["00000000-0000-0000-0000-000000000000"], "Some selected subjects no longer exist"),
    ],
)
def test_invalid_selection_of_members_shows_an_error(
    browser: Client, engineers: Subject, chosen: list[str], expected: str
) -> None:
    answer = browser.post(url("members", engineers), {"do": "save", "subject": chosen})
    assert answer.status_code == 422
    assert expected in text_of(answer)


def test_group_cannot_be_a_member_of_a_group(browser: Client, engineers: Subject) -> None:
    other = factories.group("other")
    answer = browser.post(url("members", engineers), {"do": "save", "subject": str(other.pk)})
    assert answer.status_code == 422
    assert GroupMembership.objects.count() == 2


def test_member_can_be_removed(browser: Client, engineers: Subject) -> None:
    bo = User.objects.get(email="bo@acme.example")
    remove = url("remove-member", engineers, bo.pk)
    assert browser.get(remove).url == url("members", engineers)
    assert browser.post(remove).url == url("members", engineers)
    shown = text_of(browser.get(url("members", engineers)))
    assert "bo@acme.example removed from engineers." in shown
    again = browser.post(remove)
    assert again.status_code == 404
    assert "is not in engineers" in text_of(again)


def test_invisible_member_cannot_be_removed(as_: SignedIn, engineers: Subject) -> None:
    factories.custom_role("Clerk", groups="cru")
    clerk = as_(factories.person("kim@acme.example", "Clerk"))
    bo = User.objects.get(email="bo@acme.example")
    assert clerk.post(url("remove-member", engineers, bo.pk)).status_code == 404
    assert GroupMembership.objects.count() == 2


def test_page_shows_members_and_rules(browser: Client, engineers: Subject) -> None:
    text = text_of(browser.get(url("detail", engineers)))
    assert "bo@acme.example" in text
    assert "ci Application" in text
    assert "Viewer in project training acme / east / vision / training" in text
