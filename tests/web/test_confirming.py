"""Dangerous actions ask for the password again if the sign-in is old."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accessrules.models import AccessRule, GroupMembership
from applications.oauth.tokens import issue
from runai_access.accounts.models import User
from runai_access.accounts.sessions import AUTHENTICATED_AT
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.web.conftest import DIALOG, text_of

CONFIRM = "/account/confirm/"
PASSWORD = "correct horse battery"
JSON = "application/json"
pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def ada(db: None) -> User:
    return factories.person("ada@acme.example", "System administrator", password=PASSWORD)


@pytest.fixture
def browser(ada: User, settings: Settings) -> Client:
    """A browser in which Ada signed in too long ago for a dangerous action."""
    client = Client()
    client.force_login(ada)
    session = client.session
    signed_in = timezone.now() - timedelta(seconds=settings.REAUTHENTICATION_SECONDS + 1)
    session[AUTHENTICATED_AT] = signed_in.timestamp()
    session.save()
    return client


def regenerate(client: Client) -> Any:
    application = factories.application("ci", ("System administrator", factories.account()))
    return client.get(f"/applications/{application.pk}/regenerate/")


def grant(client: Client) -> Any:
    application = factories.application("ci")
    account = factories.account()
    fields = {"subject": application.pk, "role": factories.role_id("System administrator")}
    return client.post("/access-rules/new/", {**fields, "scope": account.pk})


def reset(client: Client) -> Any:
    other = factories.person("sam@acme.example", "System administrator")
    return client.get(f"/users/{other.pk}/reset-password/")


def join(client: Client) -> Any:
    group = factories.group("admins")
    factories.rule(group, "System administrator", factories.account())
    person = factories.person("sam@acme.example")
    return client.post(f"/groups/{group.pk}/members/", {"subject": str(person.pk)})


def export(client: Client) -> Any:
    return client.get("/activity/activity.csv")


def export_json(client: Client) -> Any:
    return client.get("/activity/activity.json")


@pytest.mark.parametrize("act", [regenerate, grant, reset, join, export, export_json])
def test_dangerous_action_asks_for_the_password(
    browser: Client, act: Callable[[Client], Any]
) -> None:
    rules, members = AccessRule.objects.count, GroupMembership.objects.count
    answer = act(browser)
    before = (rules(), members())
    assert answer.status_code == 302
    assert answer.url.startswith(f"{CONFIRM}?next=/")
    assert (rules(), members()) == before
    assert not AccessRule.objects.filter(subject__name="ci", created_by="ada@acme.example")
    assert not GroupMembership.objects.exists()


def test_api_refuses_the_audit_log_to_an_old_session(browser: Client, ada: User) -> None:
    path = "/api/v1/audit/log?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z"
    answer = browser.get(path)
    assert answer.status_code == 403
    assert "/account/confirm/" in answer.json()["details"]
    fresh = Client()
    fresh.force_login(ada)
    assert fresh.get(path).status_code == 200
    root = factories.application("root", ("System administrator", factories.account()))
    token = Client(headers={"Authorization": f"Bearer {issue(root).text}"})
    assert token.get(path).status_code == 200


@pytest.mark.parametrize("call", ["secret", "rule"])
def test_api_with_a_session_refuses_too(browser: Client, call: str) -> None:
    account = factories.account()
    application = factories.application("ci", ("System administrator", account))
    secrets = list(application.secrets.unrevoked())
    if call == "secret":
        answer = browser.post(f"/api/v1/apps/{application.pk}/secret", {}, content_type=JSON)
    else:
        factories.application("other")
        body = {
            "subjectId": "other", "subjectType": "app", "roleId": 1,
            "scopeId": account.uid, "scopeType": "tenant",
        }  # fmt: skip
        answer = browser.post("/api/v1/authorization/access-rules", body, content_type=JSON)
    assert answer.status_code == 403
    assert "/account/confirm/" in answer.json()["details"]
    assert AccessRule.objects.living().filter(subject__name="other").count() == 0
    assert secrets == list(application.secrets.unrevoked())


def test_htmx_leaves_for_the_page_and_keeps_the_form(browser: Client) -> None:
    application = factories.application("ci", ("System administrator", factories.account()))
    path = f"/applications/{application.pk}/regenerate/"
    answer = browser.post(path, headers=DIALOG)
    assert answer.headers["HX-Redirect"] == f"{CONFIRM}?next={path}"
    assert answer.headers["X-Keep-Form"] == "true"


def test_harmless_actions_do_not_ask(browser: Client) -> None:
    application = factories.application("ci", ("Viewer", factories.account()))
    assert browser.get(f"/applications/{application.pk}/regenerate/").status_code == 200
    assert browser.get("/activity/").status_code == 200
    fields = {"subject": application.pk, "role": factories.role_id("L1 researcher")}
    account = factories.account()
    answer = browser.post("/access-rules/new/", {**fields, "scope": account.pk})
    assert answer.status_code == 200
    assert AccessRule.objects.filter(role__name="L1 researcher").exists()


def test_confirming_continues_with_the_action(browser: Client) -> None:
    asked = regenerate(browser)
    page = browser.get(asked.url)
    assert "Confirm your password" in text_of(page)
    key = browser.session.session_key
    wanted = asked.url.partition("next=")[2]
    answer = browser.post(CONFIRM, {"password": PASSWORD, "next": wanted})
    assert answer.url == wanted
    assert browser.session.session_key != key
    assert browser.get(wanted).status_code == 200
    event = AuditEvent.objects.get(action="sign-in")
    assert (event.result, event.reason) == ("Succeeded", "confirmed the password")


def test_wrong_passwords_are_limited_and_audited(browser: Client) -> None:
    for _ in range(5):
        answer = browser.post(CONFIRM, {"password": "a wrong password"})
        assert answer.status_code == 422
        assert "Incorrect password." in text_of(answer)
    answer = browser.post(CONFIRM, {"password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert regenerate(browser).status_code == 302
    reasons = AuditEvent.objects.filter(result="Failed").values_list("reason", flat=True)
    assert set(reasons) == {"wrong password", "too many failures"}


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example/", "/\\evil"])
def test_confirming_never_redirects_to_another_host(browser: Client, next_url: str) -> None:
    assert "evil" not in browser.get(CONFIRM, {"next": next_url}).content.decode()
    assert browser.post(CONFIRM, {"password": PASSWORD, "next": next_url}).url == "/"


def test_a_recent_sign_in_is_enough(ada: User) -> None:
    client = Client()
    client.post("/sign-in/", {"email": ada.email, "password": PASSWORD})
    assert regenerate(client).status_code == 200
    assert AuditEvent.objects.get(action="sign-in").reason == "with a password"
