"""The pages about groups: whoever is a member may what the group may."""

import csv
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accessrules.models import AccessRule, GroupMembership, Subject
from applications.oauth.tokens import issue
from runai_access.accounts.models import User
from runai_access.accounts.tables import GroupTable
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn, column, text_of, way

GROUPS = "/groups/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


@pytest.fixture
def engineers(acme: Organization) -> Subject:
    """Engineers are viewers of training; Bo and a program are in it."""
    members = factories.person("bo@acme.example"), factories.application("ci")
    group = factories.group("engineers", *members)
    factories.rule(group, "Viewer", acme.training)
    return group


def url(name: str, group: Subject, *more: object) -> str:
    return reverse(f"groups:{name}", args=[group.pk, *more])


def test_a_rule_for_a_group_holds_for_its_members_at_once_on_pages_and_api(
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


def test_each_row_tells_members_and_rules(
    browser: Client, engineers: Subject, acme: Organization
) -> None:
    factories.group("empty")
    answer = browser.get(GROUPS)
    assert column(answer, "group") == ["empty", "engineers"]
    assert column(answer, "members") == ["None", "2"]
    assert column(answer, "access_rules")[1].startswith("Viewer in training")
    assert column(answer, "status") == ["Enabled", "Enabled"]


@pytest.mark.parametrize("name", list(GroupTable.titles()))
def test_every_column_can_be_sorted_both_ways(
    browser: Client, engineers: Subject, name: str
) -> None:
    empty = factories.group("Empty")
    Subject.objects.filter(pk=empty.pk).update(enabled=False)
    up = column(browser.get(GROUPS, {"sort": name}), "group")
    down = column(browser.get(GROUPS, {"sort": f"-{name}"}), "group")
    assert up == down[::-1]
    assert up[0].startswith("Empty")


def test_a_page_in_the_middle_is_found_by_every_sort(browser: Client) -> None:
    person = factories.person("bo@acme.example")
    for number in range(45):
        factories.group(f"g{number:02}", *([person] if number % 2 else []))
    for sort in ("members", "-members", "access_rules", "status"):
        first = browser.get(GROUPS, {"sort": sort, "size": "20"})
        second = browser.get(way(first, "next"))
        names = column(first, "group") + column(second, "group")
        assert len(set(names)) == 40, sort


@pytest.mark.parametrize("cursor", ["WyIxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyIiwgIjEiXQ", "x", "W10"])
def test_a_cursor_that_is_none_shows_the_first_page(browser: Client, cursor: str) -> None:
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
def test_the_list_can_be_narrowed(browser: Client, engineers: Subject, query: str) -> None:
    pilots = factories.group("pilots")
    Subject.objects.filter(pk=pilots.pk).update(enabled=False)
    shown = column(browser.get(f"{GROUPS}?{query}"), "group")
    assert [text.removesuffix(" Disabled") for text in shown] == FILTERS[query]


def test_the_file_holds_exactly_the_view(browser: Client, engineers: Subject) -> None:
    answer = browser.get("/groups/groups.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(StringIO(text))) == [
        ["Group", "Members", "Access rule(s)", "Status"],
        ["engineers", "2", "Viewer in training", "enabled"],
    ]


@pytest.mark.parametrize("number", [1, 12])
def test_a_page_takes_as_many_queries_for_one_as_for_many(
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


def test_sight_decides_what_is_listed(
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
    assert "Members out of your sight are not shown." in page
    assert browser.get(url("detail", far)).status_code == 404
    assert "NEW GROUP" not in text_of(answer)
    for name in ("members", "disable", "delete"):
        assert browser.get(url(name, engineers)).status_code == 403


def test_no_groups_yet_is_said_with_the_way_to_the_first(browser: Client) -> None:
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
        ("Engineers", 409, "There is a group Engineers already."),
    ],
)
def test_a_bad_or_taken_name_is_told_beside_the_field(
    browser: Client, name: str, status: int, expected: str
) -> None:
    factories.group("Engineers")
    answer = browser.post("/groups/new/", {"name": name})
    assert answer.status_code == status
    assert expected in answer.content.decode()
    assert 'id="name-error"' in answer.content.decode()
    assert Subject.objects.filter(type="group").count() == 1


def test_a_group_is_created_and_named(browser: Client) -> None:
    answer = browser.post("/groups/new/", {"name": " platform engineers "})
    group = Subject.objects.get(type="group")
    assert group.name == "platform engineers"
    assert answer.url == f"/groups/?changed={group.pk}"
    assert "Group platform engineers is created." in text_of(browser.get(answer.url))


def test_deleting_says_who_loses_what(browser: Client, engineers: Subject) -> None:
    text = text_of(browser.get(url("delete", engineers)))
    assert "Members 2" in text
    assert "Access rules deleted with it 1" in text
    page = url("detail", engineers)
    answer = browser.post(url("delete", engineers), {"from": page})
    assert answer.url == GROUPS
    assert "Group engineers is deleted." in text_of(browser.get(GROUPS))
    assert browser.get(page).status_code == 404
    assert not AccessRule.objects.living().filter(subject=engineers).exists()


def test_deleting_does_not_count_members_out_of_sight(
    as_: SignedIn, engineers: Subject, acme: Organization
) -> None:
    kim = factories.person("kim@acme.example")
    keeper = factories.custom_role("Keeper of groups", groups="rd", apps="r")
    factories.rule(kim, keeper.name, factories.account())
    text = text_of(as_(kim).get(url("delete", engineers)))
    assert "Members 1 in your sight, and any others" in text


def test_several_are_disabled_and_enabled(browser: Client, engineers: Subject) -> None:
    pilots = factories.group("pilots")
    selected = {"selected": [str(engineers.pk), str(pilots.pk)]}
    assert "Disable 2 groups?" in text_of(browser.get("/groups/bulk/disable/", selected))
    assert "2 of 2 done" in text_of(browser.post("/groups/bulk/disable/", selected))
    assert not Subject.objects.filter(type="group", enabled=True).exists()
    browser.post("/groups/bulk/enable/", selected)
    assert Subject.objects.filter(type="group", enabled=True).count() == 2


def test_enabling_takes_what_the_group_holds(
    as_: SignedIn, engineers: Subject, acme: Organization
) -> None:
    Subject.objects.filter(pk=engineers.pk).update(enabled=False)
    factories.custom_role("Clerk", groups="cru")
    clerk = as_(factories.person("kim@acme.example", "Clerk"))
    for answer in (clerk.get(url("enable", engineers)), clerk.post(url("enable", engineers))):
        assert answer.status_code == 403
    assert not Subject.objects.get(pk=engineers.pk).enabled


# Members


def test_members_are_found_ticked_and_added(browser: Client, engineers: Subject) -> None:
    cid, night = factories.person("cid@acme.example"), factories.application("nightly")
    factories.group("other-group")
    page = url("members", engineers)
    look = browser.post(page, {"do": "refresh", "find_subject": "ni", "subject": str(cid.pk)})
    text = text_of(look)
    assert "nightly" in text
    assert "cid@acme.example" in text, "what is ticked stays"
    offered = browser.get(page, {"add": ""}).content.decode()
    assert "other-group" not in offered
    assert offered.count("bo@acme.example</strong>") == 1
    assert 'value="' + str(User.objects.get(email="bo@acme.example").pk) not in offered, "is in it"
    answer = browser.post(page, {"do": "save", "subject": [str(cid.pk), str(night.pk)]})
    assert answer.url == page
    shown = text_of(browser.get(page))
    assert "cid@acme.example, nightly are now in engineers." in shown
    assert GroupMembership.objects.filter(group=engineers).count() == 4


def test_of_several_members_each_that_is_refused_is_told(
    browser: Client, engineers: Subject
) -> None:
    bo = User.objects.get(email="bo@acme.example")
    cid = factories.person("cid@acme.example")
    sent = {"do": "save", "subject": [str(bo.pk), str(cid.pk)]}
    report = text_of(browser.post(url("members", engineers), sent, headers=DIALOG))
    assert "1 of 2 done, 1 not" in report
    assert "bo@acme.example is already in engineers." in report
    assert "cid@acme.example is now in engineers" in report


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ([], "Select a user or an application."),
        (["x"], "Select a user or an application."),
        (["00000000-0000-0000-0000-000000000000"], "Some of those selected are gone"),
    ],
)
def test_nobody_to_add_is_told(
    browser: Client, engineers: Subject, chosen: list[str], expected: str
) -> None:
    answer = browser.post(url("members", engineers), {"do": "save", "subject": chosen})
    assert answer.status_code == 422
    assert expected in text_of(answer)


