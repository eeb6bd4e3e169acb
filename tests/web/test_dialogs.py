"""The delete, disable and enable dialogs, and behavior common to all dialogs."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accessrules.models import AccessRule
from applications.models import Application
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.web.conftest import DIALOG, LISTING, Organization, SignedIn, text_of

pytestmark = pytest.mark.any_database

LIST = "/applications/"
OF_ONE = ["access-rules", "regenerate", "enable", "disable", "delete"]


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


@pytest.fixture
def ci(acme: Organization) -> Application:
    return factories.application("ci", ("Viewer", acme.training), ("L1 researcher", acme.east))


def _url(name: str, application: Application) -> str:
    return reverse(f"applications:{name}", args=[application.pk])


def _set_enabled(application: Application, enabled: bool) -> None:
    application.subject.enabled = enabled
    application.subject.save()


def test_delete_dialog_shows_the_effect_and_deletes_nothing(
    browser: Client, ci: Application
) -> None:
    Application.objects.update(last_login=timezone.now() - timedelta(days=2))
    text = text_of(browser.get(_url("delete", ci)))
    assert "Delete ci?" in text
    assert "Access rules deleted with it 2" in text
    assert "Last login 2 days ago" in text
    assert Application.objects.filter(pk=ci.pk).exists()


def test_delete_dialog_shows_never_without_a_login(browser: Client, ci: Application) -> None:
    assert "Last login Never" in text_of(browser.get(_url("delete", ci)))


def test_deleting_removes_the_application_and_its_rules(browser: Client, ci: Application) -> None:
    answer = browser.post(_url("delete", ci), follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert "Application ci deleted." in text_of(answer)
    assert not Application.objects.exists()
    assert not AccessRule.objects.living().filter(subject=ci.subject).exists()


@pytest.mark.parametrize(("action", "enabled"), [("disable", False), ("enable", True)])
def test_disabling_and_enabling_ask_first_and_show_a_toast(
    browser: Client, ci: Application, action: str, enabled: bool
) -> None:
    _set_enabled(ci, not enabled)
    assert f"{action.capitalize()} ci?" in text_of(browser.get(_url(action, ci)))
    assert Application.objects.get().enabled is not enabled
    answer = browser.post(_url(action, ci), follow=True)
    assert Application.objects.get().enabled is enabled
    assert f"Application ci {action}d." in text_of(answer)
    assert f'id="select-{ci.pk}" aria-label="ci" checked' in answer.content.decode()


@pytest.mark.parametrize("action", ["delete", "disable", "enable"])
def test_htmx_closes_the_dialog_and_refreshes_the_list(
    browser: Client, ci: Application, action: str
) -> None:
    _set_enabled(ci, action != "enable")
    answer = browser.post(_url(action, ci), headers=DIALOG)
    assert (answer.status_code, answer.content) == (204, b"")
    assert {"changed", "dialog-close"} <= set(answer.headers["HX-Trigger"].split('"'))
    part = browser.get(LIST, headers=LISTING)
    assert f"ci {action}d." in text_of(part)
    assert 'hx-swap-oob="innerHTML"' in part.content.decode()


@pytest.mark.parametrize("name", [*OF_ONE, "create"])
def test_dialogs_are_pages_and_htmx_fragments(browser: Client, ci: Application, name: str) -> None:
    url = reverse("applications:create") if name == "create" else _url(name, ci)
    page, fragment = browser.get(url), browser.get(url, headers=DIALOG)
    for answer in (page, fragment):
        assert answer.status_code == 200
        assert answer.content.decode().count('id="dialog-title"') == 1
        assert "HX-Request" in answer.headers["Vary"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert "<html" in page.content.decode()
    assert "<html" not in fragment.content.decode()
    assert fragment.headers["HX-Push-Url"] == "false"
    (title,) = re.findall(r'<h1 id="dialog-title">(.*?)</h1>', fragment.content.decode())
    assert f"<title>{title} · Applications · runai-access</title>" in page.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", OF_ONE)
def test_dialog_of_a_deleted_application_says_so(
    browser: Client, db: None, name: str, method: str
) -> None:
    url = reverse(f"applications:{name}", args=[uuid.uuid4()])
    for headers in ({}, DIALOG):
        answer = getattr(browser, method)(url, headers=headers)
        assert answer.status_code == 404
        assert "This page does not exist, or you can't see it." in text_of(answer)
    assert 'id="dialog-title"' in answer.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", OF_ONE)
def test_invisible_application_is_not_found(
    dina: User, acme: Organization, as_: SignedIn, name: str, method: str
) -> None:
    theirs = factories.application("theirs", ("Viewer", acme.dictation))
    answer = getattr(as_(dina), method)(_url(name, theirs))
    assert answer.status_code == 404
    assert "theirs" not in answer.content.decode()
    assert Application.objects.get().enabled


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ["regenerate", "enable", "disable", "delete", "create"])
def test_denied_action_shows_the_reason_and_is_audited(
    dina: User, ci: Application, as_: SignedIn, name: str, method: str
) -> None:
    url = reverse("applications:create") if name == "create" else _url(name, ci)
    answer = getattr(as_(dina), method)(url, {"name": "mine"}, headers=DIALOG)
    action = {"create": "create", "delete": "delete"}.get(name, "update")
    assert answer.status_code == 403
    label = {"create": "Create", "update": "Edit", "delete": "Delete"}[action]
    reason = f"You need the “{label} applications” permission in the account."
    assert reason in text_of(answer)
    assert factories.hash_of(Application.objects.get()) == factories.hash_of(ci)
    assert Application.objects.get().enabled
    denial = AuditEvent.objects.get(result=AuditEvent.Result.FAILED)
    assert (denial.subject_name, denial.path) == ("dina@acme.example", url)
    assert denial.reason == f"{reason} Ask someone who manages access rules."


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", [*OF_ONE, "create"])
def test_viewer_cannot_change_applications(
    vera: User, ci: Application, as_: SignedIn, name: str, method: str
) -> None:
    url = reverse("applications:create") if name == "create" else _url(name, ci)
    answer = getattr(as_(vera), method)(url, {"name": "mine", "submission": str(uuid.uuid4())})
    assert answer.status_code == 403
    assert list(Application.objects.values_list("subject__name", flat=True)) == ["ci"]
    assert AccessRule.objects.living().filter(subject=ci.subject).count() == 2


@pytest.mark.parametrize("name", [*OF_ONE, "create", "delete-access-rule", "sign-out", "theme"])
def test_forms_without_a_csrf_token_are_refused(
    ada: User, ci: Application, as_: SignedIn, name: str
) -> None:
    rule = ci.subject.access_rules.first()
    assert rule is not None
    url = {
        "create": reverse("applications:create"),
        "delete-access-rule": reverse("applications:delete-access-rule", args=[ci.pk, rule.pk]),
        "sign-out": reverse("accounts:sign-out"),
        "theme": reverse("ui:theme"),
    }.get(name) or _url(name, ci)
    answer = as_(ada, enforce_csrf_checks=True).post(url, {"name": "mine"})
    assert answer.status_code == 403
    assert "This form has expired." in text_of(answer)
    assert AccessRule.objects.living().filter(subject=ci.subject).count() == 2
    assert Application.objects.get().enabled


def test_large_body_is_refused(browser: Client, db: None) -> None:
    answer = browser.post("/applications/new/", {"name": "x" * 2_000_000})
    assert answer.status_code == 413
    assert not Application.objects.exists()


@pytest.mark.parametrize("path", ["not-a-uuid/delete/", "0/", "new/x/"])
def test_invalid_url_is_a_styled_404(browser: Client, path: str) -> None:
    answer = browser.get(LIST + path)
    assert answer.status_code == 404
    assert "Not found" in text_of(answer)
    assert "ada@acme.example" in text_of(answer), "the frame stays"
