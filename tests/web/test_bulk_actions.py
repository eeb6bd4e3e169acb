"""Bulk actions on applications."""

import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accessrules.actions import bulk
from accessrules.authorization.callers import SYSTEM, Caller
from accessrules.models import AccessRule, Subject
from applications.actions.deletion import delete_applications
from applications.models import Application
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn, text_of

BULK = "/applications/bulk/"


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


@pytest.fixture
def two(acme: Organization) -> list[Application]:
    return [factories.application("one", ("Viewer", acme.east)), factories.application("two")]


def _ids(applications: list[Application]) -> dict[str, list[str]]:
    return {"selected": [str(application.pk) for application in applications]}


def test_toolbar_opens_the_bulk_dialog(browser: Client, two: list[Application]) -> None:
    for action in ("delete", "disable", "enable", "add-rule"):
        answer = browser.get("/applications/selected/", {"action": action, **_ids(two)})
        assert answer.url.startswith(f"{BULK}{action}/?selected=")
        assert browser.get(answer.url).status_code == 200
    answer = browser.get("/applications/selected/", {"action": "regenerate", **_ids(two)})
    page = browser.get(answer.url)
    assert "Select just one application for this." in text_of(page)
    assert page.content.decode().count(" checked") == 2


def test_confirmation_shows_the_effect_and_changes_nothing(
    browser: Client, two: list[Application]
) -> None:
    text = text_of(browser.get(f"{BULK}delete/", _ids(two)))
    assert "Delete 2 applications?" in text
    assert "one 1 access rule · last login never" in text
    assert "two 0 access rules" in text
    assert Application.objects.count() == 2


def test_bulk_delete_reports_and_audits_each_application(
    browser: Client, two: list[Application]
) -> None:
    missing = str(uuid.uuid4())
    chosen = {"selected": [*_ids(two)["selected"], missing]}
    answer = browser.post(f"{BULK}delete/", chosen, headers=DIALOG)
    text = text_of(answer)
    assert "2 of 3 done, 1 not" in text
    assert "one deleted" in text
    assert "two deleted" in text
    assert "1 application not found Not done: already deleted" in text
    assert "changed" in answer.headers["HX-Trigger"]
    assert not Application.objects.exists()
    deleted = AuditEvent.objects.filter(action="delete", entity_type="application")
    assert sorted(deleted.values_list("entity_name", flat=True)) == ["one", "two"]


def test_bulk_delete_of_more_than_one_batch_reports_each(
    browser: Client, acme: Organization
) -> None:
    made = factories.many_applications(bulk.BATCH_SIZE * 2 + 1, ("Viewer", acme.east))
    text = text_of(browser.post(f"{BULK}delete/", _ids(made), headers=DIALOG))
    assert f"{len(made)} of {len(made)} done" in text
    assert not [one for one in made if f"{one.name} deleted" not in text]
    assert not Application.objects.exists()