def test_a_group_can_not_be_put_into_a_group(browser: Client, engineers: Subject) -> None:
    other = factories.group("other")
    answer = browser.post(url("members", engineers), {"do": "save", "subject": str(other.pk)})
    assert answer.status_code == 422
    assert GroupMembership.objects.count() == 2


def test_a_member_is_taken_out(browser: Client, engineers: Subject) -> None:
    bo = User.objects.get(email="bo@acme.example")
    remove = url("remove-member", engineers, bo.pk)
    assert browser.get(remove).url == url("members", engineers)
    assert browser.post(remove).url == url("members", engineers)
    shown = text_of(browser.get(url("members", engineers)))
    assert "bo@acme.example is no longer in engineers." in shown
    again = browser.post(remove)
    assert again.status_code == 404
    assert "is not in engineers" in text_of(again)


def test_a_member_out_of_sight_is_not_to_be_taken_out(as_: SignedIn, engineers: Subject) -> None:
    factories.custom_role("Clerk", groups="cru")
    clerk = as_(factories.person("kim@acme.example", "Clerk"))
    bo = User.objects.get(email="bo@acme.example")
    assert clerk.post(url("remove-member", engineers, bo.pk)).status_code == 404
    assert GroupMembership.objects.count() == 2


def test_the_page_tells_members_and_rules(browser: Client, engineers: Subject) -> None:
    text = text_of(browser.get(url("detail", engineers)))
    assert "bo@acme.example" in text
    assert "ci Application" in text
    assert "Viewer in project training acme / east / vision / training" in text
