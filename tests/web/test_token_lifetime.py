"""Token lifetime and last regeneration on the page of an application."""

import pytest
from django.test import Client

from accessrules.authorization.callers import SYSTEM
from applications.actions.secrets import add_secret, regenerate_secret, revoke_secret
from applications.models import Application
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import Organization, SignedIn, text_of


@pytest.fixture
def ci(acme: Organization) -> Application:
    return factories.application("ci", ("Viewer", acme.vision))


def _url(application: Application, name: str = "") -> str:
    return f"{application.get_absolute_url()}{name}"


def test_lifetime_is_shown_and_changed(ada: User, ci: Application, as_: SignedIn) -> None:
    browser = as_(ada)
    assert "Token lifetime 3600 seconds (default)" in text_of(browser.get(_url(ci)))
    browser.post(_url(ci, "token-lifetime/"), {"seconds": "300"})
    page = text_of(browser.get(_url(ci)))
    assert "Token lifetime 300 seconds Edit" in page
    assert "Token lifetime of ci changed." in page
    browser.post(_url(ci, "token-lifetime/"), {"seconds": ""})
    assert "3600 seconds (default)" in text_of(browser.get(_url(ci)))


@pytest.mark.parametrize("seconds", ["1", "9999999", "x"])
def test_lifetime_outside_the_range_is_refused(
    ada: User, ci: Application, as_: SignedIn, seconds: str
) -> None:
    answer = as_(ada).post(_url(ci, "token-lifetime/"), {"seconds": seconds})
    assert answer.status_code == 422
    assert "Enter 120 to " in text_of(answer)
    ci.refresh_from_db()
    assert ci.token_lifetime is None


def test_last_regeneration_names_the_user(ada: User, ci: Application, as_: SignedIn) -> None:
    browser: Client = as_(ada)
    assert "Last regeneration None since creation" in text_of(browser.get(_url(ci)))
    regenerate_secret(caller=factories.caller(ada.subject), application_id=ci.pk)
    # Later changes of other secrets are not regenerations.
    added = add_secret(caller=SYSTEM, application_id=ci.pk)
    revoke_secret(caller=SYSTEM, application_id=ci.pk, secret_id=added.stored.pk)
    page = text_of(browser.get(_url(ci)))
    assert "UTC by ada@acme.example" in page.partition("Last regeneration")[2][:60]


def test_only_what_the_caller_can_do_is_offered(dina: User, ci: Application, as_: SignedIn) -> None:
    page = text_of(as_(dina).get(_url(ci)))
    assert "Token lifetime 3600 seconds (default) Last login" in page
    assert as_(dina).get(_url(ci, "token-lifetime/")).status_code == 403
