"""The detail page of a user, disabling and enabling, and groups."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accessrules.models import GroupMembership, Subject
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


@pytest.fixture
def bo(acme: Organization) -> User:
    return factories.person("bo@acme.example", "Viewer", acme.training)


def url(name: str, user: User) -> str:
    return reverse(f"users:{name}", args=[user.pk])


def is_enabled(user: User) -> bool:
    return Subject.objects.get(pk=user.pk).enabled


# Detail page


def test_page_shows_details_groups_and_all_rules(
    browser: Client, acme: Organization, bo: User
) -> None:
    group = factories.group("engineers", bo)
    factories.rule(group, "L1 researcher", acme.speech)
    text = text_of(browser.get(url("detail", bo)))
    assert "bo@acme.example Enabled" in text
    assert str(bo.pk) in text
    assert "Groups engineers" in text
    assert "Password No password set. Reset it so they can sign in." in text
    assert "Viewer in project training acme / east / vision / training" in text
    assert "L1 researcher in department speech acme / east / speech Through group engineers" in text
    for label in ("ADD ACCESS RULE", "EFFECTIVE ACCESS", "GROUPS", "RESET PASSWORD", "DISABLE"):
        assert label in text


def test_page_shows_recent_activity(browser: Client, bo: User) -> None:
    browser.post(url("disable", bo))
    text = text_of(browser.get(url("detail", bo)))
    assert "ada@acme.example changed user bo@acme.example · enabled: yes → no" in text
    assert "ENABLE" in text


def test_own_page_offers_a_change_instead_of_a_reset(browser: Client, ada: User) -> None:
    text = text_of(browser.get(url("detail", ada)))
    assert "CHANGE PASSWORD" in text
    assert "RESET PASSWORD" not in text


def test_page_shows_only_visible_groups_and_rules(
    as_: SignedIn, acme: Organization, dina: User, bo: User
) -> None:
    factories.rule(bo, "Viewer", acme.dictation)
    hidden = factories.group("hidden", bo)
    factories.rule(hidden, "Viewer", acme.dictation)
    far = factories.person("far@acme.example", "Viewer", acme.dictation)
    browser = as_(dina)
    text = text_of(browser.get(url("detail", bo)))
    assert "Viewer in project training" in text
    assert "dictation" not in text
    assert "hidden" not in text
    assert "Groups None that you can see" in text
    assert "Recent activity" not in text
    for label in ("RESET PASSWORD", "DISABLE", "GROUPS"):
        assert label not in text.replace("Groups", "")
    assert browser.get(url("detail", far)).status_code == 404


@pytest.mark.parametrize("number", [1, 9])
def test_query_count_does_not_depend_on_the_number_of_rules(
    browser: Client,
    acme: Organization,
    bo: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    number: int,
) -> None:
    for count in range(number):
        group = factories.group(f"g{count}", bo)
        factories.rule(group, "Viewer", factories.project(f"p{count}", acme.vision))
    with django_assert_num_queries(14):
        assert browser.get(url("detail", bo)).status_code == 200


# Disabling and enabling


def test_disabling_shows_the_effect_and_ends_sessions(
    browser: Client, as_: SignedIn, bo: User
) -> None:
    theirs = as_(bo)
    assert theirs.get("/account/").status_code == 200
    assert "signed out everywhere immediately" in text_of(browser.get(url("disable", bo)))
    answer = browser.post(url("disable", bo))
    assert answer.url == f"/users/?changed={bo.pk}&selected={bo.pk}"
    assert "User bo@acme.example disabled." in text_of(browser.get(answer.url))
    assert not is_enabled(bo)
    assert theirs.get("/account/").status_code == 302
    browser.post(url("enable", bo))
    assert is_enabled(bo)
    assert theirs.get("/account/").status_code == 302, "a session was restored"


def test_disabling_the_last_administrator_shows_the_reason(browser: Client, ada: User) -> None:
    assert "This is you" in text_of(browser.get(url("disable", ada)))
    answer = browser.post(url("disable", ada))
    assert answer.status_code == 409
    assert "The account needs a System administrator" in text_of(answer)
    assert is_enabled(ada)
    assert browser.get("/users/").status_code == 200


def test_enabling_requires_the_permissions_of_the_user(
    as_: SignedIn, acme: Organization, bo: User
) -> None:
    Subject.objects.filter(pk=bo.pk).update(enabled=False)
    factories.custom_role("Keeper", users="cru")
    keeper = as_(factories.person("kim@acme.example", "Keeper"))
    for answer in (keeper.get(url("enable", bo)), keeper.post(url("enable", bo))):
        assert answer.status_code == 403
    assert not is_enabled(bo)
    report = keeper.post("/users/bulk/enable/", {"selected": [str(bo.pk)]})
    assert "0 of 1 done, 1 not" in text_of(report)
    assert not is_enabled(bo)


def test_bulk_disable_reports_each_user(
    browser: Client, ada: User, bo: User, acme: Organization
) -> None:
    off = factories.person("off@acme.example")
    Subject.objects.filter(pk=off.pk).update(enabled=False)
    missing = "00000000-0000-0000-0000-000000000000"
    ids = [str(ada.pk), str(bo.pk), str(off.pk), missing]
    summary = text_of(browser.get("/users/bulk/disable/", {"selected": ids}))
    assert "Disable 2 users?" in summary
    assert "Already disabled" in summary
    assert "1 selected user was already deleted." in summary
    report = text_of(browser.post("/users/bulk/disable/", {"selected": ids}))
    assert "bo@acme.example disabled" in report
    assert "ada@acme.example Not done: The account needs a System administrator" in report
    assert "off@acme.example already disabled" in report
    assert "1 user not found Not done: already deleted" in report
    assert not is_enabled(bo)
    assert is_enabled(ada)


def test_empty_selection_returns_to_the_list(browser: Client) -> None:
    for name in ("enable", "disable", "add-to-group"):
        assert browser.get(f"/users/bulk/{name}/").url == "/users/"


# Groups


def test_user_can_be_added_to_and_removed_from_a_group(
    browser: Client, bo: User, acme: Organization
) -> None:
    group = factories.group("engineers")
    page = url("groups", bo)
    assert "Not in any group." in text_of(browser.get(page))
    answer = browser.post(page, {"group": str(group.pk)})
    assert answer.url == page
    assert "bo@acme.example added to engineers." in text_of(browser.get(page))
    assert GroupMembership.objects.filter(group=group, member=bo.subject).exists()
    browser.post(page, {"group": str(group.pk), "leave": "1"})
    assert not GroupMembership.objects.exists()
    assert "removed from engineers." in text_of(browser.get(page))


def test_dialog_shows_the_new_group_immediately(browser: Client, bo: User) -> None:
    group = factories.group("engineers")
    answer = browser.post(url("groups", bo), {"group": str(group.pk)}, headers=DIALOG)
    assert answer.status_code == 200
    assert "bo@acme.example added to engineers." in text_of(answer)
    assert str(bo.pk) in answer.headers["HX-Trigger"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("", "Select a group."),
        ("x", "Select a group."),
        ("00000000-0000-0000-0000-000000000000", "Select a group."),
    ],
)
def test_invalid_group_shows_an_error(
    browser: Client, bo: User, chosen: str, expected: str
) -> None:
    answer = browser.post(url("groups", bo), {"group": chosen})
    assert answer.status_code == 422
    assert expected in text_of(answer)


def test_user_cannot_be_added_to_a_stronger_group(
    as_: SignedIn, acme: Organization, bo: User
) -> None:
    strong = factories.group("admins")
    factories.rule(strong, "System administrator", factories.account())
    factories.custom_role("Clerk", users="r", groups="ru")
    clerk = as_(factories.person("kim@acme.example", "Clerk"))
    answer = clerk.post(url("groups", bo), {"group": str(strong.pk)})
    assert answer.status_code == 403
    assert "To give its access to members, you need the same" in text_of(answer)
    report = clerk.post(
        "/users/bulk/add-to-group/", {"selected": [str(bo.pk)], "group": str(strong.pk)}
    )
    assert "0 of 1 done" in text_of(report)
    assert not GroupMembership.objects.exists()
    assert AuditEvent.objects.filter(result="Failed").exists()


def test_bulk_add_to_group_reports_each_user(browser: Client, bo: User) -> None:
    cid = factories.person("cid@acme.example")
    group = factories.group("engineers", cid)
    selected = [str(bo.pk), str(cid.pk)]
    address = "/users/bulk/add-to-group/"
    assert "Add 2 users to a group" in text_of(browser.get(address, {"selected": selected}))
    assert browser.post(address, {"selected": selected, "group": ""}).status_code == 422
    report = text_of(browser.post(address, {"selected": selected, "group": str(group.pk)}))
    assert "bo@acme.example added to engineers" in report
    assert "cid@acme.example Not done: cid@acme.example is already in engineers." in report
    assert GroupMembership.objects.filter(group=group).count() == 2


def test_toolbar_opens_the_dialog_of_the_selection(browser: Client, bo: User) -> None:
    for action in ("groups", "reset-password", "disable", "enable"):
        answer = browser.get("/users/selected/", {"selected": str(bo.pk), "action": action})
        assert answer.url == url(action, bo)


# Deleting


def test_deleting_a_user_from_their_page(ada: User, as_: SignedIn) -> None:
    bo = factories.person("bo@acme.example", "Viewer")
    browser = as_(ada)
    path = f"/users/{bo.pk}/delete/"
    page = browser.get(f"/users/{bo.pk}/").content.decode()
    assert f'href="{path}' in page
    assert 'data-leaves="/users/"' in page
    assert "Access rules deleted with them 1" in text_of(browser.get(path))
    answer = browser.post(path, {"from": f"/users/{bo.pk}/"})
    assert answer.url == "/users/"
    assert "User bo@acme.example deleted." in text_of(browser.get("/users/"))
    assert browser.get(f"/users/{bo.pk}/").status_code == 404


def test_last_administrator_cannot_be_deleted(ada: User, as_: SignedIn) -> None:
    answer = as_(ada).post(f"/users/{ada.pk}/delete/")
    assert answer.status_code == 409
    assert "needs a System administrator" in text_of(answer)
    assert User.objects.get().enabled
