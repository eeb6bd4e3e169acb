"""UNDO in the messages about a removed access rule and a disabled application."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accessrules.models import AccessRule
from applications.models import Application
from runai_access.accounts.models import User
from runai_access.ui import undo
from tests import factories
from tests.web.conftest import Organization, SignedIn, text_of

LIST = "/applications/"


@pytest.fixture
def ci(acme: Organization) -> Application:
    return factories.application("ci", ("Viewer", acme.training))


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


def _remove_rule(browser: Client, application: Application) -> HttpResponse:
    """Delete the application's rule without JavaScript and return the page that reports it."""
    rule = AccessRule.objects.living().get(subject=application.subject)
    address = f"{LIST}{application.pk}/access-rules/{rule.pk}/delete/"
    return browser.post(address, follow=True)  # type: ignore[return-value]  # the last response


def _undo_url(page: HttpResponse) -> str:
    found = re.search(r'class="undo" method="post" action="([^"]+)"', page.content.decode())
    assert found, "the page offers no UNDO"
    return unescape(found[1])


def _rules(application: Application) -> list[str]:
    rules = AccessRule.objects.living().filter(subject=application.subject)
    return [f"{rule.role} in {rule.scope}" for rule in rules.select_related("role", "scope")]


def test_undo_on_the_page_of_a_dialog_loads_the_page_again(
    browser: Client, ci: Application
) -> None:
    page = _remove_rule(browser, ci).content.decode()
    (form,) = re.findall(r'<form class="undo"[^>]*>', page)
    assert "hx-" not in form


def test_removed_rule_is_restored_as_a_new_rule(browser: Client, ci: Application) -> None:
    (old,) = AccessRule.objects.living().filter(subject=ci.subject)
    page = _remove_rule(browser, ci)
    text = text_of(page)
    assert re.search(
        r"Access rule removed: Viewer in project training · \d+ permissions revoked. UNDO", text
    )
    answer = browser.post(_undo_url(page), {"from": LIST})
    assert answer.headers["Location"].startswith(LIST)
    assert _rules(ci) == ["Viewer in training"]
    assert AccessRule.objects.living().get(subject=ci.subject).pk != old.pk
    assert "Access rule restored: Viewer in project training." in text_of(browser.get(LIST))


def test_restoring_requires_the_grant_permission(
    browser: Client, ada: User, ci: Application
) -> None:
    url = _undo_url(_remove_rule(browser, ci))
    factories.person("eve@acme.example", "System administrator")
    AccessRule.objects.living().filter(subject=ada.subject).delete()
    factories.custom_role("Reader", apps="r", access_rules="r")
    factories.rule(ada.subject, "Reader", factories.account())
    assert browser.post(url).status_code == 403
    assert _rules(ci) == []


def test_undo_expires(browser: Client, ci: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    url = _undo_url(_remove_rule(browser, ci))
    monkeypatch.setattr(undo, "SECONDS", -1)
    browser.post(url)
    assert "It is too late to undo" in text_of(browser.get(LIST))
    assert _rules(ci) == []


def test_undo_of_another_user_is_refused(browser: Client, ci: Application, as_: SignedIn) -> None:
    url = _undo_url(_remove_rule(browser, ci))
    bo = as_(factories.person("bo@acme.example", "System administrator"))
    bo.post(url)
    bo.post(f"{LIST}{ci.pk}/access-rules/restore/?token={signing.dumps({'role': 1})}")
    assert _rules(ci) == []


def test_disabled_application_is_enabled_again(browser: Client, ci: Application) -> None:
    page = browser.post(f"{LIST}{ci.pk}/disable/", follow=True)
    assert "Application ci disabled. UNDO" in text_of(page)  # type: ignore[arg-type]  # the last response
    browser.post(_undo_url(page))  # type: ignore[arg-type]  # as above
    assert "Application ci enabled." in text_of(browser.get(LIST))


def test_restored_rule_keeps_its_expiry(browser: Client, ci: Application) -> None:
    end = timezone.now() + timedelta(hours=1)
    AccessRule.objects.filter(subject=ci.subject).update(expires_at=end)
    browser.post(_undo_url(_remove_rule(browser, ci)))
    assert AccessRule.objects.living().get(subject=ci.subject).expires_at == end


def test_rule_that_has_expired_is_not_restored(
    browser: Client, ci: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = timezone.now() + timedelta(seconds=5)
    AccessRule.objects.filter(subject=ci.subject).update(expires_at=end)
    url = _undo_url(_remove_rule(browser, ci))
    monkeypatch.setattr(timezone, "now", lambda: end)
    page = browser.post(url, follow=True)
    assert "The access rule has expired." in page.content.decode()
    assert _rules(ci) == []