def test_refused_items_do_not_stop_a_bulk_action(
    browser: Client, two: list[Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user deletes the second one, and the caller's rule before the third."""
    monkeypatch.setattr(bulk, "BATCH_SIZE", 1)
    two.append(factories.application("three"))
    delete, turns = delete_applications, iter(["one", "three", "two"])

    def in_turn(*, caller: Caller, applications: list[Application]) -> list[Application]:
        turn = next(turns)
        if turn == "three":
            delete(caller=SYSTEM, applications=applications)
        if turn == "two":
            AccessRule.objects.living().delete()
        return delete(caller=caller, applications=applications)

    monkeypatch.setattr("applications.views.bulk.delete_applications", in_turn)
    text = text_of(browser.post(f"{BULK}delete/", _ids(two), headers=DIALOG))
    assert "1 of 3 done, 2 not" in text
    assert "one deleted" in text
    assert "three Not done: already deleted" in text
    assert "two Not done: You need the “Delete applications” permission" in text
    assert [one.name for one in Application.objects.all()] == ["two"]
    assert AuditEvent.objects.filter(result="Failed").count() == 1


def test_bulk_disable_skips_disabled_applications(browser: Client, two: list[Application]) -> None:
    two[0].subject.enabled = False
    two[0].subject.save()
    summary = text_of(browser.get(f"{BULK}disable/", _ids(two)))
    assert "Disable 1 application?" in summary
    assert "Already disabled" in summary
    report = text_of(browser.post(f"{BULK}disable/", _ids(two)))
    assert "one already disabled" in report
    assert "two disabled" in report
    assert AuditEvent.objects.filter(action="update").count() == 1


def test_bulk_enable_refuses_stronger_applications_only(
    as_: SignedIn, two: list[Application]
) -> None:
    strong = factories.application("strong", ("System administrator", factories.account()))
    member = factories.application("member")
    group = factories.group("admins", member.subject)
    factories.rule(group, "System administrator", factories.account())
    Subject.objects.filter(pk=group.pk).update(enabled=False)
    for application in (strong, member, two[1]):
        application.subject.enabled = False
        application.subject.save()
    factories.custom_role("Keeper", apps="cru")
    keeper = factories.person("kim@acme.example", "Keeper")
    report = text_of(as_(keeper).post(f"{BULK}enable/", _ids([strong, member, two[1]])))
    assert "1 of 3 done, 2 not" in report
    assert "strong Not done: strong has" in report
    assert "member Not done: member has" in report
    strong.subject.refresh_from_db()
    two[1].subject.refresh_from_db()
    assert (strong.subject.enabled, two[1].subject.enabled) == (False, True)
    assert AuditEvent.objects.filter(result="Failed").exists()


@pytest.fixture
def thirty(acme: Organization) -> list[Application]:
    """More than a page of applications; some have a different prefix."""
    made = [factories.application(f"app-{number:02}") for number in range(25)]
    return [*made, *(factories.application(f"other-{number}") for number in range(5))]


VIEW = {"action": "disable", "select": "view", "from": "/applications/?search=app"}


def test_all_rows_of_a_view_can_be_selected(browser: Client, thirty: list[Application]) -> None:
    page = browser.get("/applications/", {"search": "app", "select": "page"})
    assert "Select all 25" in text_of(page)
    assert 'name="select"' not in page.content.decode()
    page = browser.get("/applications/", {"search": "app", "select": "view"})
    assert "All 25 selected" in text_of(page)
    assert "data-selects-view" in page.content.decode()
    assert '<input type="hidden" name="select" value="view"' in page.content.decode()
    fits = text_of(browser.get("/applications/", {"search": "other"}))
    assert "Select all on this page" in fits
    assert "Select all 5" not in fits


def test_action_on_a_view_affects_the_rows_shown(
    browser: Client, thirty: list[Application]
) -> None:
    answer = browser.get("/applications/selected/", VIEW)
    assert "selected=" not in answer.url
    summary = browser.get(answer.url)
    assert "Disable 25 applications?" in text_of(summary)
    named = re.findall(r'name="selected" value="([^"]+)"', summary.content.decode())
    assert sorted(named) == sorted(str(one.pk) for one in thirty[:25])
    factories.application("app-of-later")
    report = text_of(browser.post(f"{BULK}disable/", {"selected": named}))
    assert "25 of 25 done" in report
    enabled = Application.objects.filter(subject__enabled=True).values_list("subject__name")
    assert {name for (name,) in enabled} == {"app-of-later", *(f"other-{n}" for n in range(5))}


@pytest.mark.parametrize(
    "view",
    ["/applications/?search2=x", "//evil.example/", "/users/", f"/applications/?{'x' * 5000}"],
    ids=["ignored in part", "another host", "another page", "too long"],
)  # fmt: skip
def test_different_view_selects_nothing(
    browser: Client, thirty: list[Application], view: str
) -> None:
    answer = browser.get("/applications/selected/", {**VIEW, "from": view}, follow=True)
    assert "Select an application first." in text_of(answer)
    answer = browser.get(f"{BULK}disable/", {"select": "view", "from": view})
    assert answer.status_code == 302


def test_view_selects_only_visible_rows(dina: User, acme: Organization, as_: SignedIn) -> None:
    factories.application("ours", ("Viewer", acme.training))
    factories.application("ours-too", ("Viewer", acme.training))
    factories.application("theirs", ("Viewer", acme.dictation))
    page = as_(dina).get(f"{BULK}add-rule/", {"select": "view"})
    assert "Add an access rule to 2 applications" in text_of(page)
    assert "theirs" not in page.content.decode()


def test_bulk_action_on_1000_applications_reports_and_audits_each(
    browser: Client, acme: Organization
) -> None:
    made = factories.many_applications(1_003, ("Viewer", acme.east))
    page = browser.get("/applications/", {"select": "view"})
    assert "The first 1,000 selected" in text_of(page)
    summary = browser.get(f"{BULK}disable/", {"select": "view"})
    named = re.findall(r'name="selected" value="([^"]+)"', summary.content.decode())
    assert len(named) == 1_000
    report = text_of(browser.post(f"{BULK}disable/", {"selected": named, "from": "/applications/"}))
    assert "1000 of 1000 done" in report
    recorded = AuditEvent.objects.filter(action="update", entity_type="application")
    assert recorded.values("entity_id").distinct().count() == recorded.count() == 1_000
    assert (
        sum(one.enabled for one in Application.objects.select_related("subject"))
        == len(made) - 1_000
    )


@pytest.mark.parametrize("action", ["delete", "disable", "enable"])
def test_bulk_action_without_permission_is_denied(
    dina: User, two: list[Application], as_: SignedIn, action: str
) -> None:
    assert as_(dina).get(f"{BULK}{action}/", _ids(two)).status_code == 403
    assert as_(dina).post(f"{BULK}{action}/", _ids(two)).status_code == 403
    assert Application.objects.count() == 2


def test_rule_is_added_to_applications_without_it(
    browser: Client, two: list[Application], acme: Organization
) -> None:
    assert "Add an access rule to 2 applications" in text_of(
        browser.get(f"{BULK}add-rule/", _ids(two))
    )
    rule = {"role": factories.role("Viewer").pk, "scope": acme.east.pk, "do": "save"}
    report = text_of(browser.post(f"{BULK}add-rule/", {**_ids(two), **rule}))
    assert "1 of 2 done, 1 not" in report
    assert "one already has the role Viewer in cluster east" in report
    assert "two access rule added: Viewer in cluster east" in report
    assert AccessRule.objects.living().filter(subject=two[1].subject).count() == 1


def test_rule_that_cannot_be_granted_is_added_to_none(
    dina: User, acme: Organization, as_: SignedIn
) -> None:
    ours = factories.application("ours", ("Viewer", acme.training))
    rule = {"role": factories.role("Viewer").pk, "scope": acme.west.pk, "do": "save"}
    answer = as_(dina).post(f"{BULK}add-rule/", {**_ids([ours]), **rule})
    assert answer.status_code == 422
    assert "You can't add access rules in this scope." in text_of(answer)
    assert AccessRule.objects.living().filter(subject=ours.subject).count() == 1


def test_the_number_of_queries_of_a_bulk_action_does_not_depend_on_its_size(
    browser: Client, acme: Organization
) -> None:
    rule = {"role": factories.role("Viewer").pk, "scope": acme.east.pk, "do": "save"}

    def queries(number: int) -> dict[str, int]:
        made = _ids(factories.many_applications(number))
        counts = {}
        for action, form in {"add-rule": rule, "disable": {}, "enable": {}, "delete": {}}.items():
            with CaptureQueriesContext(connection) as run:
                report = text_of(browser.post(f"{BULK}{action}/", {**made, **form}))
            assert f"{number} of {number} done" in report
            counts[action] = len(run)
        return counts

    assert queries(2) == queries(20)
